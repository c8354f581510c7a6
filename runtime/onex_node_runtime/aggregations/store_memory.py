# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Figures kept in the process, and lost with it."""

from collections.abc import Mapping, Sequence

from .figure_store import KeptWindow, KnownFigures


class FigureStoreMemory:
    """Keeps figures in memory: for one process, and for as long as it runs."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._windows: dict[tuple[str, str], KeptWindow] = {}
        self._seen: set[tuple[str, str]] = set()

    async def load(self, scope: str, names: Sequence[str], event_ids: Sequence[str]) -> KnownFigures:
        """Return what is known of windows and events."""
        windows = {name: self._windows[scope, name] for name in names if (scope, name) in self._windows}
        return KnownFigures(windows, frozenset(found for found in event_ids if (scope, found) in self._seen))

    async def save(self, scope: str, windows: Mapping[str, KeptWindow], event_ids: Sequence[str]) -> bool:
        """Keep all windows and all events, or nothing, and return whether they are kept."""
        known = await self.load(scope, list(windows), event_ids)
        versions = {name: window.version for name, window in known.windows.items()}
        if known.seen or any(window.version != versions.get(name, 0) for name, window in windows.items()):
            return False
        for name, window in windows.items():
            self._windows[scope, name] = KeptWindow(window.state, window.version + 1)
        self._seen.update((scope, event_id) for event_id in event_ids)
        return True
