# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where a node counts and measures, so that Prometheus can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnibase_core.backends.metrics import BackendMetricsPrometheus
from prometheus_client import CollectorRegistry, ProcessCollector

from .counters import begin_at_zero

if TYPE_CHECKING:
    from omnibase_core.mixins.mixin_metrics import MixinMetrics

    from .counters import Counters


def registry_of(
    node: MixinMetrics, counters: Counters = (), *, prefix: str = "onex", buckets: tuple[float, ...] | None = None
) -> CollectorRegistry:
    """Let a node count and measure for Prometheus, and return where that is kept, figures of the process included.

    Args:
        node: The node.
        counters: Counters that begin at zero now, with the values of their tags.
        prefix: How the names of its metrics begin.
        buckets: Upper limits of the latency histogram's buckets, in seconds; None for those of Prometheus' client.
    """
    registry = CollectorRegistry()
    node.set_metrics_backend(
        BackendMetricsPrometheus(prefix=prefix, registry=registry, default_histogram_buckets=buckets)
    )
    ProcessCollector(registry=registry)
    begin_at_zero(node, counters)
    return registry
