# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Results that one process keeps in its memory."""

import time
from uuid import uuid4


class EntriesMemory:
    """Results in memory; beyond an upper bound, the least recently used goes first."""

    def __init__(self, max_entries: int) -> None:
        """Keep nothing yet.

        Args:
            max_entries: How many results are kept at most.
        """
        self._max_entries = max_entries
        # In the order in which they were used: the text, and when it is to be forgotten.
        self._kept: dict[str, tuple[str, float]] = {}
        self._leases: dict[str, str] = {}

    async def find(self, key: str) -> tuple[str | None, str]:
        """Return what is kept for a key; or None, and the lease to keep something."""
        if (entry := self._kept.pop(key, None)) and entry[1] > time.monotonic():
            self._kept[key] = entry
            return entry[0], ""
        # One who reads in the same process is waited for already; who still reads what was forgotten keeps nothing.
        self._leases[key] = lease = str(uuid4())
        return None, lease

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        """Keep a text for a while, unless the lease is not valid any more."""
        if self._leases.get(key) != lease:
            return
        del self._leases[key]
        self._kept[key] = text, time.monotonic() + ttl_seconds
        while len(self._kept) > self._max_entries:
            del self._kept[next(iter(self._kept))]

    async def release(self, key: str, lease: str) -> None:
        """Give a lease back without keeping anything."""
        if self._leases.get(key) == lease:
            del self._leases[key]

    async def forget(self, key: str) -> None:
        """Forget what is kept for a key; leases for it are not valid any more."""
        self._kept.pop(key, None)
        self._leases.pop(key, None)
