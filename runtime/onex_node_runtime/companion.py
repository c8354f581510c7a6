# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What an entry point starts and stops beside its adapters."""

from __future__ import annotations

from typing import Protocol


class Companion(Protocol):
    """Something that has to be there for operations, and that is no adapter."""

    def start(self) -> None:
        """Begin; does nothing when that is done."""

    async def ready(self) -> None:
        """Be ready for a request; begins first where nobody did."""

    async def stop(self) -> None:
        """End."""
