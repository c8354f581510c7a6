# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where figures are kept that go on from batch to batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptWindow:
    """What is known of the events of one window and group.

    Attributes:
        state: The partial results, as JSON.
        version: How often it was kept; 0 for one that is not kept yet.
    """

    state: str
    version: int


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """What a store knows of some windows and events.

    Attributes:
        windows: Those that are kept, by name.
        seen: The ids of the events that were counted.
    """

    windows: Mapping[str, KeptWindow]
    seen: frozenset[str]


class FigureStore(Protocol):
    """Keeps figures, and which events were counted in them: both, or neither."""

    async def load(self, scope: str, names: Sequence[str], event_ids: Sequence[str]) -> KnownFigures:
        """Return what is known.

        Args:
            scope: Which figures: names and ids of others are their own.
            names: The windows, each once, in their order.
            event_ids: The events, each once.
        """

    async def save(self, scope: str, windows: Mapping[str, KeptWindow], event_ids: Sequence[str]) -> bool:
        """Keep all windows and all events, or nothing.

        Args:
            scope: Which figures.
            windows: What is to be kept, by name, each with the version that it was made from.
            event_ids: The events that are counted in them, each once.

        Returns:
            False, and nothing is kept, when a window has another version by now or an event was counted.
        """
