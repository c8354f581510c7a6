# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The life of a node: what it opens and closes, how it takes requests, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.infrastructure.node_core_base import NodeCoreBase

from ..buses import tell_where_events_end
from ..entry import EntryPoint
from ..health import degraded, health_of, healthy, warn_of
from ..node_request import NodeRequest
from ..node_response import NodeResponse

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection
    from enum import StrEnum

    from omnibase_core.models.container import ModelONEXContainer
    from omnibase_core.models.health.model_health_status import ModelHealthStatus

    from ..adapters.group import Figure


class RunningNode[RequestT: NodeRequest, ResponseT: NodeResponse, EntryT: EntryPoint[Any, Any]](NodeCoreBase):
    """A node between its start and its end.

    Attributes:
        NAME: ONEX's name of the node.
        OPERATIONS: The names of its operations.
        PUBLISHES: Whether it publishes, and may do so where nobody outside of the process hears of it.
        OPTIONAL_ADAPTERS: Names of the adapters without which the node stays ready.
        request_model: The model of its requests.
    """

    NAME: ClassVar[str]
    OPERATIONS: ClassVar[type[StrEnum]]
    PUBLISHES: ClassVar[bool] = False
    OPTIONAL_ADAPTERS: ClassVar[Collection[str]] = frozenset()

    def __init__(
        self,
        container: ModelONEXContainer,
        request_model: type[RequestT],
        entry_of: Callable[[EventBusInmemory | None], EntryT],
    ) -> None:
        """Build the node; nothing is opened before `initialize`.

        Args:
            container: ONEX's container; its event bus receives the node's events.
            request_model: The model of its requests.
            entry_of: Makes what takes the node's requests; takes the container's event bus.
        """
        super().__init__(container)
        self.request_model = request_model
        self._entry_of = entry_of
        self._health_check_mode = bool(container.config.get("health_check_mode"))
        self._handler: EntryT | None = None
        self._health = degraded("not started")

    @property
    def running(self) -> EntryT:
        """What takes the running node's requests."""
        if self._handler is None:
            raise ModelOnexError(message="The node is not running.", error_code=EnumCoreErrorCode.INVALID_STATE)
        return self._handler

    async def handle(self, request: RequestT) -> ResponseT:
        """Run one operation, as `EntryPoint.handle` describes it.

        Raises:
            ModelOnexError: INVALID_STATE before `initialize` and after `shutdown`; else what the operation raises.
        """
        if self._handler is None:
            raise ModelOnexError(
                message="The node is not running.",
                error_code=EnumCoreErrorCode.INVALID_STATE,
                correlation_id=request.correlation_id,
                operation=request.operation.value,
                safe_to_repeat=True,
            )
        response: ResponseT = await self._handler.handle(request)
        return response

    def figures(self) -> list[Figure]:
        """Return gauges of the adapters: name, value and tags; none while the node is not running."""
        return [] if self._handler is None else self._handler.figures()

    async def shutdown(self) -> None:
        """Release everything that `initialize` opened; does nothing when there is nothing to release."""
        await self.cleanup()

    def get_health_checks(self) -> list[Callable[[], ModelHealthStatus | asyncio.Future[ModelHealthStatus]]]:
        """Return the node's check, which gives the latest finding of `health_check_async`."""
        return [self._latest_health]

    async def health_check_async(self) -> ModelHealthStatus:
        """Ask every dependency for a sign of life, and sum up what they answer."""
        if self._handler is None:
            self._health = degraded("not started")
        elif (adapters := self._handler.adapter_group) is None:
            self._health = healthy()
        else:
            self._health = await health_of(adapters, self.OPTIONAL_ADAPTERS)
        return self._health

    def _latest_health(self) -> ModelHealthStatus:
        return self._health

    async def _initialize_node_resources(self) -> None:
        if self._health_check_mode or self._handler is not None:
            return
        event_bus = self.container.get_service_optional(EventBusInmemory)
        if self.PUBLISHES:
            tell_where_events_end(self.NAME, self.node_id, event_bus)
        # Requests that need no adapter that is slow to open do not wait for it.
        self._handler = entry = self._entry_of(event_bus)
        try:
            failures = await entry.initialize()
        except Exception:
            self._handler = None
            raise
        warn_of(failures, self.node_id)
        if entry.adapter_group is None:
            self._health = healthy()

    async def _cleanup_node_resources(self) -> None:
        entry, self._handler = self._handler, None
        if entry is not None:
            await entry.shutdown()
        self._health = degraded("not started")
