# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where runs are kept."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from .run import Run


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run: nobody else has it until it ends.

    Attributes:
        token: Identity of this lease.
        seconds: How long it lasts from each time that it is taken or renewed.
    """

    token: UUID
    seconds: float


class RunStore(Protocol):
    """Keeps runs, and sees to it that one process at a time works on each."""

    async def claim(self, run: Run, lease: Lease) -> Run | None:
        """Take a run, which is kept from now on.

        Args:
            run: The run as it is when nothing is known of it.
            lease: The lease that it is taken under.

        Returns:
            The run as it is known. A finished one is not taken. None when somebody else has it.
        """

    async def claim_abandoned(self, lease: Lease) -> Run | None:
        """Take a run that is not finished and that nobody has.

        Args:
            lease: The lease that it is taken under.

        Returns:
            The run; None when there is none.
        """

    async def save(self, run: Run, lease: Lease) -> bool:
        """Keep a run as it is, and renew the lease, or end it for one that is finished; false for a lost lease."""

    async def renew(self, run_id: UUID, lease: Lease) -> bool:
        """Renew the lease; false for a lost one."""

    async def release(self, run_id: UUID, lease: Lease) -> None:
        """End the lease of a run that is not finished, so that anybody may go on with it at once."""
