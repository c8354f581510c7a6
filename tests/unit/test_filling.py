"""What fills an output field: one rule for all implementations, which compares whole types."""

from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.language.build import build
from extensions.language.filling import copied
from extensions.viewing.build import view

TYPES: dict[str, Any] = {
    "enums": {"Colour": ["red", "blue"], "Size": ["small", "large"]},
    "models": {"Thing": {"fields": {"x": "string"}}, "Other": {"fields": {"x": "string"}}},
}
EVENT = {"Event": {"fields": {"at": "datetime", "size": "integer"}}}
STATUS = {"type": "string", "enum": ["completed", "failed"]}
FSM = {
    "entity": "who",
    "trigger": "what",
    "initial_state": "new",
    "terminal_states": ["old"],
    "states": ["new", "old"],
    "transitions": [{"trigger": "go", "from": "new", "to": "old"}],
}
# Each implementation: the node's type, what it adds to the input and the output, and the rest of the operation.
NODES: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "database, no rows": ("effect", {}, {"ok": "boolean"}, {"database": {"query": "DELETE FROM a"}}),
    "database, into": (
        "effect",
        {},
        {"row": {"type": "Thing", "required": False}},
        {"database": {"query": "SELECT x FROM a", "returns": {"into": "row"}}},
    ),
    "http": ("effect", {}, {"x": "string"}, {"http": {"method": "GET", "path": "/", "extract": {"x": "$.x"}}}),
    "http, silent": ("effect", {}, {"ok": "boolean"}, {"http": {"method": "GET", "path": "/"}}),
    "kafka": ("effect", {}, {"ok": "boolean"}, {"kafka": {"topic": "told"}}),
    "redis": ("effect", {}, {"ok": "boolean"}, {"redis": {"command": "delete", "key": "a"}}),
    "filesystem": ("effect", {}, {"ok": "boolean"}, {"filesystem": {"action": "delete", "path": "a"}}),
    "compute": ("compute", {}, {"n": "integer"}, {"compute": {"n": "1"}}),
    "fsm": ("reducer", {"who": "string", "what": "string"}, {"state": "string"}, {}),
    "aggregate": (
        "reducer",
        {"events": {"type": "array", "items": "Event"}},
        {"windows": "array"},
        {"aggregate": {"over": "events", "measures": {"total": {"count": True}}}},
    ),
    "workflow": (
        "orchestrator",
        {},
        {"status": STATUS},
        {"workflow": {"steps": [{"name": "s", "node": "node_a_effect", "operation": "b"}]}},
    ),
}
# An input field and an output field of the same name, and whether the one fills the other.
PAIRS: list[tuple[object, object, bool]] = [
    ("string", "string", True),
    ("Colour", "Colour", True),
    ("Colour", "Size", False),
    ("Thing", "Thing", True),
    ("Thing", "Other", False),
    ("string", "integer", False),
    ({"type": "string", "required": False}, "string", False),
    ({"type": "string", "default": "a"}, "string", True),
    ("string", {"type": "string", "enum": ["a"]}, False),
    ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a", "b"]}, True),
    ("string", {"type": "string", "maxLength": 3}, False),
    ({"type": "string", "maxLength": 4}, {"type": "string", "maxLength": 3}, False),
    ({"type": "string", "maxLength": 2}, {"type": "string", "maxLength": 3}, True),
    ({"type": "string", "minLength": 2}, {"type": "string", "minLength": 1}, True),
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^b$"}, False),
    ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}, True),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}, True),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 1}, False),
    ({"type": "integer", "exclusiveMaximum": 9}, {"type": "integer", "maximum": 9}, True),
    ({"type": "integer", "maximum": 9}, {"type": "integer", "exclusiveMaximum": 9}, False),
    ({"type": "string", "maxLength": 9}, "string", True),
    ({"type": "array", "items": "Colour"}, {"type": "array", "items": "Colour"}, True),
    ({"type": "array", "items": "Colour"}, {"type": "array", "items": "Colour", "maxItems": 1}, False),
    (
        {"type": "array", "items": {"type": "string", "maxLength": 9}},
        {"type": "array", "items": {"type": "string", "maxLength": 3}},
        False,
    ),
    ({"type": "array", "items": "Colour"}, {"type": "array", "items": "Size"}, False),
    ({"type": "array", "items": "string"}, {"type": "array", "items": "uuid"}, False),
    (
        {"type": "array", "items": {"type": "array", "items": "Thing"}},
        {"type": "array", "items": {"type": "array", "items": "Other"}},
        False,
    ),
]


def contract(node: str, given: object, wanted: object) -> dict[str, Any]:
    kind, inputs, outputs, rest = NODES[node]
    operation = {"name": "work_it", "input": {**inputs, "f": given}, "output": {**outputs, "f": wanted}, **rest}
    made: dict[str, Any] = {"name": "n", "package": "acme", "node_type": kind, "operations": [operation], **TYPES}
    if node == "aggregate":
        made["models"] = TYPES["models"] | EVENT
    if node == "fsm":
        made["subcontracts"] = {"fsm": FSM}
    return made


def optional(spec: object) -> dict[str, Any]:
    return (dict(spec) if isinstance(spec, dict) else {"type": spec}) | {"required": False}


# An array that nothing fills takes the windows.
@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize(("given", "wanted", "fits"), PAIRS)
def test_an_input_fills_an_output_of_its_name_and_whole_type(
    node: str, given: object, wanted: object, *, fits: bool
) -> None:
    problems = [str(problem) for problem in judge(contract(node, given, wanted))]
    if fits:
        assert problems == []
    elif node == "aggregate" and isinstance(wanted, dict) and wanted["type"] == "array":
        assert "exactly one array" in problems[0]
    else:
        assert [problem.partition(":")[0] for problem in problems] == ["operations[0].output.f"]
        assert "the input field f" in problems[0]


@pytest.mark.parametrize("node", [name for name in NODES if name != "aggregate"])
@pytest.mark.parametrize(("given", "wanted", "fits"), PAIRS)
def test_code_follows_what_the_judge_said(node: str, given: object, wanted: object, *, fits: bool) -> None:
    # A field that may be left out takes null, too.
    made = contract(node, given, optional(wanted))
    assert judge(made) == []
    typed = build(made)
    field = next(field for field in typed.operations[0].output if field.name == "f")
    is_null = isinstance(given, dict) and given.get("required") is False
    assert copied(typed.operations[0].input, field) is (fits or is_null)
    operation = view(typed).operations[0]
    code = repr((operation.results, operation.calls, operation.workflow))
    assert ("request.f" in code) is (fits or is_null)


@pytest.mark.parametrize("kind", ["compute", "reducer", "orchestrator"])
@pytest.mark.parametrize("node", [name for name, parts in NODES.items() if parts[0] == "effect"])
def test_input_and_output_belong_into_effects(kind: str, node: str) -> None:
    made = contract(node, "string", "string") | {"node_type": kind}
    found = {problem.place: problem for problem in judge(made)}
    key = node.partition(",")[0]
    problem = found[f"operations[0].{key}"]
    assert problem.found == f"{key} in a node of type {kind}"
    assert "effect node" in problem.hint
