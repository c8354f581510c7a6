# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What a node measures, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

if TYPE_CHECKING:
    from collections.abc import Sequence


class MeasuredNode(Protocol):
    """A node that measures."""

    registry: CollectorRegistry

    def figures(self) -> Sequence[tuple[str, float, dict[str, str]]]:
        """Return gauges: name, value and tags."""

    def record_metric(self, metric_name: str, value: float, tags: dict[str, str] | None = None) -> None:
        """Set a gauge."""


def metrics_of(node: MeasuredNode) -> tuple[bytes, str]:
    """Return what a node measures, and the media type of it.

    Args:
        node: The node.
    """
    for name, value, tags in node.figures():
        node.record_metric(name, value, tags)
    return generate_latest(node.registry), CONTENT_TYPE_LATEST
