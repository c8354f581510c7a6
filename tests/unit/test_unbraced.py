"""Texts that are names as expressions have them, where references may stand: a warning, and no mistake."""

from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.judging.legacy import warnings

FIELDS = {"code": "string", "note": {"type": "string", "required": False}, "order": "Order"}
MODELS = {"Order": {"fields": {"id": "string"}}}
OK = {"type": "boolean", "required": False}
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "query": ({"http": {"method": "GET", "path": "/"}}, "http.query.p"),
    "body": ({"http": {"method": "POST", "path": "/"}}, "http.body.p.q"),
    "headers": ({"http": {"method": "GET", "path": "/"}}, "http.headers.X-Code"),
    "payload": ({"kafka": {"topic": "codes"}}, "kafka.payload.p"),
    "value": ({"redis": {"command": "set", "key": "k"}}, "redis.value"),
    "content": ({"filesystem": {"action": "write", "path": "a"}}, "filesystem.content"),
}
MEANT = ["input.code", "input.note", "input.order.id", "env.REGION", "secret.TOKEN"]
FINE = [
    "input.cod",
    "input",
    "input.code!",
    "an input.code",
    "${input.code}",
    "steps.a.v",
    "env.region",
    "input.order.x",
]


def effect(where: str, text: str) -> tuple[dict[str, Any], str]:
    implementation, place = PLACES[where]
    key, *path, last = place.split(".")
    inner: dict[str, Any] = {last: text}
    for word in reversed(path):
        inner = {word: inner}
    operation = {"name": "o", "input": FIELDS, "output": {"ok": OK}, key: {**implementation[key], **inner}}
    base = {"name": "n", "package": "p", "node_type": "effect", "models": MODELS, "operations": [operation]}
    return base | {"integrations": {"kafka": True}}, f"operations[0].{place}"


def of(contract: dict[str, Any]) -> list[str]:
    return [problem.place for problem in warnings(contract) if problem.found.startswith("the text ")]


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("text", MEANT)
def test_whole_text_that_names_what_is_there_is_asked_about(where: str, text: str) -> None:
    contract, place = effect(where, text)
    assert judge(contract) == []
    assert of(contract) == [place]
    assert f"expected ${{{text}}}" in next(str(warning) for warning in warnings(contract) if warning.place == place)


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("text", FINE)
def test_text_that_names_nothing_is_not(where: str, text: str) -> None:
    contract, _ = effect(where, text)
    assert of(contract) == []


def test_workflows_name_their_steps_and_input() -> None:
    def step(name: str, **more: object) -> dict[str, Any]:
        return {"name": name, "node": "node_a_compute", "operation": "f", **more}

    texts = {"a": "input.code", "b": "steps.one.v", "c": "steps.none.v", "d": "steps.one", "e": "env.REGION"}
    inner = step("three", input=texts)
    workflow = {
        "steps": [
            step("one", compensate={"operation": "u", "input": texts}),
            {"name": "two", "after": ["one"], "steps": [inner], "output": {"x": "input.code"}},
        ],
        "output": {"x": "steps.one.v", "y": "${steps.one.v}"},
    }
    output = {
        "x": "string",
        "y": "string",
        "status": {"type": "string", "enum": ["completed", "failed", "compensated"]},
    }
    operation = {"name": "o", "input": {"code": "string"}, "output": output, "workflow": workflow}
    contract = {"name": "n", "package": "p", "node_type": "orchestrator", "operations": [operation]}
    assert judge(contract) == []
    assert of(contract) == [
        "operations[0].workflow.output.x",
        "operations[0].workflow.steps[0].compensate.input.a",
        "operations[0].workflow.steps[0].compensate.input.b",
        "operations[0].workflow.steps[1].output.x",
        "operations[0].workflow.steps[1].steps[0].input.a",
        "operations[0].workflow.steps[1].steps[0].input.b",
    ]


def test_events_are_named_too() -> None:
    contract, _ = effect("value", "x")
    contract["operations"][0]["input"] = {"code": "string"}
    consumed = [{"event": "came", "operation": "o", "map": {"code": "event.code"}}]
    contract["subcontracts"] = {"event_type": {"consumed_events": consumed}}
    assert judge(contract) == []
    assert of(contract) == ["subcontracts.event_type.consumed_events[0].map.code"]
