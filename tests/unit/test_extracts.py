"""One answer of an HTTP API has to be able to fill all outputs that are extracted from it."""

from collections.abc import Mapping
from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.language.answers import answer, at, keys_of
from extensions.language.build import build


def contract(output: Mapping[str, object], extract: Mapping[str, str]) -> dict[str, Any]:
    http = {"method": "GET", "path": "/a", "extract": dict(extract)}
    asked = {"name": "ask", "input": {}, "output": dict(output), "http": http}
    models = {"Item": {"fields": {"name": "string", "size": {"type": "integer", "minimum": 3}}}}
    return {
        "name": "shop",
        "package": "acme",
        "node_type": "effect",
        "models": models,
        "enums": {"Tier": ["basic", "gold"]},
        "operations": [asked],
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("string", "uuid"),
        ("date", "string"),
        ("number", "integer"),
        ({"type": "integer", "minimum": 5}, "integer"),
        ("string", "Tier"),
        ("Tier", {"type": "string", "maxLength": 9}),
        ("Item", "Item"),
        ("object", "object"),
        ({"type": "integer", "required": False}, {"type": "integer", "maximum": -2}),
    ],
)
def test_types_that_one_value_can_have(first: object, second: object) -> None:
    made = contract({"a": first, "b": second}, {"a": "$.x[0]['y z']", "b": "$['x'][0]['y z']"})

    assert judge(made) == []

    built = build(made)
    assert at(answer(built, built.operations[0]), keys_of("$.x[0]['y z']") or ()) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("date", "time"),
        ("integer", "boolean"),
        ("uuid", "duration"),
        ("string", "integer"),
        ({"type": "integer", "maximum": 3}, {"type": "integer", "minimum": 5}),
        ("Tier", "uuid"),
        ({"type": "array", "items": "string"}, "string"),
        ({"type": "array", "items": "string"}, {"type": "array", "items": "integer"}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_types_that_no_value_has_both_of(first: object, second: object, turned: bool) -> None:
    output = {"a": second, "b": first} if turned else {"a": first, "b": second}

    problems = judge(contract(output, {"a": "$.x", "b": "$['x']"}))

    assert problems
    for problem in problems:
        assert problem.path[:-1] == ("operations", 0, "http", "extract")
        assert problem.expected == "a place of its own, or types that one value can have"


@pytest.mark.parametrize(
    ("outer", "inner", "fits"),
    [
        ("object", "integer", True),
        ("Item", "string", True),
        ("string", "integer", False),
        ({"type": "array", "items": "integer"}, "integer", False),
        ({"type": "object", "values": "integer"}, "string", False),
    ],
)
def test_places_inside_of_others(outer: object, inner: object, fits: bool) -> None:
    problems = judge(contract({"a": outer, "b": inner}, {"a": "$.x", "b": "$.x.name"}))

    assert (problems == []) is fits


MANY = {"type": "array", "items": "string"}
NUMBERS = {"type": "array", "items": "integer"}
ITEMS = {"type": "array", "items": "Item"}


@pytest.mark.parametrize(
    ("output", "extract", "wrong"),
    [
        ({"a": "string"}, {"a": "$.x[*].name"}, ["a"]),
        ({"a": "integer"}, {"a": "$.*"}, ["a"]),
        ({"a": "Item"}, {"a": "$.x[0:2]"}, ["a"]),
        ({"a": "object"}, {"a": "$['x', 'y']"}, ["a"]),
        ({"a": {"type": "string", "required": False}}, {"a": "$.x[*]"}, ["a"]),
        ({"a": MANY}, {"a": "$.x[*].name"}, []),
        ({"a": "string"}, {"a": "$.x[0].name"}, []),
        ({"a": "string"}, {"a": "$.x[?@.size == 3].name"}, []),
        ({"a": "string"}, {"a": "$..name"}, []),
        ({"a": "string"}, {"a": "$.x | $.y"}, []),
        ({"a": MANY, "b": NUMBERS}, {"a": "$.x[*].name", "b": "$.x[*].name"}, ["a"]),
        ({"a": MANY, "b": NUMBERS}, {"a": "$.x[*].name", "b": "$.x[*].size"}, []),
        ({"a": MANY, "b": "string"}, {"a": "$.x[*].name", "b": "$.x"}, ["b"]),
        ({"a": MANY, "b": "integer"}, {"a": "$.x[*].name", "b": "$.x[0].name"}, ["a"]),
        ({"a": MANY, "b": "string"}, {"a": "$.x[*].name", "b": "$.x[0].name"}, []),
        ({"a": MANY, "b": "string"}, {"a": "$.x", "b": "$.x[0]"}, []),
        ({"a": ITEMS, "b": "string"}, {"a": "$.x", "b": "$.x[0].name"}, []),
        ({"a": NUMBERS, "b": "object"}, {"a": "$.x.*", "b": "$.x"}, []),
    ],
)
def test_paths_to_many_values(output: dict[str, object], extract: dict[str, str], wrong: list[str]) -> None:
    assert [problem.path for problem in judge(contract(output, extract))] == [
        ("operations", 0, "http", "extract", name) for name in wrong
    ]
