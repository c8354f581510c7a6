"""What fills the output of a workflow has the output's type, at any depth."""

from collections.abc import Mapping
from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.text.problems import Problem

MODELS: dict[str, Any] = {
    "Thing": {"fields": {"id": "integer", "tone": "Colour", "tags": {"type": "array", "items": "string"}}},
    "Other": {"fields": {"id": "integer"}},
    "Any": {"one_of": ["Left", "Right"], "discriminator": "kind"},
    "Left": {"fields": {"kind": {"type": "string", "const": "left"}}},
    "Right": {"fields": {"kind": {"type": "string", "const": "right"}}},
}
TYPES = ("string", "integer", "number", "boolean", "uuid", "date", "time", "datetime", "duration", "decimal", "bytes")
WORDS = (*TYPES, "Colour", "Size", "Thing", "Other", "Left", "Any")
WIDER = {("integer", "number"), ("integer", "decimal"), ("number", "decimal"), ("Left", "Any")}
INPUTS: dict[str, Any] = {
    **{f"a_{word.lower()}": word for word in WORDS},
    **{f"list_{word.lower()}": {"type": "array", "items": word} for word in WORDS},
    "maybe": {"type": "string", "required": False},
}


def judged(fields: Mapping[str, tuple[object, object]], **step: object) -> list[Problem]:
    """Judge a workflow whose outputs have a value and a type each."""
    one = {"name": "one", "node": "node_stock_effect", "operation": "reserve", **step}
    output = {name: value for name, (value, _) in fields.items()}
    operation = {
        "name": "go",
        "input": INPUTS,
        "output": {name: spec for name, (_, spec) in fields.items()},
        "workflow": {"steps": [one], "output": output, "timeout_seconds": 60},
    }
    return judge(
        {
            "name": "things",
            "package": "shop_nodes",
            "node_type": "orchestrator",
            "enums": {"Colour": ["red", "green"], "Size": ["red", "s"]},
            "models": MODELS,
            "operations": [operation],
        }
    )


def problems(value: object, spec: object, **step: object) -> list[str]:
    return [str(problem) for problem in judged({"made": (value, spec)}, **step)]


def wrong(fields: Mapping[str, tuple[object, object]]) -> set[object]:
    """Return the outputs that something is wrong with."""
    return {problem.path[4] for problem in judged(fields)}


def made_of(word: str) -> dict[str, object]:
    """Return places for a type, by what is put into them where `x` is a reference to a field of it."""
    return {
        "x": word,
        "[x]": {"type": "array", "items": word},
        "{a: x}": {"type": "object", "values": word},
    }


def taken(given: str, wanted: str) -> bool:
    return given == wanted or (given, wanted) in WIDER


def filled(shape: str, text: str) -> object:
    return {"x": text, "[x]": [text], "{a: x}": {"a": text}}[shape]


@pytest.mark.parametrize("wanted", WORDS)
def test_references_have_the_type_of_their_place(wanted: str) -> None:
    for shape, spec in made_of(wanted).items():
        given = {f"a_{word.lower()}": (filled(shape, f"${{input.a_{word.lower()}}}"), spec) for word in WORDS}
        assert wrong(given) == {f"a_{word.lower()}" for word in WORDS if not taken(word, wanted)}


@pytest.mark.parametrize("wanted", WORDS)
def test_arrays_have_the_items_of_their_place(wanted: str) -> None:
    spec = {"type": "array", "items": wanted}
    given = {f"a_{word.lower()}": (f"${{input.list_{word.lower()}}}", spec) for word in WORDS}
    assert wrong(given) == {f"a_{word.lower()}" for word in WORDS if not taken(word, wanted)}


@pytest.mark.parametrize(("name", "kind"), [("now", "datetime"), ("uuid", "uuid"), ("correlation_id", "uuid")])
def test_what_a_run_has_beside_its_input_has_a_type(name: str, kind: str) -> None:
    places = {f"a_{word.lower()}": (f"${{{name}}}", word) for word in WORDS}
    assert wrong(places) == places.keys() - {f"a_{kind}"}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"id": "${input.a_string}", "tone": "red", "tags": []}, "made.id"),
        ({"id": 1, "tone": "${input.a_size}", "tags": ["${input.a_string}"]}, "made.tone"),
        ({"id": 1, "tone": "${input.a_colour}", "tags": ["a", "${input.a_integer}"]}, "made.tags[1]"),
        ({"id": "${input.a_integer}", "tone": "blue", "tags": []}, "made.tone"),
        ({"id": "${input.a_integer}", "tone": "red", "tags": [], "size": 1}, "made.size"),
        ({"id": "${input.a_integer}", "tone": "red"}, "made.tags"),
        (["${input.a_integer}"], "made"),
        ("a ${input.a_integer}", "made"),
    ],
)
def test_members_of_models_are_no_exception(value: object, place: str) -> None:
    found = problems(value, "Thing")
    assert [line.split(": ")[0] for line in found] == [f"operations[0].workflow.output.{place}"]


def test_what_may_be_null_fills_what_may_be_null() -> None:
    assert problems("${input.maybe}", {"type": "string", "required": False}) == []
    assert problems("${input.maybe}", "string") == [
        (
            "operations[0].workflow.output.made: found '${input.maybe}', which may be null, expected a value"
            " (required: false lets the output be null)"
        )
    ]


def test_a_step_for_each_item_answers_an_array() -> None:
    step = {"for_each": "${input.list_string}"}
    assert problems("${steps.one}", {"type": "array", "items": "object"}, **step) == []
    assert problems("${steps.one[0].id}", "string", **step) == []
    assert "of type array" in problems("${steps.one}", "string", **step)[0]
    assert "as in ${steps.one[0].id}" in problems("${steps.one.id}", "string", **step)[0]


def test_items_without_fields_have_none() -> None:
    step = {"for_each": "${input.list_string}", "input": {"a": "${item.id}"}}
    assert problems([], {"type": "array", "items": "object"}, **step) == [
        (
            "operations[0].workflow.steps[0].input.a: found '${item.id}',"
            " expected ${item}: items of type string have no fields"
        )
    ]
    step = {"for_each": "${input.list_any}", "input": {"a": "${item.kind}"}}
    assert problems([], {"type": "array", "items": "object"}, **step) == []


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({"type": "integer", "maximum": 5}, True),
        ("integer", False),
    ],
)
def test_limits_of_an_output_are_those_of_its_input(wanted: object, refused: bool) -> None:
    assert bool(problems("${input.a_integer}", wanted)) is refused


@pytest.mark.parametrize("text", ["${input.a_string}", "a {input.a_string}", "$input.a_string"])
def test_text_in_a_condition_refers_to_nothing(text: str) -> None:
    (problem,) = problems("a", "string", when=f"input.a_string == '{text}'")
    assert "a name outside of quotes" in problem


def test_text_of_a_condition_that_refers_to_nothing() -> None:
    assert problems("a", "string", when="input.a_string == '{a} $5 ${x}'") == []
