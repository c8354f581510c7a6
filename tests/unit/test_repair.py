"""A contract that does not meet the schema is judged on: what can't stand is replaced, and little of it taken out."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import judge
from extensions.reading import keys
from extensions.text.problems import Path

EXAMPLES = {path.stem: read_contract(path) for path in sorted(CONTRACTS.glob("*.yaml"))}
PLAIN = {
    "name": "parts",
    "node_type": "effect",
    "version": "1.0.0",
    "package": "parts_nodes",
    "description": "Tries.",
    "integrations": {"api_client": {"base_url": "https://a.example"}},
}


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path


def planted(contract: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(contract)
    holder: Any = changed
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return changed


def of(problems: list[Any]) -> set[Path]:
    return {problem.path for problem in problems}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("value", [None, {"x": []}], ids=["nothing", "a mapping"])
def test_what_is_no_value_of_a_key_hides_no_fault_elsewhere(name: str, value: object) -> None:
    contract = keys.named(EXAMPLES[name])
    contract = {**contract, "models": {**contract.get("models", {}), "Elsewhere": {"fields": {"x": "strng"}}}}
    fault = ("models", "Elsewhere", "fields", "x")
    places = [path for path in leaves(EXAMPLES[name]) if path[0] != "models"]
    assert [path for path in places if fault not in of(judge(planted(contract, path, value)))] == []


@pytest.mark.parametrize("name", ["order_workflow", "codegen_metrics", "distributed_lock"])
def test_no_name_is_told_that_nobody_wrote(name: str) -> None:
    contract = EXAMPLES[name]
    operation = ("operations", 0)
    holders = {path[:length] for path in leaves(contract) for length in range(len(path)) if path[:2] == operation}
    holders |= {path[:2] for path in leaves(contract) if path[0] in {"enums", "models"}}
    told = [str(problem) for path in sorted(holders, key=str) if path for problem in judge(planted(contract, path, {}))]
    assert told
    assert [line for line in told if "nnamed" in line] == []


def test_a_name_that_no_step_has_is_told_beside_a_step_without_one() -> None:
    contract: Any = copy.deepcopy(EXAMPLES["order_workflow"])
    steps = contract["operations"][0]["workflow"]["steps"]
    steps[0], steps[2]["after"] = {}, ["nobody"]
    place = ("operations", 0, "workflow", "steps", 2, "after", 0)
    (told,) = [problem for problem in judge(contract) if problem.path == place]
    assert told.expected == "one of the steps announce, reserve"


def test_what_is_required_is_replaced_where_it_is_no_value() -> None:
    step = {"node": "node_a_compute", "operation": "f", "input": {"q": "${input.nope}"}}
    contract = {
        **PLAIN,
        "node_type": "orchestrator",
        "operations": [
            {
                "name": "run",
                "input": {"x": "integer"},
                "output": {"status": "string"},
                "workflow": {
                    "steps": [
                        {"name": "a", **step, "repeat": {"until": "steps.a.done", "max_rounds": 0}},
                        {"name": "a", **step, "after": ["b"]},
                        {**step, "when": "input.nope"},
                    ]
                },
            }
        ],
    }
    del contract["integrations"]
    steps = ("operations", 0, "workflow", "steps")
    assert of(judge(contract)) == {
        *((*steps, index, "input", "q") for index in range(3)),
        (*steps, 0, "repeat", "max_rounds"),
        (*steps, 1, "name"),
        (*steps, 1, "after", 0),
        (*steps, 2, "name"),
        (*steps, 2, "when"),
    }


@pytest.mark.parametrize("text", ["^[\x01-\b]$", "\ud800", "\u202e"])
def test_text_that_no_contract_has_hides_nothing(text: str) -> None:
    operation = {
        "name": "g",
        "input": {"x": {"type": "string", "pattern": text}, "y": "strng"},
        "output": {"ok": {"type": "boolean", "required": False}},
        "http": {"method": "GET", "path": "/${input.nope}/{x}", "extract": {"ok": "$.["}},
    }
    own = ("operations", 0)
    assert of(judge({**PLAIN, "operations": [operation]})) == {
        (*own, "input", "x", "pattern"),
        (*own, "input", "y"),
        (*own, "http", "path"),
        (*own, "http", "extract", "ok"),
    }


def test_what_shows_in_the_typed_contract_is_told_beside_other_faults() -> None:
    def get(name: str, **fields: object) -> dict[str, object]:
        return {
            "name": name,
            "input": {key: {"type": "string", "pattern": pattern} for key, pattern in fields.items()},
            "output": {"ok": {"type": "boolean", "required": False}},
            "http": {"method": "GET", "path": "/", "extract": {"ok": "$.ok"}},
        }

    unknown = "^[\\x01-\\x08]$"
    operations = [get("a", x="["), get("b", x=unknown), get("c", x="[", y=unknown), get("d", x=unknown)]
    operations[3]["http"] = {"method": "GET", "path": "/${input.nope}"}
    operations.append({**get("e", x=unknown), "examples": [{"input": {"x": 5}}]})
    assert of(judge({**PLAIN, "operations": operations})) == {
        ("operations", 0, "input", "x", "pattern"),
        ("operations", 1, "examples"),
        ("operations", 2, "input", "x", "pattern"),
        ("operations", 2, "examples"),
        ("operations", 3, "http", "path"),
        ("operations", 3, "examples"),
        ("operations", 4, "examples", 0, "input", "x"),
        ("operations", 4, "examples", 0, "output"),
    }


def test_below_a_name_that_is_none_all_is_judged() -> None:
    contract = {
        **PLAIN,
        "models": {"m": {"fields": {"a": "B", "b-c": "strng"}}},
        "operations": [{"name": "g", "input": {"x-y": "strng"}, "handler": "custom"}],
    }
    assert of(judge(contract)) == {
        ("models", "m"),
        ("models", "m", "fields", "a"),
        ("models", "m", "fields", "b-c"),
        ("operations", 0, "input", "x-y"),
    }


def test_each_of_several_implementations_is_judged() -> None:
    operation = {
        "name": "g",
        "input": {"x": "string"},
        "output": {"ok": "boolean"},
        "http": {"method": "GET", "path": "/{x}", "extract": {"ok": "$.["}},
        "redis": {"command": "get", "key": "${input.nope}", "returns": {"found": "ok"}},
    }
    assert of(judge({**PLAIN, "operations": [operation]})) == {
        ("operations", 0),
        ("operations", 0, "http", "path"),
        ("operations", 0, "http", "extract", "ok"),
        ("operations", 0, "redis", "key"),
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("distributed_lock", ("operations", 0, "output", "lock", "type")),
        ("distributed_lock", ("operations", 4, "output", "expired", "items")),
        ("codegen_metrics", ("operations", 0, "input", "events", "type")),
        ("order_events", ("operations", 0, "kafka", "topic")),
        ("order_state", ("operations",)),
        ("order_state", ("operations", 0)),
        ("order_workflow", ("operations", 0, "workflow", "steps")),
    ],
)
@pytest.mark.parametrize("value", [None, 5], ids=["nothing", "a number"])
def test_what_nobody_wrote_has_no_faults(name: str, path: Path, value: object) -> None:
    told = of(judge(planted(EXAMPLES[name], path, value)))
    assert told
    assert all(place[: len(path)] == path for place in told)
