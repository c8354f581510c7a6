# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""What tests ask a PostgreSQL server beside the node: how it reads statements, whose connections it has, its state."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

_OTHER_TYPE = re.compile(r"\(expected .*, got ")

type Connection = asyncpg.Connection[asyncpg.Record]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Give a connection for as long as the context lasts."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def empty_database(url: str, name: str) -> AsyncIterator[str]:
    """Give the URL of a database beside another, which nothing has touched yet and nobody needs afterwards.

    Args:
        url: The other database.
        name: Of the new one.
    """
    async with connected(url) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def prepared(url: str, query: str) -> tuple[int, set[str]]:
    """Return how many arguments a statement takes, and the columns of the rows that it returns."""
    async with connected(url) as connection:
        statement = await connection.prepare(query)
        return len(statement.get_parameters()), {column.name for column in statement.get_attributes()}


async def connections_of(url: str, name: str) -> int:
    """Return how many connections the server has of an application."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
    async with connected(url) as connection:
        return int(await connection.fetchval(query, name))


async def rows_in(url: str, but: str) -> dict[str, list[str]]:
    """Return all rows of all tables but one."""
    async with connected(url) as connection:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> $1",
            but,
        )
        rows = {}
        for name in (str(table["name"]) for table in tables):
            lines = await connection.fetch(f"SELECT kept::text AS line FROM {name} AS kept ORDER BY 1")
            rows[name] = [str(line["line"]) for line in lines]
        return rows


def is_refusal(answer: object) -> bool:
    """Tell whether the database refuses an input made from constraints alone, or one of many at the same row.

    A value of another type than the statement takes is no such input: no caller could do better.
    """
    if not isinstance(answer, ModelOnexError):
        return False
    causes = [answer.__cause__, answer.__cause__ and answer.__cause__.__cause__]
    return answer.error_code is EnumCoreErrorCode.RESOURCE_NOT_FOUND or any(
        isinstance(cause, (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError))
        or (isinstance(cause, asyncpg.DataError) and not _OTHER_TYPE.search(str(cause)))
        for cause in causes
    )


def is_turned_away(answer: object) -> bool:
    """Tell whether a request had no turn in time, on a busy machine, and was told so."""
    return isinstance(answer, ModelOnexError) and "All connections" in str(answer)
