# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Everything outside that a node talks to, opened, asked and closed together."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

type Figure = tuple[str, float, dict[str, str]]
"""A gauge: name, value and tags."""

type AdaptersOrNone = AdapterGroup | None
"""What a node talks to; None for nothing."""

# With the goodbye of a consumer it ends before the process does by force.
CLOSE_SECONDS = 3.2
# Readiness is asked for more often than that.
KNOWN_SECONDS = 60.0
# What a dependency that is away answers with; everything else is wrong with the node itself.
AWAY = frozenset(
    {
        EnumCoreErrorCode.CONFIGURATION_NOT_FOUND,
        EnumCoreErrorCode.DATABASE_CONNECTION_ERROR,
        EnumCoreErrorCode.NETWORK_ERROR,
        EnumCoreErrorCode.SERVICE_UNAVAILABLE,
        EnumCoreErrorCode.TIMEOUT,
    }
)


class Adapter(Protocol):
    """What adapters have in common."""

    async def open(self) -> None:
        """Connect; does nothing when connected."""

    async def close(self) -> None:
        """Let go of every connection."""

    async def check(self) -> None:
        """Ask for a sign of life, within the time of a health check."""

    def figures(self) -> list[Figure]:
        """Return what is measured of it."""


class AdapterGroup:
    """A node's adapters; each connects by itself with the first call, so one that is away blocks no other."""

    def __init__(self, **adapters: Adapter) -> None:
        """Keep the adapters; nothing is opened before `open` or the first call.

        Args:
            adapters: The adapters, by the names that health reports have for them.
        """
        self.by_name = adapters
        self._asked_at = -math.inf
        self._away: frozenset[str] = frozenset()

    async def open(self) -> dict[str, ModelOnexError]:
        """Connect all of them, side by side.

        Returns:
            The errors of those that are away, by name; they connect with the first call after they are back.

        Raises:
            ModelOnexError: When one is not away but wrong, such as a URL that is none or a migration that fails.
        """
        failures = await self._ask({name: adapter.open() for name, adapter in self.by_name.items()})
        for error in failures.values():
            if error.error_code not in AWAY:
                await self.close()
                raise error
        return failures

    async def close(self) -> None:
        """Close all of them, side by side; one that hangs is left to the end of the process."""

        async def close(adapter: Adapter) -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(adapter.close(), CLOSE_SECONDS)

        await asyncio.gather(*(close(adapter) for adapter in self.by_name.values()))

    async def check(self) -> dict[str, ModelOnexError]:
        """Ask all of them for a sign of life, side by side.

        Returns:
            The errors of those that gave none, by name.
        """
        return await self._ask({name: adapter.check() for name, adapter in self.by_name.items()})

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        # What was found long ago says nothing of now.
        known = time.monotonic() - self._asked_at < KNOWN_SECONDS
        health: list[Figure] = [
            ("dependency_up", float(name not in self._away) if known else math.nan, {"dependency": name})
            for name in self.by_name
        ]
        return [*health, *(figure for adapter in self.by_name.values() for figure in adapter.figures())]

    async def _ask(self, calls: Mapping[str, Coroutine[object, object, None]]) -> dict[str, ModelOnexError]:
        answers = await asyncio.gather(*calls.values(), return_exceptions=True)
        failures: dict[str, ModelOnexError] = {}
        for name, answer in zip(calls, answers, strict=True):
            if isinstance(answer, ModelOnexError):
                failures[name] = answer
            elif isinstance(answer, BaseException):
                raise answer
        self._asked_at, self._away = time.monotonic(), frozenset(failures)
        return failures
