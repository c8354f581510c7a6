"""Several statements in one transaction: what may refer to what, and what outputs they fill."""

from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.viewing.build import view

UPDATE = "UPDATE a SET b = $1 RETURNING b"
OPTIONAL = {"type": "integer", "required": False}


def contract(statements: list[dict[str, Any]], **operation: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    returns = operation.pop("returns", None)
    database = {"statements": statements} | ({"returns": returns} if returns else {}) | operation.pop("database", {})
    whole: dict[str, Any] = {"name": "go", "input": {"x": "integer"}, "output": {"done": "boolean"}}
    return {
        "name": "ledger",
        "package": "acme",
        "node_type": "effect",
        "models": {"Row": {"fields": {"b": "integer"}}},
        "operations": [whole | operation | {"database": database}],
    }


def first(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    return {"name": "first", "query": UPDATE, "parameters": ["x"]} | more


def second(parameter: str) -> dict[str, Any]:
    return {"name": "second", "query": "UPDATE c SET d = $1", "parameters": [parameter]}


LIST = {"name": "list", "query": "SELECT b FROM a", "rows": "many"}


@pytest.mark.parametrize(
    ("made", "place", "found"),
    [
        (contract([second("first.b"), first()]), "statements[0].parameters[0]", "the statement 'first'"),
        (contract([second("y")]), "statements[0].parameters[0]", "'y'"),
        (contract([first(), second("first.b c")]), "statements[1].parameters[0]", "'first.b c'"),
        (contract([LIST, second("list.b")]), "statements[1].parameters[0]", "'list.b'"),
        (contract([second("x"), first(parameters=["second.d"])]), "statements[1].parameters[0]", "'second.d'"),
        (contract([first(), first()]), "statements[1].name", "'first' a second time"),
        (contract([first(query="UPDATE a SET b = $1", rows="one")]), "statements[0].rows", "'one'"),
        (contract([first(query="SELECT 1; SELECT $1")]), "statements[0].query", "2 statements"),
        (contract([first(query="COMMIT", parameters=[])]), "statements[0].query", "a statement about transactions"),
        (contract([first()], database={"query": "SELECT 1"}), "query", "query beside statements"),
        (contract([first()], database={"transaction": False}), "transaction", "false"),
        (contract([first()], returns={"rows": "one"}), "returns.rows", "'one'"),
        (contract([first()], returns={"found": "done"}), "returns.found", "'done'"),
        (contract([first()], returns={"into": "done"}), "returns.into", "'done'"),
        (contract([first()], returns={"into": {"nobody": "first.b"}}), "returns.into.nobody", "'nobody'"),
        (contract([first()], returns={"into": {"n": "frist.b"}}, output={"n": OPTIONAL}), "returns.into.n", "'frist'"),
        (contract([first()], returns={"into": {"n": "first"}}, output={"n": OPTIONAL}), "returns.into.n", "'first'"),
        (contract([LIST], returns={"into": {"n": "list.b"}}, output={"n": OPTIONAL}), "returns.into.n", "'list.b'"),
        (contract([LIST], returns={"into": {"n": "list"}}, output={"n": OPTIONAL}), "returns.into.n", "'list'"),
        (contract([first()], returns={"into": {"n": "first.b"}}, output={"n": "integer"}), "returns.into.n", "may not"),
        (contract([first()], returns={"count": {"done": "first"}}), "returns.count.done", "'first'"),
        (
            contract(
                [first(require="found")],
                returns={"found": "done", "into": {"n": "first.b"}},
                output={"done": "boolean", "n": "integer"},
            ),
            "returns.into.n",
            "is undone",
        ),
        (
            contract([first()], returns={"into": {"n": "first.b"}, "count": {"n": "first"}}, output={"n": OPTIONAL}),
            "returns",
            "one output field for two things",
        ),
    ],
)
def test_mistake_is_told_where_it_is(made: dict[str, Any], place: str, found: str) -> None:
    problems = judge(made)
    assert [problem.place for problem in problems] == [f"operations[0].database.{place}"], problems
    assert found in problems[0].found


def test_output_that_no_statement_fills_is_a_mistake() -> None:
    (problem,) = judge(contract([first()], output={"n": "integer"}))
    assert problem.place == "operations[0].output.n"


def test_one_statement_takes_no_mappings() -> None:
    made = contract([])
    made["operations"][0]["database"] = {"query": "SELECT 1 AS n", "returns": {"into": {"done": "n.n"}}}
    assert [problem.place for problem in judge(made)] == ["operations[0].database.returns.into"]


@pytest.mark.parametrize(
    ("statements", "returns", "output", "results"),
    [
        ([first()], {}, {"done": "boolean"}, {"done": "True"}),
        (
            [first(require="found")],
            {"into": {"n": "first.b"}},
            {"n": "integer"},
            {"n": 'row_values(first_row)["b"]'},
        ),
        (
            [first()],
            {"into": {"n": "first.b"}, "count": {"m": "first"}},
            {"n": OPTIONAL, "m": "integer"},
            {
                "n": 'None if first_row is None else row_values(first_row)["b"]',
                "m": "0 if first_row is None else 1",
            },
        ),
        (
            [LIST],
            {"into": {"n": "list.b", "rows": "list"}, "count": {"m": "list"}},
            {"n": {"type": "array", "items": "integer"}, "rows": {"type": "array", "items": "Row"}, "m": "integer"},
            {
                "n": '[row_values(row)["b"] for row in list_rows]',
                "rows": '[ModelRow.model_validate(row_values(row), extra="ignore") for row in list_rows]',
                "m": "len(list_rows)",
            },
        ),
        ([second("x")], {"count": {"m": "second"}}, {"m": "integer"}, {"m": "second_count"}),
    ],
)
def test_outputs_take_what_statements_return(
    statements: list[dict[str, Any]], returns: dict[str, Any], output: dict[str, Any], results: dict[str, str]
) -> None:
    (operation,) = view(read(contract(statements, returns=returns, output=output))).operations
    assert operation.transaction
    assert dict(operation.transaction.results) == results


def test_what_is_undone_has_neither_rows_nor_counts() -> None:
    made = contract(
        [first(require="found"), LIST, second("first.b")],
        returns={"found": "done", "into": {"n": "first.b", "rows": "list"}, "count": {"m": "second"}},
        input={"x": "integer", "same": "string"},
        output={
            "done": "boolean",
            "same": "string",
            "n": OPTIONAL,
            "rows": {"type": "array", "items": "Row"},
            "m": "integer",
        },
        publishes=[{"event": "done"}, {"event": "refused", "on": "failure"}],
    )
    (operation,) = view(read(made)).operations
    assert operation.transaction
    undone = {"done": "False", "same": "request.same", "rows": "[]", "m": "0"}
    assert dict(operation.transaction.undone) == undone
    assert [event.occurred for event in operation.events] == ["output.done", "not output.done"]
    assert operation.transaction.statements[2].arguments == ('first_row["b"]',)
    assert not operation.idempotent
