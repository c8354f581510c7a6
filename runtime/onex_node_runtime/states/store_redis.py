# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""States kept in Redis, shared by all processes of the node."""

import json
import re

from ..adapters.adapter_redis import AdapterRedis
from .move import Entity, Move, Snapshot

# How long an event is known when it is delivered again.
EVENT_SECONDS = 7 * 24 * 3600
_CLOSING = re.compile("}|%(?=25|7D)")
# Scripts take effect as a whole: no move without its event, and no event without its move.
LOAD = """\
return {
    redis.call("HGET", KEYS[1], "state"),
    redis.call("HGET", KEYS[1], "version"),
    redis.call("GET", KEYS[2])
}
"""
SAVE = """\
if (redis.call("HGET", KEYS[1], "version") or "0") ~= ARGV[1] then
    return 0
end
redis.call("HSET", KEYS[1], "state", ARGV[2], "version", ARGV[1] + 1)
redis.call("SET", KEYS[2], ARGV[3], "EX", ARGV[4])
return 1
"""


class StateStoreRedis:
    """Keeps each state in a hash, and what an event did under a key that goes away."""

    def __init__(self, redis: AdapterRedis, place: str) -> None:
        """Keep the adapter.

        Args:
            redis: The server.
            place: What its keys start with.
        """
        self._redis = redis
        self._place = place

    async def load(self, entity: Entity, event_id: str) -> Snapshot:
        """Return what is known of an entity, and of an event that may have been seen before."""
        state, version, event = await self._redis.send(
            ["EVAL", LOAD, 2, *self._keys(entity, event_id)],
            idempotent=True,
        )
        if state is None:
            return Snapshot(None, 0, None)
        return Snapshot(state, int(version), None if event is None else Move(*json.loads(event)))

    async def save(self, entity: Entity, version: int, event_id: str, move: Move) -> bool:
        """Keep a move, and that the event was seen; false when the entity has another version by now."""
        event = json.dumps([move.trigger, move.previous_state, move.state])
        # A script that ran twice finds the version that the first run left, and the writer looks again.
        saved = await self._redis.send(
            ["EVAL", SAVE, 2, *self._keys(entity, event_id), version, move.state, event, EVENT_SECONDS],
            idempotent=True,
        )
        return bool(saved)

    def _keys(self, entity: Entity, event_id: str) -> tuple[str, str]:
        # Braces keep both keys on the same server of a cluster; the first that closes ends the entity.
        name = _CLOSING.sub(lambda found: "%7D" if found[0] == "}" else "%25", str(entity))
        key = f"{self._place}:{{{name}}}"
        return key, f"{key}:{event_id}"
