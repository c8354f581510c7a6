"""Expressions that follow what an operation does: what they may name, and what the node gets of them."""

from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.computations.following import followed

from extensions.judging.judge import judge, read
from extensions.viewing.build import view

IMPLEMENTATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "http": ({"n": "integer"}, {"method": "GET", "path": "/", "extract": {"n": "$.n"}}),
    "redis": ({"n": "integer"}, {"command": "incr", "key": "a", "returns": {"into": "n"}}),
    "kafka": ({"n": "boolean"}, {"topic": "told"}),
    "filesystem": ({"n": "boolean"}, {"action": "write", "path": "a", "content": "b"}),
    "database": ({"n": "integer"}, {"query": "SELECT 1 AS n"}),
}
LIST = {"type": "array", "items": "integer"}


def contract(kind: str = "http", then: object = None, **output: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    made, spec = IMPLEMENTATIONS[kind]
    return {
        "name": "relay",
        "package": "acme",
        "node_type": "effect",
        "operations": [
            {
                "name": "go",
                "input": {"a": "integer", "maybe": {"type": "integer", "required": False}, "list": LIST},
                "output": made | output,
                kind: spec,
                "then": then,
            }
        ],
    }


@pytest.mark.parametrize("kind", IMPLEMENTATIONS)
def test_every_implementation_of_an_effect_is_followed(kind: str) -> None:
    given = contract(kind, {"b": "input.a + 1", "c": "b * 2 if result.n else 0"}, b="integer", c="integer")
    assert judge(given) == []
    node = view(read(given))
    (operation,) = node.operations
    assert operation.then
    assert operation.then.statements == ("b = request.a + 1", "c = b * 2 if result.n else 0")
    assert operation.then.results == (("n", "result.n"), ("b", "b"), ("c", "c"))
    assert operation.returned[1] == "ModelGoResult"
    assert [name for name, _ in (operation.calls.results if operation.calls else operation.results)] == ["n"]
    assert node.running(operation).startswith('followed("go", HandlerGo(self.adapters.')


@pytest.mark.parametrize(
    ("then", "output", "place"),
    [
        ({"b": "result.nobody"}, {"b": "integer"}, "then.b"),
        ({"b": "result.b"}, {"b": "integer"}, "then.b"),
        ({"b": "c", "c": "1"}, {"b": "integer", "c": "integer"}, "then.b"),
        ({"b": "result.n + 'a'"}, {"b": "string"}, "then.b"),
        ({"b": "result.n"}, {"b": "string"}, "then.b"),
        ({"b": "input.maybe"}, {"b": "integer"}, "then.b"),
        ({"b": "n"}, {"b": "integer"}, "then.b"),
        ({"b": "1"}, {}, "then.b"),
        ({"n": "1"}, {}, "http.extract.n"),
        ({"result": "1"}, {"result": "integer"}, "then.result"),
        ({"b": "sum(x * y for x in input.list for y in input.list)"}, {"b": "integer"}, "then.b"),
        ({"b": "1"}, {"b": "integer", "c": "integer"}, "output.c"),
        ({}, {}, "then"),
    ],
)
def test_what_does_not_follow_is_a_mistake(then: dict[str, str], output: dict[str, Any], place: str) -> None:
    found = [problem.place.removeprefix("operations[0].") for problem in judge(contract("http", then, **output))]
    assert found == [place]


@pytest.mark.parametrize(
    ("node_type", "implementation"), [("compute", {"compute": {"n": "1"}}), ("effect", {"handler": "custom"})]
)
def test_only_effects_are_followed(node_type: str, implementation: dict[str, Any]) -> None:
    given = contract("http", {"b": "1"}, b="integer") | {"node_type": node_type}
    del given["operations"][0]["http"]
    given["operations"][0] |= implementation
    assert "operations[0].then" in [problem.place for problem in judge(given)]


async def test_result_that_nothing_follows_from_is_no_mistake_of_the_caller() -> None:
    async def handle(request: int) -> int:
        return request - 1

    run = followed("go", handle, lambda request, result: request / result)
    assert await run(3) == 3 / 2
    with pytest.raises(ModelOnexError) as caught:
        await run(1)
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION
    assert "division by zero" in str(caught.value.context)
