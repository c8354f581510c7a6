# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where a node counts and measures, so that Prometheus can read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omnibase_core.backends.metrics import BackendMetricsPrometheus
from prometheus_client import CollectorRegistry, ProcessCollector

from .counters import begin_at_zero

if TYPE_CHECKING:
    from omnibase_core.mixins.mixin_metrics import MixinMetrics

    from .counters import Counters


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a node measures beside its operations, and under which names.

    Attributes:
        counters: Counters that begin at zero with the node, with the values of their tags.
        prefix: How the names of its metrics begin.
        buckets: Upper limits of the latency histogram's buckets, in seconds; None for those of Prometheus' client.
    """

    counters: Counters = ()
    prefix: str = "onex"
    buckets: tuple[float, ...] | None = None

    def registry_of(self, node: MixinMetrics) -> CollectorRegistry:
        """Let a node count and measure for Prometheus, and return where that is kept, figures of the process included.

        Args:
            node: The node.
        """
        registry = CollectorRegistry()
        node.set_metrics_backend(
            BackendMetricsPrometheus(prefix=self.prefix, registry=registry, default_histogram_buckets=self.buckets)
        )
        ProcessCollector(registry=registry)
        begin_at_zero(node, self.counters)
        return registry
