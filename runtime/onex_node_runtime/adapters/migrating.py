# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Applies migrations: in order, each exactly once, by one of the instances that start together."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from ..settings.migrations import MigrationSettings

    type Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

MIGRATIONS_TABLE = "onex_migrations"
# Statements that run outside of a transaction, between their beginning and the row in the table above.
BEGUN_TABLE = "onex_migrations_begun"
# Any number will do, as long as all nodes that share a database take the same one: the first letters of its name.
MIGRATIONS_LOCK = int.from_bytes(b"onex_mig")
# To build an index takes longer than any statement of an operation may.
LONGEST_SECONDS = 3600.0
LOCK_PAUSE_SECONDS = 0.2

# What a statement meets that took effect before, and whose end was not noted.
_THERE_ALREADY = (asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError)
_GONE_ALREADY = (asyncpg.UndefinedObjectError, asyncpg.UndefinedTableError)
_DROPS = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/)*drop\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's schema.

    Attributes:
        id: Its name, which is its file's.
        transaction: False for one statement that PostgreSQL runs only outside of a transaction.
        index: The index that such a statement builds, as SQL; empty where it builds none.
    """

    id: str
    transaction: bool = True
    index: str = ""


def directory(node: Path, project: Path) -> Path:
    """Return where migrations are: in the node's package when it was installed, at the project's root otherwise.

    Args:
        node: The folder of the node's package.
        project: The project's root.
    """
    packaged = node / "migrations"
    return packaged if packaged.is_dir() else project / "migrations"


def applying(
    settings: MigrationSettings, node: str, migrations: Sequence[Migration], directory: Path
) -> Callable[[asyncpg.Pool[asyncpg.Record]], Awaitable[None]]:
    """Return what applies migrations to a pool that was opened, unless the settings leave that to others.

    Args:
        settings: Whether they apply themselves.
        node: Whose migrations they are.
        migrations: In the order in which they apply.
        directory: Where their files are.
    """

    async def apply(pool: asyncpg.Pool[asyncpg.Record]) -> None:
        if settings.database_migrate_on_start:
            await migrate(pool, node, migrations, directory)

    return apply


async def migrate(
    pool: asyncpg.Pool[asyncpg.Record], node: str, migrations: Sequence[Migration], directory: Path
) -> None:
    """Apply the migrations that the database has not seen, each in a transaction of its own.

    Args:
        pool: Connections to the database.
        node: Whose migrations they are; nodes that share a database do not see each other's.
        migrations: In the order in which they apply.
        directory: Where their files are.

    Raises:
        ModelOnexError: MIGRATION_ERROR when one fails, or was changed after it had been applied. Those before it stay.
    """
    texts = {step.id: (directory / f"{step.id}.sql").read_text(encoding="utf-8") for step in migrations}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    async with pool.acquire() as connection, _alone(connection):
        await _make_tables(connection)
        rows = await connection.fetch(f"SELECT id, sha256 FROM {MIGRATIONS_TABLE} WHERE node = $1", node)
        applied: dict[str, str] = {row["id"]: row["sha256"] for row in rows}
        if changed := [name for name, digest in digests.items() if applied.get(name, digest) != digest]:
            raise _error(f"Migration {changed[0]} was changed after it had been applied; add a new one instead.")
        for step in migrations:
            if step.id not in applied:
                await Step(connection, node, step, texts[step.id], digests[step.id]).apply()
                emit_log_event_sync(EnumLogLevel.INFO, "migration_applied", {"node": node, "migration": step.id})


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    # Held by the session, as there are several transactions. Those who wait ask again and again: a statement that
    # waits for the lock would be a transaction, which an index that is built concurrently waits for in turn.
    async with asyncio.timeout(LONGEST_SECONDS):
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", MIGRATIONS_LOCK):  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOCK_PAUSE_SECONDS)
    try:
        await connection.execute(f"SET statement_timeout = {int(LONGEST_SECONDS * 1000)}")
        yield
    finally:
        # The end of a lost connection gives the lock back too.
        with suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            await connection.execute("RESET statement_timeout")
            await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATIONS_LOCK)


async def _make_tables(connection: Connection) -> None:
    await connection.execute(
        f"CREATE TABLE IF NOT EXISTS {MIGRATIONS_TABLE} (node text, id text, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (node, id))"
    )
    await connection.execute(
        f"CREATE TABLE IF NOT EXISTS {BEGUN_TABLE} (node text, id text,"
        " begun_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (node, id))"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A migration that is to be applied now."""

    connection: Connection
    node: str
    migration: Migration
    sql: str
    digest: str

    async def apply(self) -> None:
        """Apply it, and note that."""
        if not self.migration.transaction:
            await self._run_outside()
        async with self.connection.transaction():
            if self.migration.transaction:
                await self._run()
            await self.connection.execute(
                f"INSERT INTO {MIGRATIONS_TABLE} (node, id, sha256) VALUES ($1, $2, $3)",
                self.node,
                self.migration.id,
                self.digest,
            )
            await self._forget()

    async def _run(self) -> None:
        try:
            await self.connection.execute(self.sql, timeout=LONGEST_SECONDS)
        except asyncpg.PostgresError as error:
            raise _error(f"Migration {self.migration.id} failed: {error}") from error

    async def _run_outside(self) -> None:
        again = await self._begin()
        try:
            if again:
                await self._drop_what_is_left()
            await self._run()
        except ModelOnexError as error:
            if not (again and self._took_effect(error.__cause__)):
                # Where the connection is lost, the next start finds the beginning noted.
                with suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
                    await self._drop_what_is_left()
                    await self._forget()
                raise
        if await self._is_broken():
            raise _error(f"Migration {self.migration.id} failed: {self.migration.index} is there, and is not valid.")

    async def _begin(self) -> bool:
        """Note that it begins; true when it had begun before."""
        query = f"INSERT INTO {BEGUN_TABLE} (node, id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"
        return await self.connection.fetchval(query, self.node, self.migration.id) is None

    async def _forget(self) -> None:
        query = f"DELETE FROM {BEGUN_TABLE} WHERE node = $1 AND id = $2"
        await self.connection.execute(query, self.node, self.migration.id)

    def _took_effect(self, error: BaseException | None) -> bool:
        return isinstance(error, _GONE_ALREADY if _DROPS.match(self.sql) else _THERE_ALREADY)

    async def _is_broken(self) -> bool:
        query = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
        return bool(self.migration.index and await self.connection.fetchval(query, self.migration.index))

    async def _drop_what_is_left(self) -> None:
        # An index whose building was cut short is there, takes part in every write, and helps nobody.
        if await self._is_broken():
            await self.connection.execute(
                f"DROP INDEX CONCURRENTLY IF EXISTS {self.migration.index}", timeout=LONGEST_SECONDS
            )


def _error(message: str) -> ModelOnexError:
    return ModelOnexError(message=message, error_code=EnumCoreErrorCode.MIGRATION_ERROR)
