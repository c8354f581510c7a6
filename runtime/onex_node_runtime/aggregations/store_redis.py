# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Figures kept in Redis, shared by all processes of the node."""

from collections.abc import Mapping, Sequence

from ..adapters.adapter_redis import AdapterRedis
from .figure_store import KeptWindow, KnownFigures

# Scripts take effect as a whole. The first key is the sorted set of the events, by when they were counted; the others
# are hashes, one for each window.
LOAD = """\
local windows, seen = {}, {}
for i = 2, #KEYS do
    windows[i - 1] = {redis.call("HGET", KEYS[i], "state"), redis.call("HGET", KEYS[i], "version")}
end
for i = 1, #ARGV do
    seen[i] = redis.call("ZSCORE", KEYS[1], ARGV[i]) and 1 or 0
end
return {windows, seen}
"""
SAVE = """\
local count = #KEYS - 1
for i = 1, count do
    if (redis.call("HGET", KEYS[i + 1], "version") or "0") ~= ARGV[2 * i] then
        return 0
    end
end
for i = 2 * count + 1, #ARGV do
    if redis.call("ZSCORE", KEYS[1], ARGV[i]) then
        return 0
    end
end
for i = 1, count do
    redis.call("HSET", KEYS[i + 1], "state", ARGV[2 * i - 1], "version", ARGV[2 * i] + 1)
end
local now = redis.call("TIME")[1]
for i = 2 * count + 1, #ARGV do
    redis.call("ZADD", KEYS[1], now, ARGV[i])
end
return 1
"""


class FigureStoreRedis:
    """Keeps each window in a hash, and the events in a sorted set."""

    def __init__(self, redis: AdapterRedis, place: str) -> None:
        """Keep the adapter.

        Args:
            redis: The server.
            place: What its keys start with.
        """
        self._redis = redis
        self._place = place

    async def load(self, scope: str, names: Sequence[str], event_ids: Sequence[str]) -> KnownFigures:
        """Return what is known of windows and events."""
        keys = self._keys(scope, names)
        found, seen = await self._redis.send(["EVAL", LOAD, len(keys), *keys, *event_ids], idempotent=True)
        windows = {
            name: KeptWindow(state, int(version))
            for name, (state, version) in zip(names, found, strict=True)
            if state is not None
        }
        counted = (event_id for event_id, there in zip(event_ids, seen, strict=True) if there)
        return KnownFigures(windows, frozenset(counted))

    async def save(self, scope: str, windows: Mapping[str, KeptWindow], event_ids: Sequence[str]) -> bool:
        """Keep all windows and all events, or nothing, and return whether they are kept."""
        keys = self._keys(scope, list(windows))
        states = [word for window in windows.values() for word in (window.state, str(window.version))]
        # A script that ran twice finds the versions that the first run left, and the writer looks again.
        saved = await self._redis.send(
            ["EVAL", SAVE, len(keys), *keys, *states, *event_ids],
            idempotent=True,
        )
        return bool(saved)

    def _keys(self, scope: str, names: Sequence[str]) -> list[str]:
        # Braces keep all keys of a scope on the same server of a cluster.
        prefix = f"{{{self._place}:{scope}}}"
        return [f"{prefix}:events", *(f"{prefix}:window:{name}" for name in names)]
