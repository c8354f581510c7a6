"""Migrations on a session that is played: what is told of them, and what is left behind where something goes wrong."""

import hashlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters import migrating
from onex_node_runtime.adapters.migrating import BEGUN_TABLE, MIGRATIONS_TABLE, Migration, migrate

NODE = "node_shop_effect"
LOST = asyncpg.InterfaceError("connection is closed")


class Session:
    """A connection, and the pool that it comes from.

    Attributes:
        locks: Whether the next attempts at the lock succeed; all later ones do.
        applied: Digests of the migrations that the table has, by name.
        begun: Whether migrations outside of a transaction had begun before.
        broken: What the next looks at an index find: whether it is there and not valid.
        errors: What statements end in, by their beginning.
        done: Statements with their arguments and how long they may take; BEGIN and COMMIT of transactions as such.
    """

    def __init__(self) -> None:
        self.locks: list[bool] = []
        self.applied: dict[str, str] = {}
        self.begun = False
        self.broken: list[bool] = []
        self.errors: dict[str, Exception] = {}
        self.done: list[tuple[object, ...]] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Session"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.done.append(("BEGIN",))
        try:
            yield
        except BaseException:
            self.done.append(("ROLLBACK",))
            raise
        self.done.append(("COMMIT",))

    async def execute(self, query: str, *arguments: object, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as asyncpg's
        self.done.append((query, *arguments) if timeout is None else (query, *arguments, f"{timeout:g} s"))
        for part, error in self.errors.items():
            if query.startswith(part):
                raise error

    async def fetch(self, query: str, *arguments: object) -> list[dict[str, str]]:
        assert MIGRATIONS_TABLE in query
        assert arguments == (NODE,)
        return [{"id": name, "sha256": digest} for name, digest in self.applied.items()]

    async def fetchval(self, query: str, *arguments: object) -> object:
        if "pg_try_advisory_lock" in query:
            self.done.append(("LOCK", *arguments))
            return self.locks.pop(0) if self.locks else True
        if BEGUN_TABLE in query:
            self.done.append(("NOTE", *arguments))
            return None if self.begun else True
        assert "pg_index" in query
        self.done.append(("LOOK", *arguments))
        return self.broken.pop(0) if self.broken else None

    def work(self, *sql: str) -> list[object]:
        """Return the statements of migrations, transactions, and what is done about indexes."""
        heads = {"BEGIN", "COMMIT", "ROLLBACK", "NOTE", "LOOK"}
        return [
            step[0] if len(step) == 1 else step
            for step in self.done
            if step[0] in heads or step[0] in sql or str(step[0]).startswith("DROP")
        ]


class Steps:
    """Migrations in a folder, and the session that they are applied to."""

    def __init__(self, folder: Path, session: Session) -> None:
        self.folder = folder
        self.session: Any = session
        self.steps: list[Migration] = []

    def add(self, name: str, sql: str, *, transaction: bool = True, index: str = "") -> None:
        (self.folder / f"{name}.sql").write_text(sql, encoding="utf-8")
        self.steps.append(Migration(name, transaction, index))

    async def apply(self) -> None:
        await migrate(self.session, NODE, self.steps, self.folder)

    async def refused(self) -> str:
        with pytest.raises(ModelOnexError) as caught:
            await self.apply()
        assert caught.value.error_code is EnumCoreErrorCode.MIGRATION_ERROR
        return caught.value.message


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def steps(tmp_path: Path, session: Session, caplog: pytest.LogCaptureFixture) -> Steps:
    caplog.set_level(logging.DEBUG, logger="omnibase")
    return Steps(tmp_path, session)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    found = [(record.levelno, json.loads(record.getMessage())) for record in caplog.records]
    return [(level, line["message"], line["context"]) for level, line in found]


def digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


async def test_those_that_are_missing_are_applied_in_order_and_told(
    steps: Steps, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    for name, sql in (("0001_a", "A \u00e4"), ("0002_b", "B"), ("0003_c", "C")):
        steps.add(name, sql)
    session.applied = {"0001_a": digest("A \u00e4"), "0000_gone": "whatever"}
    await steps.apply()
    applied = [("B", "3600 s"), ("C", "3600 s")]
    assert session.work("A \u00e4", "B", "C") == ["BEGIN", applied[0], "COMMIT", "BEGIN", applied[1], "COMMIT"]
    noted = [step[1:] for step in session.done if str(step[0]).startswith(f"INSERT INTO {MIGRATIONS_TABLE} ")]
    assert noted == [(NODE, "0002_b", digest("B")), (NODE, "0003_c", digest("C"))]
    assert lines(caplog) == [
        (logging.INFO, "migration_applied", {"node": NODE, "migration": name}) for name in ("0002_b", "0003_c")
    ]


async def test_one_that_was_changed_keeps_all_from_being_applied(steps: Steps, session: Session) -> None:
    for name in ("0001_a", "0002_b"):
        steps.add(name, name)
    session.applied = {"0002_b": digest("other")}
    message = await steps.refused()
    assert message == "Migration 0002_b was changed after it had been applied; add a new one instead."
    assert session.work("0001_a") == []


async def test_one_that_fails_is_told_in_the_servers_words(
    steps: Steps, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("0001_a", "0002_b", "0003_c"):
        steps.add(name, name)
    session.errors = {"0002_b": asyncpg.UndefinedTableError("no such table")}
    assert await steps.refused() == "Migration 0002_b failed: no such table"
    work = [("0001_a", "3600 s"), ("0002_b", "3600 s")]
    assert session.work("0001_a", "0002_b", "0003_c") == ["BEGIN", work[0], "COMMIT", "BEGIN", work[1], "ROLLBACK"]
    assert [line["migration"] for _, _, line in lines(caplog)] == ["0001_a"]


async def test_one_process_at_a_time_applies_them(
    steps: Steps, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("onex_node_runtime.adapters.migrating.asyncio.sleep", sleep)
    session.locks = [False, False, True]
    await steps.apply()
    lock = ("LOCK", int.from_bytes(b"onex_mig"))
    assert (session.done[:3], slept) == ([lock] * 3, [migrating.LOCK_PAUSE_SECONDS] * 2)
    assert session.done[3] == ("SET statement_timeout = 3600000",)
    assert session.done[-2:] == [("RESET statement_timeout",), ("SELECT pg_advisory_unlock($1)", lock[1])]


async def test_a_lock_that_is_never_free_is_waited_for_so_long(
    steps: Steps, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LONGEST_SECONDS", 0.01)
    monkeypatch.setattr(migrating, "LOCK_PAUSE_SECONDS", 0.001)
    session.locks = [False] * 100_000
    with pytest.raises(TimeoutError):
        await steps.apply()
    assert {step[0] for step in session.done} == {"LOCK"}


@pytest.mark.parametrize("error", [OSError(), LOST, asyncpg.PostgresError("lost")])
async def test_a_lock_whose_connection_is_lost_is_free(steps: Steps, session: Session, error: Exception) -> None:
    steps.add("0001_a", "A")
    session.errors = {"RESET": error}
    await steps.apply()
    session.errors["A"] = asyncpg.PostgresError("no")
    assert await steps.refused() == "Migration 0001_a failed: no"


INDEX = "CREATE INDEX CONCURRENTLY one ON things (a)"
BUILT, DROPPED = (INDEX, "3600 s"), ("DROP INDEX CONCURRENTLY IF EXISTS one", "3600 s")
NOTED, LOOKED = ("NOTE", NODE, "0001_index"), ("LOOK", "one")


def forgotten(session: Session) -> list[tuple[object, ...]]:
    return [step[1:] for step in session.done if str(step[0]).startswith(f"DELETE FROM {BEGUN_TABLE}")]


async def test_an_index_is_built_outside_of_a_transaction(steps: Steps, session: Session) -> None:
    steps.add("0001_index", INDEX, transaction=False, index="one")
    await steps.apply()
    assert session.work(INDEX) == [NOTED, BUILT, LOOKED, "BEGIN", "COMMIT"]
    assert forgotten(session) == [(NODE, "0001_index")]


async def test_a_statement_without_an_index_looks_for_none(steps: Steps, session: Session) -> None:
    steps.add("0001_value", "ALTER TYPE mood ADD VALUE 'meh'", transaction=False)
    session.begun = True
    await steps.apply()
    work = session.work("ALTER TYPE mood ADD VALUE 'meh'")
    assert work == [
        ("NOTE", NODE, "0001_value"),
        ("ALTER TYPE mood ADD VALUE 'meh'", "3600 s"),
        "BEGIN",
        "COMMIT",
    ]


async def test_an_index_that_was_left_in_part_is_built_anew(steps: Steps, session: Session) -> None:
    steps.add("0001_index", INDEX, transaction=False, index="one")
    session.begun, session.broken = True, [True, False]
    await steps.apply()
    assert session.work(INDEX) == [NOTED, LOOKED, DROPPED, BUILT, LOOKED, "BEGIN", "COMMIT"]


async def test_an_index_that_can_not_be_built_is_left_to_nobody(steps: Steps, session: Session) -> None:
    steps.add("0001_index", INDEX, transaction=False, index="one")
    session.errors, session.broken = {INDEX: asyncpg.UniqueViolationError("twice")}, [True]
    assert await steps.refused() == "Migration 0001_index failed: twice"
    assert session.work(INDEX) == [NOTED, BUILT, LOOKED, DROPPED]
    assert forgotten(session) == [(NODE, "0001_index")]


@pytest.mark.parametrize("error", [OSError(), LOST, asyncpg.PostgresError("lost")])
async def test_what_can_not_be_cleaned_up_is_found_at_the_next_start(
    steps: Steps, session: Session, error: Exception
) -> None:
    steps.add("0001_index", INDEX, transaction=False, index="one")
    session.broken = [True]
    session.errors = {"DROP": error, INDEX: asyncpg.UniqueViolationError("twice")}
    assert await steps.refused() == "Migration 0001_index failed: twice"
    assert forgotten(session) == []


async def test_an_index_that_is_there_and_not_valid_is_a_failure(steps: Steps, session: Session) -> None:
    steps.add("0001_index", INDEX, transaction=False, index="one")
    session.begun, session.broken = True, [False, True]
    session.errors = {INDEX: asyncpg.DuplicateTableError("there")}
    assert await steps.refused() == "Migration 0001_index failed: one is there, and is not valid."
    assert "BEGIN" not in session.work(INDEX)


DUPLICATES = (asyncpg.DuplicateTableError("there"), asyncpg.DuplicateObjectError("there"))
GONE = (asyncpg.UndefinedTableError("gone"), asyncpg.UndefinedObjectError("gone"))


@pytest.mark.parametrize(
    ("sql", "errors", "others"),
    [
        (INDEX, DUPLICATES, GONE),
        ("DROP INDEX CONCURRENTLY one", GONE, DUPLICATES),
        ("  drop\nindex one", GONE, DUPLICATES),
        ("-- That goes.\n/* And\nthis. */ DROP INDEX one", GONE, DUPLICATES),
        ("CREATE INDEX dropped ON things (a)", DUPLICATES, GONE),
        ("-- Does not drop\nDROPPED", DUPLICATES, GONE),
    ],
)
async def test_what_took_effect_before_its_end_was_noted_is_applied(
    steps: Steps, session: Session, sql: str, errors: Sequence[Exception], others: Sequence[Exception]
) -> None:
    steps.add("0001_step", sql, transaction=False)
    session.begun = True
    for error in errors:
        session.errors = {sql: error}
        session.done.clear()
        await steps.apply()
        assert session.work()[-2:] == ["BEGIN", "COMMIT"]
    for error in others:
        session.errors = {sql: error}
        assert await steps.refused() == f"Migration 0001_step failed: {error}"
    # At the first attempt, nothing of it can have been there.
    session.begun = False
    session.errors = {sql: errors[0]}
    assert await steps.refused() == f"Migration 0001_step failed: {errors[0]}"
