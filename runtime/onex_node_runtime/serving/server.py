# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The HTTP server: it does not wait for clients that do not send, or that do not read."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, override

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from .certificate import LOOK_SECONDS, CertificateOrNone
from .life import LifeOrNone

try:
    import resource
except ImportError:  # where there is no such limit
    resource = None  # type: ignore[assignment]  # it is looked at before use

# Files that the process opens beside connections: logs, pools, an outbox.
_OTHER_FILES = 128
_WANTED_FILES = 16_384
# Beyond the connections that are allowed, while all of those are being answered: room for a probe.
_SPARE_CONNECTIONS = 32
# How often uvicorn looks around in a second.
_TICKS = 10
LARGEST_HEAD_BYTES = 16_384


@dataclass(slots=True)
class Limits:
    """Bounds of connections, and those that are waiting for their client.

    Attributes:
        max_connections: Connections at once; beyond that, the one that has waited longest for its client is closed.
        head_seconds: How long the head of a request may take to arrive.
        write_seconds: How long a client may leave an answer unread.
        waiting: Connections whose client has not sent all of a request, or reads no answer; the longest waiting first.
    """

    max_connections: int
    head_seconds: float
    write_seconds: float
    waiting: dict["BoundedProtocol", None] = field(default_factory=dict)


class Alarm:
    """Calls something unless it is stopped in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], None]) -> None:
        """Keep what to call, and when."""
        self._loop = loop
        self._seconds = seconds
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to wait; does nothing while it waits."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._call)

    def stop(self) -> None:
        """Do not call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol, with bounds on how long a client may take, and on how many there are."""

    def __init__(self, *arguments: Any, limits: Limits, **named: Any) -> None:
        """Keep the limits, which all connections share."""
        super().__init__(*arguments, **named)
        self._limits = limits
        self._head = Alarm(self.loop, limits.head_seconds, self.cut)
        self._writing = Alarm(self.loop, limits.write_seconds, self.cut)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._limits.waiting[self] = None
        self._head.start()
        if (excess := len(self.connections) - self._limits.max_connections) > 0:
            # Who lets the service wait makes room, so that probes and callers still get through.
            longest = next(iter(self._limits.waiting))
            if longest is not self or excess > _SPARE_CONNECTIONS:
                longest.cut()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._limits.waiting.pop(self, None)
        self._head.stop()
        self._writing.stop()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._limits.waiting[self] = None
        self._writing.start()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._writing.stop()
        self._watch()

    def _watch(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn says
        if cycle is not None and not cycle.response_complete:
            self._head.stop()
            if not cycle.more_body and not self.flow.write_paused:
                self._limits.waiting.pop(self, None)
        elif not self.transport.is_closing():
            self._limits.waiting[self] = None
            # A connection that is kept open is closed by uvicorn; one whose next request stays incomplete, here.
            if self.conn.trailing_data[0]:
                self._head.start()

    def cut(self) -> None:
        """Close the connection at once, whatever is under way."""
        self._limits.waiting.pop(self, None)
        self.transport.abort()


def server_config(app: Starlette, host: str, port: int, limits: Limits, drain_seconds: float) -> uvicorn.Config:
    """Return how an application is served.

    Args:
        app: The application.
        host: The address to bind to.
        port: The port; 0 takes a free one.
        limits: What clients may take.
        drain_seconds: How long requests under way may take at the end.
    """
    protocol: Any = partial(BoundedProtocol, limits=limits)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
        timeout_graceful_shutdown=int(drain_seconds) or 1,
    )


def connections_within(wanted: int) -> int:
    """Return how many connections the process can hold, and let it open as many files as it may.

    Args:
        wanted: How many it should.
    """
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _WANTED_FILES:
        most = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _OTHER_FILES))


class TendedServer(uvicorn.Server):
    """A server that looks after its certificate."""

    def __init__(self, config: uvicorn.Config, certificate: CertificateOrNone = None) -> None:
        """Keep the certificate.

        Args:
            config: The server's.
            certificate: What it shows; None speaks plain HTTP.
        """
        super().__init__(config)
        self._certificate = certificate
        if certificate is not None:
            config.load()
            config.ssl = certificate.context

    @override
    async def on_tick(self, counter: int) -> bool:
        if self._certificate is not None and counter % (LOOK_SECONDS * _TICKS) == 0:
            self._certificate.refresh()
        return await super().on_tick(counter)


class NodeServer(TendedServer):
    """A server that tells of its end before it stops to listen, and ends when its node could not be initialized.

    Attributes:
        told_to_stop: Called when the process is told to stop, by a signal.
    """

    def __init__(self, config: uvicorn.Config, app: Starlette, certificate: CertificateOrNone = None) -> None:
        """Keep the application.

        Args:
            config: The server's.
            app: What `application` gave.
            certificate: What it shows; None speaks plain HTTP.
        """
        super().__init__(config, certificate)
        self._app = app
        self.told_to_stop: Callable[[], None] = lambda: None

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.told_to_stop()
        super().handle_exit(sig, frame)

    @override
    async def on_tick(self, counter: int) -> bool:
        life: LifeOrNone = self._app.state.life
        failed = life is not None and life.failure is not None
        return failed or await super().on_tick(counter)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Be unready and take no other work, then refuse requests, and wait for those under way until the deadline."""
        self._app.state.leaving = True
        life: LifeOrNone = self._app.state.life
        if life is not None and life.intake is not None:
            await life.intake.close()
        await super().shutdown(sockets)


class SideServer(TendedServer):
    """A server that ends with the one that it runs beside, which takes the signals."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
