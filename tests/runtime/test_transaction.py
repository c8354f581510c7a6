"""Several statements in one transaction, on a database that fails in all the ways in which databases fail."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from doubles.fakes import FakeConnection, FakePool
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.postgres_refusals import parameters
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.adapters.transaction import Statements, UndoneError, affected
from onex_node_runtime.effects import EFFECTS, Effects

from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

LOST = asyncpg.ConnectionDoesNotExistError("lost")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    fake = FakePool()

    async def create_pool(**_options: object) -> FakePool:
        return fake

    monkeypatch.setattr("asyncpg.create_pool", create_pool)
    return fake


@pytest.fixture
def postgres(pool: FakePool) -> AdapterPostgres:
    del pool
    return adapter_of(Settings())


def two(*, savepoint: bool = False) -> Callable[[Statements], Awaitable[tuple[object, int]]]:
    async def work(statements: Statements) -> tuple[object, int]:
        row = await statements.fetch_one("SELECT $1", 1, savepoint=savepoint)
        with parameters("amount"):
            return row, await statements.execute("UPDATE $1", 2)

    return work


async def test_statements_share_one_transaction(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [{"a": 1}, "UPDATE 2"]
    assert await postgres.transact(two()) == ({"a": 1}, 2)
    assert pool.log == ["BEGIN serializable", "COMMIT"]


async def test_what_is_not_there_undoes_all(postgres: AdapterPostgres, pool: FakePool) -> None:
    async def work(statements: Statements) -> None:
        await statements.execute("UPDATE a")
        if not await statements.fetch_all("SELECT 1"):
            raise UndoneError("second")

    effects = Effects()
    EFFECTS.set(effects)
    pool.results = ["UPDATE 1", []]
    with pytest.raises(UndoneError):
        await postgres.transact(work)
    await pool.free.wait()
    assert pool.log == ["BEGIN serializable", "ROLLBACK"]
    assert not effects.lasting
    assert not effects.in_doubt


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError("twice"), asyncpg.ForeignKeyViolationError("nobody")], ids=["unique", "key"]
)
async def test_constraint_undoes_what_has_a_savepoint_alone(
    postgres: AdapterPostgres, pool: FakePool, error: Exception
) -> None:
    pool.results = [error, "UPDATE 1"]
    assert await postgres.transact(two(savepoint=True)) == (None, 1)
    assert pool.log == ["BEGIN serializable", "SAVEPOINT", "ROLLBACK TO SAVEPOINT", "COMMIT"]
    pool.log.clear()
    pool.results = [{"a": 1}, "UPDATE 1"]
    await postgres.transact(two(savepoint=True))
    assert pool.log == ["BEGIN serializable", "SAVEPOINT", "RELEASE SAVEPOINT", "COMMIT"]


@pytest.mark.parametrize("error", [asyncpg.DataError("not a number"), asyncpg.UndefinedTableError("no table")])
async def test_savepoint_is_for_constraints_alone(postgres: AdapterPostgres, pool: FakePool, error: Exception) -> None:
    pool.results = [error]
    with pytest.raises(ModelOnexError):
        await postgres.transact(two(savepoint=True))
    await pool.free.wait()
    assert pool.log == ["BEGIN serializable", "SAVEPOINT", "ROLLBACK"]


async def test_refused_value_is_named(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [{"a": 1}, asyncpg.DataError("invalid input for query argument $1: 'hidden-word'")]
    with pytest.raises(ModelOnexError, match="value of amount") as caught:
        await postgres.transact(two())
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert "hidden-word" not in caught.value.message


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError("dead"), LOST], ids=["deadlock", "lost"])
async def test_whole_transaction_is_tried_again_before_its_end(
    postgres: AdapterPostgres, pool: FakePool, error: Exception
) -> None:
    pool.results = [{"a": 1}, error, {"a": 2}, "UPDATE 1"]
    assert await postgres.transact(two()) == ({"a": 2}, 1)
    assert len(pool.calls) == 4


@pytest.mark.parametrize(("idempotent", "calls"), [(False, 2), (True, 4)])
async def test_lost_commit_is_tried_again_where_that_does_no_harm(
    postgres: AdapterPostgres, pool: FakePool, *, idempotent: bool, calls: int
) -> None:
    effects = Effects()
    EFFECTS.set(effects)
    pool.commit_errors = [LOST]
    pool.results = [{"a": 1}, "UPDATE 1"] * 2
    if idempotent:
        await postgres.transact(two(), idempotent=True)
    else:
        with pytest.raises(ModelOnexError) as caught:
            await postgres.transact(two())
        assert caught.value.context["additional_context"]["outcome_unknown"] is True
    assert len(pool.calls) == calls
    assert effects.lasting is not idempotent


async def test_listed_errors_are_tried_again_as_they_are_for_one_statement(
    postgres: AdapterPostgres, pool: FakePool
) -> None:
    retry = RetryPolicy(
        max_attempts=2,
        initial_delay_seconds=0.001,
        max_delay_seconds=0.002,
        backoff_multiplier=2,
        retryable_exceptions=frozenset({"UniqueViolationError"}),
    )
    pool.results = [asyncpg.UniqueViolationError("twice"), {"a": 1}, "UPDATE 1"]
    assert await postgres.transact(two(), retry=retry) == ({"a": 1}, 1)


async def test_isolation_is_the_nodes_or_read_committed(pool: FakePool) -> None:
    pool.results = [{"a": 1}, "UPDATE 1"]
    plain = adapter_of(Settings(), isolation="")
    await plain.transact(two())
    assert pool.log == ["BEGIN read_committed", "COMMIT"]


def statements_of(pool: FakePool) -> Statements:
    connection: Any = FakeConnection(pool)
    return Statements(connection, lambda text: text.replace("hidden-word", "***"))


async def test_every_way_to_run_a_statement_has_its_own_nothing(pool: FakePool) -> None:
    statements = statements_of(pool)
    for run, query, arguments, result, found, nothing in (
        (statements.fetch_one, "SELECT $1", (1,), {"a": 1}, {"a": 1}, None),
        (statements.fetch_all, "SELECT $1, $2", (1, 2), [{"a": 1}], [{"a": 1}], []),
        (statements.execute, "UPDATE $1", (3,), "UPDATE 4", 4, 0),
    ):
        pool.results = [result, result, asyncpg.UniqueViolationError("twice")]
        assert await run(query, *arguments) == found
        assert pool.log == []
        assert [await run(query, *arguments, savepoint=True) for _ in range(2)] == [found, nothing]
        assert pool.log == ["SAVEPOINT", "RELEASE SAVEPOINT", "SAVEPOINT", "ROLLBACK TO SAVEPOINT"]
        assert pool.calls == [(query, arguments)] * 3
        pool.log.clear()
        pool.calls.clear()


async def test_what_refuses_a_statement_is_told_in_its_own_words(pool: FakePool) -> None:
    statements = statements_of(pool)

    async def made_for_it(connection: Any) -> object:
        return await connection.fetchrow("SELECT 1")

    runs: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: statements.execute("UPDATE"),
        lambda: statements.call(made_for_it),
    )
    for run in runs:
        pool.results = [asyncpg.UniqueViolationError("twice hidden-word"), LOST, "UPDATE 1"]
        with pytest.raises(ModelOnexError, match="unique violation") as caught:
            await run()
        assert caught.value.context["additional_context"]["reason"] == "twice ***"
        assert isinstance(caught.value.__cause__, asyncpg.UniqueViolationError)
        # What else goes wrong is for the adapter to tell.
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await run()
        assert await run() in {1, "UPDATE 1"}


@pytest.mark.parametrize(
    ("status", "count"), [("UPDATE 3", 3), ("INSERT 0 12", 12), ("CREATE TABLE", 0), ("", 0), ("5", 5)]
)
def test_affected_rows_are_the_last_word_of_the_status(status: str, count: int) -> None:
    assert affected(status) == count
