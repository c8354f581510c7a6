# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""A read-through cache: what is asked for often is read once, by one, and kept for a while.

A cache that is away costs time and no answer: the operation then reads by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Protocol

from omnibase_core.enums import EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from pydantic import BaseModel, ValidationError

from ..effects import EFFECTS, Effects, seconds_left

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from omnibase_core.mixins.mixin_metrics import MixinMetrics

type Handle[InputT: BaseModel, OutputT: BaseModel] = Callable[[InputT], Coroutine[Any, Any, OutputT]]

# A cache that takes longer is no help.
LONGEST_SECONDS = 1.0
# Of the time that an operation has left: a cache that hangs leaves enough to read without it.
SHARE_OF_DEADLINE = 0.25


class Entries(Protocol):
    """Where results are kept. A lease is what allows its holder to keep one, until the key is forgotten."""

    async def find(self, key: str) -> tuple[str | None, str]:
        """Return what is kept for a key; or None, and the lease to keep something, empty where another holds it."""

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        """Keep a text for a while, unless the lease is not valid any more."""

    async def release(self, key: str, lease: str) -> None:
        """Give a lease back without keeping anything."""

    async def forget(self, key: str) -> None:
        """Forget what is kept for a key; leases for it are not valid any more."""


@dataclass(frozen=True, slots=True)
class Kept[InputT: BaseModel, OutputT: BaseModel]:
    """How results of an operation are kept.

    Attributes:
        operation: Its name, for figures and logs.
        key: The key of an input; different inputs have different ones.
        output: The type of its output.
        ttl_seconds: How old a result may be.
    """

    operation: str
    key: Callable[[InputT], str]
    output: type[OutputT]
    ttl_seconds: float


def hashed(key: str, request: BaseModel) -> str:
    """Return a key that the hash of a whole input follows."""
    return f"{key}:{hashlib.sha256(request.model_dump_json().encode()).hexdigest()}"


class ReadThrough:
    """Keeps results of operations that only read. Whoever asks meanwhile waits for the one who reads."""

    def __init__(self, entries: Entries, metrics: MixinMetrics, *, wait_seconds: float = 3.0) -> None:
        """Keep nothing yet.

        Args:
            entries: Where results are kept.
            metrics: Where hits, misses and failures of the cache are counted.
            wait_seconds: How long another process may take that reads the same.
        """
        self._entries = entries
        self._metrics = metrics
        self._wait_seconds = wait_seconds
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._forgetting: set[asyncio.Task[None]] = set()

    def around[InputT: BaseModel, OutputT: BaseModel](
        self,
        kept: Kept[InputT, OutputT],
        handle: Handle[InputT, OutputT],
    ) -> Handle[InputT, OutputT]:
        """Return a handler that asks the cache first.

        Args:
            kept: How its results are kept.
            handle: The handler; what it raises is not kept.
        """
        operation = kept.operation

        @wraps(handle)
        async def cached(request: InputT) -> OutputT:
            name = kept.key(request)
            task: asyncio.Task[OutputT] | None = self._under_way.get(name)
            if task is None:
                task = asyncio.create_task(read(name, request))
                self._under_way[name] = task
                task.add_done_callback(partial(self._landed, name))
            else:
                self._count("cache_hit", operation)
            # Who is cancelled leaves the others their result.
            return await asyncio.shield(task)

        async def read(name: str, request: InputT) -> OutputT:
            text, lease = await self._find(name, operation)
            if text is not None:
                try:
                    known = kept.output.model_validate_json(text)
                except ValidationError:
                    # Of another version of the node, or not of this one at all.
                    await self._quietly(self._entries.forget(name), operation)
                    return await read_anew(name, request, "")
                self._count("cache_hit", operation)
                return known
            return await read_anew(name, request, lease)

        async def read_anew(name: str, request: InputT, lease: str) -> OutputT:
            self._count("cache_miss", operation)
            try:
                result = await handle(request)
            except BaseException:
                if lease:
                    await self._quietly(self._entries.release(name, lease), operation)
                raise
            if lease:
                text = result.model_dump_json()
                await self._quietly(self._entries.keep(name, text, lease, kept.ttl_seconds), operation)
            return result

        return cached

    def forgetting[InputT: BaseModel, OutputT: BaseModel](
        self,
        operation: str,
        handle: Handle[InputT, OutputT],
        keys: Callable[[InputT], Sequence[str]],
    ) -> Handle[InputT, OutputT]:
        """Return a handler after which results are not kept any more, whether it succeeds or not.

        Args:
            operation: The operation's name, for figures and logs.
            handle: Its handler.
            keys: The keys of what an input changes.
        """

        @wraps(handle)
        async def changed(request: InputT) -> OutputT:
            ended = False
            try:
                return await handle(request)
            except asyncio.CancelledError:
                ended = True
                raise
            finally:
                forgetting = self._forget(keys(request), operation)
                if not ended:
                    # A cache that hangs makes no failure of what was done; it goes on when nobody waits any more.
                    await asyncio.wait([forgetting], timeout=min(LONGEST_SECONDS, seconds_left() / 2))

        return changed

    def _forget(self, names: Sequence[str], operation: str) -> asyncio.Task[None]:
        async def forget() -> None:
            # It goes on when the operation's time is over.
            await asyncio.gather(
                *(self._quietly(self._entries.forget(name), operation, LONGEST_SECONDS) for name in names)
            )

        for name in names:
            # What is being read may be what was there before: those who ask from now on read anew.
            self._under_way.pop(name, None)
        forgetting = asyncio.create_task(forget())
        self._forgetting.add(forgetting)
        forgetting.add_done_callback(self._forgetting.discard)
        return forgetting

    async def _find(self, name: str, operation: str) -> tuple[str | None, str]:
        wait_seconds = min(self._wait_seconds, seconds_left() * SHARE_OF_DEADLINE)
        deadline = asyncio.get_running_loop().time() + wait_seconds
        pause = 0.005
        while True:
            found = await self._quietly(self._entries.find(name), operation)
            if found is None or found != (None, "") or asyncio.get_running_loop().time() >= deadline:
                return found or (None, "")
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.1)

    async def _quietly[T](self, call: Awaitable[T], operation: str, seconds: float | None = None) -> T | None:
        if seconds is None:
            seconds = min(LONGEST_SECONDS, seconds_left() * SHARE_OF_DEADLINE)
        # What becomes of the cache is nothing that the operation did.
        token = EFFECTS.set(Effects())
        try:
            async with asyncio.timeout(seconds):
                return await call
        except (ModelOnexError, TimeoutError) as error:
            self._count("cache_failure", operation)
            code = error.error_code if isinstance(error, ModelOnexError) else "TIMEOUT"
            emit_log_event_sync(EnumLogLevel.WARNING, "cache_failed", {"operation": operation, "error_code": str(code)})
            return None
        finally:
            EFFECTS.reset(token)

    def _count(self, what: str, operation: str) -> None:
        self._metrics.increment_counter(what, tags={"operation": operation})

    def _landed(self, name: str, task: asyncio.Task[Any]) -> None:
        if self._under_way.get(name) is task:
            del self._under_way[name]
        # Nobody may be left who waits for what went wrong.
        if not task.cancelled():
            task.exception()
