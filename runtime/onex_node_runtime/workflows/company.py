# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What an orchestrator has beside its operations: other nodes within reach, and runs that are gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .connection import Connection
    from .step import Workflow
    from .workflows import Workflows


class Company:
    """The other nodes, and the runs that were left unfinished."""

    def __init__(
        self, connection: Connection, workflows: Workflows, resumed: Mapping[str, Workflow[Any]] | None = None
    ) -> None:
        """Keep them; nothing is opened before `ready`.

        Args:
            connection: The other nodes.
            workflows: Runs workflows.
            resumed: Those whose unfinished runs are gone on with, by their operations' names; None for a node that
                keeps no runs.
        """
        self._connection = connection
        self._workflows = workflows
        self._resumed = resumed

    def start(self) -> None:
        """Go on with runs that were left unfinished; does nothing where that is being done."""
        if self._resumed is not None:
            self._workflows.start(self._resumed)

    async def ready(self) -> None:
        """Get the other nodes within reach."""
        # ONEX's kernel does not initialize handlers.
        self.start()
        await self._connection.open()

    async def stop(self) -> None:
        """Leave the runs to whoever goes on with them, and let go of the other nodes."""
        if self._resumed is not None:
            await self._workflows.stop()
        await self._connection.close()
