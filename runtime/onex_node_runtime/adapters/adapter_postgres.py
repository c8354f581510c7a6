# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""PostgreSQL: one pool, and statements that survive a database that fails for a while."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import asyncpg
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..effects import cause_of, effect
from ..spans import UNTRACED
from .connections import FOR_CHECKS, Connections
from .postgres_refusals import refusal
from .postgres_values import register_types
from .tls import client_context, wanted
from .transaction import Statements, UndoneError, affected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Literal

    from asyncpg.transaction import Transaction

    from ..settings.database import DatabaseSettings
    from ..spans import Spans
    from .group import Figure
    from .guard import Guard
    from .retry_policy import RetryOrNone, RetryPolicy

    type Pool = asyncpg.Pool[asyncpg.Record]
    type Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    type Isolation = Literal["", "read_uncommitted", "read_committed", "repeatable_read", "serializable"]
    type Unfinished = Transaction | None

# At the end, nothing is under way any more; a server that does not say goodbye is left alone.
CLOSE_SECONDS = 3.0
# How long a connection gets to become usable again, which nobody waits for.
RELEASE_SECONDS = 2.0

_UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
_UNAVAILABLE = (
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
_UNDONE_BY_SERVER = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


_JOINED: ContextVar[tuple[AdapterPostgres, Statements] | None] = ContextVar("joined", default=None)
"""The transaction that calls of an adapter take part in; None outside of one."""


async def _migrate_nothing(_pool: Pool) -> None:
    pass


class StatementOptions(TypedDict, total=False):
    """How a statement runs.

    Attributes:
        idempotent: Whether running it twice does no harm, which allows a retry after an unclear outcome; it does not
            when left out.
        retry: The operation's own retry policy, instead of the node's.
        transaction: Whether the statement runs in a transaction; it does when left out, if the node uses any.
    """

    idempotent: bool
    retry: RetryPolicy
    transaction: bool


class AdapterPostgres:
    """The node's PostgreSQL database.

    The pool is opened once and shared. A database that is away at the start, or goes away later, makes calls fail
    with a `ModelOnexError` until it is back; nothing has to be restarted.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        node: str,
        guard: Guard,
        check_seconds: float,
        isolation: Isolation = "",
        migrate: Callable[[Pool], Awaitable[None]] = _migrate_nothing,
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep the settings; no connection is opened before `open`.

        Args:
            settings: Where the database is, and the pool's size.
            node: The node's name, for the server.
            guard: Stands before statements.
            check_seconds: How long a sign of life may take.
            isolation: The level of the transactions that statements run in; empty runs them without.
            migrate: Applies migrations to a pool that was opened; its errors are those of `open`.
            spans: How statements are traced.
        """
        self._settings = settings
        self._node = node
        self._check_seconds = check_seconds
        self._isolation = isolation
        self._migrate = migrate
        self._spans = spans
        self._connections = Connections(
            "postgres", settings.database_pool_max_size, settings.database_connect_timeout_seconds
        )
        self._pool: Pool | None = None
        self._closed = False
        self._opening: asyncio.Task[Pool] | None = None
        self._cleaning: set[asyncio.Task[None]] = set()
        self.guard = guard

    async def open(self) -> None:
        """Open the pool and apply pending migrations; does nothing when it is open.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR or TIMEOUT when the database can't be reached, and
                MIGRATION_ERROR when a migration fails or an applied one was changed.
        """
        self._closed = False
        try:
            await self._ready_pool()
        except Exception as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        """Close the pool, waiting for statements in flight; does nothing when it is closed."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening], timeout=CLOSE_SECONDS)
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except TimeoutError:
            pool.terminate()

    async def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR or TIMEOUT when none comes.
        """
        try:
            async with asyncio.timeout(self._check_seconds):
                pool = await self._ready_pool()
                connection = await pool.acquire()
                try:
                    await connection.fetchval("SELECT 1")
                finally:
                    self._let_go(pool, connection)
        except Exception as error:
            raise self._translated(error) from error

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        return [*self.guard.figures(), *self._connections.figures()]

    async def fetch_one(
        self, query: str, *arguments: object, **options: Unpack[StatementOptions]
    ) -> asyncpg.Record | None:
        """Run a statement and return its first row, or None when there is none.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            options: How it runs.

        Returns:
            The row, by column name.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR, DATABASE_QUERY_ERROR, TIMEOUT or SERVICE_UNAVAILABLE.
        """
        with self._spans.call("postgres fetch_one"):
            return await self._call(lambda connection: connection.fetchrow(query, *arguments), options)

    async def fetch_all(
        self, query: str, *arguments: object, **options: Unpack[StatementOptions]
    ) -> list[asyncpg.Record]:
        """Run a statement and return all of its rows.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            options: How it runs.

        Returns:
            The rows, by column name.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR, DATABASE_QUERY_ERROR, TIMEOUT or SERVICE_UNAVAILABLE.
        """
        with self._spans.call("postgres fetch_all"):
            return await self._call(lambda connection: connection.fetch(query, *arguments), options)

    async def execute(self, query: str, *arguments: object, **options: Unpack[StatementOptions]) -> int:
        """Run a statement that returns no rows.

        Args:
            query: One SQL statement with `$1`, `$2`, … for the arguments.
            arguments: Values of the placeholders, in order.
            options: How it runs.

        Returns:
            How many rows it affected.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR, DATABASE_QUERY_ERROR, TIMEOUT or SERVICE_UNAVAILABLE.
        """
        with self._spans.call("postgres execute"):
            return affected(await self._call(lambda connection: connection.execute(query, *arguments), options))

    async def transact[T](
        self,
        work: Callable[[Statements], Awaitable[T]],
        *,
        idempotent: bool = False,
        retry: RetryOrNone = None,
    ) -> T:
        """Run several statements in one transaction.

        Args:
            work: Runs the statements that it is given. It is called again where the transaction is tried again, and
                changes nothing outside of it.
            idempotent: Whether doing all of it twice does no harm, which allows a retry after an unclear outcome.
            retry: The operation's own retry policy, instead of the node's.

        Returns:
            What `work` returns, once the transaction took effect.

        Raises:
            UndoneError: As `work` raises it; nothing took effect.
            ModelOnexError: DATABASE_CONNECTION_ERROR, DATABASE_QUERY_ERROR, TIMEOUT, SERVICE_UNAVAILABLE, or as `work`
                raises it.
        """
        options: StatementOptions = {"idempotent": idempotent}
        if retry is not None:
            options["retry"] = retry
        with self._spans.call("postgres transact"):
            if (joined := self._joined()) is not None:
                return await joined.part(work)
            return await self._call(
                lambda connection: work(Statements(connection, self._settings.redact)),
                options,
                self._isolation or "read_committed",
            )

    async def together[T](self, work: Callable[[Statements], Awaitable[T]], *, retry: RetryOrNone = None) -> T:
        """Run calls of this adapter, and statements beside them, in one transaction.

        What `work` calls of this adapter takes part in the transaction: it is neither tried again nor committed by
        itself, and what a `transact` inside undoes is undone alone.

        Args:
            work: Makes the calls. It is called again where the transaction is tried again, also after an unclear
                outcome: it has to find out whether the transaction has taken effect.
            retry: The operation's own retry policy, instead of the node's.

        Returns:
            What `work` returns, once the transaction took effect.

        Raises:
            ModelOnexError: DATABASE_CONNECTION_ERROR, DATABASE_QUERY_ERROR, TIMEOUT, SERVICE_UNAVAILABLE, or as `work`
                raises it.
        """

        async def joined(statements: Statements) -> T:
            token = _JOINED.set((self, statements))
            try:
                return await work(statements)
            finally:
                _JOINED.reset(token)

        return await self.transact(joined, idempotent=True, retry=retry)

    def _joined(self) -> Statements | None:
        adapter, statements = _JOINED.get() or (None, None)
        return statements if adapter is self else None

    async def _call[T](
        self,
        statement: Callable[[Connection], Awaitable[T]],
        options: StatementOptions,
        isolation: Isolation | None = None,
    ) -> T:
        if (joined := self._joined()) is not None:
            return await joined.call(statement)
        idempotent = options.get("idempotent", False)
        if isolation is None:
            isolation = self._isolation if options.get("transaction", True) else ""
        try:
            return await self.guard.call(
                lambda: self._run(statement, isolation, idempotent=idempotent),
                _is_outage,
                lambda error: _is_outage(error) or isinstance(error, _UNDONE_BY_SERVER),
                idempotent=idempotent,
                retry=options.get("retry"),
                connections=self._connections,
            )
        except UndoneError:
            raise
        except Exception as error:
            raise self._translated(error) from error

    async def _run[T](
        self, statement: Callable[[Connection], Awaitable[T]], isolation: Isolation, *, idempotent: bool
    ) -> T:
        pool = await self._ready_pool()
        # Whoever has a turn finds a connection that is free, or makes one, which has a limit of its own.
        connection = await pool.acquire()
        unfinished: Unfinished = None
        try:
            if not isolation:
                with effect(_is_outage, idempotent=idempotent):
                    return await statement(connection)
            unfinished = connection.transaction(isolation=isolation)
            await unfinished.start()
            result = await statement(connection)
            # Nothing takes effect before the commit.
            with effect(_is_outage, idempotent=idempotent):
                await unfinished.commit()
            unfinished = None
            return result
        finally:
            self._connections.keep(self._let_go(pool, connection, unfinished))

    def _let_go(self, pool: Pool, connection: Connection, unfinished: Unfinished = None) -> asyncio.Task[None]:
        # What becomes of the connection changes nothing about what the statement did, and nobody has to wait for it.
        cleaning = asyncio.create_task(_release(pool, connection, unfinished), context=Context())
        self._cleaning.add(cleaning)
        cleaning.add_done_callback(self._cleaning.discard)
        return cleaning

    async def _ready_pool(self) -> Pool:
        if self._pool is not None:
            return self._pool
        if self._closed:
            raise asyncpg.InterfaceError("The adapter was closed.")
        # All who wait share one attempt, which ends in its own time, however long each of them waits.
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), context=Context())
            self._opening.add_done_callback(lambda opening: opening.cancelled() or opening.exception())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Pool:
        try:
            async with asyncio.timeout(self._settings.database_connect_timeout_seconds):
                pool = await _connected_pool(self._settings, self._node)
            try:
                await self._migrate(pool)
            except BaseException:
                pool.terminate()
                raise
            self._pool = pool
        finally:
            self._opening = None
        return pool

    def _translated(self, error: Exception) -> ModelOnexError:
        if isinstance(error, ModelOnexError):
            return error
        cause = cause_of(error)
        if refused := refusal(cause, self._settings.redact):
            return refused
        if isinstance(cause, (TimeoutError, asyncpg.QueryCanceledError)):
            code = EnumCoreErrorCode.TIMEOUT
        elif _is_outage(cause):
            code = EnumCoreErrorCode.DATABASE_CONNECTION_ERROR
        else:
            code = EnumCoreErrorCode.DATABASE_QUERY_ERROR
        return ModelOnexError(
            message=self._settings.redact(f"PostgreSQL: {type(cause).__name__}: {cause}"),
            error_code=code,
            integration="postgres",
            outcome_unknown=cause is not error,
        )


