"""Every key below `advanced_features` has an effect: what is generated differs, and a generated test exercises it.

The table below has an entry for each key of the schema; a key without one fails.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from posixpath import normpath
from typing import Any

import jinja2
import pytest
from copier._jinja_ext import YieldExtension
from pathspec import GitIgnoreSpec

from examples.rendering import ROOT
from extensions.deciding.decisions import not_generated
from extensions.judging.judge import ContractError, read
from extensions.onex import OnexExtension
from extensions.viewing.build import view
from extensions.viewing.node import NodeView
from extensions.viewing.runtime import source

TEMPLATE = ROOT / "template"
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "advanced_features.schema.json").read_text(encoding="utf-8"))
EVERYTHING: dict[str, Any] = {
    "name": "everything",
    "package": "p",
    "node_type": "effect",
    "operations": [
        {
            "name": "keep",
            "input": {"a": {"type": "string", "minLength": 7}},
            "output": {"kept": "boolean"},
            "database": {"query": "INSERT INTO t VALUES ($1)", "parameters": ["a"]},
            "idempotent": True,
        },
        {"name": "ask", "output": {"a": "string"}, "http": {"method": "GET", "path": "/", "extract": {"a": "$.a"}}},
    ],
    "integrations": {"api_client": {"base_url": "http://api.example.org"}, "redis": True},
    "subcontracts": {"event_type": {"consumed_events": [{"event": "came", "operation": "keep"}]}},
    "deployment": {"service_monitor": True},
}


@dataclass(frozen=True)
class Effect:
    """What a key does.

    Attributes:
        value: A value of the key; of its whole feature, where `before` is given.
        shows: Part of the path of a template, and text that is there either with the key or without it.
        tested: Part of the path of the template of a generated test, and text of what exercises it.
        before: The feature without the key; None for an empty one.
    """

    value: object
    shows: tuple[str, str]
    tested: tuple[str, str]
    before: object = None

    def features(self, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return `advanced_features` without the key and with it."""
        first, *rest = key.split(".")
        if self.before is not None:
            return {first: self.before}, {first: self.value}
        return _nested([first, *rest[:-1]], {}), _nested([first, *rest], self.value)


@dataclass(frozen=True)
class Refused:
    """A key that has one value: this one is refused."""

    value: object


def _nested(names: list[str], value: object) -> dict[str, Any]:
    for name in reversed(names):
        value = {name: value}
    assert isinstance(value, dict)
    return value


