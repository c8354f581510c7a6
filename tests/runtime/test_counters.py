"""Counters are shown before they count anything."""

import sys

from omnibase_core.backends.metrics import BackendMetricsPrometheus
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.counters import begin_at_zero, of_entry, of_operations
from onex_node_runtime.measuring import Metrics
from onex_node_runtime.operation import Event, FailureEvent, Operation
from onex_node_runtime.serving.measured import metrics_of
from onex_node_runtime.surroundings import Measured
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel


class Nothing(BaseModel):
    """An input or output without fields."""


async def same(request: Nothing) -> Nothing:
    return request


def test_each_combination_of_tags_begins_at_zero() -> None:
    registry, metrics = CollectorRegistry(), MixinMetrics()
    metrics.set_metrics_backend(BackendMetricsPrometheus(prefix="onex", registry=registry))
    begin_at_zero(metrics, [("run", {"operation": ("a", "b"), "status": ("c", "d")})])
    metrics.increment_counter("run", tags={"operation": "a", "status": "d"})
    shown = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("onex_run_total")]
    assert shown == [
        'onex_run_total{operation="a",status="c"} 0.0',
        'onex_run_total{operation="a",status="d"} 1.0',
        'onex_run_total{operation="b",status="c"} 0.0',
        'onex_run_total{operation="b",status="d"} 0.0',
    ]


def operations() -> list[Operation[Nothing, Nothing]]:
    told: Event[Nothing, Nothing] = Event("told", lambda request, _: request)
    failed: FailureEvent[Nothing] = FailureEvent("failed", lambda request, _: request)
    events = {"a": (told,), "b": (told, failed)}
    return [Operation(name, Nothing, same, events=events[name]) for name in "ab"]


def test_what_an_entry_counts_is_that_of_its_operations_and_their_events() -> None:
    every = {"operation": ("a", "b")}
    assert of_entry(operations(), Measured()) == [
        ("operation_success", every),
        ("operation_failure", {**every, "code": (str(EnumCoreErrorCode.INTERNAL_ERROR),)}),
        ("operation_refused", {**every, "code": (str(EnumCoreErrorCode.VALIDATION_ERROR),)}),
        ("event_publish_failure", {"topic": ("told", "failed")}),
    ]


def test_what_is_not_measured_is_not_counted() -> None:
    quiet = [Operation("a", Nothing, same)]
    assert of_entry(quiet, Measured(success=False, failure=False, counted=("tokens",))) == [
        ("operation_tokens", {"operation": ("a",)})
    ]


def test_each_operation_has_further_counters() -> None:
    assert of_operations("ab", "cache_hit") == [("cache_hit", {"operation": ("a", "b")})]


async def test_a_node_shows_counters_and_its_process() -> None:
    metrics = MixinMetrics()
    registry = Metrics(of_operations("a", "cache_hit"), prefix="shop", buckets=(0.5,)).registry_of(metrics)
    metrics.record_histogram("seconds", 0.1)
    shown = generate_latest(registry).decode()
    assert 'shop_cache_hit_total{operation="a"} 0.0' in shown
    assert 'shop_seconds_bucket{le="0.5"} 1.0' in shown
    if sys.platform == "linux":
        assert "process_cpu_seconds_total" in shown


class Measuring:
    """A node that measures, and remembers what of."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.recorded: list[tuple[str, float, dict[str, str] | None]] = []
        Gauge("shop_open", "Whether it is.", registry=self.registry).set(2)

    def figures(self) -> list[tuple[str, float, dict[str, str]]]:
        return [("pool", 1.0, {"integration": "http"}), ("waiting", 5.0, {})]

    def record_metric(self, metric_name: str, value: float, tags: dict[str, str] | None = None) -> None:
        self.recorded.append((metric_name, value, tags))


def test_gauges_are_set_whenever_somebody_asks() -> None:
    node = Measuring()
    content, media_type = metrics_of(node)
    assert "shop_open 2.0" in content.decode()
    assert media_type.startswith("text/plain; version=")
    assert node.recorded == node.figures()


def test_series_go_on_from_what_was_counted_and_stay_apart() -> None:
    metrics = MixinMetrics()
    registry = Metrics().registry_of(metrics)
    for operation, count in (("a", 2), ("b", 3), ("a", 4)):
        metrics.increment_counter("calls", count, tags={"operation": operation})
        metrics.record_histogram("seconds", 0.5, tags={"operation": operation})
        metrics.increment_counter("all", count)
        metrics.record_histogram("any", 0.5)
    found = {
        (name, operation): registry.get_sample_value(f"onex_{name}", {"operation": operation})
        for name in ("calls_total", "seconds_count")
        for operation in "ab"
    }
    assert found == {
        ("calls_total", "a"): 6,
        ("calls_total", "b"): 3,
        ("seconds_count", "a"): 2,
        ("seconds_count", "b"): 1,
    }
    assert (registry.get_sample_value("onex_all_total"), registry.get_sample_value("onex_any_count")) == (9, 3)
