"""What the configuration of mixins means."""

import pytest

from extensions.deciding.monitoring import health, metrics, without_effect
from extensions.judging.judge import read
from extensions.language.contract import Contract

ADAPTERS = ("postgres", "http", "kafka")


def contract(**configs: object) -> Contract:
    mixins = [{"name": name, "config": config} for name, config in configs.items()]
    output = {"total_tokens": "integer", "cost_cents": "integer", "tokenizer": "integer", "token_rate": "number"}
    operation = {"name": "complete", "output": output, "handler": "custom"}
    return read({"name": "llm", "package": "acme", "node_type": "effect", "operations": [operation], "mixins": mixins})


def test_defaults() -> None:
    view = health(contract(), ADAPTERS)

    assert (view.timeout_seconds, view.timeouts, view.optional, view.probe_seconds) == (2.0, {}, (), 5)
    measured = metrics(contract())
    assert (measured.prefix, measured.buckets, measured.counted) == ("onex", (), ())
    assert measured.latency and measured.success and measured.failure  # noqa: PT018 - one statement about all three


@pytest.mark.parametrize(
    ("component", "adapter"),
    [
        ("database", "postgres"),
        ("postgres_primary", "postgres"),
        ("kafka_consumer", "kafka"),
        ("completion_api", "http"),
        ("api_client", "http"),
        ("zai api", "http"),
        ("capital", None),
        ("redis", None),
    ],
)
def test_component_belongs_to_the_adapter_whose_word_it_has(component: str, adapter: str | None) -> None:
    config = {"components": [{"name": component, "timeout_seconds": 7, "critical": False}]}

    view = health(contract(MixinHealthCheck=config), ADAPTERS)

    assert view.timeouts == ({adapter: 7.0} if adapter else {})
    assert view.optional == ((adapter,) if adapter else ())
    assert view.unknown == (() if adapter else (component,))


def test_times() -> None:
    config = {"timeout_seconds": 3, "check_interval_ms": 1500, "components": [{"name": "database"}]}

    view = health(contract(MixinHealthCheck=config), ADAPTERS)

    assert (view.timeout_seconds, view.probe_seconds, view.timeouts) == (3.0, 2, {})
    assert view.timeout_setting("postgres") == "health_check_timeout_seconds"


def test_metrics() -> None:
    config = {
        "metrics_prefix": "acme",
        "collect_latency": False,
        "collect_throughput": False,
        "collect_error_rates": True,
        "collect_token_usage": True,
        "collect_cost": True,
        "histogram_buckets": [10, 50.5, 1000],
        "percentiles": [50, 95, 99],
    }

    view = metrics(contract(MixinMetrics=config))

    assert (view.prefix, view.latency, view.success, view.failure) == ("acme", False, False, True)
    assert view.counted == ("total_tokens", "cost_cents")
    assert view.buckets == (0.01, 0.0505, 1.0)


def test_what_has_no_effect_is_named() -> None:
    raw = {
        "name": "greet",
        "package": "acme",
        "node_type": "effect",
        "operations": [{"name": "greet", "handler": "custom"}],
        "mixins": [
            {"name": "MixinMetrics", "config": {"collect_cost": True, "collect_token_usage": False}},
            {"name": "MixinHealthCheck", "config": {"components": [{"name": "database"}]}},
        ],
    }

    assert without_effect(read(raw), ()) == (
        "mixins: the component database of MixinHealthCheck",
        "mixins: collect_cost of MixinMetrics",
    )
