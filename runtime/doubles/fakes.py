# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""A pool of connections that answers as it is told, and remembers what happened to it."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter
from typing import Self

import pytest


class FakeBus:
    """Takes events, and remembers their topics."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        assert envelope is not None
        self.topics.append(topic)


class FakeTransaction:
    """A transaction that records its end; without an isolation level it is a savepoint of another."""

    def __init__(self, pool: "FakePool", isolation: str) -> None:
        self._pool = pool
        self._isolation = isolation

    async def start(self) -> None:
        self._pool.log.append(f"BEGIN {self._isolation}" if self._isolation else "SAVEPOINT")

    async def commit(self) -> None:
        self._pool.log.append("COMMIT" if self._isolation else "RELEASE SAVEPOINT")
        if self._isolation and self._pool.commit_errors:
            raise self._pool.commit_errors.pop(0)

    async def rollback(self) -> None:
        self._pool.log.append("ROLLBACK" if self._isolation else "ROLLBACK TO SAVEPOINT")


class FakeConnection:
    """A connection whose statements take their results from the pool."""

    def __init__(self, pool: "FakePool") -> None:
        self._pool = pool

    def transaction(self, isolation: str = "") -> FakeTransaction:
        return FakeTransaction(self._pool, isolation)

    async def fetchrow(self, query: str, *arguments: object) -> object:
        await self._pool.stalled.wait()
        return self._pool.answer(query, arguments)

    fetch = fetchrow
    fetchval = fetchrow
    execute = fetchrow


class FakePool:
    """Stands in for asyncpg's pool.

    Attributes:
        results: What the next statements return, or raise when it is an exception.
        commit_errors: What the next commits raise.
        log: What was done, in order.
        calls: Statements with their arguments.
        stalled: Statements get no answer while it is clear.
        release_error: What each connection raises that is given back.
        free: Set while no connection is out.
    """

    def __init__(self) -> None:
        self.results: list[object] = []
        self.commit_errors: list[Exception] = []
        self.log: list[str] = []
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.stalled = asyncio.Event()
        self.stalled.set()
        self.release_error: Exception | None = None
        self.free = asyncio.Event()
        self.closed = False
        self.terminated = False

    @classmethod
    def in_place_of_asyncpg(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Return one that asyncpg gives to whoever asks it for a pool."""
        pool = cls()

        async def create_pool(**_options: object) -> Self:
            return pool

        monkeypatch.setattr("asyncpg.create_pool", create_pool)
        return pool

    def was_given(self, request: object, names: Sequence[str]) -> bool:
        """Tell whether the one statement was given fields of an input, in order; an empty name stands for anything."""
        ((_, arguments),) = self.calls
        given = zip(names, arguments, strict=True)
        return all(not name or argument == attrgetter(name)(request) for name, argument in given)

    def answer(self, query: str, arguments: tuple[object, ...]) -> object:
        self.calls.append((query, arguments))
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result

    async def acquire(self, timeout: float | None = None) -> FakeConnection:
        self.free.clear()
        return FakeConnection(self)

    async def release(self, connection: FakeConnection, timeout: float) -> None:
        self.free.set()
        if self.release_error is not None:
            raise self.release_error

    async def close(self) -> None:
        self.closed = True

    def terminate(self) -> None:
        self.terminated = True
