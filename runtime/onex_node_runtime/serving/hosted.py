# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""A node as an HTTP application sees it: requests of callers become those of the node, and its health readiness."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..correlation import CORRELATION_ID
from ..hosting import container_of_process
from ..logs import configure, no_trace
from .application import Readiness, Served, application, serve
from .intake import Intake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from omnibase_core.models.container import ModelONEXContainer
    from omnibase_core.models.health.model_health_status import ModelHealthStatus
    from starlette.applications import Starlette
    from starlette.routing import Route

    from ..callers.known import Callers
    from ..node_response import NodeResponse
    from ..settings.service import ListenerSettings


class HostedNode[RequestT](Protocol):
    """A node that can be served.

    Attributes:
        NAME: ONEX's name of it.
        OPERATIONS: The enum of the names of its operations, each node's own.
        request_model: The model of its requests.
        settings_model: Reads its settings from the environment.
    """

    NAME: ClassVar[str]
    OPERATIONS: ClassVar[Any]
    request_model: type[Any]
    settings_model: type[Any]

    def __init__(self, container: ModelONEXContainer, settings: Any) -> None:
        """Build it; nothing is opened before `initialize`."""

    @property
    def settings(self) -> ListenerSettings:
        """Where it listens, and its limits."""

    async def initialize(self) -> None:
        """Open what it needs."""

    async def shutdown(self) -> None:
        """Close it."""

    async def handle(self, request: RequestT) -> NodeResponse:
        """Run one operation."""

    async def health_check_async(self) -> ModelHealthStatus:
        """Ask every dependency for a sign of life."""


def node_application[NodeT: HostedNode[Any]](
    node: NodeT,
    *,
    metrics: Callable[[NodeT], tuple[bytes, str]] | None = None,
    intake: Callable[[], Intake] = Intake,
    continued: Callable[[Mapping[str, str]], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    documents: Sequence[Route] = (),
    callers: Callers | None = None,
    keyed: Collection[str] = (),
) -> Starlette:
    """Return the HTTP application around a node, which it initializes and shuts down.

    Args:
        node: The node, not initialized.
        metrics: Returns those of the node, and their media type; None serves none.
        intake: Makes what brings work beside requests; the node is initialized then.
        continued: Goes on with a caller's trace, by the headers of the request.
        documents: Routes that tell people and tools of the interface.
        callers: Who may call; None lets everybody who reaches the port.
        keyed: The names of the operations that keep answers by the keys of their requests.

    Returns:
        The application, as `application` describes it.
    """

    async def handle(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        # The payload is JSON that was read just now, and is judged as the operation's input.
        request = node.request_model.model_construct(
            operation=node.OPERATIONS(operation), payload=payload, correlation_id=CORRELATION_ID.get()
        )
        response: NodeResponse = await node.handle(request)
        return response.result

    async def readiness() -> Readiness:
        report = await node.health_check_async()
        # What is critical makes the node unready; without what is optional it still serves.
        ready = not any(issue.severity == "critical" for issue in report.issues)
        return Readiness(ready, report.status, tuple(issue.message for issue in report.issues))

    return application(
        Served(
            node=node,
            name=node.NAME,
            settings=node.settings,
            operations=node.OPERATIONS,
            handle=handle,
            readiness=readiness,
            metrics=None if metrics is None else partial(metrics, node),
            intake=intake,
            continued=continued,
            documents=documents,
            callers=callers,
            keyed=keyed,
        )
    )


def serve_node[NodeT: HostedNode[Any]](
    node_class: type[NodeT],
    application_of: Callable[[NodeT], Starlette],
    *,
    with_bus: bool = False,
    beside: Callable[[NodeT], contextlib.AbstractAsyncContextManager[object]] = contextlib.nullcontext,
    around: Callable[[Any], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    trace: Callable[[], dict[str, str]] = no_trace,
) -> None:
    """Make a node by the environment, and serve it until the process is told to stop.

    Args:
        node_class: The node.
        application_of: Makes the application around it.
        with_bus: Whether the container brings an event bus, which ends with the process.
        beside: What lasts as long as the service, such as another port; takes the node.
        around: What lasts as long as the process; takes the settings.
        trace: Returns what a log line says of the span that it is written in.
    """
    settings = node_class.settings_model()
    configure(settings, trace)

    async def served() -> None:
        async with container_of_process(with_bus=with_bus) as container:
            node = node_class(container, settings)
            async with beside(node):
                await serve(application_of(node), settings)

    with around(settings):
        asyncio.run(served())
