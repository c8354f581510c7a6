"""Texts that were meant as references, and texts that only look like some: told apart in every implementation."""

from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.language.build import build
from extensions.language.references import parts
from extensions.viewing.build import view

STATUS = {"type": "string", "enum": ["completed", "failed"]}
# What stands for the name of an input field in each place for a text.
MEANT = [
    "{code}",
    "a:{code}",
    "$code",
    "$input.code",
    "{input.code}",
    "${code}",
    "${inptu.code}",
    "${input.code",
    "${now.code}",
]
MEANT_ANYWHERE = [*MEANT, "${input.cod}"]
MEANT_IN_ADDRESSES = ["a:{cod}", "{order.id}/x", "<code>", "%(code)s", "$(code)", "$(input.code)", "{input['code']}"]
FINE = [
    "${input.code}",
    "$${input.code}",
    "{{code}}",
    "$$input.code",
    '{"a": 1}',
    "[0-9]{3}",
    "a{}b",
    "{ x }",
    "$5",
    "$$code",
    "a/$metadata",
    "<other>",
    "%(other)s",
    "$(other)",
    "a/:other",
    "b:code",
    "${now}",
    "${uuid}:${correlation_id}",
    "}{",
]
FINE_IN_CONTENT = ["Dear {customer},", "{user {id}}", r"\frac{a}{b}"]
PLACES: dict[str, dict[str, Any]] = {
    "http.path": {"http": {"method": "POST", "path": "/x/{}"}},
    "http.headers": {"http": {"method": "POST", "path": "/", "headers": {"X-A": "{}"}}},
    "http.query": {"http": {"method": "POST", "path": "/", "query": {"q": "{}"}}},
    "http.body": {"http": {"method": "POST", "path": "/", "body": {"a": [{"b": "{}"}]}}},
    "kafka.key": {"kafka": {"topic": "told", "key": "{}"}},
    "kafka.payload": {"kafka": {"topic": "told", "payload": {"a": "{}"}}},
    "kafka.headers": {"kafka": {"topic": "told", "headers": {"X-A": "{}"}}},
    "redis.key": {"redis": {"command": "delete", "key": "k:{}"}},
    "redis.field": {"redis": {"command": "hset", "key": "k", "field": "{}", "value": "a"}},
    "redis.value": {"redis": {"command": "set", "key": "k", "value": {"a": "{}"}}},
    "filesystem.path": {"filesystem": {"action": "delete", "path": "x/{}"}},
    "filesystem.content": {"filesystem": {"action": "write", "path": "x", "content": "{}"}},
}
CONTENT = ("http.body", "kafka.payload", "redis.value", "filesystem.content")


@pytest.mark.parametrize("place", [place for place in PLACES if place not in CONTENT])
@pytest.mark.parametrize("text", [":code", "x/:code/y", "{{ code }}", "{ input.code }"])
def test_forms_of_others_are_mistakes_where_they_name_a_field(place: str, text: str) -> None:
    problems = found(effect(place, text))
    # Behind `k:`, a name after a colon is a part of a key of Redis.
    assert len(problems) == (not (place == "redis.key" and text.startswith(":")))
    assert all(problem.startswith(f"operations[0].{place}") for problem in problems)


