"""/ready of a node with every integration: all are asked side by side, and one that hangs keeps no other's answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from examples.rendering import read_contract
from tests.faults.harness import UNAVAILABLE, Projects, running, starter, until

pytestmark = pytest.mark.slow
CONTRACT = read_contract(Path(__file__).parents[1] / "generation" / "order_hub.yaml")
KEY = {"SHOP_API_KEY": "swordfish"}


@dataclass
class Silence:
    """A server that takes connections and never says a word."""

    connections: int = 0
    place: str = ""

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear someone out."""
        self.connections += 1
        try:
            while await reader.read(1000):
                pass
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def silence() -> AsyncIterator[Silence]:
    """Run such a server for as long as the context lasts."""
    server = Silence()
    listener = await asyncio.start_server(server.listen, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    server.place = f"{host}:{port}"
    yield server
    listener.close()
    await listener.wait_closed()


async def test_all_are_asked_before_one_has_answered(projects: Projects, tmp_path: Path) -> None:
    project = projects("order_hub", CONTRACT)
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(silence()) for name in ("postgres", "redis", "kafka", "http")}
        settings = {
            "DATABASE_URL": f"postgresql://user@{servers['postgres'].place}/none",
            "REDIS_URL": f"redis://{servers['redis'].place}/0",
            "KAFKA_BOOTSTRAP_SERVERS": servers["kafka"].place,
            "SHOP_API_URL": f"http://{servers['http'].place}",
            "FILES_ROOT": str(tmp_path),
            "DATABASE_CONNECT_TIMEOUT_SECONDS": "1",
            "HEALTH_CHECK_TIMEOUT_SECONDS": "40",
        }
        process = await stack.enter_async_context(running(project, **KEY, **settings))

        async def asked() -> bool:
            with suppress(httpx.TransportError):
                await process.client.get("/ready", timeout=3)
            # A start that hangs and a question share one attempt to open.
            return all(server.connections for server in servers.values())

        await until(asked)
        assert await process.alive()


async def test_one_that_hangs_is_the_only_one_that_is_missed(projects: Projects, tmp_path: Path) -> None:
    project = projects("order_hub", CONTRACT)
    with ExitStack() as real:
        settings = {
            "REDIS_URL": real.enter_context(starter(project, "redis_server").embedded_redis()).url,
            "KAFKA_BOOTSTRAP_SERVERS": real.enter_context(starter(project, "kafka_server").embedded_kafka()).servers,
            "SHOP_API_URL": real.enter_context(starter(project, "http_server").local_api()).url,
            "FILES_ROOT": str(tmp_path),
            "DATABASE_CONNECT_TIMEOUT_SECONDS": "1",
            "HEALTH_CHECK_TIMEOUT_SECONDS": "2",
        }
        async with silence() as hanging:
            settings["DATABASE_URL"] = f"postgresql://user@{hanging.place}/none"
            async with running(project, **KEY, **settings) as process:

                async def only_one() -> bool:
                    answer = await process.client.get("/ready")
                    assert answer.status_code == UNAVAILABLE
                    return [issue.partition(":")[0] for issue in answer.json()["issues"]] == ["postgres"]

                await until(only_one)
