"""Operations that are one statement: fields go in, rows come out, and refused values are named by their fields."""

from datetime import UTC, datetime

import asyncpg
import pytest
from doubles.fakes import FakePool
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.sql import SqlOperation, Statement, model_of
from pydantic import BaseModel, ConfigDict

from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

STATEMENT = Statement("SELECT $1, $2", "amount", "owner")
ROW = {"amount": 1, "at": datetime(2026, 1, 31, tzinfo=UTC)}
PLAIN = {"amount": 1, "at": "2026-01-31T00:00:00Z"}


class Amount(BaseModel):
    """A model with fewer fields than the table has columns."""

    amount: int


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    fake = FakePool()

    async def create_pool(**_options: object) -> FakePool:
        return fake

    monkeypatch.setattr("asyncpg.create_pool", create_pool)
    return fake


@pytest.fixture
def operation(pool: FakePool) -> SqlOperation:
    return SqlOperation(adapter_of(Settings()))


async def test_rows_come_as_json_has_them(operation: SqlOperation, pool: FakePool) -> None:
    pool.results = [ROW, None, [ROW, ROW], "UPDATE 3"]
    assert await operation.row(STATEMENT, 1, "me") == PLAIN
    assert await operation.row(STATEMENT, 1, "me", idempotent=True) is None
    assert await operation.rows(STATEMENT, 1, "me") == [PLAIN, PLAIN]
    assert await operation.affected(STATEMENT, 1, "me") == 3
    assert pool.calls == [(STATEMENT.query, (1, "me"))] * 4


async def test_statements_run_as_their_options_say(operation: SqlOperation, pool: FakePool) -> None:
    pool.results = [ROW, [ROW], "UPDATE 3"]
    await operation.row(STATEMENT, 1, "me", transaction=False)
    await operation.rows(STATEMENT, 1, "me", transaction=False)
    await operation.affected(STATEMENT, 1, "me", transaction=False)
    assert pool.log == []


async def test_a_refused_value_is_named_by_its_field(operation: SqlOperation, pool: FakePool) -> None:
    refused = asyncpg.DataError("invalid input for query argument $2: 5 (expected str, got int)")
    for run in (operation.row, operation.rows, operation.affected):
        pool.results = [refused]
        with pytest.raises(ModelOnexError, match="value of owner"):
            await run(STATEMENT, 1, 5)


class Strict(BaseModel):
    """A model that takes no more than its fields from callers."""

    model_config = ConfigDict(extra="forbid")

    amount: int


async def test_a_statement_is_its_query_and_the_fields_of_its_placeholders(
    operation: SqlOperation, pool: FakePool
) -> None:
    statement = Statement("UPDATE a SET b = $1", "amount")
    assert (statement.query, statement.fields) == ("UPDATE a SET b = $1", ("amount",))
    pool.results = ["UPDATE 1", asyncpg.DataError("invalid input for query argument $1: 5")]
    assert await operation.affected(statement, 5) == 1
    assert pool.calls == [("UPDATE a SET b = $1", (5,))]
    with pytest.raises(ModelOnexError, match="value of amount"):
        await operation.affected(statement, 5)


def test_a_row_may_have_more_columns_than_its_model() -> None:
    assert model_of(Strict, PLAIN) == Strict(amount=1)
    assert model_of(Amount, PLAIN) == Amount(amount=1)
    assert model_of(Amount, None) is None
