# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Results that all processes of a node keep together, in Redis.

A key holds a result, or for a while the lease of the one who reads it: so that one reads for all, and that what was
read before a change is not kept after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from ..adapters.adapter_redis import AdapterRedis

# A process that ended while it read keeps others waiting for so long.
LEASE_SECONDS = 5.0
_LEASE, _RESULT = "lease ", "result "
_KEEP = """\
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
"""
_RELEASE = """\
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class EntriesRedis:
    """Results in Redis, each under its key."""

    def __init__(self, redis: AdapterRedis) -> None:
        """Keep the adapter that results go through."""
        self._redis = redis

    async def find(self, key: str) -> tuple[str | None, str]:
        """Return what is kept for a key; or None, and the lease to keep something, empty where another holds it."""
        stored = await self._redis.send(["GET", key], idempotent=True)
        if isinstance(stored, str) and stored.startswith(_RESULT):
            return stored.removeprefix(_RESULT), ""
        if isinstance(stored, str) and stored.startswith(_LEASE):
            return None, ""
        lease = f"{_LEASE}{uuid4()}"
        # What stands there without being a result or a lease is another's, and stays.
        milliseconds = round(LEASE_SECONDS * 1000)
        taken = await self._redis.send(["SET", key, lease, "NX", "PX", milliseconds], idempotent=True)
        return None, lease if taken or stored is not None else ""

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        """Keep a text for a while, unless the lease is not valid any more."""
        milliseconds = max(1, round(ttl_seconds * 1000))
        await self._redis.send(["EVAL", _KEEP, 1, key, lease, f"{_RESULT}{text}", milliseconds], idempotent=True)

    async def release(self, key: str, lease: str) -> None:
        """Give a lease back without keeping anything."""
        await self._redis.send(["EVAL", _RELEASE, 1, key, lease], idempotent=True)

    async def forget(self, key: str) -> None:
        """Forget what is kept for a key; leases for it are not valid any more."""
        await self._redis.send(["DEL", key], idempotent=True)
