# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Answers kept by the keys of their requests, in PostgreSQL, in the transaction that made what they tell of."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import asyncpg
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel

from .keyed import KEY_HEADER, KEYED, KeyedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..adapters.adapter_postgres import AdapterPostgres
    from ..adapters.retry_policy import RetryOrNone
    from ..adapters.transaction import Statements

    type Handle[InputT: BaseModel, OutputT: BaseModel] = Callable[[InputT], Coroutine[Any, Any, OutputT]]
    type Name = tuple[str, str, str]

# Who comes second waits here for the first to end. A key that is kept is locked, so that it does not expire meanwhile.
CLAIM = """\
INSERT INTO "{table}" AS kept (operation, caller, key, digest, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
ON CONFLICT (operation, caller, key) DO UPDATE
SET digest = excluded.digest, answer = NULL, announced = false, expires_at = excluded.expires_at
WHERE kept.expires_at < now()
RETURNING true AS claimed
"""
FIND = """\
SELECT digest, answer, announced FROM "{table}"
WHERE operation = $1 AND caller = $2 AND key = $3
"""
KEEP = """\
UPDATE "{table}" SET answer = $4
WHERE operation = $1 AND caller = $2 AND key = $3
"""
ANNOUNCED = """\
UPDATE "{table}" SET announced = true
WHERE operation = $1 AND caller = $2 AND key = $3
"""
FORGET = """\
DELETE FROM "{table}" WHERE (operation, caller, key) IN (
    SELECT operation, caller, key FROM "{table}"
    WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""
FORGET_PAUSE_SECONDS = 60.0
MOST_FORGOTTEN = 5000


@dataclass(frozen=True, slots=True)
class Keeping[OutputT: BaseModel]:
    """How answers of an operation are kept.

    Attributes:
        operation: Its name.
        output: The type of its answers.
        retry: Its own retry policy, instead of the node's.
    """

    operation: str
    output: type[OutputT]
    retry: RetryOrNone = None


class KeptAnswers:
    """Keeps the answers of operations whose statements run on the node's PostgreSQL."""

    def __init__(self, postgres: AdapterPostgres, table: str, *, seconds: float) -> None:
        """Keep the adapter.

        Args:
            postgres: The database that the operations change.
            table: A table that a migration of the node makes, whose name has no quotation marks in it.
            seconds: How long an answer is kept.
        """
        self._postgres = postgres
        self._table = table
        self._seconds = seconds
        self._turns: WeakValueDictionary[Name, asyncio.Lock] = WeakValueDictionary()
        self._forgetting: asyncio.Task[None] | None = None
        self._forget_at = 0.0

    def around[InputT: BaseModel, OutputT: BaseModel](
        self, keeping: Keeping[OutputT], handle: Handle[InputT, OutputT]
    ) -> Handle[InputT, OutputT]:
        """Return a handler that gives a request with a known key the answer of the first one.

        Args:
            keeping: How answers are kept.
            handle: The handler, which does nothing but run statements on the database. What it raises is not kept, as
                nothing took effect.
        """

        @wraps(handle)
        async def kept(request: InputT) -> OutputT:
            keyed = KEYED.get()
            if keyed is None:
                return await handle(request)
            name = (keeping.operation, keyed.caller, keyed.key)
            # Those of one process who come second wait without a connection.
            async with self._turns.setdefault(name, asyncio.Lock()):
                answer = await self._postgres.together(
                    partial(self._once, keeping, handle, request, keyed, name), retry=keeping.retry
                )
            keyed.note_announced = partial(self._note_announced, name)
            self._forget()
            return answer

        return kept

    async def _once[InputT: BaseModel, OutputT: BaseModel](
        self,
        keeping: Keeping[OutputT],
        handle: Handle[InputT, OutputT],
        request: InputT,
        keyed: KeyedRequest,
        name: Name,
        statements: Statements,
    ) -> OutputT:
        digest = hashlib.sha256(request.model_dump_json().encode()).digest()
        try:
            claimed = await statements.fetch_one(self._of(CLAIM), *name, digest, self._seconds)
        except asyncpg.SerializationError as error:
            raise ModelOnexError(
                message=f"A request with this {KEY_HEADER} is under way.",
                error_code=EnumCoreErrorCode.INVALID_OPERATION,
            ) from error
        if claimed is not None:
            answer = await handle(request)
            await statements.execute(self._of(KEEP), *name, answer.model_dump_json())
            return answer
        found = await statements.fetch_one(self._of(FIND), *name)
        assert found is not None  # noqa: S101 - it is locked
        if found["digest"] != digest:
            raise ModelOnexError(
                message=f"This {KEY_HEADER} belongs to a request with another input.",
                error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            )
        keyed.replayed, keyed.announced = True, found["announced"]
        return keeping.output.model_validate_json(found["answer"])

    async def _note_announced(self, name: Name) -> None:
        # Where this fails, a repetition publishes the events once more.
        with suppress(ModelOnexError):
            await self._postgres.execute(self._of(ANNOUNCED), *name, idempotent=True)

    def _forget(self) -> None:
        """Forget answers that are old enough, once in a while, which no request waits for."""
        now = asyncio.get_running_loop().time()
        if now >= self._forget_at and (self._forgetting is None or self._forgetting.done()):
            self._forget_at = now + FORGET_PAUSE_SECONDS
            self._forgetting = asyncio.create_task(self._forget_some(), context=Context())

    async def _forget_some(self) -> None:
        with suppress(ModelOnexError):
            if await self._postgres.execute(self._of(FORGET), MOST_FORGOTTEN, idempotent=True) == MOST_FORGOTTEN:
                self._forget_at = 0.0

    def _of(self, statement: str) -> str:
        return statement.format(table=self._table)
