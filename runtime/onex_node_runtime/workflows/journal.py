# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What happens in a run, kept as it happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .announcer import Announce
from .run import Run, StepRecord

type Keep = Callable[[Run], Awaitable[None]]


@dataclass(slots=True)
class Journal:
    """What happened in a run, kept as it happens.

    Attributes:
        run: The run.
        announce: Told of each step that ended.
        keep: Keeps the run; None keeps nothing.
        abandoning: Whether calls that are cancelled are left for good, so that their outcome is unknown.
        ended: The records by step.
        resumed: The calls that were under way when the process stopped that had the run before.
    """

    run: Run
    announce: Announce
    keep: Keep | None
    abandoning: bool = False
    ended: dict[str, StepRecord] = field(default_factory=dict)
    resumed: frozenset[str] = frozenset()
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _noted: int = 0
    _kept: int = 0

    def __post_init__(self) -> None:
        """Look up what is known already."""
        self.ended = {record.name: record for record in self.run.steps}
        self.resumed = frozenset(self.run.under_way)

    def begins(self, name: str, *, failed: bool = False) -> bool:
        """Tell whether a step begins, or an item or a round of one.

        Args:
            name: What is to begin.
            failed: Whether what is around it failed.

        Returns:
            Whether nothing failed yet, or else whether it had begun before that, in this process or another: what is
            under way is waited for, since nobody would know what it did.
        """
        if not failed and not self.run.error:
            return True
        inside = tuple(name + sign for sign in ".[#")
        return any(other == name or other.startswith(inside) for other in (*self.ended, *self.resumed))

    def begin(self, name: str) -> None:
        """Note that a call is made; it is kept with what ends next."""
        if name not in self.run.under_way:
            self.run.under_way.append(name)

    def write(self, record: StepRecord) -> None:
        """Take in a record, without keeping it yet."""
        self.run.steps.append(record)
        if record.name in self.run.under_way:
            self.run.under_way.remove(record.name)
        self.ended[record.name] = record

    async def note(self, record: StepRecord, seconds: float) -> None:
        """Take in a record, keep it, and tell of it; does nothing for a step that has one."""
        if record.name not in self.ended:
            self.write(record)
            await self.save()
            await self.announce(self.run, record, seconds)

    async def save(self) -> None:
        """Keep the run as it is, unless somebody who came later has done so meanwhile."""
        if self.keep is None:
            return
        self._noted += 1
        mine = self._noted
        async with self._turn:
            if self._kept < mine:
                latest = self._noted
                await self.keep(self.run)
                self._kept = latest

    def fail(self, step: str | None, error: str) -> None:
        """Note what ended the run; the first failure counts."""
        if not self.run.error:
            self.run.failed_step, self.run.error = step, error
