# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""A stand-in for everything that a node talks to."""

from typing import Self

import pytest
from omnibase_core.errors import ModelOnexError


class FakeWorld:
    """Answers when adapters open, are checked and close; with `error` set, it is away."""

    def __init__(self) -> None:
        self.error: ModelOnexError | None = None
        self.opened = 0
        self.closed = 0

    @classmethod
    def in_place_of(cls, monkeypatch: pytest.MonkeyPatch, *adapters: type[object]) -> Self:
        """Return one that answers in place of classes of adapters."""
        world = cls()
        for adapter in adapters:
            monkeypatch.setattr(adapter, "open", world.open)
            monkeypatch.setattr(adapter, "check", world.check)
            monkeypatch.setattr(adapter, "close", world.close)
        return world

    async def open(self) -> None:
        """Open, unless it is away."""
        self.opened += 1
        await self.check()

    async def check(self) -> None:
        """Give a sign of life, unless it is away."""
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """Close."""
        self.closed += 1
