"""A proxy that speaks TLS to clients, and plainly to a server that can't."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import trustme

HOST = "127.0.0.1"
_CHUNK = 65_536
# What a client of PostgreSQL asks for before TLS, and the answer.
_SSL_REQUEST, _YES = b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S"

type Change = Callable[[bytes], bytes]


class Files:
    """Certificates of a server and of a client, in files.

    Attributes:
        ca: Who signed both.
        client: The client's certificate with its key.
        context: The server's side, which asks for the client's certificate where that is said.
    """

    def __init__(self, folder: Path, *, asks: bool = False) -> None:
        authority = trustme.CA()
        self.ca, self.client = folder / "ca.pem", folder / "client.pem"
        authority.cert_pem.write_to_path(self.ca)
        authority.issue_cert("node@example.org").private_key_and_cert_chain_pem.write_to_path(self.client)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self.context)
        if asks:
            authority.configure_trust(self.context)
            self.context.verify_mode = ssl.CERT_REQUIRED


@contextlib.asynccontextmanager
async def encrypted(
    port: int | Path, files: Files, *, asked_first: bool = False, change: Callable[[int], Change] | None = None
) -> AsyncIterator[int]:
    """Give the port of a proxy for as long as the context lasts.

    Args:
        port: The server's port on this machine, or its socket.
        files: What the proxy shows.
        asked_first: Whether clients ask for TLS in PostgreSQL's way.
        change: Makes what changes each piece that the server answers, of the proxy's port.
    """
    under_way: set[asyncio.Task[None]] = set()
    ends: list[asyncio.WriteTransport] = []
    own = 0

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, changed: Change) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while piece := await source.read(_CHUNK):
                target.write(changed(piece))
                await target.drain()
        target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            ends.append(writer.transport)
            if asked_first:
                assert await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST
                writer.write(_YES)
            await writer.start_tls(files.context)
            ends.append(writer.transport)
            onward, back = await _connected(port)
            ends.append(back.transport)
            answers: Change = change(own) if change else bytes
            await asyncio.gather(pump(reader, back, bytes), pump(onward, writer, answers))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accept, HOST, 0)
    own = server.sockets[0].getsockname()[1]
    try:
        yield own
    finally:
        server.close()
        for task in list(under_way):
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for end in ends:
            end.abort()
        # Transports are closed a turn later.
        await asyncio.sleep(0.01)


async def _connected(port: int | Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(port, Path):
        return await asyncio.open_unix_connection(port)
    return await asyncio.open_connection(HOST, port)
