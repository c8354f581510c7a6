# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where the requests of an orchestrator come in: other nodes are within reach, and unfinished runs are gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, override

from ..entry import EntryPoint, admit_all, no_span
from ..node_request import NodeRequest
from ..node_response import NodeResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from uuid import UUID

    from omnibase_core.errors import ModelOnexError

    from ..adapters.group import AdapterGroup
    from ..operation import Operation, Surroundings
    from .connection import Connection
    from .step import Workflow
    from .workflows import Workflows


class WorkflowEntryPoint[RequestT: NodeRequest, ResponseT: NodeResponse](EntryPoint[RequestT, ResponseT]):
    """Takes a request, runs its workflow, answers."""

    def __init__(
        self,
        operations: Mapping[Any, Operation[Any, Any]],
        surroundings: Surroundings,
        respond: Callable[..., ResponseT],
        *,
        connection: Connection,
        workflows: Workflows,
        resumed: Mapping[str, Workflow[Any]] | None = None,
        adapters: AdapterGroup | None = None,
        admit: Callable[[str, UUID], None] = admit_all,
        span: Callable[[str, str, UUID], AbstractContextManager[None]] = no_span,
    ) -> None:
        """Put them together; nothing is opened before `initialize` or the first request.

        Args:
            operations: The operations by the members of the node's enum.
            surroundings: What they share.
            respond: Makes the answer of `operation`, `result` and `correlation_id`.
            connection: The other nodes.
            workflows: Runs workflows.
            resumed: Those whose unfinished runs are gone on with, by their operations' names; None for a node that
                keeps no runs.
            adapters: What the operations talk to; None for nothing.
            admit: Refuses an operation for now, by raising a `ModelOnexError`.
            span: Makes a span of a run: takes the node, the operation and the request's identity.
        """
        super().__init__(operations, surroundings, respond, adapters=adapters, admit=admit, span=span)
        self.workflows = workflows
        self._connection = connection
        self._resumed = resumed

    @override
    async def initialize(self) -> dict[str, ModelOnexError]:
        """Open the adapters, and go on with runs that were left unfinished.

        Returns:
            The errors of adapters that are away, by name.
        """
        failures = await super().initialize()
        self._resume()
        return failures

    @override
    async def shutdown(self) -> None:
        """Leave the runs to whoever goes on with them, let go of the other nodes, and close the adapters."""
        if self._resumed is not None:
            await self.workflows.stop()
        await self._connection.close()
        await super().shutdown()

    @override
    async def handle(self, request: RequestT) -> ResponseT:
        """Run one operation.

        Args:
            request: The operation's name and input.

        Returns:
            The operation's output, with the request's correlation id.

        Raises:
            ModelOnexError: Whatever goes wrong, with its code, the correlation id and the cause.
        """
        # ONEX's kernel does not call `initialize`.
        self._resume()
        await self._connection.open()
        return await super().handle(request)

    def _resume(self) -> None:
        if self._resumed is not None:
            self.workflows.start(self._resumed)
