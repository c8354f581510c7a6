"""Servers and resolvers that hang: answers keep to their deadlines, /health is awake, and the process ends in time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.faults.harness import OK, UNAVAILABLE, Figures, Process, Projects, Scale, running, until
from tests.faults.ledger import CONTRACT, SETTINGS, Ledger, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow
DEADLINE_SECONDS = 2.0
GRACE_SECONDS = 1.0
DRAIN_SECONDS = 1.0
END_SECONDS = 5.0
# What a loaded machine may add to anything.
LOAD_SECONDS = 2.0
FAILURES = 2
BREAKER = {"CIRCUIT_BREAKER_FAILURE_THRESHOLD": str(FAILURES), "CIRCUIT_BREAKER_RECOVERY_SECONDS": "20"}
# A resolver that knows no name for a while.
HANGING_RESOLVER = """\
import socket, time
_known = socket.getaddrinfo
def getaddrinfo(host, *arguments, **named):
    if host == "hanging.invalid":
        time.sleep(60)
    return _known(host, *arguments, **named)
socket.getaddrinfo = getaddrinfo
"""


class Stopwatch:
    """The longest of some times, in seconds."""

    def __init__(self) -> None:
        """Begin with none."""
        self.longest = 0.0

    @asynccontextmanager
    async def timed(self) -> AsyncIterator[None]:
        """Take the time of a context."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.longest = max(self.longest, time.monotonic() - started)


@asynccontextmanager
async def health(process: Process, silence: Stopwatch) -> AsyncIterator[None]:
    """Ask for /health again and again for as long as the context lasts."""

    async def ask() -> None:
        while True:
            async with silence.timed():
                assert (await process.client.get("/health")).status_code == OK
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def call(process: Process, operation: str, figures: Figures, watch: Stopwatch) -> int:
    """Call an operation, and take the time of its answer."""
    async with watch.timed():
        return await process.call(operation, {"entry_id": str(uuid4())}, figures)


async def end(process: Process, figures: Figures, name: str) -> None:
    """Tell the process to end, and note how long that took."""
    started = time.monotonic()
    process.terminate()
    status = await process.ended()
    figures.facts[name] = f"{time.monotonic() - started:.1f} s, status {status}"
    assert time.monotonic() - started < DRAIN_SECONDS + END_SECONDS + LOAD_SECONDS, figures


async def stalled(place: Ledger, figures: Figures, watch: Stopwatch, silence: Stopwatch) -> None:
    """Call every operation while its server hangs, until the circuit breakers are open."""
    process = place.process
    operations = list(place.proxies)
    async with health(process, silence):
        for _ in range(FAILURES):
            await asyncio.gather(*(call(process, operation, figures, watch) for operation in operations))
        refusals = Stopwatch()
        answers = [await call(process, operation, figures, refusals) for operation in operations]
        assert answers == [UNAVAILABLE] * len(operations), figures
        figures.facts["longest refusal"] = f"{refusals.longest:.2f} s"
        assert await call(process, "write_entry", figures, refusals) == OK
        assert refusals.longest < DEADLINE_SECONDS / 2, figures


async def run(projects: Projects, _scale: Scale) -> Figures:
    """Start with servers that hang, let them answer, let them hang again, and end."""
    figures = Figures("Servers hang")
    watch, silence = Stopwatch(), Stopwatch()
    async with ledger(projects, BREAKER, stalled=True) as place:
        assert await place.process.unready()
        await stalled(place, figures, watch, silence)
        requests = [asyncio.create_task(call(place.process, name, figures, watch)) for name in place.proxies]
        await asyncio.sleep(0.2)
        await end(place.process, figures, "end while a start hangs")
        await asyncio.gather(*requests)
    async with ledger(projects, BREAKER) as place:
        for operation in place.proxies:
            assert await call(place.process, operation, figures, watch) == OK
        for between in place.proxies.values():
            between.stall()
        requests = [asyncio.create_task(call(place.process, name, figures, watch)) for name in place.proxies]
        async with health(place.process, silence):
            await asyncio.gather(*requests)
        await stalled(place, figures, watch, silence)
        await end(place.process, figures, "end while servers hang")
    figures.facts |= {
        "longest answer": f"{watch.longest:.2f} s",
        "longest silence of /health": f"{silence.longest:.2f} s",
    }
    assert watch.longest < DEADLINE_SECONDS + GRACE_SECONDS + LOAD_SECONDS, figures
    assert silence.longest < GRACE_SECONDS + LOAD_SECONDS, figures
    return figures


async def test_stall(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() <= {"200", "503", "504", "unanswered"}, figures
    assert figures.leaks == set()


async def test_resolver_that_hangs_keeps_no_file_waiting(projects: Projects, tmp_path: Path) -> None:
    project = projects("ledger", CONTRACT)
    (tmp_path / "sitecustomize.py").write_text(HANGING_RESOLVER, encoding="utf-8")
    figures, watch = Figures("A resolver hangs"), Stopwatch()
    settings = SETTINGS | {
        "PYTHONPATH": f"{project / 'src'}:{tmp_path}",
        "BOOKS_URL": "http://hanging.invalid",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "FILES_ROOT": "entries",
    }
    async with running(project, **settings) as process:
        await until(process.alive)
        posts = [asyncio.create_task(call(process, "post_entry", figures, Stopwatch())) for _ in range(40)]
        await asyncio.sleep(0.2)
        for _ in range(20):
            assert await call(process, "write_entry", figures, watch) == OK
        assert watch.longest < DEADLINE_SECONDS, figures
        assert set(await asyncio.gather(*posts)) == {504}
        await end(process, figures, "end")
