"""How long a service leaves `/health` unanswered, measured by a process of its own, which nothing else keeps busy.

A connection that is refused or cut is no answer: the silence lasts until the next 200. Time in which the service could
have run and the machine ran something else is no silence of its.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 30.0
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ANSWER = b"HTTP/1.1 200 "


@dataclass
class Silence:
    """The longest silence in seconds, once it is known."""

    seconds: float = 0.0


@asynccontextmanager
async def listening(port: int, process: int) -> AsyncIterator[Silence]:
    """Ask for `/health` for as long as the context lasts; its longest silence is known afterwards.

    Args:
        port: The service's.
        process: The service's id.
    """
    silence = Silence()
    command = [sys.executable, "-I", __file__, str(port), str(process)]
    pipe = asyncio.subprocess.PIPE
    asking = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert asking.stdout is not None
    await asking.stdout.readline()
    try:
        yield silence
    finally:
        said, _ = await asking.communicate()
        silence.seconds = float(said)


class Watch:
    """Asks again and again, and keeps the longest silence."""

    def __init__(self, port: int, process: int) -> None:
        """Begin to wait for the first answer."""
        self._place = ("127.0.0.1", port)
        # Of Linux: time on the processor, time of waiting for one, and how often.
        self._schedule = Path(f"/proc/{process}/schedstat")
        self._since = self._own_time()
        self._longest = 0.0
        self._waiting = True

    def ask_for_ever(self) -> None:
        """Ask, each time on a connection of its own."""
        while True:
            self._since, self._waiting = self._own_time(), True
            while not self._answered():
                time.sleep(PAUSE_SECONDS)
            self._longest, self._waiting = self.longest(), False
            time.sleep(PAUSE_SECONDS)

    def longest(self) -> float:
        """Return the longest silence, that which lasts still included."""
        return max(self._longest, self._own_time() - self._since if self._waiting else 0.0)

    def _own_time(self) -> float:
        with suppress(OSError, IndexError):
            return time.monotonic() - int(self._schedule.read_text(encoding="ascii").split()[1]) / 1e9
        return time.monotonic()

    def _answered(self) -> bool:
        with suppress(OSError), socket.create_connection(self._place, PATIENCE_SECONDS) as connection:
            connection.sendall(REQUEST)
            return connection.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER
        return False


def main() -> None:
    """Ask until nobody listens any more, then print the longest silence in seconds."""
    watch = Watch(int(sys.argv[1]), int(sys.argv[2]))
    threading.Thread(target=watch.ask_for_ever, daemon=True).start()
    sys.stdout.write("asking\n")
    sys.stdout.flush()
    sys.stdin.read()
    sys.stdout.write(f"{watch.longest():.3f}\n")


if __name__ == "__main__":
    main()
