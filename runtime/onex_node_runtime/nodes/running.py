# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The life of a node: what it opens and closes, how it takes requests, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.infrastructure.node_core_base import NodeCoreBase
from omnibase_core.mixins.mixin_metrics import MixinMetrics

from ..adapters.group import AdaptersOrNone
from ..buses import tell_where_events_end
from ..health import degraded, health_of, healthy, warn_of
from ..node_request import NodeRequest
from ..node_response import NodeResponse
from ..settings.node import NodeSettings

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection
    from enum import StrEnum

    from omnibase_core.models.container import ModelONEXContainer
    from omnibase_core.models.health.model_health_status import ModelHealthStatus

    from ..adapters.group import Figure
    from ..entry import EntryPoint
    from .meter import Meter


class RunningNode[
    RequestT: NodeRequest,
    ResponseT: NodeResponse,
    SettingsT: NodeSettings,
    AdaptersT: AdaptersOrNone,
](NodeCoreBase):
    """A node between its start and its end.

    Attributes:
        NAME: ONEX's name of the node.
        OPERATIONS: The names of its operations.
        METRICS: Lets it measure for Prometheus, with ONEX's mixin for metrics among its bases; None for no metrics.
        USES_BUS: Whether its events may go to the container's event bus.
        PUBLISHES: Whether it publishes, and may do so where nobody outside of the process hears of it.
        OPTIONAL_ADAPTERS: Names of the adapters without which the node stays ready.
        request_model: The model of its requests.
        settings_model: The model of its settings.
        handler_class: Makes what takes its requests.
        settings: Its settings.
        registry: Where Prometheus reads what it measures; None without METRICS.
    """

    NAME: ClassVar[str]
    OPERATIONS: ClassVar[type[StrEnum]]
    METRICS: ClassVar[Meter | None] = None
    USES_BUS: ClassVar[bool] = False
    PUBLISHES: ClassVar[bool] = False
    OPTIONAL_ADAPTERS: ClassVar[Collection[str]] = frozenset()

    request_model: type[RequestT]
    settings_model: type[SettingsT]
    handler_class: Callable[..., EntryPoint[RequestT, ResponseT, AdaptersT]]

    def __init__(self, container: ModelONEXContainer, settings: SettingsT | None = None) -> None:
        """Build the node; nothing is opened before `initialize`.

        Args:
            container: ONEX's container; its event bus may receive the node's events.
            settings: Settings; read from the environment when left out.
        """
        super().__init__(container)
        self.settings = settings or self.settings_model()
        self.registry: Any = None
        if self.METRICS is not None and isinstance(self, MixinMetrics):
            self.registry = self.METRICS.registry_of(self)
        self._health_check_mode = bool(container.config.get("health_check_mode"))
        self._handler: EntryPoint[RequestT, ResponseT, AdaptersT] | None = None
        self._health = degraded("not started")

    @property
    def adapters(self) -> AdaptersT:
        """What the running node talks to; None for nothing."""
        return self.running.adapters

    @property
    def running(self) -> EntryPoint[RequestT, ResponseT, AdaptersT]:
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
        return await self._handler.handle(request)

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
        elif (adapters := self._handler.adapters) is None:
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
        given = {"event_bus": event_bus} if self.USES_BUS else {}
        self._handler = entry = self.handler_class(
            settings=self.settings, metrics=None if self.registry is None else self, node_id=self.node_id, **given
        )
        try:
            failures = await entry.initialize()
        except Exception:
            self._handler = None
            raise
        warn_of(failures, self.node_id)
        if entry.adapters is None:
            self._health = healthy()

    async def _cleanup_node_resources(self) -> None:
        entry, self._handler = self._handler, None
        if entry is not None:
            await entry.shutdown()
        self._health = degraded("not started")
