# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Chooses how each node is reached."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import JsonValue

from .nodes import Nodes
from .nodes_in_process import NodesInProcess
from .nodes_on_bus import NodesOnBus, RequestBus
from .peer import Peer
from .spans import UNTRACED, NodeSpans

type Transport = Literal["auto", "in_process", "event_bus"]


class Connection:
    """The other nodes, each where it is: in this process, or behind the event bus."""

    def __init__(
        self,
        transport: Transport,
        event_bus: RequestBus | None,
        peers: Mapping[str, Peer],
        node: str,
        spans: NodeSpans = UNTRACED,
    ) -> None:
        """Choose.

        Args:
            transport: `auto` prefers this process for nodes that are installed, and the bus for the others.
            event_bus: The bus; without one, only nodes in this process can be reached.
            peers: The other nodes by ONEX's names.
            node: ONEX's name of this node.
            spans: How calls are traced.
        """
        self.in_process = NodesInProcess(event_bus)
        self._transport = transport
        self._peers = peers
        self._spans = spans
        self._on_bus = NodesOnBus(event_bus, peers, node, spans) if event_bus is not None else None

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
            ModelOnexError: NOT_FOUND for a node that can't be reached; else what goes wrong there.
        """
        with self._spans.call(node, operation):
            return await self._nodes(node).call(node, operation, payload, call_id)

    async def open(self) -> None:
        """Get ready to reach the nodes that are behind the event bus; does nothing when that is done."""
        if self._on_bus is not None:
            await self._on_bus.open(node for node in self._peers if self._nodes(node) is self._on_bus)

    async def close(self) -> None:
        """Let go of the nodes."""
        await self.in_process.close()
        if self._on_bus is not None:
            await self._on_bus.close()

    def _nodes(self, node: str) -> Nodes:
        if self._transport == "in_process" or (self._transport == "auto" and self.in_process.has(node)):
            return self.in_process
        if self._on_bus is None:
            raise ModelOnexError(
                message=f"{node} is not installed here, and there is no event bus to reach it by.",
                error_code=EnumCoreErrorCode.NOT_FOUND,
            )
        return self._on_bus
