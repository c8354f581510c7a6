# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What stores of states keep, and what they are asked."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

type Entity = UUID | str | int


@dataclass(frozen=True, slots=True)
class Move:
    """What an event did to an entity, which may be nothing.

    Attributes:
        trigger: What happened.
        previous_state: The state before.
        state: The state after.
    """

    trigger: str
    previous_state: str
    state: str

    @property
    def changed(self) -> bool:
        """Whether the state is another one than before."""
        return self.state != self.previous_state


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a store knows of an entity.

    Attributes:
        state: Its state; None for an entity that the store does not know.
        version: How many events it has seen; 0 for one that the store does not know.
        seen: What the event in question did, when it was seen before.
    """

    state: str | None
    version: int
    seen: Move | None


class StateStore(Protocol):
    """Where states are kept."""

    async def load(self, entity: Entity, event_id: str) -> Snapshot:
        """Return what is known of an entity, and of an event that may have been seen before."""

    async def save(self, entity: Entity, version: int, event_id: str, move: Move) -> bool:
        """Keep a move, and that the event was seen: both, or neither.

        Args:
            entity: The entity.
            version: The version that the move was made from.
            event_id: The event's identity.
            move: What the event does.

        Returns:
            False, and nothing is kept, when the entity has another version by now.
        """
