# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""A local HTTP server in place of the API: it answers what tests tell it to, and remembers what it was asked."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .quiet_server import QuietServer


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


@dataclass
class Answer:
    """One answer; JSON unless the body is bytes, and late by a pause in seconds."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0


@dataclass
class Route:
    """What is answered to requests with this method whose path ends like the regular expression."""

    method: str
    path: str
    answer: Answer


class LocalApi:
    """The server; `answers` are given in turn, the last one again and again, where no route is there."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.answers: list[Answer] = [Answer()]
        self.asked: list[Asked] = []
        self._connections: list[socket.socket] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                api._connections.append(self.connection)

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.asked.append(Asked(self.command, self.path, headers, body))
                answer = api._answer_to(self.command, self.path)
                time.sleep(answer.pause)
                content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class calls them so

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Stay silent."""

        self._handler = Handler
        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._port = self._server.server_address[1]
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    def _answer_to(self, method: str, path: str) -> Answer:
        for route in self.routes:
            if route.method == method and re.search(f"{route.path}$", path.partition("?")[0]):
                return route.answer
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def start(self) -> None:
        """Answer, on the port that it had before."""
        if self._server.socket.fileno() == -1:
            self._server = QuietServer(("127.0.0.1", self._port), self._handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections, and break those that there are."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()


def share_local_api(variable: str, routes: list[Route], servers: ExitStack, shared: dict[str, "LocalApi"]) -> None:
    """Let a server answer these as well, one for all that find their API by the same variable of the environment.

    Args:
        variable: Names the place; where the environment has it already, that is not here.
        routes: What is answered.
        servers: Takes what is to be ended.
        shared: The servers that were started so far, by variable.
    """
    if variable not in shared:
        if os.environ.get(variable):
            return
        shared[variable] = servers.enter_context(local_api())
        os.environ[variable] = shared[variable].url
    shared[variable].routes += routes


@contextmanager
def local_api() -> Iterator[LocalApi]:
    """Run a server for as long as the context lasts."""
    api = LocalApi()
    try:
        yield api
    finally:
        api.stop()
