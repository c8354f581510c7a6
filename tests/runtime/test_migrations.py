"""Migrations apply in order, once, and never change afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.migrating import BEGUN_TABLE, MIGRATIONS_TABLE, Migration, applying, directory, migrate
from onex_node_runtime.settings.migrations import MigrationSettings

DATABASE = "onex_migrations_test"
NODE = "node_lock_effect"


@pytest_asyncio.fixture
async def fresh(postgres: str) -> AsyncIterator[str]:
    """The URL of a database that nothing has touched yet."""
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {DATABASE}")
    yield urlunsplit(urlsplit(postgres)._replace(path=f"/{DATABASE}"))
    await connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    await connection.close()


async def applied(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(f"SELECT id FROM {MIGRATIONS_TABLE} ORDER BY applied_at, id")
    finally:
        await connection.close()
    return [row["id"] for row in rows]


class Steps:
    """Migrations of a node, in a folder."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory = directory
        self._url = url
        self._steps: list[Migration] = []

    def add(self, name: str, sql: str, *, transaction: bool = True, index: str = "") -> None:
        (self._directory / f"{name}.sql").write_text(sql, encoding="utf-8")
        self._steps = [step for step in self._steps if step.id != name]
        self._steps.append(Migration(name, transaction, index))

    async def apply(self, node: str = NODE) -> None:
        async with asyncpg.create_pool(self._url, min_size=1, max_size=2) as pool:
            await migrate(pool, node, self._steps, self._directory)

    async def ask(self, query: str) -> object:
        connection = await asyncpg.connect(self._url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()


@pytest.fixture
def steps(fresh: str, tmp_path: Path) -> Steps:
    return Steps(tmp_path, fresh)


async def test_instances_that_start_together_apply_them_once(fresh: str, steps: Steps) -> None:
    steps.add("0001_first", "CREATE TABLE first (a int)")
    steps.add("0002_second", "INSERT INTO first VALUES (1)")
    await asyncio.gather(*(steps.apply() for _ in range(5)))
    await steps.apply()
    assert await applied(fresh) == ["0001_first", "0002_second"]
    assert await steps.ask("SELECT count(*) FROM first") == 1


async def test_nodes_that_share_a_database_do_not_see_each_others(fresh: str, steps: Steps) -> None:
    steps.add("0001_first", "CREATE TABLE IF NOT EXISTS first (a int)")
    await steps.apply()
    await steps.apply("node_other_effect")
    assert await applied(fresh) == ["0001_first", "0001_first"]


async def test_one_that_was_changed_is_refused(steps: Steps) -> None:
    steps.add("0001_first", "CREATE TABLE first (a int)")
    await steps.apply()
    steps.add("0001_first", "CREATE TABLE first (a text)")
    with pytest.raises(ModelOnexError, match="was changed after it had been applied") as caught:
        await steps.apply()
    assert caught.value.error_code is EnumCoreErrorCode.MIGRATION_ERROR


async def test_one_that_fails_leaves_nothing_behind_and_those_before_it_stay(steps: Steps) -> None:
    steps.add("0001_good", "CREATE TABLE good (a int)")
    steps.add("0002_bad", "CREATE TABLE half (a int); CREATE TABLE bad (a no_such_type)")
    steps.add("0003_last", "INSERT INTO good VALUES (1)")
    with pytest.raises(ModelOnexError, match="0002_bad failed") as caught:
        await steps.apply()
    assert caught.value.error_code is EnumCoreErrorCode.MIGRATION_ERROR
    assert await steps.ask("SELECT to_regclass('good')") == "good"
    assert await steps.ask("SELECT to_regclass('half')") is None
    steps.add("0002_bad", "CREATE TABLE bad (a int)")
    steps.add("0003_last", "INSERT INTO good VALUES (1)")
    await steps.apply()
    assert await steps.ask("SELECT count(*) FROM good") == 1


async def test_a_database_that_has_the_first_ones_gets_the_rest(fresh: str, steps: Steps) -> None:
    steps.add("0001_moods", "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE feelings (felt mood)")
    await steps.apply()
    steps.add("0002_value", "ALTER TYPE mood ADD VALUE 'meh'")
    steps.add("0003_use", "INSERT INTO feelings VALUES ('meh'), ('ok')")
    steps.add("0004_index", "CREATE INDEX CONCURRENTLY felt ON feelings (felt)", transaction=False, index="felt")
    steps.add("0005_last", "DO $$ BEGIN INSERT INTO feelings VALUES ('ok'); END $$")
    await asyncio.gather(*(steps.apply() for _ in range(5)))
    assert await steps.ask("SELECT count(*) FROM feelings") == 3
    assert await steps.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'felt'::regclass") is True
    assert await applied(fresh) == ["0001_moods", "0002_value", "0003_use", "0004_index", "0005_last"]
    assert await steps.ask(f"SELECT count(*) FROM {BEGUN_TABLE}") == 0


async def test_outside_of_a_transaction_a_failure_leaves_nothing_behind_either(steps: Steps) -> None:
    steps.add("0001_table", "CREATE TABLE things (a int); INSERT INTO things VALUES (1), (1)")
    unique = "CREATE UNIQUE INDEX CONCURRENTLY one ON things (a)"
    steps.add("0002_index", unique, transaction=False, index="one")
    with pytest.raises(ModelOnexError, match="0002_index failed"):
        await steps.apply()
    assert await steps.ask("SELECT to_regclass('one')") is None
    await steps.ask("DELETE FROM things")
    await steps.apply()
    assert await steps.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one'::regclass") is True


@pytest.mark.parametrize(
    ("sql", "index", "before", "after"),
    [
        (
            "CREATE UNIQUE INDEX CONCURRENTLY one ON things (a)",
            "one",
            "CREATE UNIQUE INDEX CONCURRENTLY one ON things (a)",
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'one'::regclass",
        ),
        (
            "CREATE INDEX CONCURRENTLY one ON things (a)",
            "one",
            "CREATE INDEX one ON things (a)",
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'one'::regclass",
        ),
        (
            "DROP INDEX CONCURRENTLY things_a",
            "",
            "DROP INDEX things_a",
            "SELECT to_regclass('things_a') IS NULL",
        ),
        (
            "ALTER TYPE mood ADD VALUE 'meh'",
            "",
            "ALTER TYPE mood ADD VALUE 'meh'",
            "SELECT 'meh' = ANY (enum_range(NULL::mood)::text[])",
        ),
    ],
)
async def test_one_whose_end_was_not_noted_is_applied_once(
    fresh: str, steps: Steps, sql: str, index: str, before: str, after: str
) -> None:
    things = "CREATE TABLE things (a int); CREATE INDEX things_a ON things (a); CREATE TYPE mood AS ENUM ('ok')"
    steps.add("0001_things", things)
    await steps.apply()
    # As if the process had ended when the statement had run, or when an index was built in part: on values that clash.
    await steps.ask("INSERT INTO things VALUES (1), (1)")
    with suppress(asyncpg.UniqueViolationError):
        await steps.ask(before)
    await steps.ask("DELETE FROM things")
    query = f"INSERT INTO {BEGUN_TABLE} (node, id) VALUES ('{NODE}', '0002_step')"
    await steps.ask(query)
    steps.add("0002_step", sql, transaction=False, index=index)
    await steps.apply()
    assert await steps.ask(after) is True
    assert await applied(fresh) == ["0001_things", "0002_step"]
    assert await steps.ask(f"SELECT count(*) FROM {BEGUN_TABLE}") == 0


async def test_what_was_there_before_is_a_failure(steps: Steps) -> None:
    steps.add("0001_table", "CREATE TABLE things (a int); CREATE INDEX one ON things (a)")
    steps.add("0002_index", "CREATE INDEX CONCURRENTLY one ON things (a)", transaction=False, index="one")
    for _ in range(2):
        with pytest.raises(ModelOnexError, match="0002_index failed"):
            await steps.apply()


async def test_settings_may_leave_them_to_others(fresh: str, steps: Steps, tmp_path: Path) -> None:
    steps.add("0001_first", "CREATE TABLE first (a int)")
    own = (Migration("0001_first"),)
    async with asyncpg.create_pool(fresh, min_size=1, max_size=1) as pool:
        await applying(MigrationSettings(database_migrate_on_start=False), "node_a_effect", own, tmp_path)(pool)
        assert await steps.ask("SELECT to_regclass('first')::text") is None
        await applying(MigrationSettings(), "node_a_effect", own, tmp_path)(pool)
        assert await steps.ask("SELECT to_regclass('first')::text") == "first"


def test_an_installed_node_brings_them_along(tmp_path: Path) -> None:
    node = tmp_path / "package"
    assert directory(node, tmp_path) == tmp_path / "migrations"
    (node / "migrations").mkdir(parents=True)
    assert directory(node, tmp_path) == node / "migrations"
