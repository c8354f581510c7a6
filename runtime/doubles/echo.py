# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""What stands in for the handler of a node, where tests are about what is around it."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import pytest
from omnibase_core.errors import ModelOnexError


class Echo:
    """Answers every request with its payload, or fails.

    Attributes:
        error: What each request fails with; None for nothing.
        calls: How many requests there were.
        operations: What those asked for that were understood.
        released: Requests are answered once it is set; None for at once.
    """

    def __init__(self, respond: Callable[..., object]) -> None:
        self._respond = respond
        self.error: ModelOnexError | None = None
        self.calls = 0
        self.operations: list[str] = []
        self.released: asyncio.Event | None = None

    @classmethod
    def in_place_of(
        cls, monkeypatch: pytest.MonkeyPatch, handler: type[object], respond: Callable[..., object]
    ) -> Self:
        """Return one that takes the requests of all handlers of a class; `respond` makes answers."""
        echo = cls(respond)
        monkeypatch.setattr(handler, "handle", echo.handle)
        return echo

    async def handle(self, request: Any) -> object:
        """Take a request."""
        self.calls += 1
        self.operations.append(request.operation)
        if self.released is not None:
            await self.released.wait()
        if self.error is not None:
            raise self.error
        result = {"echo": request.payload}
        return self._respond(operation=request.operation, result=result, correlation_id=request.correlation_id)
