"""A node that answers as it is told, and the service around it on a port of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from typing import Any

from onex_node_runtime.serving.application import Served, application, server_of
from onex_node_runtime.settings.service import ListenerSettings


class Operations(StrEnum):
    ECHO = "echo"


class StubNode:
    running = False

    async def initialize(self) -> None:
        self.running = True

    async def shutdown(self) -> None:
        self.running = False


async def echo(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return payload


def served(handle: Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]] = echo, **values: Any) -> Served:
    settings = {name: values.pop(name) for name in list(values) if name.startswith("service_")}
    return Served(
        node=values.pop("node", None) or StubNode(),
        name="node_stub_effect",
        settings=ListenerSettings(**{"service_port": 0, "service_host": "127.0.0.1", **settings}),
        operations=Operations,
        handle=handle,
        **values,
    )


@contextlib.asynccontextmanager
async def serving(node: Served) -> AsyncIterator[int]:
    """Serve a node for as long as the context lasts, and give the port."""
    server = server_of(application(node), node.settings)
    task = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