_HANDLER = "handlers/handler_{{ node.name }}_{{ node.node_type }}"
_DEFAULTS = ("unit/test_settings", "test_defaults_are_those_of_the_contract")
_SECURITY_TESTS = "unit/test_security"
_CLEANING_TESTS = "tests/runtime/test_security.py"
_SPAN_TESTS = "tests/runtime/test_tracing.py"
_LIMIT_TESTS = "unit/test_rate_limit"
_RATE_TESTS = "tests/runtime/test_rate_limit.py"
_RETRY_TESTS = "tests/runtime/test_retry_policy.py"
_HTTP_TESTS = "tests/runtime/test_adapter_http.py"
_POSTGRES_TESTS = "tests/runtime/test_adapter_postgres.py"
_EVENT_TESTS = "tests/runtime/test_consumer.py"
EFFECTS: dict[str, Effect | Refused] = {
    "retry_policy.enabled": Effect(
        False, ("adapters.py", "RetryPolicy.of("), (_RETRY_TESTS, "test_delays_grow_and_are_capped")
    ),
    "retry_policy.max_attempts": Effect(9, ("settings.py", "default=9,"), _DEFAULTS),
    "retry_policy.initial_delay_ms": Effect(77, ("settings.py", "default=0.077,"), _DEFAULTS),
    "retry_policy.max_delay_ms": Effect(77000, ("settings.py", "default=77.0,"), _DEFAULTS),
    "retry_policy.backoff_multiplier": Effect(3, ("settings.py", "default=3.0,"), _DEFAULTS),
    "retry_policy.retryable_exceptions": Effect(
        ["OddError"], ("adapters.py", '"OddError"'), (_RETRY_TESTS, "test_exceptions_are_listed_by_name")
    ),
    "retry_policy.retryable_status_codes": Effect([418], ("adapters.py", "418"), (_HTTP_TESTS, "RETRY_STATUS")),
    "circuit_breaker.enabled": Effect(
        False, ("adapters.py", "CircuitBreaker.of("), ("tests/runtime/test_circuit_breaker.py", "def test_")
    ),
    "circuit_breaker.failure_threshold": Effect(9, ("settings.py", "default=9,"), _DEFAULTS),
    "circuit_breaker.recovery_timeout_ms": Effect(77000, ("settings.py", "default=77.0,"), _DEFAULTS),
    "circuit_breaker.half_open_max_calls": Effect(7, ("settings.py", "default=7,"), _DEFAULTS),
    "circuit_breaker.services[].name": Effect(
        {"services": [{"name": "postgres", "failure_threshold": 9}]},
        ("adapters.py", "settings.postgres_circuit_breaker_failure_threshold"),
        _DEFAULTS,
        before={"services": [{"name": "redis", "failure_threshold": 9}]},
    ),
    "circuit_breaker.services[].failure_threshold": Effect(
        {"services": [{"name": "redis", "recovery_timeout_ms": 500, "failure_threshold": 9}]},
        ("settings.py", "default=9,"),
        _DEFAULTS,
        before={"services": [{"name": "redis", "recovery_timeout_ms": 500}]},
    ),
    "circuit_breaker.services[].recovery_timeout_ms": Effect(
        {"services": [{"name": "redis", "failure_threshold": 9, "recovery_timeout_ms": 500}]},
        ("settings.py", "default=0.5,"),
        _DEFAULTS,
        before={"services": [{"name": "redis", "failure_threshold": 9}]},
    ),
    "transactions.enabled": Effect(
        False, ("adapters.py", "isolation="), (_POSTGRES_TESTS, "test_statement_of_a_node_without_transactions")
    ),
    "transactions.isolation_level": Effect(
        "SERIALIZABLE", ("adapters.py", '"serializable"'), (_POSTGRES_TESTS, "BEGIN serializable")
    ),
    "transactions.timeout_seconds": Effect(77, ("settings.py", "default=77.0,"), _DEFAULTS),
    "transactions.rollback_on_error": Refused(False),
    "dead_letter_queue.enabled": Effect(False, ("consumed.py", "DeadLetters("), (_EVENT_TESTS, "test_flood_of_poison")),
    "dead_letter_queue.max_retries": Effect(9, ("settings.py", "default=9,"), _DEFAULTS),
    "dead_letter_queue.topic_suffix": Effect(
        ".grave", ("consumed.py", '".grave"'), ("test_kafka", "DEAD_LETTER_SUFFIX")
    ),
    "dead_letter_queue.retry_delay_ms": Effect(77000, ("settings.py", "default=77.0,"), _DEFAULTS),
    "dead_letter_queue.alert_threshold": Effect(77, ("settings.py", "default=77,"), _DEFAULTS),
    "dead_letter_queue.monitoring.enabled": Effect(
        False, ("consumed.py", "alert_threshold="), (_EVENT_TESTS, '"dead_letter_alert" not in')
    ),
    "dead_letter_queue.monitoring.check_interval_seconds": Effect(
        77, ("consumed.py", "dead_letter_alert_window_seconds"), (_EVENT_TESTS, "alert_window_seconds=")
    ),
    "security_validation.enabled": Effect(
        {"max_input_length": 9, "enabled": False},
        (_HANDLER, "check=InputLimits("),
        (_SECURITY_TESTS, "test_text_that_is_not_allowed_reaches_no_handler"),
        before={"max_input_length": 9},
    ),
    "security_validation.sanitize_inputs": Effect(
        True,
        (_HANDLER, "check=InputLimits("),
        (_CLEANING_TESTS, "test_control_characters_are_allowed_on_request"),
    ),
    "security_validation.sanitize_logs": Effect(
        True, ("settings.py", "EscapingSettings"), (_CLEANING_TESTS, "test_text_stays_on_its_line")
    ),
    "security_validation.validate_sql": Refused(False),
    "security_validation.max_input_length": Effect(
        77, ("settings.py", "default=77,"), (_SECURITY_TESTS, "test_text_that_is_not_allowed_reaches_no_handler")
    ),
    "security_validation.forbidden_patterns": Effect(
        ["^no$"], ("settings.py", 'LinearPattern("^no$")'), (_SECURITY_TESTS, "test_pattern_that_is_none_is_refused")
    ),
    "security_validation.redact_fields": Effect(
        ["pin"], ("settings.py", '("pin",)'), (_CLEANING_TESTS, "test_values_of_named_fields_are_masked")
    ),
    "observability.tracing.enabled": Effect(
        False,
        (_HANDLER, "span=operation_span"),
        ("unit/test_tracing", "test_operation_is_a_span_in_the_trace_of_its_caller"),
    ),
    "observability.tracing.exporter": Effect(
        "console", ("settings.py", 'default="console"'), (_SPAN_TESTS, "test_spans_go_where")
    ),
    "observability.tracing.endpoint": Effect(
        "http://traces:4318", ("settings.py", '"http://traces:4318"'), (_SPAN_TESTS, "test_collector_is_sent_the_spans")
    ),
    "observability.tracing.sample_rate": Effect(
        0.25, ("settings.py", "default=0.25,"), (_SPAN_TESTS, "test_part_of_the_traces_is_kept")
    ),
    "observability.metrics.enabled": Effect(
        False, ("service.py", "metrics=metrics_of"), ("unit/test_service", "test_there_are_no_metrics")
    ),
    "observability.metrics.prometheus_port": Effect(
        9090,
        ("service.py", "beside=lambda node: metrics_served("),
        ("unit/test_service", "test_metrics_are_served_on_a_port_of_their_own"),
    ),
    "observability.metrics.export_interval_seconds": Effect(
        77, ("servicemonitor", "interval: 77s"), ("test_deploy", "DeployedContainers")
    ),
    "observability.logging.structured": Effect(
        False, ("settings.py", 'default="text"'), ("tests/runtime/test_logs.py", "test_line_for_people_is_text")
    ),
    "observability.logging.json_format": Effect(
        False, ("settings.py", 'default="text"'), ("tests/runtime/test_logs.py", "test_line_for_people_is_text")
    ),
    "observability.logging.correlation_tracking": Effect(
        False,
        ("settings.py", "log_correlation_ids: bool = Field(\n        default=False"),
        ("tests/runtime/test_logs.py", "test_correlation_ids_are_left_out_on_request"),
    ),
    "rate_limiting.enabled": Effect(
        False, (_HANDLER, "self.settings.admission("), (_LIMIT_TESTS, "test_what_is_too_much_is_refused_and_counted")
    ),
    "rate_limiting.requests_per_second": Effect(
        7.5, ("settings.py", "default=7.5,"), (_RATE_TESTS, "test_burst_passes_at_once_and_then_the_even_rate")
    ),
    "rate_limiting.burst": Effect(
        77, ("settings.py", "default=77,"), (_RATE_TESTS, "test_pause_gives_no_more_than_a_burst")
    ),
}


