# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Keeps results by their inputs, so that the same input is worked out once."""

from collections import Counter
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, override

from omnibase_core.mixins import MixinCaching
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from pydantic import BaseModel


class ResultCache(MixinCaching):
    """ONEX's cache with an upper bound: beyond it, the least recently used result goes first.

    Results are kept as they are: they are frozen, and what leaves the node is a copy.
    """

    def __init__(self, metrics: MixinMetrics, *, ttl_seconds: int, max_entries: int, enabled: bool = True) -> None:
        """Keep no result yet.

        Args:
            metrics: Where hits and misses are counted.
            ttl_seconds: How long a result is kept.
            max_entries: How many results are kept at most.
            enabled: Whether results are kept at all.
        """
        super().__init__(default_ttl_seconds=ttl_seconds)
        self._metrics = metrics
        self._max_entries = max_entries
        self._enabled = enabled
        self._asked: Counter[str] = Counter()
        self._found: Counter[str] = Counter()

    def around[InputT: BaseModel, OutputT: BaseModel](
        self, operation: str, handle: Callable[[InputT], Coroutine[Any, Any, OutputT]]
    ) -> Callable[[InputT], Coroutine[Any, Any, OutputT]]:
        """Return a handler that asks the cache first.

        Args:
            operation: The operation's name, part of the key.
            handle: Its handler, a pure function of its input; what it raises is not kept.
        """
        if not self._enabled:
            return handle

        @wraps(handle)
        async def cached(request: InputT) -> OutputT:
            key = self.generate_cache_key([operation, request.model_dump(mode="json")])
            known: OutputT | None = await self.get_cached(key)
            self._count(operation, found=known is not None)
            if known is not None:
                return known
            output = await handle(request)
            await self.set_cached(key, output)
            return output

        return cached

    @override
    async def get_cached(self, cache_key: str) -> Any | None:
        value = await super().get_cached(cache_key)
        if value is not None:
            # Entries are in the order in which they were used.
            self._cache_data[cache_key] = self._cache_data.pop(cache_key)
        return value

    @override
    async def set_cached(self, cache_key: str, value: Any, ttl_seconds: int | None = None) -> None:
        await super().set_cached(cache_key, value, ttl_seconds)
        while len(self._cache_data) > self._max_entries:
            del self._cache_data[next(iter(self._cache_data))]

    def _count(self, operation: str, *, found: bool) -> None:
        self._asked[operation] += 1
        self._found[operation] += found
        tags = {"operation": operation}
        self._metrics.increment_counter("cache_hit" if found else "cache_miss", tags=tags)
        self._metrics.record_metric("cache_hit_ratio", self._found[operation] / self._asked[operation], tags)
