"""Statements on a database that fails in all the ways in which databases fail."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from doubles.fakes import FakePool
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.postgres_refusals import parameters
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.effects import EFFECTS, Effects

from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

QUERY = "SELECT $1"
ROW = {"a": 1}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    fake = FakePool()

    async def create_pool(**_options: object) -> FakePool:
        return fake

    monkeypatch.setattr("asyncpg.create_pool", create_pool)
    return fake


@pytest.fixture
def postgres(settings: Settings, pool: FakePool) -> AdapterPostgres:
    return adapter_of(settings)


async def run(postgres: AdapterPostgres, *, idempotent: bool = False) -> object:
    return await postgres.fetch_one(QUERY, 5, idempotent=idempotent)


async def code_of(postgres: AdapterPostgres, *, idempotent: bool = False) -> object:
    with pytest.raises(ModelOnexError) as caught:
        await run(postgres, idempotent=idempotent)
    assert caught.value.__cause__ is not None or caught.value.error_code is EnumCoreErrorCode.SERVICE_UNAVAILABLE
    return caught.value.error_code


async def test_statement_and_arguments_reach_the_database(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [ROW]
    assert await run(postgres) == ROW
    assert pool.calls == [(QUERY, (5,))]
    assert pool.log == ["BEGIN serializable", "COMMIT"]


@pytest.mark.parametrize(("status", "count"), [("UPDATE 3", 3), ("INSERT 0 1", 1), ("CREATE TABLE", 0)])
async def test_affected_rows_are_read_from_the_status(
    postgres: AdapterPostgres, pool: FakePool, status: str, count: int
) -> None:
    pool.results = [status]
    assert await postgres.execute(QUERY, idempotent=True) == count


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncpg.UniqueViolationError("twice"), EnumCoreErrorCode.DUPLICATE_REGISTRATION),
        (asyncpg.ExclusionViolationError("twice"), EnumCoreErrorCode.DUPLICATE_REGISTRATION),
        (asyncpg.ForeignKeyViolationError("no such owner"), EnumCoreErrorCode.VALIDATION_ERROR),
        (asyncpg.DataError("not a number"), EnumCoreErrorCode.VALIDATION_ERROR),
        (asyncpg.InvalidRowCountInLimitClauseError("LIMIT must not be negative"), EnumCoreErrorCode.VALIDATION_ERROR),
        (asyncpg.UndefinedTableError("no table"), EnumCoreErrorCode.DATABASE_QUERY_ERROR),
        (asyncpg.QueryCanceledError("too long"), EnumCoreErrorCode.TIMEOUT),
    ],
)
async def test_errors_of_the_statement_are_final(
    postgres: AdapterPostgres, pool: FakePool, error: Exception, code: EnumCoreErrorCode
) -> None:
    pool.results = [error]
    assert await code_of(postgres) is code
    assert len(pool.calls) == 1
    await pool.free.wait()
    assert pool.log == ["BEGIN serializable", "ROLLBACK"]


async def test_a_refused_value_is_named_in_words_of_our_own(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [
        asyncpg.UniqueViolationError("duplicate key value violates hidden-word"),
        asyncpg.DataError("invalid input for query argument $1: 'hidden-word' (driver's words)"),
    ]
    with pytest.raises(ModelOnexError, match="refused the values: unique violation") as caught:
        await run(postgres)
    assert "hidden-word" not in caught.value.message
    with pytest.raises(ModelOnexError, match="value of amount") as caught, parameters("amount"):
        await run(postgres)
    assert "hidden-word" not in caught.value.message
    (problem,) = caught.value.context["additional_context"]["problems"]
    assert problem["path"] == "amount"


async def test_fate_of_the_connection_changes_nothing(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.release_error = asyncpg.ConnectionDoesNotExistError("lost")
    pool.results = [ROW] * 9
    for _ in range(9):
        assert await run(postgres) == ROW
    assert len(pool.calls) == 9


async def test_statement_that_hangs_ends_with_its_deadline(postgres: AdapterPostgres, pool: FakePool) -> None:
    # However slow the machine is, the deadline ends the statement, and nothing before it.
    await postgres.open()
    pool.stalled.clear()
    effects = Effects()
    EFFECTS.set(effects)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await run(postgres)
        await pool.free.wait()
    assert effects.in_doubt is False
    assert await code_of(postgres) is EnumCoreErrorCode.SERVICE_UNAVAILABLE


async def test_secrets_stay_out_of_errors(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [asyncpg.PostgresError("postgresql://user:hidden-word@db.example.org/shop refused")]
    with pytest.raises(ModelOnexError, match=r"\*\*\* refused") as caught:
        await run(postgres)
    assert "hidden-word" not in str(caught.value.model_dump())


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("away"),
        asyncpg.ConnectionDoesNotExistError("lost"),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
async def test_outages_are_retried(postgres: AdapterPostgres, pool: FakePool, error: Exception) -> None:
    pool.results = [error, error, ROW]
    assert await run(postgres) == ROW
    assert len(pool.calls) == 3


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError("deadlock"), asyncpg.SerializationError("conflict")])
async def test_what_the_server_undid_is_retried(postgres: AdapterPostgres, pool: FakePool, error: Exception) -> None:
    pool.results = [error, ROW]
    assert await run(postgres) == ROW


async def test_attempts_are_limited(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [asyncpg.DeadlockDetectedError("deadlock")] * 4
    assert await code_of(postgres) is EnumCoreErrorCode.DATABASE_QUERY_ERROR
    assert len(pool.calls) == 3


async def test_commit_with_unknown_outcome_is_not_repeated(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [ROW, ROW]
    pool.commit_errors = [asyncpg.ConnectionDoesNotExistError("lost")]
    with pytest.raises(ModelOnexError) as caught:
        await run(postgres, idempotent=False)
    assert caught.value.error_code is EnumCoreErrorCode.DATABASE_CONNECTION_ERROR
    assert caught.value.context["additional_context"]["outcome_unknown"] is True
    assert len(pool.calls) == 1


async def test_commit_with_unknown_outcome_is_repeated_when_idempotent(
    postgres: AdapterPostgres, pool: FakePool
) -> None:
    pool.results = [ROW, ROW]
    pool.commit_errors = [asyncpg.ConnectionDoesNotExistError("lost")]
    assert await run(postgres, idempotent=True) == ROW
    assert len(pool.calls) == 2


async def test_commit_that_the_server_refuses_is_an_error(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [ROW]
    pool.commit_errors = [asyncpg.IntegrityConstraintViolationError("deferred")]
    assert await code_of(postgres) is EnumCoreErrorCode.VALIDATION_ERROR


async def test_open_breaker_leaves_the_database_alone(
    settings: Settings,
    pool: FakePool,
) -> None:
    postgres = adapter_of(settings.model_copy(update={"circuit_breaker_failure_threshold": 1}))
    pool.results = [ConnectionRefusedError("away")]
    assert await code_of(postgres) in {
        EnumCoreErrorCode.DATABASE_CONNECTION_ERROR,
        EnumCoreErrorCode.SERVICE_UNAVAILABLE,
    }
    assert await code_of(postgres) is EnumCoreErrorCode.SERVICE_UNAVAILABLE
    assert len(pool.calls) == 1


async def test_errors_of_the_statement_do_not_open_the_breaker(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [*[asyncpg.UniqueViolationError("twice")] * 5, ROW]
    for _ in range(5):
        assert await code_of(postgres) is EnumCoreErrorCode.DUPLICATE_REGISTRATION
    assert await run(postgres) == ROW


async def test_check_asks_the_database(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [1, ConnectionRefusedError("away")]
    await postgres.check()
    with pytest.raises(ModelOnexError) as caught:
        await postgres.check()
    assert caught.value.error_code is EnumCoreErrorCode.DATABASE_CONNECTION_ERROR


async def test_opening_and_closing_twice_is_once(postgres: AdapterPostgres, pool: FakePool) -> None:
    await postgres.open()
    await postgres.open()
    await postgres.close()
    await postgres.close()
    assert pool.closed
    assert await code_of(postgres) is EnumCoreErrorCode.DATABASE_CONNECTION_ERROR


async def test_database_that_is_away_is_tried_again(
    settings: Settings,
    pool: FakePool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    postgres = adapter_of(settings)

    async def refuse(**_options: object) -> FakePool:
        raise ConnectionRefusedError("away")

    with monkeypatch.context() as away:
        away.setattr("asyncpg.create_pool", refuse)
        with pytest.raises(ModelOnexError) as caught:
            await postgres.open()
    assert caught.value.error_code is EnumCoreErrorCode.DATABASE_CONNECTION_ERROR
    pool.results = [ROW]
    assert await run(postgres) == ROW


async def test_connection_that_never_gets_usable_ends_in_time_and_is_left_to_nobody(
    pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []

    class Stuck:
        async def set_type_codec(self, *_names: object, **_codec: object) -> None:
            await asyncio.Event().wait()

        def terminate(self) -> None:
            left.append("terminated")

    async def connect(*_where: object, **_how: object) -> Stuck:
        return Stuck()

    async def create_pool(*, connect: Callable[..., Awaitable[object]], **_options: object) -> FakePool:
        with pytest.raises(TimeoutError):
            await connect("postgresql://db.example.org/shop")
        return pool

    monkeypatch.setattr("asyncpg.connect", connect)
    monkeypatch.setattr("asyncpg.create_pool", create_pool)
    postgres = adapter_of(Settings(database_connect_timeout_seconds=0.01))
    with pytest.raises(ModelOnexError) as caught:
        await postgres.open()
    assert (caught.value.error_code, left) == (EnumCoreErrorCode.TIMEOUT, ["terminated"])


async def test_all_who_wait_share_one_attempt_to_open(
    settings: Settings,
    pool: FakePool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    postgres = adapter_of(settings)
    attempts: list[asyncio.Event] = []

    async def hang(**_options: object) -> FakePool:
        attempts.append(asyncio.Event())
        await attempts[-1].wait()
        raise ConnectionRefusedError("away")

    monkeypatch.setattr("asyncpg.create_pool", hang)
    waiting = [asyncio.create_task(code_of(postgres)) for _ in range(3)]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await postgres.open()
    assert len(attempts) == 1
    attempts[0].set()
    for attempt in waiting:
        attempt.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await postgres.close()


async def test_statement_of_a_node_without_transactions_takes_effect_at_once(
    settings: Settings, pool: FakePool
) -> None:
    postgres = adapter_of(settings, isolation="")
    pool.results = [ROW, asyncpg.ConnectionDoesNotExistError("lost"), ROW]
    assert await run(postgres) == ROW
    assert pool.log == []
    assert await code_of(postgres, idempotent=False) is EnumCoreErrorCode.DATABASE_CONNECTION_ERROR
    assert len(pool.calls) == 2


async def test_statement_may_run_outside_of_the_transactions_of_the_node(
    postgres: AdapterPostgres, pool: FakePool
) -> None:
    pool.results = [ROW, asyncpg.ConnectionDoesNotExistError("lost")]
    found: object = await postgres.fetch_one(QUERY, 5, transaction=False)
    assert found == ROW
    effects = Effects()
    EFFECTS.set(effects)
    with pytest.raises(ModelOnexError):
        await postgres.fetch_one(QUERY, 5, transaction=False)
    assert effects.in_doubt
    assert pool.log == []


async def test_all_rows_are_returned(postgres: AdapterPostgres, pool: FakePool) -> None:
    pool.results = [[ROW, ROW]]
    found: object = await postgres.fetch_all(QUERY, 5)
    assert found == [ROW, ROW]
    assert pool.calls == [(QUERY, (5,))]


async def test_policy_of_an_operation_takes_the_place_of_the_nodes(postgres: AdapterPostgres, pool: FakePool) -> None:
    own = RetryPolicy(max_attempts=1, initial_delay_seconds=0, max_delay_seconds=0, backoff_multiplier=1)
    pool.results = [asyncpg.DeadlockDetectedError("deadlock")]
    with pytest.raises(ModelOnexError):
        await postgres.execute(QUERY, 5, retry=own)
    assert len(pool.calls) == 1


async def test_migrations_apply_before_the_first_statement(settings: Settings, pool: FakePool) -> None:
    async def migrate(_pool: object) -> None:
        pool.log.append("migrated")

    postgres = adapter_of(settings, migrate=migrate)
    pool.results = [ROW, ROW]
    await run(postgres)
    await run(postgres)
    assert pool.log.index("migrated") == 0
    assert pool.log.count("migrated") == 1


async def test_migration_that_fails_leaves_no_pool(settings: Settings, pool: FakePool) -> None:
    async def migrate(_pool: object) -> None:
        raise ModelOnexError(message="It was changed.", error_code=EnumCoreErrorCode.MIGRATION_ERROR)

    postgres = adapter_of(settings, migrate=migrate)
    with pytest.raises(ModelOnexError) as caught:
        await postgres.open()
    assert caught.value.error_code is EnumCoreErrorCode.MIGRATION_ERROR
    assert pool.terminated


async def test_figures_tell_whether_the_breaker_is_open(settings: Settings, pool: FakePool) -> None:
    postgres = adapter_of(settings.model_copy(update={"circuit_breaker_failure_threshold": 1}))
    assert ("circuit_breaker_open", 0.0, {"integration": "postgres"}) in postgres.figures()
    pool.results = [ConnectionRefusedError("away")]
    await code_of(postgres)
    assert ("circuit_breaker_open", 1.0, {"integration": "postgres"}) in postgres.figures()
