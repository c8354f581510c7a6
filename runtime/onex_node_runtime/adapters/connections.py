# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Turns at the connections to one integration: all of them in use is a busy node, and no outage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..effects import seconds_left

if TYPE_CHECKING:
    from .group import Figure

# However long an answer may take: whoever waits longer is better told to come again.
PATIENCE_SECONDS = 5.0
# Beside those of calls, so that a sign of life waits for none of them.
FOR_CHECKS = 1


class Connections:
    """Lets as many calls through as there are connections; the others wait for their turn, in their order.

    That is not left to the clients' pools: they end a wait that was too long as they end an outage.
    """

    def __init__(self, integration: str, most: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Begin with all of them free.

        Args:
            integration: What they lead to, for messages.
            most: How many calls may have one at once.
            patience_seconds: How long a call waits for its turn; never more than half of the time that its operation
                has left, and never more than 5 s.
        """
        self._integration = integration
        self._most = most
        self._held = 0
        self._free = asyncio.Semaphore(most)
        self._patience_seconds = min(patience_seconds, PATIENCE_SECONDS)
        self._kept = 0

    async def __aenter__(self) -> None:
        """Hold one, whichever it is, for as long as the context lasts.

        Raises:
            ModelOnexError: SERVICE_UNAVAILABLE when none gets free in time.
        """
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self._held += 1

    async def __aexit__(self, *_error: object) -> None:
        """Let it go, or leave that to what makes it fit for the next call."""
        if self._kept:
            self._kept -= 1
        else:
            self._let_go()

    def keep(self, cleaning: asyncio.Task[None]) -> None:
        """Hold the one of the turn that is about to end until a task is done, too.

        Args:
            cleaning: What makes the connection fit for the next call.
        """
        self._kept += 1
        cleaning.add_done_callback(lambda _done: self._let_go())

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        tags = {"integration": self._integration}
        return [
            ("pool_connections_in_use", float(self._held), tags),
            ("pool_connections_max", float(self._most), tags),
        ]

    def _let_go(self) -> None:
        self._held -= 1
        self._free.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(min(self._patience_seconds, seconds_left() / 2)):
                await self._free.acquire()
        except TimeoutError:
            raise ModelOnexError(
                message=f"All connections to {self._integration} are in use.",
                error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
                integration=self._integration,
            ) from None
