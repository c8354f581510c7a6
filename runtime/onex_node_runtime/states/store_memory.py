# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""States kept in the process, and lost with it."""

from collections import OrderedDict
from dataclasses import dataclass, field

from .move import Entity, Move, Snapshot

# Events of one entity that are known when they are delivered again; the oldest are forgotten first.
MOST_EVENTS = 1000


@dataclass(slots=True)
class Remembered:
    """One entity: its state, its version, and what its latest events did."""

    state: str | None = None
    version: int = 0
    seen: OrderedDict[str, Move] = field(default_factory=OrderedDict)


class StateStoreMemory:
    """Keeps states in memory: for one process, and for as long as it runs."""

    def __init__(self) -> None:
        """Start without entities."""
        self._entities: dict[Entity, Remembered] = {}

    async def load(self, entity: Entity, event_id: str) -> Snapshot:
        """Return what is known of an entity, and of an event that may have been seen before."""
        known = self._entities.get(entity) or Remembered()
        return Snapshot(known.state, known.version, known.seen.get(event_id))

    async def save(self, entity: Entity, version: int, event_id: str, move: Move) -> bool:
        """Keep a move, and that the event was seen; false when the entity has another version by now."""
        known = self._entities.setdefault(entity, Remembered())
        if known.version != version:
            return False
        known.state = move.state
        known.version += 1
        known.seen[event_id] = move
        if len(known.seen) > MOST_EVENTS:
            known.seen.popitem(last=False)
        return True
