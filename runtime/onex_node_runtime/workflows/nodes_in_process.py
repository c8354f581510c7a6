# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Reaches nodes that are installed beside this one, in the same process."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, get_type_hints
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import JsonValue, ValidationError

type NodeCall = Callable[[str, Mapping[str, JsonValue], UUID], Awaitable[Mapping[str, JsonValue]]]


class NodesInProcess:
    """Nodes by name: those that were registered, and those with an entry point in the group `onex.nodes`."""

    def __init__(self, event_bus: object | None = None) -> None:
        """Know no node yet.

        Args:
            event_bus: Handed to the handlers of installed nodes that take one.
        """
        self._event_bus = event_bus
        self._calls: dict[str, NodeCall] = {}
        self._loaded: list[Any] = []
        self._loading = asyncio.Lock()

    def register(self, node: str, call: NodeCall) -> None:
        """Let a node be reached.

        Args:
            node: ONEX's name of the node.
            call: Takes an operation, its input as JSON and the identity of the call, and returns its output as JSON.
        """
        self._calls[node] = call

    def has(self, node: str) -> bool:
        """Tell whether a node can be reached."""
        return node in self._calls or node in _installed()

    async def call(
        self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        """Run an operation of another node.

        Args:
            node: ONEX's name of the node.
            operation: Its operation.
            payload: The operation's input, as JSON.
            call_id: Identity of the call.

        Returns:
            The operation's output, as JSON.

        Raises:
            ModelOnexError: NOT_FOUND for a node or an operation that is not there; else what the node raises.
        """
        return await (await self._call_of(node))(operation, payload, call_id)

    async def close(self) -> None:
        """Shut down the nodes that were loaded here."""
        loaded, self._loaded = self._loaded, []
        self._calls.clear()
        for handler in loaded:
            if hasattr(handler, "shutdown"):
                await handler.shutdown()

    async def _call_of(self, node: str) -> NodeCall:
        async with self._loading:
            if node not in self._calls:
                self._calls[node] = await self._load(node)
            return self._calls[node]

    async def _load(self, node: str) -> NodeCall:
        package = _installed().get(node)
        if package is None:
            raise ModelOnexError(
                message=f"{node} is neither registered nor installed here.", error_code=EnumCoreErrorCode.NOT_FOUND
            )
        module = await asyncio.to_thread(import_module, f"{package}.handler")
        make = getattr(module, module.__all__[0])
        takes_bus = "event_bus" in inspect.signature(make).parameters
        handler = make(event_bus=self._event_bus) if takes_bus else make()
        if hasattr(handler, "initialize"):
            await handler.initialize()
        self._loaded.append(handler)
        return _call_of_handler(handler)


@cache
def _installed() -> Mapping[str, str]:
    """Return the packages of the installed nodes, by name."""
    return {found.name: found.value for found in entry_points(group="onex.nodes")}


def _call_of_handler(handler: Any) -> NodeCall:
    hints = get_type_hints(handler.handle)
    request_model = next(kind for name, kind in hints.items() if name != "return")

    async def call(operation: str, payload: Mapping[str, JsonValue], call_id: UUID) -> Mapping[str, JsonValue]:
        try:
            values = {"operation": operation, "payload": payload, "correlation_id": call_id}
            request = request_model.model_validate(values)
        except ValidationError as error:
            # Nothing is done yet, and nobody but this node can help it.
            raise ModelOnexError(
                message=f"The node has no operation {operation} that takes this.",
                error_code=EnumCoreErrorCode.NOT_FOUND,
            ) from error
        response = await handler.handle(request)
        result: dict[str, JsonValue] = response.model_dump(mode="json")["result"]
        return result

    return call
