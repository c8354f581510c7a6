"""A TCP proxy between a node and what it depends on, which cuts connections at a byte, or lets them hang."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    type Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

CHUNK = 65536


class Proxy:
    """Hands bytes on in both directions, and counts them.

    Attributes:
        passed: Bytes that were handed on, of all connections and both directions.
        cuts: How often connections were cut.
        url: The server's, by way of the proxy.
        pumps: What hands bytes on.
    """

    def __init__(self, connect: Connect) -> None:
        """Keep where bytes go.

        Args:
            connect: Connects to the server.
        """
        self.passed = 0
        self.cuts = 0
        self.url = ""
        self._connect = connect
        self._left: int | None = None
        self._budget: Callable[[], int] | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.pumps: set[asyncio.Task[None]] = set()

    def cut_after(self, count: int) -> None:
        """Cut all connections once so many more bytes have passed."""
        self._left = count

    def cut_each_after(self, budget: Callable[[], int] | None) -> None:
        """Cut each connection that comes from now on once so many bytes have passed; None leaves them alone."""
        self._budget = budget

    def cut(self) -> None:
        """Cut all connections."""
        self.cuts += 1
        self._left = None
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def stall(self) -> None:
        """Take connections, and hand nothing on."""
        self._flowing.clear()

    def flow(self) -> None:
        """Hand bytes on again."""
        self._flowing.set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect someone to the server."""
        self._ends.add(writer)
        self._start(self._join(reader, writer))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        pump = asyncio.create_task(work)
        self.pumps.add(pump)
        pump.add_done_callback(self.pumps.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        try:
            behind_reader, behind = await self._connect()
        except OSError:
            writer.close()
            return
        ends = {writer, behind}
        self._writers |= ends
        self._ends |= ends
        left = [self._budget()] if self._budget else None
        for source, target in ((reader, behind), (behind_reader, writer)):
            self._start(self._pump(source, target, ends, left))

    async def _pump(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
        left: list[int] | None,
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self._flowing.wait()
                bounds = [bound for bound in (self._left, left[0] if left else None) if bound is not None]
                part = chunk[: min(bounds)] if bounds else chunk
                self.passed += len(part)
                target.write(part)
                if self._left is not None:
                    self._left -= len(part)
                if left:
                    left[0] -= len(part)
                if self._left == 0:
                    self.cut()
                    return
                if left and left[0] == 0:
                    self.cuts += 1
                    break
                await target.drain()
        for end in ends:
            end.close()
        self._writers -= ends

    async def end(self) -> None:
        """Hand nothing on any more, and wait until all connections are closed."""
        pumps = list(self.pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)

    async def quiet(self) -> int:
        """Wait until no more bytes pass.

        Returns:
            How many have passed until then.
        """
        passed = -1
        while passed != self.passed:
            passed = self.passed
            await asyncio.sleep(0.05)
        return passed


@asynccontextmanager
async def proxy(url: str) -> AsyncIterator[Proxy]:
    """Run a proxy for as long as the context lasts.

    Args:
        url: Of the server; PostgreSQL's may name a folder with a socket.
    """
    parts = urlsplit(url)
    (folder,) = parse_qs(parts.query).get("host", [""])

    def connect() -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if folder:
            return asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        return asyncio.open_connection(parts.hostname, parts.port)

    between = Proxy(connect)
    listener = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    user = f"{parts.username}@" if parts.username else ""
    port = listener.sockets[0].getsockname()[1]
    query = "sslmode=disable" if folder else parts.query
    between.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}", query=query))
    try:
        yield between
    finally:
        listener.close()
        await between.end()
