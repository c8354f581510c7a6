"""Keys of requests: which operations may keep answers by them, and what follows from it."""

import json
from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.language.changes import Effect, changes
from extensions.viewing.build import view
from extensions.viewing.openapi import document

INSERT = {"query": "INSERT INTO things VALUES ($1)", "parameters": ["id"]}
KEYED: dict[str, Any] = {
    "name": "put",
    "input": {"id": "uuid"},
    "output": {},
    "database": INSERT,
    "idempotency_key": True,
}
SEVERAL = {"statements": [{"name": "a", **INSERT}, {"name": "b", "query": "DELETE FROM old"}]}


def contract(operation: dict[str, Any], node_type: str = "effect", name: str = "store") -> dict[str, Any]:
    return {"name": name, "package": "shop_nodes", "node_type": node_type, "operations": [operation]}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in KEYED.items() if name != key}


@pytest.mark.parametrize("database", [INSERT, SEVERAL])
def test_changes_in_a_transaction_may_keep_answers(database: dict[str, Any]) -> None:
    assert judge(contract(KEYED | {"database": database})) == []


@pytest.mark.parametrize(
    ("made", "found", "hint"),
    [
        (KEYED | {"database": INSERT | {"transaction": False}}, "outside of transactions", "transaction: false"),
        (KEYED | {"database": {"query": "VACUUM things"}, "input": {}}, "VACUUM", ""),
        (
            KEYED
            | {
                "database": {"query": "SELECT 1 AS a FROM things WHERE id = $1", "parameters": ["id"]},
                "output": {"a": "integer"},
            },
            "only reads",
            "",
        ),
        (
            KEYED
            | {
                "database": {"query": "INSERT INTO t VALUES ($1) RETURNING token", "parameters": ["id"]},
                "output": {"token": {"type": "string", "secret": True}},
            },
            "token, which is secret",
            "",
        ),
        (without("database") | {"handler": "custom"}, "handler", "database"),
        (without("database") | {"http": {"method": "POST", "path": "/${input.id}"}}, "http", "headers"),
        (without("database") | {"redis": {"command": "set", "key": "k:${input.id}", "value": 1}}, "redis", "if_absent"),
        (
            without("database") | {"filesystem": {"action": "write", "path": "${input.id}", "content": ""}},
            "filesystem",
            "again",
        ),
        (without("database") | {"kafka": {"topic": "things"}}, "kafka", "id"),
    ],
)
def test_what_has_no_transaction_to_keep_an_answer_in(made: dict[str, Any], found: str, hint: str) -> None:
    problems = [problem for problem in judge(contract(made)) if problem.place == "operations[0].idempotency_key"]
    assert len(problems) == 1
    assert found in problems[0].found
    assert hint in problems[0].hint


@pytest.mark.parametrize(
    ("node_type", "made"),
    [
        ("compute", {"compute": {"b": "input.a"}, "output": {"b": "integer"}}),
        ("reducer", {"aggregate": {"items": "events", "measures": {"b": {"count": True}}}, "output": {"b": "integer"}}),
        ("orchestrator", {"workflow": {"steps": [{"name": "s", "node": "n", "operation": "o"}]}}),
    ],
)
def test_other_nodes_keep_no_answers(node_type: str, made: dict[str, Any]) -> None:
    operation = {"name": "op", "input": {"a": "integer"}, "idempotency_key": True, **made}
    assert "operations[0].idempotency_key" in {
        problem.place for problem in judge(contract(operation, node_type=node_type))
    }


def test_the_key_may_be_turned_off_anywhere() -> None:
    made = without("database") | {"handler": "custom", "idempotency_key": False}
    assert judge(contract(made)) == []


def test_answers_have_a_table_a_setting_and_a_place_in_the_interface() -> None:
    node = view(read(contract(KEYED)))
    assert node.answers_table == "store_kept_answers"
    assert [migration.id for migration in node.migrations] == ["0000_store_kept_answers"]
    assert "IDEMPOTENCY_KEY_SECONDS" in {setting.variable for setting in node.setting_fields}
    told = json.loads(document(node))
    operation = told["paths"]["/operations/put"]["post"]
    assert {"$ref": "#/components/parameters/Idempotency-Key"} in operation["parameters"]
    assert "Idempotency-Replayed" in operation["responses"]["200"]["headers"]
    assert {"400", "409", "422"} <= operation["responses"].keys()
    assert "another input" in told["components"]["responses"]["UnprocessableEntity"]["description"]


def test_a_table_of_answers_is_none_that_statements_are_about() -> None:
    own = {"database": {"migrations": [{"id": "0001_things", "sql": "CREATE TABLE things (id uuid)"}]}}
    assert not view(read(contract(KEYED))).brings_tables
    assert view(read(contract(KEYED) | {"integrations": own})).brings_tables


def test_nodes_without_keys_have_nothing_of_them() -> None:
    node = view(read(contract(without("idempotency_key"))))
    assert node.migrations == ()
    assert "Idempotency" not in document(node)
    assert "IDEMPOTENCY_KEY_SECONDS" not in {setting.variable for setting in node.setting_fields}


def test_the_longest_name_has_a_table() -> None:
    node = view(read(contract(KEYED, name="n" * 48)))
    # PostgreSQL cuts longer ones.
    assert len(node.answers_table) <= 63


def test_that_keys_are_taken_is_part_of_the_interface() -> None:
    old, new = read(contract(without("idempotency_key"))), read(contract(KEYED))
    assert [change.effect for change in changes(old, new)] == [Effect.MINOR]
    assert [change.effect for change in changes(new, old)] == [Effect.MAJOR]
