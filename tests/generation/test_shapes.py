"""Contracts of unusual shapes generate code that is as tidy as that of usual ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from extensions.judging.judge import judge
from tests.conftest import Run
from tests.contracts.fuzz import broken_files, refused, ruff
from tests.contracts.render import Renderer

MIGRATED = {"database": {"migrations": [{"id": "0001_a", "sql": "CREATE TABLE a (b text)"}]}}
LONG = "a_name_that_is_as_long_as_the_language_allows_it"
_PAGES = {"next": {"page": "page"}, "into": "items", "items": "$.items", "at_most": 9}
_CALLS: dict[str, dict[str, Any]] = {
    "ask": {"output": {"ok": "boolean"}, "http": {"method": "GET", "path": "/"}},
    "turn": {
        "output": {"items": {"type": "array", "items": "object"}},
        "http": {"method": "GET", "path": "/items", "pages": _PAGES},
    },
    "query": {
        "output": {"ok": "boolean"},
        "database": {"query": "DELETE FROM a", "returns": {"rows": "none", "found": "ok"}},
    },
    "look": {"output": {"ok": "boolean"}, "redis": {"command": "exists", "key": "a", "returns": {"found": "ok"}}},
    "drop": {"output": {"dropped": "boolean"}, "filesystem": {"action": "delete", "path": "a"}},
    "tell": {"output": {"told": "boolean"}, "kafka": {"topic": "told"}},
}


def _retried(calls: Sequence[str], *, enabled: bool, features: list[str]) -> dict[str, Any]:
    """Return a node whose operations have a retry policy of their own."""
    retry = {"max_attempts": 2, "enabled": enabled}
    operations = [{"name": name, **_CALLS[name], "retry": retry} for name in calls]
    integrations = MIGRATED if "query" in calls else {}
    return {"operations": operations, "integrations": integrations, "features": features}


SHAPES: dict[str, dict[str, Any]] = {
    **{
        f"retries of {calls}, on: {enabled}, of the node: {features}": _retried(
            calls, enabled=enabled, features=features
        )
        for calls in (("ask", "turn", "query"), ("look", "drop", "tell"))
        for enabled in (True, False)
        for features in ([], ["retry"])
    },
    "nothing but a name": {"operations": [{"name": "tick", "handler": "custom"}]},
    "service mode without events": {
        "features": ["service_mode", "cli", "rate_limiting"],
        "advanced_features": {
            "security_validation": {"max_input_length": 9},
            "observability": {"tracing": {"exporter": "console"}},
        },
        "operations": [{"name": "ask", "input": {"a": "string"}, "output": {"b": "boolean"}, "handler": "custom"}],
    },
    "traces of a database that no operation calls": {
        "operations": [{"name": "ask", "output": {"ok": "boolean"}, "http": {"method": "GET", "path": "/"}}],
        "integrations": {"api_client": {"base_url": "http://api.example.org"}, "database": True},
        "advanced_features": {"observability": {"tracing": {"exporter": "console"}}},
    },
    "database for custom handlers only": {
        "operations": [{"name": "post", "output": {"posted": "boolean"}, "handler": "custom", "target": {"p95_ms": 5}}],
        "integrations": MIGRATED,
    },
    "no valid input known": {
        "operations": [
            {
                "name": "add",
                "input": {"code": {"type": "string", "pattern": "^zz[0-9]{3}-q$"}},
                "output": {"added": "boolean"},
                "database": {"query": "INSERT INTO a VALUES ($1)", "parameters": ["code"]},
                "target": {"p95_ms": 5},
            }
        ],
        "integrations": MIGRATED,
    },
    "longest names": {
        "name": LONG,
        "package": "acme",
        "node_type": "effect",
        "features": ["service_discovery"],
        "service": {"tags": [f"{number} of several tags that need lines of their own" for number in range(3)]},
        "models": {"M" * 48: {"fields": {LONG: "string"}}},
        "operations": [
            {
                "name": LONG,
                "input": {LONG: {"type": "array", "items": "M" * 48, "maxItems": 3, "default": []}},
                "output": {LONG: {"type": "integer"}, "found_" + LONG[7:]: "boolean"},
                "database": {
                    "query": "DELETE FROM a WHERE b = $1",
                    "parameters": [LONG],
                    "returns": {"count": LONG, "found": "found_" + LONG[7:]},
                },
                "publishes": LONG,
                "schedule": {"every_seconds": 5},
            }
        ],
    },
    "every guard": {
        "features": ["retry", "circuit_breaker"],
        "advanced_features": {"transactions": {"isolation_level": "SERIALIZABLE"}},
        "operations": [
            {
                "name": "count",
                "output": {"n": "integer"},
                "database": {"query": "SELECT count(*)::int AS n FROM a", "transaction": False},
                "retry": {"max_attempts": 9},
            }
        ],
        "integrations": MIGRATED,
    },
    "every advanced feature, in the longest names": {
        "name": LONG,
        "package": "acme",
        "features": ["service_mode"],
        "operations": [
            {
                "name": LONG,
                "output": {"text": "string"},
                "http": {"method": "GET", "path": "/", "extract": {"text": "$.text"}},
            },
            {"name": "take", "input": {"a": "string"}, "output": {"taken": "boolean"}, "handler": "custom"},
        ],
        "subcontracts": {"event_type": {"consumed_events": [{"event": "came", "operation": "take"}]}},
        "advanced_features": {
            "dead_letter_queue": {"monitoring": {"check_interval_seconds": 60}},
            "security_validation": {
                "max_input_length": 1000,
                "sanitize_inputs": True,
                "sanitize_logs": True,
                "forbidden_patterns": ["(?i)drop +table", '"\\s<script', "x" * 90],
                "redact_fields": ["api_key", "api-key", "password", *(f"field_{number}" for number in range(9))],
            },
            "observability": {
                "tracing": {"endpoint": "http://${env.A}:${env.B}", "sample_rate": 0.5},
                "metrics": {"prometheus_port": 9090},
                "logging": {"json_format": False, "correlation_tracking": False},
            },
            "rate_limiting": {"requests_per_second": 5},
        },
    },
    "an ONEX service in the longest name": {
        "name": LONG[:48],
        "package": "shop",
        "node_type": "orchestrator",
        "features": ["service_mode", "fail_fast"],
        "operations": [{"name": LONG, "input": {"a": "string"}, "output": {"b": "string"}, "handler": "custom"}],
    },
    "expressions in the longest names": {
        "name": LONG,
        "package": "acme",
        "node_type": "compute",
        "models": {"M" * 48: {"fields": {LONG: "integer"}}},
        "operations": [
            {
                "name": LONG,
                "input": {
                    LONG: {"type": "array", "items": "M" * 48},
                    "kind": {"type": "string", "enum": ["a" * 70, LONG]},
                },
                "output": {f"{LONG[:40]}_{number}": "integer" for number in range(3)},
                "compute": {
                    f"{LONG[:40]}_0": f"sum(item.{LONG} for item in input.{LONG} if item.{LONG} > 1000)",
                    f"{LONG[:40]}_1": f"{LONG[:40]}_0 + len(input.{LONG}) if input.kind == '{LONG}' else 0",
                    f"{LONG[:40]}_2": f"max(item.{LONG} for item in input.{LONG}) - {LONG[:40]}_1 * {LONG[:40]}_0",
                },
                "target": {"p95_ms": 5},
                "publishes": LONG,
            },
            {"name": LONG[2:], "input": {"a": "string"}, "output": {"taken": "boolean"}, "handler": "custom"},
        ],
        "subcontracts": {"caching": {}},
    },
    "expressions in the shortest names": {
        "name": "n",
        "package": "p",
        "node_type": "compute",
        "operations": [{"name": "o", "output": {"a": "integer"}, "compute": {"a": 1}, "target": {"per_second": 5}}],
    },
    "custom computations alone": {
        "name": "n",
        "package": "p",
        "node_type": "compute",
        "features": ["caching"],
        "operations": [{"name": "o", "output": {"a": "integer"}, "handler": "custom", "target": {"per_second": 5}}],
    },
    "checks of inputs alone": {
        "name": "n",
        "package": "p",
        "operations": [{"name": "tick", "handler": "custom"}],
        "advanced_features": {
            "security_validation": {"max_input_length": 10},
            "observability": {"tracing": {"exporter": "console"}, "metrics": {"enabled": False}},
        },
    },
    "a published event alone": {
        "operations": [{"name": "tell", "output": {"told": "boolean"}, "kafka": {"topic": "told"}}],
    },
    "a row that may be empty": {
        "models": {"Row": {"fields": {"a": {"type": "string", "required": False}}}},
        "operations": [
            {
                "name": "find",
                "output": {"row": {"type": "Row", "required": False}, "found": "boolean"},
                "database": {"query": "SELECT * FROM a", "returns": {"rows": "one", "into": "row", "found": "found"}},
            }
        ],
        "integrations": MIGRATED,
    },
    "extremes alone": {
        "node_type": "reducer",
        "models": {"Event": {"fields": {"size": "integer"}}},
        "operations": [
            {
                "name": "figure",
                "input": {"events": {"type": "array", "items": "Event"}},
                "output": {"windows": {"type": "array", "items": {"type": "object"}}},
                "aggregate": {"over": "events", "measures": {"largest": {"max": "size"}}},
            }
        ],
    },
    "fields called name": {
        "node_type": "compute",
        "models": {"Thing": {"fields": {"name": "string"}}},
        "operations": [
            {
                "name": "label",
                "input": {"thing": "Thing"},
                "output": {"text": "string"},
                "compute": {"text": "input.thing.name"},
            }
        ],
    },
    "clean logs alone": {
        "operations": [{"name": "tick", "handler": "custom"}],
        "advanced_features": {"security_validation": {"sanitize_logs": True}, "rate_limiting": {"burst": 3}},
    },
    "masked fields and control characters": {
        "features": ["service_mode"],
        "operations": [{"name": "tick", "handler": "custom"}],
        "advanced_features": {
            "security_validation": {"redact_fields": ["pin"], "sanitize_inputs": True},
            "observability": {"metrics": {"enabled": False}},
        },
    },
    "masked fields alone": {
        "operations": [{"name": "tick", "handler": "custom"}],
        "advanced_features": {"security_validation": {"redact_fields": ["pin"]}},
    },
    "configured mixins": {
        "features": ["fail_fast"],
        "mixins": [
            {
                "name": "MixinMetrics",
                "config": {
                    "metrics_prefix": "acme",
                    "collect_error_rates": False,
                    "collect_token_usage": True,
                    "histogram_buckets": [10, 50, 100.5],
                },
            },
            {
                "name": "MixinHealthCheck",
                "config": {
                    "check_interval_ms": 30000,
                    "components": [{"name": "database", "critical": False, "timeout_seconds": 10}],
                },
            },
            {"name": "MixinTraceCapture"},
        ],
        "operations": [
            {
                "name": "count",
                "output": {"total_tokens": "integer"},
                "database": {"query": "SELECT count(*)::int AS total_tokens FROM a"},
            }
        ],
        "integrations": MIGRATED,
    },
}


_KEPT_AND_FOLLOWED = {
    "name": "look",
    "input": {"id": "string"},
    "output": {"title": "string", "length": "integer"},
    "http": {"method": "GET", "path": "/${input.id}", "extract": {"title": "$.title"}},
    "then": {"length": "len(result.title)"},
    "cache": {"ttl_seconds": 5, "redis": "look:${input.id}"},
}
# Shapes of which tools that know the types say what formatters do not.
TYPED: dict[str, dict[str, Any]] = {
    **{
        f"{kind} as a service of ONEX, without other mixins": {
            "node_type": kind,
            "features": ["service_mode"],
            "operations": [{"name": "tick", "output": {"ticked": "boolean"}, "handler": "custom"}],
        }
        for kind in ("effect", "compute", "reducer", "orchestrator")
    },
    "kept results with expressions behind them": {
        "operations": [_KEPT_AND_FOLLOWED],
        "integrations": {"api_client": {"base_url": "http://api.example.org"}, "redis": True},
    },
}


@pytest.mark.slow
def test_shapes_are_typed(run: Run, renderer: Renderer, tmp_path: Path) -> None:
    found: dict[str, str] = {}
    for number, (name, shape) in enumerate(TYPED.items()):
        contract = {"name": "shape", "package": f"acme{number}", "node_type": "effect"} | shape
        assert list(map(str, judge(contract))) == [], name
        project = renderer.render(contract, tmp_path / str(number))
        checked = run("mypy", cwd=project)
        found |= {name: checked.stdout} if checked.returncode else {}

    assert found == {}


def test_shapes(run: Run, renderer: Renderer, tmp_path: Path) -> None:
    wrong: list[str] = []
    sources: list[Path] = []
    for number, (name, shape) in enumerate(SHAPES.items()):
        contract = {"name": "shape", "package": "acme.shapes", "node_type": "effect"} | shape
        assert list(map(str, judge(contract))) == [], name
        project = renderer.render(contract, tmp_path / str(number))
        wrong += [f"{name}: {line}" for line in (*broken_files(project), *refused(project, contract))]
        sources.append(project / "src")

    assert wrong + ruff(tmp_path) == []
    validated = run("onex", "validate", "--strict", *sources)
    assert validated.returncode == 0, validated.stdout
