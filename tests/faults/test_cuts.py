"""Connections are cut at each byte of an operation's conversation, and at random: nothing happens twice."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tests.faults.harness import OK, UNANSWERED, Figures, Process, Projects, Scale
from tests.faults.ledger import Ledger, ledger

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

pytestmark = pytest.mark.slow
# The longest conversation has some 600 bytes; in a test, every so many of them is cut at.
STEP = 37
KEYED = "keyed_entry"
# A request is repeated until it is answered; one of so many meets no cut.
REPETITIONS = 1000


@dataclass
class Answers:
    """What the node said of each entry: its status, and whether sending it again is safe."""

    told: dict[str, tuple[int, object]]

    async def write(self, process: Process, operation: str, figures: Figures) -> int:
        """Write an entry of its own, and keep what was answered; with a key, again and again until it is written."""
        entry = str(uuid4())
        if operation != KEYED:
            return await self._ask(process, operation, entry, {}, figures)
        for _ in range(REPETITIONS):
            if await self._ask(process, operation, entry, {"Idempotency-Key": entry}, figures) == OK:
                return OK
        raise AssertionError(self.told[entry])

    async def _ask(
        self, process: Process, operation: str, entry: str, headers: Mapping[str, str], figures: Figures
    ) -> int:
        try:
            answer = await process.client.post(f"/operations/{operation}", json={"entry_id": entry}, headers=headers)
        except httpx.TransportError:
            figures.answers[UNANSWERED] += 1
            return 0
        body: dict[str, Any] = answer.json()
        safe = body.get("safe_to_repeat")
        assert answer.status_code == OK or isinstance(safe, bool), answer.text
        assert ("Retry-After" in answer.headers) == (safe is True), answer.headers
        assert answer.status_code == OK or safe or not headers, answer.text
        if headers and self.told.get(entry):
            figures.facts["repeated with a key"] = int(figures.facts.get("repeated with a key", 0)) + 1
        if answer.headers.get("Idempotency-Replayed"):
            figures.facts["done before, and answered"] = int(figures.facts.get("done before, and answered", 0)) + 1
        figures.answers[f"{answer.status_code}" + ("" if safe is None else " safe" if safe else " unsafe")] += 1
        self.told[entry] = (answer.status_code, safe)
        return answer.status_code

    def compare(self, written: Counter[str], figures: Figures) -> None:
        """Count what was said against what happened."""
        figures.facts |= {
            "entries": len(self.told),
            "done twice": sum(count > 1 for count in written.values()),
            "lost": sum(status == OK and not written[entry] for entry, (status, _) in self.told.items()),
            "done though said to be safe": sum(bool(safe and written[e]) for e, (_, safe) in self.told.items()),
            "unsafe and done": sum(safe is False and written[e] > 0 for e, (_, safe) in self.told.items()),
            "unsafe and not done": sum(safe is False and not written[e] for e, (_, safe) in self.told.items()),
        }


async def at_each_byte(place: Ledger, operation: str, step: int, figures: Figures, answers: Answers) -> None:
    """Cut an operation's conversation at one byte after the other."""
    between = place.proxies[operation]
    # The second on a connection is what later ones are like.
    for _ in range(2):
        assert await answers.write(place.process, operation, figures) == OK
    before = await between.quiet()
    assert await answers.write(place.process, operation, figures) == OK
    length = await between.quiet() - before
    for position in range(1, length + 1, step):
        between.cut_after(position)
        await answers.write(place.process, operation, figures)
        await asyncio.sleep(0.005)
        between.cut()
        await answers.write(place.process, operation, figures)


async def run(projects: Projects, scale: Scale) -> Figures:
    """Cut at each byte of every operation's conversation, then at random under load."""
    figures = Figures("Connections are cut")
    answers = Answers({})
    async with ledger(projects, {"DATABASE_POOL_MAX_SIZE": "4"}) as place:
        for operation in place.proxies:
            await at_each_byte(place, operation, STEP if scale.messages < 1000 else 1, figures, answers)
        dice = random.Random(7)  # noqa: S311 - no secret
        for between in place.proxies.values():
            between.cut_each_after(lambda: dice.randrange(1, 9000))
        operations = list(place.proxies)

        async def write_some() -> None:
            for number in range(scale.messages * 10 // scale.workers):
                await answers.write(place.process, operations[number % len(operations)], figures)

        await asyncio.gather(*(write_some() for _ in range(scale.workers)))
        for between in place.proxies.values():
            between.cut_each_after(None)
            between.cut()
        assert await place.process.alive()
        answers.compare(await place.written(), figures)
        figures.facts["cuts"] = sum({id(between): between.cuts for between in place.proxies.values()}.values())
    return figures


async def test_cuts(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert int(figures.facts["cuts"]) > 50, figures
    for name in ("done twice", "lost", "done though said to be safe"):
        assert figures.facts[name] == 0, figures
