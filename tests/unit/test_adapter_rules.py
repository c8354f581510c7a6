"""What references may make of values that may be missing, and what bodies of HTTP may be."""

from typing import Any

import pytest

from extensions.judging.judge import judge
from extensions.text import bodies

INPUT = {
    "id": "string",
    "number": "integer",
    "note": {"type": "string", "required": False},
    "data": {"type": "bytes", "required": False},
    "extra": {"type": "object", "required": False},
    "line": "Line",
    "maybe_line": {"type": "Line", "required": False},
}
MODELS = {"Line": {"fields": {"sku": "string", "note": {"type": "string", "required": False}}}}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def contract(kind: str, client: Any = None, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    specs: dict[str, dict[str, Any]] = {
        "http": {"method": "POST", "path": "/a"},
        "kafka": {"topic": "said"},
        "redis": {"command": "set", "key": "a", "value": 1},
        "filesystem": {"action": "write", "path": "a", "content": "b"},
    }
    spec = specs[kind] | values
    return {
        "name": "relay",
        "package": "acme",
        "node_type": "effect",
        "models": MODELS,
        "integrations": {"api_client": {"base_url": "http://a.example"} | (client or {})},
        "operations": [{"name": "go", "input": INPUT, "output": {"done": "boolean"}, kind: spec}],
    }


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("http", "path", "/a/${input.note}"),
        ("http", "path", "/a/${input.maybe_line.sku}"),
        ("http", "path", "/a/${input.line.note}"),
        ("kafka", "key", "a:${input.note}"),
        ("redis", "key", "${input.note}"),
        ("redis", "key", "a:${input.id}:${input.note}"),
        ("filesystem", "path", "a/${input.note}.txt"),
        ("filesystem", "content", "${input.note}"),
        ("filesystem", "content", "${input.data}"),
    ],
)
def test_null_is_a_mistake_where_it_means_nothing(kind: str, key: str, text: str) -> None:
    (problem,) = judge(contract(kind, **{key: text}))
    assert problem.place == f"operations[0].{kind}.{key}"
    assert "may be null" in problem.found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("http", {"query": {"note": "${input.note}"}, "headers": {"X-Note": "${input.note}"}}),
        ("http", {"body": "${input.maybe_line}"}),
        ("kafka", {"key": "${input.note}"}),
        ("kafka", {"key": "${input.id}", "payload": "${input.maybe_line}"}),
        ("redis", {"value": "${input.note}"}),
        ("filesystem", {"content": "${input.extra}"}),
        ("filesystem", {"content": "note: ${input.note}"}),
    ],
)
def test_null_is_allowed_where_it_has_a_meaning(kind: str, values: dict[str, Any]) -> None:
    assert judge(contract(kind, **values)) == []


def test_message_without_key_and_value_is_a_mistake() -> None:
    for values in ({}, {"key": "${input.note}"}):
        (problem,) = judge(contract("kafka", payload="${input.maybe_line}", **values))
        assert problem.place == "operations[0].kafka.key"


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"headers": FORM, "body": {"a": 1}}, "body"),
        ({"headers": {"content-TYPE": "text/plain; charset=utf-8"}, "body": ["a"]}, "body"),
        ({"headers": FORM, "body": "${input.number}"}, "body"),
        ({"headers": FORM, "body": "${input.line}"}, "body"),
        ({"headers": FORM, "body": "a=1", "omit_null": True}, "omit_null"),
        ({"omit_null": True}, "omit_null"),
    ],
)
def test_body_that_its_content_type_can_not_carry_is_a_mistake(values: dict[str, Any], place: str) -> None:
    (problem,) = judge(contract("http", **values))
    assert problem.place == f"operations[0].http.{place}"


def test_content_type_of_all_requests_counts() -> None:
    (problem,) = judge(contract("http", {"headers": FORM}, body={"a": 1}))
    assert problem.place == "operations[0].http.body"
    own = {"headers": {"content-type": "application/vnd.api+json"}}
    assert judge(contract("http", {"headers": FORM}, body={"a": 1}, **own)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"headers": FORM, "body": "a=${input.id}&b=${input.number}"},
        {"headers": FORM, "body": "${input.id}"},
        {"headers": {"Content-Type": "application/octet-stream"}, "body": "${input.data}"},
        {"headers": {"Content-Type": "${env.TYPE}"}, "body": {"a": 1}},
        {"body": {"a": "${input.note}"}, "omit_null": True},
        {"body": {"a": "${input.note}"}, "omit_null": False},
    ],
)
def test_bodies(values: dict[str, Any]) -> None:
    assert judge(contract("http", **values)) == []


def test_content_type() -> None:
    assert bodies.content_type({}) == "application/json"
    assert bodies.content_type({"Content-Type": "text/plain"}, {"content-type": "A/B; c=d"}) == "a/b"
    assert bodies.content_type({"Content-Type": "${env.A}"}) is None
    stated = ("application/json", "text/json", "application/a+json", None, "application/x-ndjson", "text/plain")
    assert [bodies.is_json(one) for one in stated] == [True, True, True, True, False, False]


@pytest.mark.parametrize(("seconds", "valid"), [(0, False), (1, True), (9_000_000_000_000, True), (2**63 - 1, False)])
def test_a_key_goes_away_when_redis_can_count_to_it(seconds: int, valid: bool) -> None:
    redis = {"command": "set", "key": "k", "value": "v", "ttl_seconds": seconds, "returns": {"found": "ok"}}
    operation = {"name": "put", "input": {}, "output": {"ok": "boolean"}, "redis": redis}
    contract = {"name": "shop", "package": "acme", "node_type": "effect", "operations": [operation]}

    problems = judge(contract)

    wanted = [] if valid else [("operations", 0, "redis", "ttl_seconds")]
    assert [problem.path for problem in problems] == wanted
