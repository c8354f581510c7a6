# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What events are published on."""

from typing import Protocol


class EventBus(Protocol):
    """The part of ONEX's event buses that events need."""

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        """Publish one envelope to a topic."""
