# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where requests come in: which operation takes one, and what has to be open for it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from .adapters.group import AdaptersOrNone
from .counters import begin_at_zero, of_entry
from .node_request import NodeRequest
from .node_response import NodeResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from omnibase_core.errors import ModelOnexError

    from .adapters.group import Figure
    from .companion import Companion
    from .operation import Operation
    from .surroundings import Surroundings


def admit_all(_operation: str, _correlation_id: UUID) -> None:
    """Refuse nothing."""


def no_span(_node: str, _operation: str, _correlation_id: UUID) -> AbstractContextManager[None]:
    """Make no span."""
    return nullcontext()


class EntryPoint[RequestT: NodeRequest, ResponseT: NodeResponse, AdaptersT: AdaptersOrNone]:
    """Takes a request, runs its operation, answers.

    Attributes:
        adapters: What the operations talk to; None for nothing.
    """

    def __init__(
        self,
        operations: Iterable[Operation[Any, Any]],
        surroundings: Surroundings,
        respond: Callable[..., ResponseT],
        adapters: AdaptersT,
        *,
        companion: Companion | None = None,
        admit: Callable[[str, UUID], None] = admit_all,
        span: Callable[[str, str, UUID], AbstractContextManager[None]] = no_span,
    ) -> None:
        """Put them together; nothing is opened before `initialize` or the first request.

        Args:
            operations: The operations, by whose names requests ask for them.
            surroundings: What they share.
            respond: Makes the answer of `operation`, `result` and `correlation_id`.
            adapters: What the operations talk to; None for nothing.
            companion: What has to be there beside them; None for nothing.
            admit: Refuses an operation for now, by raising a `ModelOnexError`.
            span: Makes a span of a run: takes the node, the operation and the request's identity.
        """
        self._operations = {operation.name: operation for operation in operations}
        self._surroundings = surroundings
        self._respond = respond
        self.adapters = adapters
        self._companion = companion
        self._admit = admit
        self._span = span
        begin_at_zero(surroundings.metrics, of_entry(self._operations.values(), surroundings.measured))

    def figures(self) -> list[Figure]:
        """Return gauges of the adapters: name, value and tags."""
        return [] if self.adapters is None else self.adapters.figures()

    async def initialize(self) -> dict[str, ModelOnexError]:
        """Open the adapters, and start what is beside them; does nothing to what is open.

        Returns:
            The errors of adapters that are away, by name.
        """
        failures = {} if self.adapters is None else await self.adapters.open()
        if self._companion is not None:
            self._companion.start()
        return failures

    async def shutdown(self) -> None:
        """Stop what is beside the adapters, and close them; does nothing to what is closed."""
        if self._companion is not None:
            await self._companion.stop()
        if self.adapters is not None:
            await self.adapters.close()

    async def handle(self, request: RequestT) -> ResponseT:
        """Run one operation.

        Args:
            request: The operation's name and input.

        Returns:
            The operation's output, with the request's correlation id.

        Raises:
            ModelOnexError: Whatever goes wrong, with its code, the correlation id and the cause.
        """
        correlation_id = request.correlation_id or uuid4()
        name = request.operation.value
        if self._companion is not None:
            await self._companion.ready()
        self._admit(name, correlation_id)
        operation = self._operations[request.operation]
        with self._span(self._surroundings.node, name, correlation_id):
            output = await operation.invoke(request.payload, correlation_id, self._surroundings)
        result = output.model_dump(mode="json")
        return self._respond(operation=request.operation, result=result, correlation_id=correlation_id)
