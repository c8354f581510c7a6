"""No setting is left out in silence: each key of the schema changes what is generated, or is refused, or is named.

Keys are found by a walk over the schema, once for each kind of implementation, so that a new key is looked at at once.
"""

import copy
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.judging.legacy import warnings
from tests.contracts.fields import SCHEMA, resolved
from tests.contracts.render import Renderer

INPUT = {"a": {"type": "string", "default": "x"}}


def node(node_type: str, implementation: Mapping[str, Any], **more: object) -> dict[str, Any]:
    operation: dict[str, Any] = {"name": "keep", "input": INPUT, "output": {"ok": "boolean"}, **implementation}
    return {"name": "n", "package": "p", "node_type": node_type, "operations": [operation], **more}


NODES: dict[str, dict[str, Any]] = {
    "database": node(
        "effect", {"database": {"query": "DELETE FROM t WHERE a = $1 RETURNING a AS ok", "parameters": ["a"]}}
    ),
    "http": node("effect", {"http": {"method": "POST", "path": "/"}}),
    "kafka": node("effect", {"kafka": {"topic": "came"}}),
    "redis": node("effect", {"redis": {"command": "set", "key": "k", "value": "v", "returns": {"found": "ok"}}}),
    "redis, counting": node(
        "effect",
        {"output": {"ok": "integer"}, "redis": {"command": "incr", "key": "k", "returns": {"into": "ok"}}},
    ),
    "filesystem": node("effect", {"filesystem": {"action": "write", "path": "p", "content": "v"}}),
    "custom": node("effect", {"handler": "custom"}),
    "compute": node("compute", {"compute": {"ok": "input.a == 'b'"}}),
    "aggregate": node(
        "reducer",
        {
            "input": {"events": {"type": "array", "items": "Event", "default": []}},
            "output": {"windows": {"type": "array", "items": "object"}},
            "aggregate": {"over": "events", "measures": {"total": {"count": True}}},
        },
        models={"Event": {"fields": {"at": "datetime", "kind": "string"}}},
    ),
    "state machine": node(
        "reducer",
        {"input": {**INPUT, "what": {"type": "string", "default": "go"}}, "output": {"state": "string"}},
        subcontracts={
            "fsm": {
                "entity": "a",
                "trigger": "what",
                "initial_state": "new",
                "terminal_states": ["old"],
                "states": {"new": "", "old": ""},
                "transitions": [{"trigger": "go", "from": "new", "to": "old"}],
            }
        },
    ),
    "workflow": node(
        "orchestrator",
        {
            "output": {"status": {"type": "string", "enum": ["completed", "failed", "compensated"]}},
            "workflow": {"steps": [{"name": "s", "node": "node_stock_effect", "operation": "reserve"}]},
        },
    ),
}
# Values that the schema alone does not lead to.
VALUES: dict[str, list[Any]] = {
    "compute": [{"ok": "input.a == 'c'"}],
    "consumed_events": [[{"event": "came", "operation": "keep"}]],
    "dependencies": [{"redis": ">=5"}],
    "enums": [{"Odd": ["a"]}],
    "examples": [[{"input": {"a": "b"}, "output": {"ok": True}}]],
    "extract": [{"ok": "$.a"}],
    "features": [["redis"], ["rate_limiting"]],
    "field": ["a"],
    "fsm": [],
    "forbidden_patterns": [["odd"]],
    "group_by": [["kind"]],
    "idempotency_key": [True],  # false is what holds anyway
    "input": [{**INPUT, "odd": {"type": "string", "default": "b"}}],
    "intents": [[{"target": "a", "action": "b", "each": "batch"}]],
    "into": ["ok"],
    "found": ["ok"],
    "count": ["ok"],
    "measures": [{"odd": {"count": True}}],
    "migrations": [[{"id": "0009", "sql": "SELECT 1"}]],
    "mixins": [[{"name": "MixinMetrics", "enabled": False}]],
    "models": [{"Odd": {"fields": {"a": "string"}}, "Event": {"fields": {"at": "datetime", "kind": "string"}}}],
    "output": [{"ok": {"type": "boolean", "description": "Odd."}}],
    "parameters": [[]],
    "published_events": [[{"event": "came", "operation": "keep"}]],
    "query": ["DELETE FROM u WHERE a = $1", {"q": "a"}],
    "services": [[{"name": "postgres", "failure_threshold": 9}], [{"name": "http", "failure_threshold": 9}]],
    "template_variant": ["database_ml", "ml", "api_ml", "kafka_ml"],
    "unique_by": ["kind"],
    "url": ["http://odd:1", "redis://odd:1/0"],
    "version": ["1.2.3"],
    "window": [{"by": "at", "seconds": 60}],
}
# What an object has to hold beside the key that is looked at.
NEEDED: dict[str, dict[str, Any]] = {
    "schedule": {"every_seconds": 5},
    "target": {"p95_ms": 5},
    "window": {"by": "at", "seconds": 60},
    "state_management": {"backend": "memory"},
    "retry": {"max_attempts": 3},
    "security_validation": {"max_input_length": 9},
}
# Where a key has one value, that value is what holds anyway; free words only help to detect integrations.
ONE_VALUE = {"domain", "rollback_on_error", "validate_sql", "handler"}
# Looked at by test_advanced_features.py, or by everything else.
ELSEWHERE = {
    "name",
    "package",
    "node_type",
    "operations",
    "error_handling",
    "layout",
    "runtime",
    "validation_level",
}
IMPLEMENTATIONS = {"database", "http", "kafka", "redis", "filesystem", "compute", "aggregate", "workflow", "fsm"}

