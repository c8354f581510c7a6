# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs kept in Redis, shared by all processes of the node."""

from uuid import UUID

from ..adapters.adapter_redis import AdapterRedis
from .run import Run, load
from .run_store import Lease

# How long a finished run is known when the same request comes again.
FINISHED_SECONDS = 7 * 24 * 3600
# Scripts take effect as a whole.
NOW = """\
local time = redis.call("TIME")
local now = time[1] + time[2] / 1000000
"""
CLAIM = f"""\
{NOW}
local finished = redis.call("HGET", KEYS[1], "finished")
if finished == "1" then
    return redis.call("HGET", KEYS[1], "state")
end
if not finished then
    redis.call("HSET", KEYS[1], "state", ARGV[2], "finished", "0")
elseif redis.call("HGET", KEYS[1], "token") ~= ARGV[3] and redis.call("ZSCORE", KEYS[2], ARGV[1]) + 0 > now then
    return false
end
redis.call("HSET", KEYS[1], "token", ARGV[3])
redis.call("ZADD", KEYS[2], now + ARGV[4], ARGV[1])
return redis.call("HGET", KEYS[1], "state")
"""
CLAIM_ABANDONED = f"""\
{NOW}
local run_id = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now, "LIMIT", 0, 1)[1]
if not run_id then
    return false
end
local state = redis.call("HGET", ARGV[1] .. run_id, "state")
if not state then
    redis.call("ZREM", KEYS[1], run_id)
    return false
end
redis.call("HSET", ARGV[1] .. run_id, "token", ARGV[2])
redis.call("ZADD", KEYS[1], now + ARGV[3], run_id)
return state
"""
SAVE = f"""\
{NOW}
if redis.call("HGET", KEYS[1], "token") ~= ARGV[2] then
    return 0
end
redis.call("HSET", KEYS[1], "state", ARGV[3], "finished", ARGV[4])
if ARGV[4] == "1" then
    redis.call("ZREM", KEYS[2], ARGV[1])
    redis.call("EXPIRE", KEYS[1], ARGV[6])
else
    redis.call("ZADD", KEYS[2], now + ARGV[5], ARGV[1])
end
return 1
"""
RENEW = f"""\
{NOW}
if redis.call("HGET", KEYS[1], "token") ~= ARGV[2] then
    return 0
end
redis.call("ZADD", KEYS[2], "XX", now + ARGV[3], ARGV[1])
return 1
"""
RELEASE = """\
if redis.call("HGET", KEYS[1], "token") == ARGV[2] then
    redis.call("HSET", KEYS[1], "token", "")
    redis.call("ZADD", KEYS[2], "XX", 0, ARGV[1])
end
"""


class RunStoreRedis:
    """Keeps each run in a hash, and the unfinished ones in a sorted set."""

    def __init__(self, redis: AdapterRedis, place: str) -> None:
        """Keep the adapter.

        Args:
            redis: The server.
            place: What its keys start with.
        """
        self._redis = redis
        # Braces keep all keys on the same server of a cluster.
        self._prefix = f"{{{place}}}"
        # Unfinished runs, each with when its lease ends, in seconds of the server's clock.
        self._unfinished = f"{self._prefix}:unfinished"

    async def claim(self, run: Run, lease: Lease) -> Run | None:
        """Take a run, which is kept from now on; None when somebody else has it."""
        state = await self._redis.send(
            ["EVAL", CLAIM, 2, *self._keys(run.run_id), str(run.run_id), run.dump(), str(lease.token), lease.seconds],
            idempotent=True,
        )
        return None if state is None else load(state)

    async def claim_abandoned(self, lease: Lease) -> Run | None:
        """Take a run that is not finished and that nobody has; None when there is none."""
        state = await self._redis.send(
            ["EVAL", CLAIM_ABANDONED, 1, self._unfinished, self._key(""), str(lease.token), lease.seconds],
            # A second attempt would take a second run.
            idempotent=False,
        )
        return None if state is None else load(state)

    async def save(self, run: Run, lease: Lease) -> bool:
        """Keep a run as it is, and renew the lease, or end it for one that is finished; false for a lost lease."""
        held = (str(run.run_id), str(lease.token))
        kept = (run.dump(), int(run.finished), lease.seconds, FINISHED_SECONDS)
        saved = await self._redis.send(
            ["EVAL", SAVE, 2, *self._keys(run.run_id), *held, *kept],
            idempotent=True,
        )
        return bool(saved)

    async def renew(self, run_id: UUID, lease: Lease) -> bool:
        """Renew the lease; false for a lost one."""
        renewed = await self._redis.send(
            ["EVAL", RENEW, 2, *self._keys(run_id), str(run_id), str(lease.token), lease.seconds],
            idempotent=True,
        )
        return bool(renewed)

    async def release(self, run_id: UUID, lease: Lease) -> None:
        """End the lease of a run that is not finished, so that anybody may go on with it at once."""
        await self._redis.send(
            ["EVAL", RELEASE, 2, *self._keys(run_id), str(run_id), str(lease.token)],
            idempotent=True,
        )

    def _keys(self, run_id: UUID) -> tuple[str, str]:
        return self._key(str(run_id)), self._unfinished

    def _key(self, run_id: str) -> str:
        return f"{self._prefix}:run:{run_id}"
