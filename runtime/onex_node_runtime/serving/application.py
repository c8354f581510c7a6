# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The HTTP application around a node: its operations, its health and its metrics."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any

import uvicorn
from omnibase_core.enums import EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..callers.known import IDENTITY, CallersOrNone
from ..correlation import CALLER, CALLER_CORRELATION_ID, CORRELATION_HEADER, CORRELATION_ID, correlation_of
from ..effects import safe_to_repeat
from ..idempotency.keyed import KEY_HEADER, KEYED, REPLAYED_HEADER, KeyedOrNone, KeyedRequest, key_in
from ..large_payloads import one_after_another
from ..settings.service import ListenerSettings
from .admission import RefusedError, body_of, check_media_type, check_origin, is_loopback, payload_of
from .certificate import certificate_of
from .intake import Intake
from .life import END_SECONDS, LastResort, Life, LifeOrNone, ServedNode
from .problems import correlation_headers, failure, problem
from .server import Limits, NodeServer, SideServer, connections_within, server_config
from .turns import PATIENCE_SECONDS, Budget, Turns, weight_of

# What all requests and answers under way may hold, which keeps the process below the memory of its manifest.
REQUEST_BYTES = 128 * 1024 * 1024
ANSWER_BYTES = 64 * 1024 * 1024
# Beyond that, reading takes longer than the loop should wait.
LARGE_BODY_BYTES = 65_536
TOO_MANY = "Too many large requests are under way."


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a node can serve, and what is wrong with what it talks to, without its details."""

    ready: bool
    status: str
    issues: tuple[str, ...] = ()


async def always_ready() -> Readiness:
    """Return the readiness of a node that talks to nothing."""
    return Readiness(ready=True, status="healthy")


@dataclass(frozen=True, slots=True)
class Served:
    """A node and what its application needs to know of it.

    Attributes:
        node: The node, not initialized.
        name: ONEX's name of it.
        settings: Where it listens, and its limits.
        operations: The names of its operations.
        handle: Runs an operation: takes its name and its input, and returns the output as JSON values.
        readiness: Asks what the node talks to for a sign of life.
        metrics: Returns them and their media type; None serves none.
        intake: Makes what brings work beside requests; the node is initialized then.
        continued: Goes on with a caller's trace, by the headers of the request.
        safe_to_stop: Tells whether the request that is cut off may be sent again.
        documents: Routes that tell people and tools of the interface.
        callers: Who may call; None lets everybody who reaches the port.
        keyed: The names of the operations that keep answers by the keys of their requests.
    """

    node: ServedNode
    name: str
    settings: ListenerSettings
    operations: type[StrEnum]
    handle: Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
    readiness: Callable[[], Awaitable[Readiness]] = always_ready
    metrics: Callable[[], tuple[bytes, str]] | None = None
    intake: Callable[[], Intake] = Intake
    continued: Callable[[Mapping[str, str]], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    safe_to_stop: Callable[[], bool] = safe_to_repeat
    documents: Sequence[Route] = ()
    callers: CallersOrNone = None
    keyed: Collection[str] = ()


def application(served: Served) -> Starlette:
    """Return the HTTP application around a node, which it initializes and shuts down.

    Args:
        served: The node.

    Returns:
        The application: `GET /health`, `GET /ready`, `POST /operations/{name}`, the documents, and `GET /metrics` if
        there are any.
    """
    operations = OperationEndpoint(served)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.life = Life(served.node, served.intake)
        if served.callers is None:
            _tell_of_open_port(served.settings)
        try:
            await app.state.life.begin()
            yield
        finally:
            await app.state.life.end()

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "alive", "node": served.name})

    async def ready(request: Request) -> Response:
        if request.app.state.leaving:
            return JSONResponse({"status": "stopping", "issues": []}, HTTPStatus.SERVICE_UNAVAILABLE)
        life: LifeOrNone = request.app.state.life
        if life is not None and not life.started:
            return JSONResponse({"status": "starting", "issues": []}, HTTPStatus.SERVICE_UNAVAILABLE)
        found = await served.readiness()
        status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"status": found.status, "issues": list(found.issues)}, status)

    routes = [
        Route("/health", health),
        Route("/ready", ready),
        Route("/operations/{name}", operations.answer, methods=["POST"]),
        *served.documents,
    ]
    if served.metrics is not None:
        routes.append(metrics_route(served.metrics, served.callers))
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Identified), Middleware(Turns)],
        exception_handlers={HTTPException: _refused, Exception: _unexpected},
    )
    app.state.leaving = False
    app.state.life = None
    return app


def _tell_of_open_port(settings: ListenerSettings) -> None:
    # What only this machine reaches is open to fewer.
    level = EnumLogLevel.INFO if is_loopback(settings.service_host) else EnumLogLevel.WARNING
    line = {"host": settings.service_host, "may_call": "anyone who reaches the port", "asks_who": "service.auth"}
    emit_log_event_sync(level, "callers_unknown", line)


def metrics_route(metrics: Callable[[], tuple[bytes, str]], callers: CallersOrNone = None) -> Route:
    """Return the route of `GET /metrics`.

    Args:
        metrics: Returns them and their media type.
        callers: Who may read them; None lets everybody who reaches the port.
    """
    shown_now: list[tuple[bytes, str]] = []

    async def shown(request: Request) -> Response:
        if callers is not None:
            try:
                await callers.check_metrics(request)
            except RefusedError as refusal:
                return refused(refusal)
        # Requests that arrive together are answered from one look at the metrics.
        if not shown_now:
            shown_now.append(metrics())
            asyncio.get_running_loop().call_soon(shown_now.clear)
        content, kind = shown_now[0]
        return Response(content, media_type=kind)

    return Route("/metrics", shown)


class Identified:
    """Gives each request its ids before anything is said of it."""

    def __init__(self, app: ASGIApp) -> None:
        """Keep the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the ids from the request's headers."""
        if scope["type"] == "http":
            correlation_id, own = correlation_of(*Headers(scope=scope).getlist(CORRELATION_HEADER))
            CORRELATION_ID.set(correlation_id)
            CALLER_CORRELATION_ID.set(own)
        await self._app(scope, receive, send)


