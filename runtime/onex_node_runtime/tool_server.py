# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""ONEX's service mode: tool invocations come in over the event bus of the container, and answers go out over it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, override
from uuid import UUID

from omnibase_core.constants.constants_event_types import TOOL_INVOCATION
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from omnibase_core.mixins.mixin_node_service import MixinNodeService
from omnibase_core.models.core.model_onex_event import ModelOnexEvent
from omnibase_core.models.discovery.model_tool_invocation_event import ModelToolInvocationEvent
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from pydantic import BaseModel, JsonValue


class OnexBus(Protocol):
    """The part of ONEX's event buses that service mode needs."""

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        """Publish one envelope to a topic."""

    async def subscribe(
        self, topic: str, *, on_message: Callable[[Any], Awaitable[None]], group_id: str
    ) -> Callable[[], Awaitable[None]]:
        """Hand each message of a topic to a callback; what is returned ends that."""


class ToolBus:
    """An ONEX event bus as the ModelService classes talk to one: events go to the topic named like their type."""

    def __init__(self, bus: OnexBus, node: str) -> None:
        """Keep the bus.

        Args:
            bus: Started by whoever made it.
            node: The node's name.
        """
        self.bus = bus
        self._node = node

    async def publish(self, event: ModelOnexEvent) -> None:
        """Publish an event in an envelope of its own."""
        envelope = ModelEventEnvelope[Any](
            payload=event, correlation_id=event.correlation_id, source_tool=self._node, event_type=str(event.event_type)
        )
        await self.publish_async(envelope)

    async def publish_async(self, envelope: ModelEventEnvelope[Any]) -> None:
        """Publish an event that is in an envelope."""
        await self.bus.publish_envelope(envelope, str(envelope.payload.event_type))


@dataclass(frozen=True, slots=True)
class ToolTerms:
    """How a node answers invocations.

    Attributes:
        node: The node's name.
        node_id: Identity of the running node, for logs.
        model: A request: an operation, its payload and a correlation id.
        drain_seconds: How long invocations that are under way may take at the end.
    """

    node: str
    node_id: UUID
    model: type[BaseModel]
    drain_seconds: float


class ToolServing(MixinNodeService):
    """A node as an ONEX service.

    A node class has a `run`, which invocations reach. The methods here take the place of those of omnibase_core 0.47
    that fail in a subclass, or don't fit ONEX's own buses.
    """

    _terms: ToolTerms
    _tool_bus: ToolBus | None = None
    _unsubscribe: Callable[[], Awaitable[None]] | None = None

    def take_invocations(self, terms: ToolTerms, bus: OnexBus | None) -> None:
        """Keep what invocations come over; nothing is subscribed to before `start_service_mode`.

        Args:
            terms: How they are answered.
            bus: Brings them; without one, service mode does not start.
        """
        self._terms = terms
        self._tool_bus = None if bus is None else ToolBus(bus, terms.node)

    @override
    async def stop_service_mode(self) -> None:
        """Take no more invocations, and wait for those that are under way until the deadline for draining."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            await unsubscribe()
        await super().stop_service_mode()

    @override
    def _try_get_event_bus_from_container(self) -> ToolBus | None:
        return self._tool_bus

    @override
    async def _subscribe_to_tool_invocations(self) -> None:
        if self._tool_bus is None:
            raise ModelOnexError(
                message="The container has no event bus, over which tool invocations could come.",
                error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
            )
        # Once stopped, the library would end at its next start.
        self._shutdown_requested = False
        self._unsubscribe = await self._tool_bus.bus.subscribe(
            TOOL_INVOCATION, on_message=self._receive, group_id=self._terms.node
        )

    async def _receive(self, message: Any) -> None:
        try:
            invocation = _invocation(message.value)
        except (ValueError, RecursionError):
            emit_log_event_sync(EnumLogLevel.WARNING, "invocation_not_understood", {"node": self._terms.node})
            return
        # Every node hears all invocations.
        if self._is_target_node(invocation):
            await self.handle_tool_invocation(invocation)

    @override
    async def _convert_event_to_input_state(self, event: ModelToolInvocationEvent) -> BaseModel:
        try:
            return self._terms.model.model_validate(
                {"operation": event.action, "payload": _payload(event), "correlation_id": event.correlation_id}
            )
        except (ValueError, RecursionError) as error:
            raise ModelOnexError(
                message="The invocation is not a request to this node.",
                error_code=EnumCoreErrorCode.VALIDATION_ERROR,
                correlation_id=event.correlation_id,
            ) from error

    @override
    async def _execute_tool(self, input_state: object, event: ModelToolInvocationEvent) -> object:
        try:
            async with asyncio.timeout(event.timeout_ms / 1000):
                return await super()._execute_tool(input_state, event)
        except TimeoutError as error:
            raise ModelOnexError(
                message=f"The invocation took longer than {event.timeout_ms} ms.",
                error_code=EnumCoreErrorCode.TIMEOUT,
                correlation_id=event.correlation_id,
            ) from error

    @override
    async def _wait_for_active_invocations(self, timeout_ms: int = 0) -> None:
        await super()._wait_for_active_invocations(int(self._terms.drain_seconds * 1000))

    @override
    def _register_signal_handlers(self) -> None:
        """Leave signals to the process, which drains everything else as well."""

    @override
    def _publish_introspection_event(self) -> None:
        """Announce nothing: ONEX reads what this node offers from its contract."""

    @override
    def _extract_node_name(self) -> str:
        return self._terms.node

    @override
    def _log_info(self, message: str, pattern: str = "") -> None:
        emit_log_event_sync(EnumLogLevel.INFO, message, {"node_id": str(self._terms.node_id), "pattern": pattern})

    @override
    def _log_error(self, message: str, pattern: str = "", error: BaseException | None = None) -> None:
        context = {
            "node_id": str(self._terms.node_id),
            "pattern": pattern,
            "error": type(error).__name__ if error else None,
        }
        emit_log_event_sync(EnumLogLevel.ERROR, message, context)


def _invocation(value: bytes) -> ModelToolInvocationEvent:
    content = json.loads(value)
    # Some tools publish the bare event, some wrap it in an envelope.
    if isinstance(content, dict) and isinstance(content.get("payload"), dict):
        content = content["payload"]
    return ModelToolInvocationEvent.model_validate(content)


def _payload(event: ModelToolInvocationEvent) -> dict[str, JsonValue]:
    # A parameter holds text, numbers and flat collections; what is deeper comes as JSON under another type than string.
    payload: dict[str, JsonValue] = {}
    for parameter in event.parameters.parameters:
        value: Any = parameter.value
        payload[parameter.name] = json.loads(value) if _is_json(value, parameter.parameter_type) else value
    return payload


def _is_json(value: object, parameter_type: str) -> bool:
    return isinstance(value, str) and parameter_type != "string"
