"""How a database is asked for connections, what becomes of them, and what its errors are told as."""

import asyncio
import gc
import math
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import ANY

import asyncpg
import pytest
from doubles.fakes import FakeConnection, FakePool, FakeTransaction
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters import adapter_postgres
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.adapters.transaction import Statements, UndoneError
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.spans import UNTRACED, Spans
from pydantic import SecretStr

from tests.runtime.building import Settings

LOST = asyncpg.ConnectionDoesNotExistError("lost")
ROW = {"a": 1}
TWICE = RetryPolicy(max_attempts=2, initial_delay_seconds=0, max_delay_seconds=0, backoff_multiplier=1)


class Transaction(FakeTransaction):
    """A transaction that is a context as well."""

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: object, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


class Connection(FakeConnection):
    """A connection with such transactions."""

    def transaction(self, isolation: str = "") -> Transaction:
        return Transaction(self._pool, isolation)


class Pool(FakePool):
    """Remembers how it was made, and how long connections and their return may take."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[dict[str, Any]] = []
        self.waits: list[tuple[str, float | None]] = []
        self.out: list[FakeConnection] = []

    async def acquire(self, timeout: float | None = None) -> FakeConnection:  # noqa: ASYNC109 - as asyncpg's
        self.waits.append(("acquire", timeout))
        self.free.clear()
        self.out.append(Connection(self))
        return self.out[-1]

    async def release(self, connection: FakeConnection, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg's
        self.waits.append(("release", timeout))
        self.out.remove(connection)
        await super().release(connection, timeout)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    fake = Pool()

    async def create_pool(**how: object) -> Pool:
        fake.made.append(how)
        return fake

    monkeypatch.setattr("asyncpg.create_pool", create_pool)
    return fake


def adapter_of(
    settings: Settings | None = None,
    *,
    isolation: Literal["", "repeatable_read", "serializable"] = "serializable",
    retry: RetryPolicy | None = None,
    spans: Spans = UNTRACED,
) -> AdapterPostgres:
    return AdapterPostgres(
        settings or Settings(),
        node="node_lock_effect",
        guard=Guard(retry),
        check_seconds=1.0,
        isolation=isolation,
        spans=spans,
    )


async def given_back(pool: Pool) -> None:
    """Wait until the connection is in the pool, and whoever counts it knows."""
    await pool.free.wait()
    for _ in range(3):
        await asyncio.sleep(0)


def told(error: ModelOnexError) -> tuple[object, str, Mapping[str, Any]]:
    return error.error_code, error.message, error.context["additional_context"]


async def test_the_pool_is_made_as_settings_say(pool: Pool) -> None:
    settings = Settings(
        database_url=SecretStr("postgresql://db.example/shop"),
        database_pool_min_size=2,
        database_pool_max_size=7,
        database_connect_timeout_seconds=1.5,
        database_statement_timeout_seconds=2.5,
    )
    adapter = adapter_of(settings)
    await adapter.open()
    await adapter.open()
    assert pool.made == [
        {
            "ssl": None,
            "dsn": "postgresql://db.example/shop",
            "min_size": 2,
            "max_size": 8,
            "timeout": 1.5,
            "command_timeout": 2.5,
            "server_settings": {
                "application_name": "node_lock_effect",
                "TimeZone": "UTC",
                "statement_timeout": "2500",
            },
            "connect": ANY,
        }
    ]
    pool.results = [ROW]
    await adapter.fetch_one("SELECT 1")
    await given_back(pool)
    assert pool.waits == [("acquire", None), ("release", adapter_postgres.RELEASE_SECONDS)]
    assert adapter.figures() == [
        ("pool_connections_in_use", 0.0, {"integration": "postgres"}),
        ("pool_connections_max", 7.0, {"integration": "postgres"}),
    ]


async def test_files_ask_for_encryption(pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[object, ...]] = []
    context = ssl.create_default_context()

    def client_context(*files: object) -> ssl.SSLContext:
        asked.append(files)
        return context

    monkeypatch.setattr(adapter_postgres, "client_context", client_context)
    files = [tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")]
    settings = Settings(
        database_url=None,
        database_tls_ca_file=files[0],
        database_tls_cert_file=files[1],
        database_tls_key_file=files[2],
    )
    await adapter_of(settings).open()
    assert asked == [tuple(files)]
    assert (pool.made[0]["ssl"], pool.made[0]["dsn"]) == (context, None)


OUTAGE, QUERY = EnumCoreErrorCode.DATABASE_CONNECTION_ERROR, EnumCoreErrorCode.DATABASE_QUERY_ERROR


@pytest.mark.parametrize(
    ("error", "code", "said", "outage"),
    [
        (TimeoutError("late"), EnumCoreErrorCode.TIMEOUT, "TimeoutError: late", True),
        (asyncpg.QueryCanceledError("late"), EnumCoreErrorCode.TIMEOUT, "QueryCanceledError: late", False),
        (ConnectionResetError("hidden-word"), OUTAGE, "ConnectionResetError: ***", True),
        (ssl.SSLCertVerificationError("no"), OUTAGE, "SSLCertVerificationError: ('no',)", True),
        (LOST, OUTAGE, "ConnectionDoesNotExistError: lost", True),
        (asyncpg.InterfaceError("closed"), OUTAGE, "InterfaceError: closed", True),
        (asyncpg.AdminShutdownError("ends"), OUTAGE, "AdminShutdownError: ends", True),
        (asyncpg.CannotConnectNowError("starts"), OUTAGE, "CannotConnectNowError: starts", True),
        (asyncpg.CrashShutdownError("ends"), OUTAGE, "CrashShutdownError: ends", True),
        (asyncpg.TooManyConnectionsError("full"), OUTAGE, "TooManyConnectionsError: full", True),
        (asyncpg.UndefinedTableError("none"), QUERY, "UndefinedTableError: none", False),
        (asyncpg.DeadlockDetectedError("dead"), QUERY, "DeadlockDetectedError: dead", False),
        (LookupError("lost"), QUERY, "LookupError: lost", False),
    ],
)
async def test_an_error_is_told_and_an_outage_leaves_the_outcome_open(
    pool: Pool, error: Exception, code: EnumCoreErrorCode, said: str, outage: bool
) -> None:
    for isolation in ("", "serializable"):
        EFFECTS.set(effects := Effects())
        pool.results = [error]
        with pytest.raises(ModelOnexError) as caught:
            await adapter_of(isolation=isolation).execute("UPDATE a")
        # Nothing of a transaction takes effect before its end.
        open_ = outage and not isolation
        details = {"integration": "postgres", "outcome_unknown": open_}
        assert told(caught.value) == (code, f"PostgreSQL: {said}", details)
        assert (effects.in_doubt, effects.lasting) == (open_, open_)


async def test_a_refusal_is_told_as_one(pool: Pool) -> None:
    pool.results = [asyncpg.UniqueViolationError("twice hidden-word")]
    with pytest.raises(ModelOnexError) as caught:
        await adapter_of(isolation="").execute("UPDATE a")
    assert told(caught.value) == (
        EnumCoreErrorCode.DUPLICATE_REGISTRATION,
        "The database refused the values: unique violation.",
        {"integration": "postgres", "reason": "twice ***"},
    )


@pytest.mark.parametrize("idempotent", [True, False])
async def test_what_takes_effect_lasts(pool: Pool, idempotent: bool) -> None:
    for isolation in ("", "serializable"):
        EFFECTS.set(effects := Effects())
        pool.results = ["UPDATE 2"]
        assert await adapter_of(isolation=isolation).execute("UPDATE a", idempotent=idempotent) == 2
        assert (effects.in_doubt, effects.lasting) == (False, not idempotent)


async def test_every_way_to_run_a_statement_takes_its_options_and_is_a_span(pool: Pool) -> None:
    spans: list[str] = []

    @contextmanager
    def call(name: str) -> Iterator[None]:
        yield
        spans.append(f"{name} {len(pool.calls)}")

    postgres = adapter_of(spans=Spans(call=call))
    one, many, number = ("$1", 1), ("$1, $2", 1, 2), ("UPDATE $1", 3)
    for run, statement, result in (
        (postgres.fetch_one, one, ROW),
        (postgres.fetch_all, many, [ROW]),
        (postgres.execute, number, "UPDATE 4"),
    ):
        pool.log.clear()
        pool.results = [result]
        assert await run(*statement, transaction=False) == (4 if result == "UPDATE 4" else result)
        assert pool.log == []
        # A policy that is given is the call's own, and what does no harm is done again.
        pool.commit_errors = [LOST]
        pool.results = [result, result]
        await run(*statement, idempotent=True, retry=TWICE)
        assert pool.calls[-3:] == [(statement[0], statement[1:])] * 3
    pool.results = ["UPDATE 1"]
    await postgres.transact(lambda statements: statements.execute("UPDATE"))
    assert spans == [
        "postgres fetch_one 1",
        "postgres fetch_one 3",
        "postgres fetch_all 4",
        "postgres fetch_all 6",
        "postgres execute 7",
        "postgres execute 9",
        "postgres transact 10",
    ]


@pytest.mark.parametrize("own", [None, TWICE])
async def test_a_transaction_is_tried_again_by_its_own_policy(pool: Pool, own: RetryPolicy | None) -> None:
    pool.results = [asyncpg.SerializationError("conflict"), "UPDATE 1"]
    postgres = adapter_of(retry=TWICE if own is None else None)
    assert await postgres.transact(lambda statements: statements.execute("UPDATE"), retry=own) == 1
    assert await pool.free.wait()
    assert pool.log.count("BEGIN serializable") == 2


async def test_calls_join_a_transaction_of_their_adapter_alone(pool: Pool) -> None:
    postgres, other = adapter_of(), adapter_of(isolation="repeatable_read")
    pool.results = ["UPDATE 1", [ROW], "UPDATE 2", "UPDATE 3", ROW, "UPDATE 4"]

    async def undone(statements: Statements) -> None:
        await statements.execute("c")
        raise UndoneError("not there")

    async def work(statements: Statements) -> list[object]:
        found: list[object] = [await statements.execute("a"), await postgres.fetch_all("b")]
        with pytest.raises(UndoneError):
            await postgres.transact(undone)
        found.append(await postgres.transact(lambda inner: inner.execute("d")))
        assert pool.log == [
            "BEGIN serializable",
            *("SAVEPOINT", "ROLLBACK TO SAVEPOINT"),
            *("SAVEPOINT", "RELEASE SAVEPOINT"),
        ]
        found.append(await other.fetch_one("e"))
        return found

    assert await postgres.together(work) == [1, [ROW], 3, ROW]
    assert pool.log[-3:] == ["BEGIN repeatable_read", "COMMIT", "COMMIT"]
    # Afterwards, calls are on their own again.
    await postgres.execute("f")
    assert pool.log[-2:] == ["BEGIN serializable", "COMMIT"]
    assert [query for query, _ in pool.calls] == ["a", "b", "c", "d", "e", "f"]


async def test_a_refusal_in_a_joined_call_is_told_as_one(pool: Pool) -> None:
    postgres = adapter_of()
    pool.results = [asyncpg.DataError("no number")]
    with pytest.raises(ModelOnexError, match="refused the values: data"):
        await postgres.together(lambda _: postgres.fetch_one("a"))


async def test_a_joint_transaction_is_made_again_after_an_unclear_outcome(pool: Pool) -> None:
    EFFECTS.set(effects := Effects())
    postgres = adapter_of()
    pool.results, pool.commit_errors = ["UPDATE 1", "UPDATE 2"], [LOST]
    assert await postgres.together(lambda _: postgres.execute("a"), retry=TWICE) == 2
    assert not effects.lasting


async def test_an_adapter_that_was_closed_is_opened_again(pool: Pool) -> None:
    postgres = adapter_of()
    await postgres.close()
    with pytest.raises(ModelOnexError) as caught:
        await postgres.check()
    assert told(caught.value) == (
        OUTAGE,
        "PostgreSQL: InterfaceError: The adapter was closed.",
        {"integration": "postgres", "outcome_unknown": False},
    )
    await postgres.open()
    pool.results = [1]
    await postgres.check()
    assert (pool.calls, len(pool.made)) == ([("SELECT 1", ())], 1)
    await postgres.close()
    assert (pool.closed, pool.terminated) == (True, False)


async def test_a_pool_that_does_not_close_is_left_alone(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await asyncio.sleep(math.inf)

    monkeypatch.setattr(adapter_postgres, "CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(pool, "close", never)
    postgres = adapter_of()
    await postgres.open()
    await postgres.close()
    assert pool.terminated


async def test_closing_ends_an_attempt_to_open(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def hang(**_how: object) -> Pool:
        try:
            await asyncio.sleep(math.inf)
        finally:
            ended.append("ended")
        return pool

    monkeypatch.setattr("asyncpg.create_pool", hang)
    postgres = adapter_of()
    opening = asyncio.create_task(postgres.open())
    await asyncio.sleep(0.001)
    await postgres.close()
    assert ended == ["ended"]
    with pytest.raises(asyncio.CancelledError):
        await opening


async def test_an_attempt_to_open_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(**_how: object) -> None:
        await asyncio.sleep(math.inf)

    monkeypatch.setattr("asyncpg.create_pool", hang)
    with pytest.raises(ModelOnexError) as caught:
        await adapter_of(Settings(database_connect_timeout_seconds=0.01)).open()
    assert told(caught.value) == (
        EnumCoreErrorCode.TIMEOUT,
        "PostgreSQL: TimeoutError: ",
        {"integration": "postgres", "outcome_unknown": False},
    )


@pytest.mark.parametrize(
    "error", [TimeoutError(), OSError(), asyncpg.InterfaceError("lost"), asyncpg.PostgresError("lost")]
)
async def test_what_a_rollback_ends_in_is_nobodys(
    pool: Pool, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_transaction: object) -> None:
        raise error

    monkeypatch.setattr("doubles.fakes.FakeTransaction.rollback", fail)
    pool.results, pool.release_error = [LookupError("lost")], error
    postgres = adapter_of()
    with pytest.raises(ModelOnexError, match="LookupError"):
        await postgres.execute("UPDATE a")
    await given_back(pool)
    assert (pool.waits[-1], pool.out) == (("release", adapter_postgres.RELEASE_SECONDS), [])
    gc.collect()
    assert caplog.messages == []


async def test_a_connection_is_given_back_however_long_its_rollback_takes(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_transaction: object) -> None:
        await asyncio.sleep(math.inf)

    monkeypatch.setattr("doubles.fakes.FakeTransaction.rollback", hang)
    monkeypatch.setattr(adapter_postgres, "RELEASE_SECONDS", 0.01)
    pool.results = [LookupError("lost")]
    postgres = adapter_of()
    with pytest.raises(ModelOnexError, match="LookupError"):
        await postgres.execute("UPDATE a")
    # The next call has to wait for it.
    assert postgres.figures()[0] == ("pool_connections_in_use", 1.0, {"integration": "postgres"})
    await given_back(pool)
    assert postgres.figures()[0] == ("pool_connections_in_use", 0.0, {"integration": "postgres"})


async def test_a_sign_of_life_has_its_time_and_gives_its_connection_back(pool: Pool) -> None:
    pool.stalled.clear()
    postgres = AdapterPostgres(Settings(), node="node_lock_effect", guard=Guard(), check_seconds=0.01)
    await postgres.open()
    with pytest.raises(ModelOnexError) as caught:
        await postgres.check()
    assert caught.value.error_code is EnumCoreErrorCode.TIMEOUT
    await pool.free.wait()
