"""A node whose operations must not run twice, with a proxy before each of its servers."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from redis.asyncio import Redis

from examples.rendering import read_contract
from tests.faults.harness import Process, Projects, running, starter, until
from tests.faults.proxy import Proxy, proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

CONTRACT = read_contract(Path(__file__).with_name("ledger.yaml"))
SETTINGS = {
    "SERVICE_DRAIN_SECONDS": "1",
    "RETRY_INITIAL_DELAY_SECONDS": "0.005",
    "RETRY_MAX_DELAY_SECONDS": "0.01",
    "DATABASE_POOL_MIN_SIZE": "1",
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": "1000",
}


@dataclass
class Ledger:
    """A node that writes entries, with a proxy before each server.

    Attributes:
        process: The node.
        proxies: The proxy that an operation's conversation passes.
        written: Return how often each entry is there.
    """

    process: Process
    proxies: dict[str, Proxy]
    written: Callable[[], Awaitable[Counter[str]]]


@asynccontextmanager
async def ledger(projects: Projects, settings: Mapping[str, str], *, stalled: bool = False) -> AsyncIterator[Ledger]:
    """Run the node and its servers for as long as the context lasts.

    Args:
        projects: Where the node is generated.
        settings: Further settings of the node.
        stalled: Whether the servers hang from the start on.
    """
    project = projects("ledger", CONTRACT)
    async with AsyncExitStack() as stack:
        servers = stack.enter_context(ExitStack())
        postgres = servers.enter_context(starter(project, "servers").embedded_postgres())
        redis = servers.enter_context(starter(project, "redis_server").embedded_redis())
        api = servers.enter_context(starter(project, "http_server").local_api())
        proxies = {
            "commit_entry": await stack.enter_async_context(proxy(postgres.url)),
            "count_entry": await stack.enter_async_context(proxy(redis.url)),
            "post_entry": await stack.enter_async_context(proxy(api.url)),
        }
        names = {"commit_entry": "DATABASE_URL", "count_entry": "REDIS_URL", "post_entry": "BOOKS_URL"}
        places = {names[operation]: between.url for operation, between in proxies.items()}
        proxies |= dict.fromkeys(("insert_entry", "keyed_entry"), proxies["commit_entry"])
        if stalled:
            for between in proxies.values():
                between.stall()
        given = places | SETTINGS | {"FILES_ROOT": "entries"} | dict(settings)
        process = await stack.enter_async_context(running(project, **given))
        if not stalled:
            await until(process.ready)

        async def written() -> Counter[str]:
            entries = Counter(str(asked.json["entry_id"]) for asked in api.asked if _is_whole(asked))
            connection = await asyncpg.connect(postgres.url)
            entries.update(str(row["entry_id"]) for row in await connection.fetch("SELECT entry_id FROM entries"))
            await connection.close()
            async with Redis.from_url(redis.url, decode_responses=True) as client:
                async for key in client.scan_iter(match="*entry:*"):
                    entries[str(key).rpartition(":")[2]] += int(str(await client.get(key)))
            return entries

        yield Ledger(process, proxies, written)


def _is_whole(asked: Any) -> bool:  # noqa: ANN401 - a class of a generated module
    """Tell whether all of a request with a body came."""
    return len(asked.body) == int(asked.headers.get("content-length", 0)) > 0