def keys(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the keys below a schema that hold values, as paths."""
    if "$ref" in schema and schema["$ref"].startswith("#/"):
        yield from keys(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], path)
    elif "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from keys(inner, f"{path}.{name}" if path else name)
    elif "properties" in schema.get("items", {}):
        yield from keys(schema["items"], f"{path}[]")
    else:
        yield path


def made(advanced: Mapping[str, Any], **values: object) -> NodeView:
    return view(read({**EVERYTHING, "advanced_features": dict(advanced), **values}))


@cache
def environment() -> jinja2.Environment:
    options: dict[str, Any] = {"keep_trailing_newline": True, "trim_blocks": True, "lstrip_blocks": True}
    loader = jinja2.FileSystemLoader(TEMPLATE)
    undefined = jinja2.StrictUndefined
    found = jinja2.Environment(  # noqa: S701 - what is rendered is no HTML
        loader=loader, extensions=[YieldExtension], undefined=undefined, **options
    )
    OnexExtension(found)
    return found


def rendered(node: NodeView, part: str) -> str:
    """Return the file of the only template whose path ends so, up to a suffix; empty where it is not generated.

    What nodes have in common is tested here.
    """
    if part.startswith("tests/runtime/"):
        return (ROOT / part).read_text(encoding="utf-8")
    paths = [str(path.relative_to(TEMPLATE)) for path in TEMPLATE.rglob("*") if path.is_file()]
    (path,) = [path for path in paths if part in path and "yield" not in path and _is_of(path, part)]
    return environment().get_template(path).render(node=node) if is_generated(node, path) else ""


def is_generated(node: NodeView, path: str) -> bool:
    """Tell whether the file of a template is part of a node."""
    placed = environment().from_string(path.removesuffix(".j2")).render(node=node)
    return not GitIgnoreSpec.from_lines(node.left_out).match_file(normpath(placed))


def _is_of(path: str, part: str) -> bool:
    place, _, name = path.rpartition(part)
    return name in {"", ".j2", ".py", ".py.j2", ".yaml.j2"} and (not place or place[-1] == "/" or "/" in part)


def test_every_key_has_an_entry() -> None:
    assert sorted(keys(SCHEMA)) == sorted(EFFECTS)


@pytest.mark.parametrize("key", [key for key, effect in EFFECTS.items() if isinstance(effect, Effect)])
def test_key_has_an_effect_that_a_generated_test_exercises(key: str) -> None:
    effect = EFFECTS[key]
    assert isinstance(effect, Effect)
    nodes = [made(advanced) for advanced in effect.features(key)]
    file, text = effect.shows
    before, after = (text in rendered(node, file) for node in nodes)
    assert before != after
    tests, test = effect.tested
    assert any(test in rendered(node, tests) for node in nodes)


def test_every_setting_is_read() -> None:
    node = made(
        {
            "retry_policy": {},
            "circuit_breaker": {"services": [{"name": "redis", "failure_threshold": 9}]},
            "transactions": {},
            "dead_letter_queue": {"monitoring": {"check_interval_seconds": 60}},
            "security_validation": {
                "sanitize_inputs": True,
                "sanitize_logs": True,
                "forbidden_patterns": ["x"],
                "redact_fields": ["pin"],
            },
            "observability": {"tracing": {}, "metrics": {"prometheus_port": 9090}},
            "rate_limiting": {},
        }
    )
    sources = [path for path in sorted((TEMPLATE / "{{ node.folder }}").rglob("*.py*")) if "yield" not in str(path)]
    paths = [str(path.relative_to(TEMPLATE)) for path in sources]
    generated = [path for path in paths if is_generated(node, path)]
    code = "\n".join(environment().get_template(path).render(node=node) for path in generated)
    code += "\n".join(map(source, node.runtime_modules))
    ways = (r"settings\.(\w+)", r"require\(\"(\w+)\"\)", r"self\.((?:security|rate_limit)_\w+)")
    found = {name for way in ways for name in re.findall(way, code)}
    assert {setting.name for setting in node.setting_fields} - found == set()


@pytest.mark.parametrize("key", [key for key, effect in EFFECTS.items() if isinstance(effect, Refused)])
def test_key_with_one_value_is_refused_with_any_other(key: str) -> None:
    effect = EFFECTS[key]
    assert isinstance(effect, Refused)
    with pytest.raises(ContractError, match=key.rpartition(".")[2]):
        made(_nested(key.split("."), effect.value))


def test_nothing_is_left_out() -> None:
    advanced = {
        "security_validation": {"max_input_length": 9},
        "observability": {"tracing": {}, "metrics": {"prometheus_port": 9090}, "logging": {"structured": False}},
        "rate_limiting": {},
    }
    contract = read({**EVERYTHING, "advanced_features": advanced, "features": ["rate_limiting"]})
    assert not_generated(contract) == ()


def test_a_node_has_only_the_libraries_of_what_it_uses() -> None:
    assert not any("opentelemetry" in name for name in made({}).packages.requirements)
    assert any("opentelemetry" in name for name in made({"observability": {"tracing": {}}}).packages.requirements)


def test_nobody_scrapes_a_node_without_metrics() -> None:
    without = {"observability": {"metrics": {"enabled": False}}}
    assert made(without).deploy.service_monitor is None
    assert "MixinMetrics" not in made(without).base.mixins
    assert made(without).not_generated == ("deployment.service_monitor",)


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("(a|a)*b", True),
        (r"\s*\s*\s*x", True),
        ("(a+)+$", True),
        (r"(?i)(DROP|DELETE|TRUNCATE)\s+TABLE", True),
        ("(?=(a+)*)x", False),
        ("(?<!a)x", False),
        (r"(a)\1", False),
        ("(?>a+)*b", False),
        ("(", False),
    ],
)
def test_forbidden_patterns_are_those_of_an_engine_that_never_goes_back(pattern: str, taken: bool) -> None:
    advanced = {"security_validation": {"forbidden_patterns": ["fine", pattern]}}
    if taken:
        made(advanced)
    else:
        with pytest.raises(ContractError, match=r"forbidden_patterns\[1\]"):
            made(advanced)


def test_metrics_need_another_port_than_the_service() -> None:
    with pytest.raises(ContractError, match="prometheus_port"):
        made({"observability": {"metrics": {"prometheus_port": 8000}}})
    made({"observability": {"metrics": {"prometheus_port": 8000}}}, service={"port": 8001})


@pytest.mark.parametrize(
    ("security", "sample"),
    [
        ({"max_input_length": 7}, True),
        ({"max_input_length": 6}, False),
        ({"forbidden_patterns": ["xx"]}, False),
        ({"forbidden_patterns": ["xx"], "enabled": False}, True),
        ({"sanitize_inputs": True}, True),
        ({"redact_fields": ["a"]}, True),
    ],
)
def test_samples_are_allowed(security: dict[str, Any], sample: bool) -> None:
    assert (made({"security_validation": security}).operations[0].sample is not None) is sample


@pytest.mark.parametrize(
    "security",
    [{"forbidden_patterns": ["("]}, {"forbidden_patterns": [3]}, {"max_input_length": "x"}, {"no such key": 1}],
)
def test_examples_are_not_held_against_rules_that_are_wrong(security: dict[str, Any]) -> None:
    asked = {**EVERYTHING["operations"][0], "examples": [{"input": {"a": "DROP TABLE"}, "output": {"kept": True}}]}
    with pytest.raises(ContractError) as caught:
        made({"security_validation": security}, operations=[asked])
    assert "examples" not in str(caught.value)


def test_examples_have_to_be_allowed() -> None:
    asked = {**EVERYTHING["operations"][0], "examples": [{"input": {"a": "DROP TABLE"}, "output": {"kept": True}}]}
    made({"security_validation": {"forbidden_patterns": ["truncate"]}}, operations=[asked])
    with pytest.raises(ContractError, match=r"operations\[0\].examples\[0\].input: found text that is not allowed"):
        made({"security_validation": {"forbidden_patterns": ["(?i)drop"]}}, operations=[asked])


@pytest.mark.parametrize(
    ("limit", "burst"),
    [({}, 100), ({"requests_per_second": 0.5}, 1), ({"requests_per_second": 7.5}, 8), ({"burst": 3}, 3)],
)
def test_burst_is_that_of_a_second(limit: dict[str, Any], burst: int) -> None:
    found = made({"rate_limiting": limit}).rate_limit
    assert found is not None
    assert found.burst == burst
