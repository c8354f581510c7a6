# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where a node counts and measures, so that Prometheus can read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, override

from omnibase_core.backends.metrics import BackendMetricsPrometheus
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from .counters import begin_at_zero

if TYPE_CHECKING:
    from omnibase_core.mixins.mixin_metrics import MixinMetrics

    from .counters import Counters


type Buckets = tuple[float, ...] | None
"""Upper limits of a histogram's buckets, in seconds; None for those of Prometheus' client."""

type Tags = dict[str, str] | None
"""What tells the series of a metric apart, by name; None for nothing."""


class KnownSeries(BackendMetricsPrometheus):
    """ONEX's metrics for Prometheus; a series that was there before is found at once."""

    def __init__(self, prefix: str, registry: CollectorRegistry, buckets: Buckets) -> None:
        """Begin with no series.

        Args:
            prefix: How the names of metrics begin.
            registry: Where they are kept.
            buckets: Upper limits of the buckets of histograms; None for those of Prometheus' client.
        """
        super().__init__(prefix=prefix, registry=registry, default_histogram_buckets=buckets)
        self._counter_of: dict[object, Counter] = {}
        self._histogram_of: dict[object, Histogram] = {}

    @override
    def increment_counter(self, name: str, value: float = 1.0, tags: Tags = None) -> None:
        """Add to a counter."""
        series = (name, *tags.items()) if tags else name
        if known := self._counter_of.get(series):
            known.inc(value)
            return
        super().increment_counter(name, value, tags)
        if metric := self._counters.get(self._make_name(name)):
            self._counter_of[series] = metric.labels(**tags) if tags else metric

    @override
    def record_histogram(self, name: str, value: float, tags: Tags = None) -> None:
        """Add a value to a histogram."""
        series = (name, *tags.items()) if tags else name
        if known := self._histogram_of.get(series):
            known.observe(value)
            return
        super().record_histogram(name, value, tags)
        if metric := self._histograms.get(self._make_name(name)):
            self._histogram_of[series] = metric.labels(**tags) if tags else metric


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
    buckets: Buckets = None

    def registry_of(self, node: MixinMetrics) -> CollectorRegistry:
        """Let a node count and measure for Prometheus, and return where that is kept, figures of the process included.

        Args:
            node: The node.
        """
        registry = CollectorRegistry()
        node.set_metrics_backend(KnownSeries(self.prefix, registry, self.buckets))
        ProcessCollector(registry=registry)
        begin_at_zero(node, self.counters)
        return registry