class OperationEndpoint:
    """Answers the requests of operations."""

    def __init__(self, served: Served) -> None:
        """Begin with nothing under way."""
        self._served = served
        self._requests = Budget(REQUEST_BYTES, TOO_MANY)
        self._answers = Budget(ANSWER_BYTES, "The operation is done, and there is no room for its answer.")

    async def answer(self, request: Request) -> Response:
        """Run the operation that a request names."""
        CALLER.set(request.client.host if request.client else "")
        try:
            return await self._admitted(request)
        except RefusedError as refusal:
            return refused(refusal)
        except ClientDisconnect:
            return problem(HTTPStatus.BAD_REQUEST, "The caller left.")

    async def _admitted(self, request: Request) -> Response:
        settings = self._served.settings
        if is_loopback(settings.service_host):
            check_origin(request)
        name = request.path_params["name"]
        known = ""
        if self._served.callers is not None:
            identity = await self._served.callers.check_operation(request, name)
            IDENTITY.set(identity)
            CALLER.set(identity.name)
            known = identity.name
        if name not in self._served.operations:
            raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such operation.")
        check_media_type(request)
        KEYED.set(_keyed(request, known) if name in self._served.keyed else None)
        limit = settings.service_max_body_bytes
        body = await body_of(request, limit, settings.service_receive_seconds)
        async with self._requests.room(weight_of(body)):
            return await self._handled(request, name, await _payload_of(body))

    async def _handled(self, request: Request, name: str, payload: dict[str, Any]) -> Response:
        try:
            with self._served.continued(request.headers):
                result = await self._served.handle(name, payload)
        except ModelOnexError as error:
            return failure(error)
        except asyncio.CancelledError:
            if not request.app.state.leaving:
                raise
            # The time to drain is over; the task ends with this answer.
            safe = self._served.safe_to_stop()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The service is stopping.", safe_to_repeat=safe)
        answer = BudgetedResponse(result, self._answers, self._served.settings.service_max_answer_bytes)
        if (keyed := KEYED.get()) is not None and keyed.replayed:
            answer.headers[REPLAYED_HEADER] = "true"
        return answer


def _keyed(request: Request, caller: str) -> KeyedOrNone:
    try:
        key = key_in(request.headers.getlist(KEY_HEADER))
    except ValueError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
    return None if key is None else KeyedRequest(key, caller)


