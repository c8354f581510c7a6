# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What brings work to a node beside requests."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from .hosted import HostedNode

# Each pause varies by this part of it, so that instances which start together spread out.
SCHEDULE_JITTER = 0.1
# The clock is asked again after so long, where an operation runs at times of the calendar.
LONGEST_SLEEP_SECONDS = 60.0
# How long others are waited for that are told of the end.
GOODBYE_SECONDS = 2.0


type Pause = float | Callable[[], float]
"""Seconds, or what tells them."""


class Source(Protocol):
    """Something that brings work."""

    def start(self) -> None:
        """Bring work from now on."""

    async def stop(self) -> None:
        """Bring no more, and wait for what is under way until the deadline."""


class Schedules[OperationT]:
    """Runs operations by themselves, again and again."""

    def __init__(
        self,
        schedules: Mapping[OperationT, Pause],
        call: Callable[[OperationT], Awaitable[object]],
        drain_seconds: float,
    ) -> None:
        """Keep what is run; nothing is before `start`.

        Args:
            schedules: Operations, each with the seconds between two runs, or with what tells those until the next.
            call: Runs one.
            drain_seconds: How long runs may take at the end.
        """
        self._schedules = schedules
        self._call = call
        self._drain_seconds = drain_seconds
        self._closing = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    @classmethod
    def of(cls, node: HostedNode[Any], schedules: Mapping[OperationT, Pause]) -> Self:
        """Return what runs operations of a node by themselves, without an input.

        Args:
            node: The node.
            schedules: Operations, each with the seconds between two runs, or with what tells those until the next.
        """

        def call(operation: OperationT) -> Awaitable[object]:
            return node.handle(node.request_model(operation=operation))

        return cls(schedules, call, node.settings.service_drain_seconds)

    def start(self) -> None:
        """Run them from now on."""
        self.tasks = [asyncio.create_task(self._repeat(*schedule)) for schedule in self._schedules.items()]

    async def stop(self) -> None:
        """Run none again, and wait for those under way until the deadline."""
        self._closing.set()
        if not self.tasks:
            return
        _, late = await asyncio.wait(self.tasks, timeout=self._drain_seconds)
        for task in late:
            task.cancel()

    async def _repeat(self, operation: OperationT, pause: Pause) -> None:
        while not await self._closed_before(pause):
            # The failure is logged and counted where it happens; the next run is not affected.
            with contextlib.suppress(ModelOnexError):
                await self._call(operation)

    async def _closed_before(self, pause: Pause) -> bool:
        if not callable(pause):
            return await self._closed_within(pause * random.uniform(1 - SCHEDULE_JITTER, 1 + SCHEDULE_JITTER))  # noqa: S311 - no secret
        # Looked at again now and then: clocks are set, and machines sleep.
        while (seconds := pause()) > LONGEST_SLEEP_SECONDS:
            if await self._closed_within(LONGEST_SLEEP_SECONDS):
                return True
        return await self._closed_within(seconds)

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Invocations:
    """Work that arrives over the bus, taken by a loop that a library runs."""

    def __init__(self, begin: Callable[[], Awaitable[object]], end: Callable[[], Awaitable[object]]) -> None:
        """Keep what begins and ends the loop.

        Args:
            begin: Returns when the loop has ended.
            end: Lets it end.
        """
        self._begin = begin
        self._end = end
        self._loop: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Begin the loop."""
        self._loop = asyncio.ensure_future(self._begin())

    async def stop(self) -> None:
        """End it."""
        await self._end()
        if self._loop is not None:
            await asyncio.wait([self._loop])


class Intake:
    """What brings work to the node beside requests: open while the service runs, and closed before it drains."""

    def __init__(
        self, sources: Sequence[Source] = (), announced: contextlib.AbstractAsyncContextManager[object] | None = None
    ) -> None:
        """Prepare it.

        Args:
            sources: What brings work.
            announced: Tells others of the service for as long as it lasts.
        """
        self._sources = sources
        self._announced = announced
        self._open = contextlib.AsyncExitStack()
        self._ends: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Take work, and tell others so."""
        for source in self._sources:
            source.start()
        if self._announced is not None:
            await self._open.enter_async_context(self._announced)
        return self

    async def close(self) -> None:
        """Tell others that the service ends, then take no more work; what is under way goes on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._open.aclose()
        if not self._ends:
            self._ends = [asyncio.create_task(source.stop()) for source in self._sources]

    async def __aexit__(self, *_error: object) -> None:
        """Wait for what is under way, until the deadline."""
        await self.close()
        await asyncio.gather(*self._ends)
