# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs kept in the process, and lost with it."""

import time
from dataclasses import dataclass
from uuid import UUID

from .run import Run, load
from .run_store import Lease

MOST_RUNS = 10_000


@dataclass(slots=True)
class Kept:
    """A run, and who has it until when, in seconds of the process's clock."""

    text: str
    finished: bool
    token: UUID | None
    until: float


class RunStoreMemory:
    """Keeps runs in a mapping; of the finished ones, the latest."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._runs: dict[UUID, Kept] = {}

    async def claim(self, run: Run, lease: Lease) -> Run | None:
        """Take a run, which is kept from now on; None when somebody else has it."""
        kept = self._runs.setdefault(run.run_id, Kept(run.dump(), finished=False, token=None, until=0.0))
        if not kept.finished and not _take(kept, lease):
            return None
        return load(kept.text)

    async def claim_abandoned(self, lease: Lease) -> Run | None:
        """Take a run that is not finished and that nobody has; None when there is none."""
        for kept in self._runs.values():
            if not kept.finished and _take(kept, lease):
                return load(kept.text)
        return None

    async def save(self, run: Run, lease: Lease) -> bool:
        """Keep a run as it is, and renew the lease, or end it for one that is finished; false for a lost lease."""
        if not await self.renew(run.run_id, lease):
            return False
        kept = self._runs[run.run_id]
        kept.text, kept.finished = run.dump(), run.finished
        finished = [run_id for run_id, other in self._runs.items() if other.finished]
        for run_id in finished[: max(0, len(self._runs) - MOST_RUNS)]:
            del self._runs[run_id]
        return True

    async def renew(self, run_id: UUID, lease: Lease) -> bool:
        """Renew the lease; false for a lost one."""
        kept = self._runs[run_id]
        if kept.token != lease.token:
            return False
        kept.until = time.monotonic() + lease.seconds
        return True

    async def release(self, run_id: UUID, lease: Lease) -> None:
        """End the lease of a run that is not finished, so that anybody may go on with it at once."""
        kept = self._runs[run_id]
        if kept.token == lease.token:
            kept.token = None


def _take(kept: Kept, lease: Lease) -> bool:
    now = time.monotonic()
    if kept.token not in {None, lease.token} and kept.until > now:
        return False
    kept.token, kept.until = lease.token, now + lease.seconds
    return True
