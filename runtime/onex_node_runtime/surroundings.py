# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What the operations of a node share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID, uuid4

from omnibase_core.mixins.mixin_metrics import MixinMetrics

from .settings.node import NodeSettings
from .spans import UNTRACED, Spans


class EventPublisher(Protocol):
    """The part of ONEX's event buses that a node publishes with."""

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        """Publish one envelope to a topic."""


def _allow(_payload: Mapping[str, object]) -> None:
    pass


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured of operations.

    Attributes:
        success: Whether those that succeed are counted.
        failure: Whether those that fail or are refused are counted.
        latency: Whether the time that they take is measured.
        counted: Output fields whose values are added up, each in a counter of its own.
    """

    success: bool = True
    failure: bool = True
    latency: bool = True
    counted: tuple[str, ...] = ()


EVERYTHING = Measured()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What operations share.

    Attributes:
        node: The node's name.
        namespace: Whose events these are: the part of topics that names the package.
        node_id: Identity of the running node, for logs and events.
        metrics: Where successes, failures and durations are counted.
        redact: Masks secrets in text.
        cleaned: Masks secrets in a value of JSON.
        check: Refuses payloads that hold what is not allowed, by raising a `ModelOnexError`.
        event_bus: Where events go; None publishes nothing.
        measured: What is measured.
        spans: How events hand on the trace.
    """

    node: str
    node_id: UUID
    metrics: MixinMetrics
    redact: Callable[[str], str]
    cleaned: Callable[[Any], Any] = _as_it_is
    check: Callable[[Mapping[str, object]], None] = _allow
    event_bus: EventPublisher | None = None
    measured: Measured = EVERYTHING
    spans: Spans = UNTRACED
    namespace: str = ""

    @classmethod
    def of(
        cls,
        settings: NodeSettings,
        metrics: MixinMetrics | None,
        node_id: UUID | None,
        event_bus: EventPublisher | None = None,
        *,
        node: str,
        namespace: str,
        check: Callable[[Mapping[str, object]], None] = _allow,
        measured: Measured = EVERYTHING,
        spans: Spans = UNTRACED,
    ) -> Self:
        """Return what operations share by the node's settings, and by what made the node.

        Args:
            settings: Know what is secret.
            metrics: Where operations are counted; None for where nobody looks.
            node_id: Identity of the running node; None makes one.
            event_bus: Where events go; None publishes nothing.
            node: The node's name.
            namespace: Whose events these are.
            check: Refuses payloads that hold what is not allowed.
            measured: What is measured.
            spans: How events hand on the trace.
        """
        return cls(
            node=node,
            namespace=namespace,
            node_id=node_id or uuid4(),
            metrics=metrics or MixinMetrics(),
            redact=settings.redact,
            cleaned=settings.cleaned,
            check=check,
            event_bus=event_bus,
            measured=measured,
            spans=spans,
        )
