"""Stands in for the language model: answers by the method that is asked for, and can be made to wait."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.nodes.node_codegen_business_logic_effect.quiet_server import QuietServer


class Writer:
    """What it writes for each method, round by round, the last body again and again; and what it was asked.

    Attributes:
        bodies: Bodies by the name of the method.
        asked: The prompts, in the order in which they came.
        held: Methods whose prompts are answered once `let_go` is called.
    """

    def __init__(self, bodies: Mapping[str, Sequence[str]], held: Sequence[str] = ()) -> None:
        """Listen on a port of this machine."""
        self.bodies = bodies
        self.asked: list[str] = []
        self.held = frozenset(held)
        self._gate = threading.Event()
        self._lock = threading.Lock()
        self._rounds: Counter[str] = Counter()
        writer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(writer.answer(question["messages"][1]["content"])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, prompt: str) -> dict[str, object]:
        """Return the completion for a prompt, which begins with the method's signature."""
        name = prompt.partition("(")[0].split()[-1]
        with self._lock:
            self.asked.append(prompt)
        if name in self.held:
            self._gate.wait()
        with self._lock:
            turn = self._rounds[name]
            self._rounds[name] += 1
        bodies = self.bodies[name]
        text = bodies[min(turn, len(bodies) - 1)]
        return {
            "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        }

    def names(self) -> list[str]:
        """Return the methods that were asked for, in the order in which they were."""
        return [prompt.partition("(")[0].split()[-1] for prompt in list(self.asked)]

    def let_go(self) -> None:
        """Answer what waits."""
        self._gate.set()

    def stop(self) -> None:
        """Refuse connections."""
        self.let_go()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def writing(bodies: Mapping[str, Sequence[str]], held: Sequence[str] = ()) -> Iterator[Writer]:
    """Run one for as long as the context lasts."""
    writer = Writer(bodies, held)
    try:
        yield writer
    finally:
        writer.stop()