def placed(value: object, text: str) -> object:
    if isinstance(value, dict):
        return {key: placed(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [placed(item, text) for item in value]
    return value.replace("{}", text) if isinstance(value, str) else value


def effect(place: str, text: str, kind: object = "string") -> dict[str, Any]:
    typed = {key: placed(value, text) for key, value in PLACES[place].items()}
    operation = {"name": "work_it", "input": {"code": kind}, "output": {"ok": "boolean"}, **typed}
    return {"name": "n", "package": "acme", "node_type": "effect", "operations": [operation]}


def workflow(output: dict[str, Any], filled: dict[str, Any], given: object = "x") -> dict[str, Any]:
    step = {"name": "redeem", "node": "node_a_effect", "operation": "b", "input": {"x": given}}
    operation = {
        "name": "run_it",
        "input": {"code": "string"},
        "output": {"status": STATUS, **output},
        "workflow": {"steps": [step], "output": filled},
    }
    return {"name": "n", "package": "acme", "node_type": "orchestrator", "operations": [operation]}


def found(contract: dict[str, Any]) -> list[str]:
    return list(map(str, judge(contract)))


@pytest.mark.parametrize("place", PLACES)
def test_what_was_meant_as_a_reference_is_a_mistake(place: str) -> None:
    for text in MEANT_ANYWHERE if place in CONTENT else (*MEANT_ANYWHERE, *MEANT_IN_ADDRESSES):
        problems = found(effect(place, text))
        assert len(problems) == 1, (text, problems)
        assert problems[0].startswith(f"operations[0].{place}"), text


@pytest.mark.parametrize("place", PLACES)
def test_what_is_none_is_fine(place: str) -> None:
    texts = [*FINE, *FINE_IN_CONTENT] if place in CONTENT else FINE
    for text in texts:
        if place == "http.path":
            text = text.replace(" ", "")  # noqa: PLW2901 - a path has none
        if place == "filesystem.path" and "\\" in text:
            continue
        if place == "http.path" and text == "{x}":
            continue
        assert found(effect(place, text)) == [], text


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("{{code}}", "{code}"),
        ("a:{{code}}:{{x.y}}", "a:{code}:{x.y}"),
        ("{{{name}}}", "{{name}}"),
        ("$${input.code}", "${input.code}"),
        ("$$input.code", "$input.code"),
        ("{{ 7 }}", "{{ 7 }}"),
        ('{"a": {"b": {}}}', '{"a": {"b": {}}}'),
        ("$5", "$5"),
    ],
)
def test_escapes_mean_what_stands_in_them(text: str, meaning: str) -> None:
    assert parts(text) == [meaning]
    call = view(build(effect("redis.key", text))).operations[0].calls
    # Among references, the text is part of a template, which has braces of its own.
    template = meaning.replace("{", "{{").replace("}", "}}")
    assert any(repr(f"k:{form}")[1:-1] in repr(call) for form in (meaning, template))


def test_a_dollar_before_a_reference_is_two_before_it() -> None:
    dollar, reference = parts("$$${input.code}")
    assert dollar == "$"
    assert getattr(reference, "name", "") == "code"


@pytest.mark.parametrize("place", ["http.path", "http.headers", "kafka.key", "redis.key", "filesystem.path"])
@pytest.mark.parametrize("kind", ["object", "array"])
def test_text_takes_single_values(place: str, kind: str) -> None:
    (problem,) = found(effect(place, "${input.code}", kind))
    assert "a single value" in problem


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", "{redeem.redeemed}"),
        ("boolean", "true"),
        ("boolean", "a ${steps.redeem.x}"),
        ("integer", "5"),
        ("integer", "${steps.redeem.x}${steps.redeem.y}"),
        ("string", 5),
        ("string", {"a": "b"}),
        ("object", "a"),
        ("string", "{code}"),
        ("string", "$steps.redeem.x"),
        ({"type": "string", "enum": ["a"]}, "b"),
        ("uuid", "no"),
    ],
)
def test_outputs_of_workflows_are_typed(kind: object, value: object) -> None:
    problems = found(workflow({"out": kind}, {"out": value}))
    assert problems
    assert all(problem.startswith("operations[0].workflow.output.out") for problem in problems)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", True),
        ("boolean", "${steps.redeem.x}"),
        ("integer", 5),
        ("string", "a"),
        ("object", {"a": "b"}),
        ("string", "a ${steps.redeem.x}"),
        ("string", "{{code}}"),
        ("object", {"a": "${input.code}"}),
    ],
)
def test_what_fits_fills_an_output(kind: object, value: object) -> None:
    assert found(workflow({"out": kind}, {"out": value})) == []


@pytest.mark.parametrize("value", ["{code}", "$input.code", "{redeem.x}", {"a": ["{input.code}"]}])
def test_what_was_meant_as_a_reference_in_a_step(value: object) -> None:
    (problem,) = found(workflow({}, {}, value))
    assert problem.startswith("operations[0].workflow.steps[0].input.x")