def refused(refusal: RefusedError) -> Response:
    """Return the answer to a request that the node does not get to see."""
    members: dict[str, object] = {"code": str(refusal.code) if refusal.code else ""}
    members |= {"safe_to_repeat": True} if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    answer = problem(refusal.status, refusal.detail, **members)
    answer.headers.update(refusal.headers)
    return answer


async def _payload_of(body: bytes) -> dict[str, Any]:
    if len(body) <= LARGE_BODY_BYTES:
        return payload_of(body)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await one_after_another(partial(payload_of, body))
    except TimeoutError:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, TOO_MANY) from None


class BudgetedResponse(JSONResponse):
    """An answer whose bytes count until the client has taken them."""

    def __init__(self, content: object, budget: Budget, largest: int) -> None:
        """Keep what it counts for.

        Args:
            content: Values of JSON.
            budget: What all answers may hold.
            largest: Bytes that one may have.
        """
        super().__init__(content, headers=correlation_headers())
        self._budget = budget
        self._largest = largest

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send the answer, or a problem where it is too large."""
        size = len(self.body)
        if size > self._largest:
            answer = problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "The operation is done, and its answer is too large to send."
            )
            await answer(scope, receive, send)
            return
        try:
            async with self._budget.room(size):
                await super().__call__(scope, receive, send)
        except RefusedError as refusal:
            await problem(refusal.status, refusal.detail)(scope, receive, send)


async def _refused(_request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    detail = {
        HTTPStatus.NOT_FOUND: "There is nothing at this path.",
        HTTPStatus.METHOD_NOT_ALLOWED: "The path does not take this method.",
    }.get(status, status.description)
    answer = problem(status, detail)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR.description)


def limits_of(settings: ListenerSettings) -> Limits:
    """Return what clients may take, by the settings and the process's own bounds."""
    return Limits(
        max_connections=connections_within(settings.service_max_connections),
        head_seconds=settings.service_receive_seconds,
        write_seconds=settings.service_send_seconds,
    )


def server_of(app: Starlette, settings: ListenerSettings) -> NodeServer:
    """Return the server of an application.

    Args:
        app: What `application` gave.
        settings: Where it listens, and its limits.
    """
    limits, certificate = limits_of(settings), certificate_of(settings)
    host, port = settings.service_host, settings.service_port
    config = server_config(app, host, port, limits, settings.service_drain_seconds)
    return NodeServer(config, app, certificate)


async def serve(app: Starlette, settings: ListenerSettings) -> None:
    """Serve an application until the process is told to stop.

    Args:
        app: What `application` gave.
        settings: Where it listens, and its limits.

    Raises:
        SystemExit: The node could not be initialized; the error is in the log.
    """
    # uvicorn stops on these and raises them once more when it is done, which would end the process with an error.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: None)
    try:
        server = server_of(app, settings)
    except OSError as error:
        # The only files that are read until now.
        line = {"error": type(error).__name__, "file": str(settings.service_tls_cert_file)}
        emit_log_event_sync(EnumLogLevel.ERROR, "certificate_unusable", line)
        raise SystemExit(1) from None
    last_resort = LastResort(settings.service_drain_seconds + END_SECONDS)
    server.told_to_stop = last_resort.arm
    # What is there now stays until the end; looking through it again and again would hold everybody up.
    gc.freeze()
    await server.serve()
    life: LifeOrNone = app.state.life
    if life is not None and life.failure is not None:
        emit_log_event_sync(EnumLogLevel.ERROR, "start_failed", {"error": type(life.failure).__name__})
        raise SystemExit(1)
    last_resort.status = 0


@contextlib.asynccontextmanager
async def metrics_served(
    metrics: Callable[[], tuple[bytes, str]], settings: ListenerSettings, port: int, callers: CallersOrNone = None
) -> AsyncIterator[uvicorn.Server]:
    """Serve `GET /metrics` on a port of its own for as long as the context lasts.

    Args:
        metrics: Returns them and their media type.
        settings: Where the service listens, and its limits.
        port: The port; 0 takes a free one.
        callers: Who may read them; None lets everybody who reaches the port.
    """
    app = Starlette(routes=[metrics_route(metrics, callers)], exception_handlers={HTTPException: _refused})
    certificate = certificate_of(settings)
    config = server_config(app, settings.service_host, port, limits_of(settings), 1.0)
    # A port that is taken ends the process here, before anything is under way.
    server, listener = SideServer(config, certificate), config.bind_socket()
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield server
    finally:
        server.should_exit = True
        await serving
