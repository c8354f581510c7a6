# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Several statements in one transaction: all of them take effect, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from .postgres_refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]


class UndoneError(Exception):
    """What a transaction requires was not there: nothing of it took effect."""


class Statements:
    """The statements of a transaction that is under way."""

    def __init__(self, connection: Connection, redact: Callable[[str], str]) -> None:
        """Keep the connection.

        Args:
            connection: The connection whose transaction it is.
            redact: Masks secrets in text.
        """
        self._connection = connection
        self._redact = redact

    async def fetch_one(self, query: str, *arguments: object, savepoint: bool = False) -> asyncpg.Record | None:
        """Run a statement and return its first row, or None when there is none.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            savepoint: Whether the transaction goes on where a constraint refuses it, as if there was no row.

        Returns:
            The row, by column name.
        """
        return await self._run(lambda: self._connection.fetchrow(query, *arguments), None, savepoint=savepoint)

    async def fetch_all(self, query: str, *arguments: object, savepoint: bool = False) -> list[asyncpg.Record]:
        """Run a statement and return all of its rows.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            savepoint: Whether the transaction goes on where a constraint refuses it, as if there was no row.

        Returns:
            The rows, by column name.
        """
        return await self._run(lambda: self._connection.fetch(query, *arguments), [], savepoint=savepoint)

    async def execute(self, query: str, *arguments: object, savepoint: bool = False) -> int:
        """Run a statement that returns no rows.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            savepoint: Whether the transaction goes on where a constraint refuses it, as if it affected nothing.

        Returns:
            How many rows it affected.
        """
        return affected(await self._run(lambda: self._connection.execute(query, *arguments), "", savepoint=savepoint))

    async def call[T](self, statement: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a statement that is made for a connection, and return what it returns."""
        return await self._told(statement(self._connection))

    async def part[T](self, work: Callable[[Statements], Awaitable[T]]) -> T:
        """Run statements that are undone alone where `work` raises an error, which is raised again.

        Args:
            work: Runs the statements that it is given.

        Returns:
            What `work` returns.
        """
        async with self._connection.transaction():
            return await work(self)

    async def _run[T](self, statement: Callable[[], Awaitable[T]], nothing: T, *, savepoint: bool) -> T:
        return await self._told(self._apart(statement, nothing) if savepoint else statement())

    async def _told[T](self, statement: Awaitable[T]) -> T:
        try:
            return await statement
        except Exception as error:
            # In words that know the statement; all else is for the adapter to tell.
            if refused := refusal(error, self._redact):
                raise refused from error
            raise

    async def _apart[T](self, statement: Callable[[], Awaitable[T]], nothing: T) -> T:
        # Inside of a transaction, asyncpg makes a savepoint of another. What else fails ends the transaction.
        part = self._connection.transaction()
        await part.start()
        try:
            result = await statement()
        except asyncpg.IntegrityConstraintViolationError:
            await part.rollback()
            return nothing
        await part.commit()
        return result


def affected(status: str) -> int:
    """Return how many rows a statement affected, by what the server says of it, such as `UPDATE 3`."""
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0