Place = tuple[str | int, ...]


def candidates(key: str, schema: Mapping[str, Any]) -> Iterator[Any]:
    schema = resolved(schema)
    if key in VALUES:
        yield from VALUES[key]
        return
    yield from schema.get("enum", ())
    yield from schema.get("examples", ())
    kinds = schema.get("type", "string")
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        match kind:
            case "boolean":
                yield from (True, False)
            case "integer":
                yield from (int(low) + 2, int(low) + 5)
            case "number":
                yield from (low + 0.5, low + 7)
            case "string":
                yield from ("odd", "${input.a}")
            case "array":
                yield from ([item] for item in candidates("", schema.get("items", {})))
            case "object":
                yield from ({"X-Odd": "a"}, {"odd": "a"})


def holder_of(contract: dict[str, Any], place: Place) -> dict[Any, Any]:
    found: Any = contract
    for step in place:
        found = found[step]
    holder: dict[Any, Any] = found
    return holder


def keys(
    contract: dict[str, Any], place: Place, schema: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], Place, Any]]:
    """Find keys below a place, each with a contract in which what is around it stands already."""
    for key, named in resolved(schema).get("properties", {}).items():
        part = resolved(named)
        there = holder_of(contract, place)
        if key in IMPLEMENTATIONS and key not in there:
            continue
        if "properties" in part:
            inner = copy.deepcopy(contract)
            holder_of(inner, place).setdefault(key, NEEDED.get(key, {}))
            yield from keys(inner, (*place, key), part)
        elif key not in ONE_VALUE:
            yield contract, (*place, key), part


class Looker:
    """Looks at what a contract leads to."""

    def __init__(self, renderer: Renderer, folder: Path) -> None:
        """Remember what to look with.

        Args:
            renderer: It renders into the folder.
            folder: An empty one.
        """
        self._renderer = renderer
        self._folder = folder
        self._known: dict[str, dict[str, str]] = {}

    def files(self, contract: dict[str, Any]) -> dict[str, str]:
        """Return the generated files that are no record of the contract itself."""
        if (known := self._known.get(repr(contract))) is not None:
            return known
        project = self._renderer.render(contract, self._folder / "project")
        found = {
            path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
            for path in project.rglob("*")
            if path.is_file() and path.name not in {"node.yaml", ".copier-answers.yml", ".onex-manifest.json"}
        }
        found["README.md"] = found["README.md"].partition("The contract asks for more")[0]
        shutil.rmtree(project)
        self._known[repr(contract)] = found
        return found

    def is_silent(self, contract: dict[str, Any], place: Place, schema: Mapping[str, Any]) -> bool:
        """Tell whether some value of a key is accepted, without a word, and without any effect."""
        silent = False
        for value in candidates(str(place[-1]), schema):
            changed = copy.deepcopy(contract)
            before = copy.deepcopy(contract)
            holder_of(before, place[:-1]).pop(place[-1], None)
            holder_of(changed, place[:-1])[place[-1]] = value
            if judge(changed):
                continue
            if judge(before):
                before = contract
            if changed == before:
                continue
            if any(place[: len(warning.path)] == warning.path for warning in warnings(changed)):
                return False
            if self.files(changed) != self.files(before):
                return False
            silent = True
        return silent


SHORT = ("http", "compute", "aggregate")


@pytest.mark.parametrize(
    "kind", [kind if kind in SHORT else pytest.param(kind, marks=pytest.mark.nightly) for kind in NODES]
)
def test_keys_of_operations_have_an_effect_or_are_named(renderer: Renderer, tmp_path: Path, kind: str) -> None:
    looker = Looker(renderer, tmp_path)
    schema = SCHEMA["$defs"]["operation"]
    assert judge(NODES[kind]) == []

    found = [
        ".".join(str(step) for step in place)
        for contract, place, part in keys(NODES[kind], ("operations", 0), schema)
        if looker.is_silent(contract, place, part)
    ]

    assert found == []


@pytest.mark.parametrize(
    "kind",
    [
        "compute",
        pytest.param("database", marks=pytest.mark.nightly),
        pytest.param("workflow", marks=pytest.mark.nightly),
    ],
)
def test_keys_of_the_node_have_an_effect_or_are_named(renderer: Renderer, tmp_path: Path, kind: str) -> None:
    looker = Looker(renderer, tmp_path)
    properties = {key: part for key, part in SCHEMA["properties"].items() if key not in ELSEWHERE}

    found = [
        ".".join(str(step) for step in place)
        for contract, place, part in keys(NODES[kind], (), {"properties": properties})
        if looker.is_silent(contract, place, part)
    ]

    assert found == []
