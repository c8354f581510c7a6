# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Reaches nodes over the event bus: a request, and the reply with the same correlation id."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import Context
from typing import Any, Protocol
from uuid import UUID, uuid4

from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from omnibase_core.models.core.model_envelope_metadata import ModelEnvelopeMetadata
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope
from pydantic import JsonValue

from .peer import Peer
from .spans import UNTRACED, NodeSpans

_FAILED = frozenset({"error", "failure", "failed"})

type Unsubscribe = Callable[[], Awaitable[None]]


class RequestBus(Protocol):
    """The part of ONEX's event buses that requests need."""

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        """Publish one envelope to a topic."""

    def subscribe(
        self, topic: str, *, on_message: Callable[[Any], Awaitable[None]], group_id: str
    ) -> Coroutine[Any, Any, Unsubscribe]:
        """Hand each message of a topic to a callback; what is returned ends that."""


class NodesOnBus:
    """Nodes that take requests from the event bus."""

    def __init__(
        self,
        bus: RequestBus,
        peers: Mapping[str, Peer],
        node: str,
        spans: NodeSpans = UNTRACED,
    ) -> None:
        """Keep the bus.

        Args:
            bus: Started by whoever made it.
            peers: The other nodes by ONEX's names.
            node: ONEX's name of this node.
            spans: How calls are traced.
        """
        self._bus = bus
        self._peers = peers
        self._node = node
        self._spans = spans
        self._replies: dict[UUID, asyncio.Future[dict[str, JsonValue]]] = {}
        self._subscriptions: dict[str, asyncio.Task[Unsubscribe]] = {}
        # Every process has to see every reply, so each is a group of its own.
        self._group = f"{node}-replies-{uuid4()}"

    async def call(
        self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        """Ask another node to run an operation, and wait for its reply for as long as the caller does.

        Args:
            node: ONEX's name of the node.
            operation: Its operation.
            payload: The operation's input, as JSON.
            call_id: The correlation id of request and reply.

        Returns:
            The operation's output, as JSON.

        Raises:
            ModelOnexError: OPERATION_FAILED when the node answers that it failed; else what the bus raises.
        """
        peer = self._peers[node]
        await self._listen(peer.completed_topic)
        request = {"operation": operation, "payload": dict(payload), "correlation_id": str(call_id)}
        envelope = ModelEventEnvelope[dict[str, Any]](
            payload=request,
            correlation_id=call_id,
            source_tool=self._node,
            event_type=peer.command_topic,
            metadata=ModelEnvelopeMetadata(headers=dict(self._spans.outgoing())),
        )
        reply = self._replies[call_id] = asyncio.get_running_loop().create_future()
        try:
            await self._bus.publish_envelope(envelope, peer.command_topic)
            return _result(node, await reply)
        finally:
            if self._replies.get(call_id) is reply:
                del self._replies[call_id]

    async def open(self, nodes: Iterable[str]) -> None:
        """Listen for the replies of nodes, all at once: to join a group takes Kafka seconds.

        Calls listen for themselves where that failed.

        Args:
            nodes: ONEX's names of the nodes.
        """
        topics = [self._peers[node].completed_topic for node in nodes]
        await asyncio.gather(*(self._listen(topic) for topic in topics), return_exceptions=True)

    async def close(self) -> None:
        """Stop listening for replies."""
        subscriptions, self._subscriptions = self._subscriptions, {}
        for subscription in subscriptions.values():
            if not subscription.done():
                subscription.cancel()
        for ended in await asyncio.gather(*subscriptions.values(), return_exceptions=True):
            if not isinstance(ended, BaseException):
                await ended()

    async def _listen(self, topic: str) -> None:
        subscription = self._subscriptions.get(topic)
        if subscription is None:
            # It serves every call from now on, so it is none's to cancel and has none's context.
            subscribing = self._bus.subscribe(topic, on_message=self._receive, group_id=self._group)
            subscription = asyncio.create_task(subscribing, context=Context())
            self._subscriptions[topic] = subscription
        try:
            await asyncio.shield(subscription)
        except Exception:
            if self._subscriptions.get(topic) is subscription:
                del self._subscriptions[topic]
            raise

    async def _receive(self, message: Any) -> None:
        try:
            envelope = json.loads(message.value)
            # Some runtimes publish the bare answer, some wrap it in an envelope.
            answer = envelope["payload"] if isinstance(envelope.get("payload"), dict) else envelope
            call_id = UUID(str(answer.get("correlation_id") or envelope.get("correlation_id")))
        except (AttributeError, TypeError, ValueError):
            emit_log_event_sync(EnumLogLevel.WARNING, "reply_not_understood", {"node": self._node})
            return
        reply = self._replies.get(call_id)
        if reply is not None and not reply.done():
            reply.set_result(answer)


def _result(node: str, answer: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    error = answer.get("error_message") or answer.get("error") or answer.get("failure_reason")
    result = answer.get("result")
    if error or answer.get("status") in _FAILED or not isinstance(result, dict):
        told = ("outcome_unknown", "safe_to_repeat")
        said: dict[str, Any] = {name: answer[name] for name in told if isinstance(answer.get(name), bool)}
        raise ModelOnexError(
            message=f"{node} failed: {error or 'the reply has no result'}",
            error_code=EnumCoreErrorCode.OPERATION_FAILED,
            **said,
        )
    return result
