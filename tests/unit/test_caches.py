"""Results that are kept: which may be, under which keys, and when they are forgotten."""

from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.viewing.build import view

CACHE = {"redis": "thing:${input.id}", "ttl_seconds": 30}
OPTIONAL = {"type": "string", "required": False}


def look(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    operation: dict[str, Any] = {
        "name": "look",
        "input": {"id": "uuid"},
        "output": {"name": "string"},
        "database": {"query": "SELECT name FROM a WHERE id = $1", "parameters": ["id"]},
        "cache": CACHE,
    }
    return operation | more


def change(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    operation: dict[str, Any] = {
        "name": "change",
        "input": {"id": "uuid", "other": "uuid", "note": OPTIONAL},
        "output": {"done": "boolean"},
        "database": {"query": "UPDATE a SET b = 1 WHERE id = $1", "parameters": ["id"]},
        "invalidates": ["look"],
    }
    return operation | more


def contract(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    return {"name": "n", "package": "acme", "node_type": "effect", "operations": [*operations], **more}


WRITES = {"query": "UPDATE a SET b = 1 WHERE id = $1 RETURNING name", "parameters": ["id"]}
SEVERAL = {
    "statements": [{"name": "a", "query": "DELETE FROM a WHERE id = $1", "parameters": ["id"]}],
}


@pytest.mark.parametrize(
    ("made", "place", "found"),
    [
        (contract(look(database=WRITES)), "0].cache", "changes something"),
        (contract(look(database=SEVERAL, output={"ok": "boolean"})), "0].cache", "changes something"),
        (contract(look(cache={"redis": "thing", "memory": "thing", "ttl_seconds": 5})), "0].cache", "redis and memory"),
        (contract(look(cache=CACHE | {"max_entries": 5})), "0].cache.max_entries", "5"),
        (contract(look(), integrations={"redis": False}), "0].cache.redis", "a use of redis"),
        (contract(look(input={"id": "uuid", "page": "integer"})), "0].cache.redis", "a key without page"),
        (contract(look(input={"id": {"type": "uuid", "required": False}})), "0].cache.redis", "may be null"),
        (contract(look(input={"id": {"type": "string", "secret": True}})), "0].cache.redis", "is secret"),
        (contract(look(output={"name": {"type": "string", "secret": True}})), "0].cache", "the output name"),
        (contract(look(cache={"redis": "a:${now}", "ttl_seconds": 5})), "0].cache.redis", "${now}"),
        (contract(look(cache={"redis": "a:${input.di}", "ttl_seconds": 5})), "0].cache.redis", "${input.di}"),
        (contract(look(), look(name="see")), "1].cache.redis", "may be those of the cache of look"),
        (contract(look(cache={"ttl_seconds": 1})), "0].cache.redis", "nothing"),
        (contract(look(), change(invalidates=["lok"])), "1].invalidates[0]", "'lok'"),
        (contract(look(), change(input={"other": "uuid"}, database=SEVERAL)), "1].invalidates[0]", "nothing for id"),
    ],
)
def test_mistake_is_told_where_it_is(made: dict[str, Any], place: str, found: str) -> None:
    problems = [problem for problem in judge(made) if "parameters" not in problem.place]
    assert [problem.place for problem in problems] == [f"operations[{place}"], problems
    assert found in problems[0].found


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"di": "${input.other}"}, "input.di"),
        ({"id": "${input.other} "}, "input.id"),
        ({"id": "5"}, "input.id"),
        ({"id": "${input.note}"}, ""),
        ({"id": "${input.nobody}"}, ""),
    ],
)
def test_what_is_forgotten_is_told_by_references(given: dict[str, str], place: str) -> None:
    made = contract(look(), change(invalidates=[{"operation": "look", "input": given}]))
    (problem,) = judge(made)
    assert problem.place == f"operations[1].invalidates[0]{'.' if place else ''}{place}"


def test_command_of_redis_and_cache_keep_apart() -> None:
    command = {"name": "put", "input": {"id": "uuid"}, "output": {"ok": "boolean"}}
    key = "thing:${input.id}"
    made = contract(look(), command | {"redis": {"command": "set", "key": key, "value": 1}})
    assert [problem.place for problem in judge(made)] == ["operations[0].cache.redis"]
    deleted = contract(look(), command | {"redis": {"command": "delete", "key": key}})
    assert judge(deleted) == []


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        (look(), 'key_of("thing:{}", request.id)'),
        (look(cache={"memory": "thing", "ttl_seconds": 5}), 'hashed("thing", request)'),
        (
            look(cache={"memory": "all", "ttl_seconds": 5}, input={}, database={"query": "SELECT name FROM a"}),
            '"all"',
        ),
    ],
)
def test_key_is_made_of_the_whole_input(operation: dict[str, Any], key: str) -> None:
    (made,) = view(read(contract(operation))).operations
    assert made.cache
    assert made.cache.key == key


def test_same_key_is_forgotten_as_is_kept() -> None:
    item = {"operation": "look", "input": {"id": "${input.other}"}}
    node = view(read(contract(look(), change(invalidates=["look", item]))))
    (found,) = node.operations[1].changes
    assert found.keys == ('key_of("thing:{}", request.id)', 'key_of("thing:{}", request.other)')
    assert found.place == "redis"
    assert node.redis
    assert [decision.choice for decision in node.decisions if "Redis" in decision.choice]
