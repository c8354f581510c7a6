# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Turns of requests that come by the thousand, and room for those that are large."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from .admission import RefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Begun in one round of the event loop: some hundredths of a second.
MOST_PER_ROUND = 64
# How long a large request waits for others: for room, and for its turn to be read.
PATIENCE_SECONDS = 0.5
# What members and items of JSON, and objects, take in memory, roughly.
_MEMBER_BYTES, _OBJECT_BYTES = 128, 512


class Turns:
    """Lets a few requests begin in each round of the event loop, so that a thousand keep no probe waiting."""

    def __init__(self, app: "ASGIApp") -> None:
        """Keep the application."""
        self._app = app
        self._left = MOST_PER_ROUND
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request in its turn; `/health` is answered at once."""
        if scope["type"] == "http" and scope["path"] != "/health":
            await self._turn()
        await self._app(scope, receive, send)

    async def _turn(self) -> None:
        if self._left == MOST_PER_ROUND:
            asyncio.get_running_loop().call_soon(self._next_round)
        if self._left > 0:
            self._left -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _next_round(self) -> None:
        self._left = MOST_PER_ROUND
        while self._waiting and self._left > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                self._left -= 1
                turn.set_result(None)
        if self._left < MOST_PER_ROUND:
            asyncio.get_running_loop().call_soon(self._next_round)


class Budget:
    """Bytes that requests, or answers, may hold together, so that many large ones don't exhaust the memory."""

    def __init__(self, limit: int, refusal: str) -> None:
        """Begin with nothing held.

        Args:
            limit: The bytes; a single one that is larger is let in while it is alone.
            refusal: What those are told that there is no room for.
        """
        self._limit = limit
        self._refusal = refusal
        self._held = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes for as long as the context lasts, after a short wait where others hold them.

        Raises:
            RefusedError: There is no room for them soon.
        """
        if not self._has(size):
            await self._wait(size)
        self._held += size
        try:
            yield
        finally:
            self._held -= size
            async with self._freed:
                self._freed.notify_all()

    async def _wait(self, size: int) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._freed:
                await self._freed.wait_for(lambda: self._has(size))
        except TimeoutError:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, self._refusal) from None

    def _has(self, size: int) -> bool:
        return self._held == 0 or self._held + size <= self._limit


def weight_of(body: bytes) -> int:
    """Return about how many bytes a body of JSON takes in memory once it is read: far more than it has."""
    members = body.count(b",") + body.count(b"[")
    return 2 * len(body) + members * _MEMBER_BYTES + body.count(b"{") * _OBJECT_BYTES
