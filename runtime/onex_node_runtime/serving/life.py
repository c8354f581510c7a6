# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How a service's process begins and ends, whatever its node waits for meanwhile."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Protocol

from .intake import Intake

# A start that takes longer goes on while the service already tells that it is alive.
PATIENCE_SECONDS = 1.0
# What is still open after the time to drain has so long to close; then the process ends with it.
END_SECONDS = 4.5


class ServedNode(Protocol):
    """A node, as the application sees it."""

    async def initialize(self) -> None:
        """Open what it needs."""

    async def shutdown(self) -> None:
        """Close it."""


class Life:
    """The time for which a node runs, from its initialization to its shutdown.

    Attributes:
        started: Whether the node is initialized.
        failure: What its initialization ended in; None for nothing.
        intake: What brings work beside requests; None before the node is initialized.
    """

    def __init__(self, node: ServedNode, intake: Callable[[], Intake]) -> None:
        """Keep what it is the life of; nothing happens before `begin`.

        Args:
            node: The node, not initialized.
            intake: Makes what brings work beside requests; the node is initialized then.
        """
        self.started = False
        self.failure: Exception | None = None
        self.intake: Intake | None = None
        self._node = node
        self._make_intake = intake
        self._begun = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Initialize the node, and wait for that as long as patience lasts; then it goes on by itself.

        Raises:
            Exception: What the node raises meanwhile; what it raises later is its `failure`.
        """
        self._task = asyncio.create_task(self._live())
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait({self._task, begun}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._task.done():
            self._task.result()

    async def end(self) -> None:
        """Shut the node down, or give its initialization up."""
        if self._task is None:
            return
        self._ending.set()
        if not self.started:
            self._task.cancel()
        await asyncio.wait([self._task])
        if self.failure is None and not self._task.cancelled():
            self._task.result()

    async def _live(self) -> None:
        try:
            try:
                await self._node.initialize()
            except Exception as error:
                self.failure = error
                raise
            async with self._make_intake() as self.intake:
                self.started = True
                self._begun.set()
                await self._ending.wait()
        finally:
            await self._node.shutdown()


type LifeOrNone = Life | None


class LastResort:
    """Ends the process where a thread, a library or a peer that hangs would keep it from ending in order.

    Attributes:
        status: The exit status that it ends with: 1 until all that matters is done.
    """

    def __init__(self, seconds: float) -> None:
        """Keep the time; it runs from `arm` on.

        Args:
            seconds: How long an end in order may take.
        """
        self.status = 1
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def arm(self) -> None:
        """Let the time run; does nothing when it runs."""
        if not self._timer.is_alive():
            self._timer.start()

    def _end(self) -> None:
        os._exit(self.status)
