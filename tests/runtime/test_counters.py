"""Counters are shown before they count anything."""

from omnibase_core.backends.metrics import BackendMetricsPrometheus
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.counters import begin_at_zero, of_operations
from prometheus_client import CollectorRegistry, generate_latest


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


def test_each_operation_has_counters() -> None:
    every = {"operation": ("a", "b")}
    assert of_operations("ab") == [
        ("operation_success", every),
        ("operation_failure", {**every, "code": (str(EnumCoreErrorCode.INTERNAL_ERROR),)}),
        ("operation_refused", {**every, "code": (str(EnumCoreErrorCode.VALIDATION_ERROR),)}),
    ]
    assert of_operations("ab", failure=False, more=("cache_hit",)) == [
        ("operation_success", every),
        ("cache_hit", every),
    ]
    assert of_operations("ab", success=False, failure=False) == []
