# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What a process gives to the node that it is there for."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.models.container import ModelONEXContainer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def container_of_process(*, with_bus: bool = False) -> AsyncIterator[ModelONEXContainer]:
    """Give ONEX's container for as long as the context lasts.

    Args:
        with_bus: Whether it brings an event bus, which ends with the process.
    """
    container = ModelONEXContainer()
    if not with_bus:
        yield container
        return
    bus = EventBusInmemory()
    await bus.start()
    await container.service_registry.register_instance(EventBusInmemory, bus)
    yield container
    await bus.close()