def _is_outage(error: BaseException) -> bool:
    # A certificate that is not trusted is a ValueError as well.
    if isinstance(error, OSError):
        return True
    # asyncpg derives its error for an argument of the wrong type from InterfaceError: not the database's fault.
    return isinstance(error, (*_UNREACHABLE, *_UNAVAILABLE)) and not isinstance(error, ValueError)


async def _release(pool: Pool, connection: Connection, unfinished: Unfinished) -> None:
    if unfinished is not None:
        with suppress(TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await unfinished.rollback()
    # Where this fails, the pool drops the connection.
    with suppress(TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
        await pool.release(connection, timeout=RELEASE_SECONDS)


async def _connected_pool(settings: DatabaseSettings, node: str) -> Pool:
    async def connected(*where: Any, **how: Any) -> asyncpg.Connection[asyncpg.Record]:
        async with asyncio.timeout(settings.database_connect_timeout_seconds):
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(*where, **how)
            try:
                await register_types(connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    files = (settings.database_tls_ca_file, settings.database_tls_cert_file, settings.database_tls_key_file)
    return await asyncpg.create_pool(
        # Without files, the URL's sslmode decides.
        ssl=client_context(*files) if wanted(*files) else None,
        dsn=settings.database_url.get_secret_value() if settings.database_url else None,
        min_size=settings.database_pool_min_size,
        max_size=settings.database_pool_max_size + FOR_CHECKS,
        # A server that hangs can't cancel a statement itself.
        command_timeout=settings.database_statement_timeout_seconds,
        server_settings={
            "application_name": node,
            # What a column without a zone holds is in UTC, also where the server fills it.
            "TimeZone": "UTC",
            "statement_timeout": str(int(settings.database_statement_timeout_seconds * 1000)),
        },
        timeout=settings.database_connect_timeout_seconds,
        connect=connected,
    )
