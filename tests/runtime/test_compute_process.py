"""What a process for pure handlers answers, and the bounds that it sets itself."""

import decimal
import gc
import os
import pickle
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime import compute_process
from onex_node_runtime.compute_process import Failed, Invalid, Made, Refused, answer, become_each, main, serve
from onex_node_runtime.payloads import MOST_DIGITS
from pydantic import BaseModel, Field


class Part(BaseModel):
    """A part of an input."""

    texts: list[str] = []


class Asked(BaseModel):
    """What handlers are asked."""

    number: int = 1
    texts: list[str] = []
    parts: list[Part] = []
    pairs: tuple[tuple[int, int], ...] = ()
    named: dict[str, list[int]] = {}


class Answered(BaseModel):
    """What they answer."""

    number: int = Field(ge=1)
    other: Any = None


class Unkept:
    """Needs too much memory when it is written down."""

    def __reduce__(self) -> Any:
        raise MemoryError


class Same:
    """Answers with what it was asked."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=request.number)


class Refusing:
    """Refuses."""

    async def handle(self, request: Asked) -> Answered:
        raise ModelOnexError(message="No.", error_code=EnumCoreErrorCode.NOT_FOUND, asked=request.number)


class Waiting:
    """Waits."""

    async def handle(self, request: Asked) -> Answered:
        await Never()
        return Answered(number=request.number)


class Never:
    """Comes never."""

    def __await__(self) -> Any:
        yield


class Broken:
    """Fails."""

    async def handle(self, request: Asked) -> Answered:
        raise LookupError(request.number)


class Greedy:
    """Needs too much memory, at once or later."""

    async def handle(self, request: Asked) -> Answered:
        if request.number == 1:
            raise MemoryError
        return Answered(number=1, other=Unkept())


def bounded(*rounds: tuple[int, int]) -> type:
    """Return a handler with loops, at the top of this module as others have to find it."""
    Loops.ROUNDS = rounds
    return Loops


class Loops(Same):
    """Has loops inside of each other."""

    ROUNDS: tuple[tuple[int, int], ...] = ()


def read(content: bytes) -> Any:
    return pickle.loads(content)  # noqa: S301 - it was made here


def asked(handler: type, **values: Any) -> object:
    return read(answer(pickle.dumps((handler, Asked(**values)))))


def refused(reason: str) -> Refused:
    return Refused(f"There is no result for this input: {reason}.", EnumCoreErrorCode.VALIDATION_ERROR, {})


@pytest.mark.parametrize(
    ("handler", "number", "expected"),
    [
        (Same, 5, Made(Answered(number=5))),
        (Same, 0, Invalid("Answered", ((("number",), "Input should be greater than or equal to 1"),))),
        (Refusing, 5, Refused("No.", EnumCoreErrorCode.NOT_FOUND, {"asked": 5})),
        (Waiting, 5, Failed("RuntimeError: A pure handler waits for nothing.")),
        (Broken, 5, Failed("LookupError: 5")),
        (Greedy, 1, refused("it needs too much memory")),
        (Greedy, 2, refused("it needs too much memory")),
    ],
)
def test_an_answer_says_what_came_of_it(handler: type, number: int, expected: object) -> None:
    assert asked(handler, number=number) == expected


def test_what_is_no_request_is_a_failure() -> None:
    found = read(answer(b"nothing"))
    assert isinstance(found, Failed)
    assert found.reason.startswith("UnpicklingError: ")


def test_an_answer_has_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pickle.dumps(Made(Answered(number=5)))
    monkeypatch.setattr(compute_process, "MOST_ANSWER_BYTES", len(made))
    assert asked(Same, number=5) == Made(Answered(number=5))
    monkeypatch.setattr(compute_process, "MOST_ANSWER_BYTES", len(made) - 1)
    assert asked(Same, number=5) == refused("a result that is too large")


@pytest.mark.parametrize(
    ("rounds", "values", "count"),
    [
        ((), {"texts": ["a"] * 9}, 0),
        (((1, 1),), {}, 0),
        (((1, 1),), {"texts": ["a"] * 9}, 9),
        (((2, 1),), {"texts": ["a"] * 9}, 18),
        (((2, 1), (1, 2)), {"texts": ["a"] * 9}, 81),
        (((100, 1), (1, 2)), {"texts": ["a"] * 9}, 900),
        (((1, 1),), {"parts": [Part(texts=["a", "b"]), Part(texts=["c"])]}, 5),
        (((1, 1),), {"pairs": ((1, 2), (3, 4))}, 6),
        (((1, 1),), {"named": {"a": [1, 2], "b": [3]}}, 3),
    ],
)
def test_rounds_of_loops_are_counted_before(
    rounds: tuple[tuple[int, int], ...], values: dict[str, Any], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = bounded(*rounds)
    monkeypatch.setattr(compute_process, "MOST_ROUNDS", count)
    assert asked(handler, **values) == Made(Answered(number=1))
    monkeypatch.setattr(compute_process, "MOST_ROUNDS", count - 1)
    assert asked(handler, **values) == refused("too many items for loops inside of each other")


class Connection:
    """Asks, and remembers what it is answered."""

    def __init__(self, *requests: bytes) -> None:
        self.requests = list(requests)
        self.answers: list[bytes] = []

    def recv_bytes(self) -> bytes:
        if not self.requests:
            raise EOFError
        return self.requests.pop(0)

    def send_bytes(self, content: bytes) -> None:
        self.answers.append(content)


def test_a_process_tells_its_number_and_answers_until_nobody_asks() -> None:
    connection: Any = Connection(*(pickle.dumps((Same, Asked(number=number))) for number in (5, 6)))
    serve(connection)
    number, *answers = connection.answers
    assert number == str(os.getpid()).encode()
    assert [read(found) for found in answers] == [Made(Answered(number=5)), Made(Answered(number=6))]


@pytest.mark.parametrize("linux", [True, False])
def test_a_process_sets_its_bounds(linux: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[Any] = []
    limits: list[Any] = []
    monkeypatch.setattr(signal, "signal", lambda *given: noted.append(given))
    monkeypatch.setattr(os, "nice", noted.append)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: limits.append(given))
    monkeypatch.setattr(compute_process, "serve", noted.append)
    monkeypatch.setattr(compute_process, "Connection", lambda descriptor: f"connection {descriptor}")
    if not linux:
        monkeypatch.setattr(Path, "exists", lambda _path: False)
    with decimal.localcontext() as context:
        main(7)
        assert (context.Emax, context.Emin) == (MOST_DIGITS, -MOST_DIGITS)
    assert noted == [(signal.SIGINT, signal.SIG_IGN), compute_process.NICENESS, "connection 7"]
    if not linux:
        assert limits == []
        return
    ((kind, (soft, hard)),) = limits
    assert (kind, hard) == (resource.RLIMIT_DATA, resource.RLIM_INFINITY)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    # Data and stack, which another word of the system tells in kilobytes, for now.
    data = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmData", "VmStk"))) * 1024
    assert abs(soft - compute_process.MOST_MEMORY_BYTES - data) < 16 * 1024 * 1024


class Ended(BaseException):
    """The process has ended."""


class Seed:
    """A process that others come from, told what to do by messages that were sent before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, child: bool) -> None:
        self.noted: list[Any] = []
        self.child = child
        self.mine, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.descriptor = others.detach()
        monkeypatch.setattr(signal, "signal", lambda *given: self.noted.append(given))
        monkeypatch.setattr(gc, "freeze", lambda: self.noted.append("freeze"))
        monkeypatch.setattr(os, "fork", self._fork)
        monkeypatch.setattr(compute_process, "main", lambda end: self.noted.append(("main", self._is_open(end))))
        monkeypatch.setattr(os, "killpg", self._ender("killpg"))
        monkeypatch.setattr(os, "_exit", self._ender("exit"))

    def _fork(self) -> int:
        self.noted.append("fork")
        return 0 if self.child else 123

    def _ender(self, name: str) -> Callable[..., None]:
        def end(*given: int) -> None:
            self.noted.append((name, *given))
            raise Ended

        return end

    @staticmethod
    def _is_open(descriptor: int) -> bool:
        try:
            os.fstat(descriptor)
        except OSError:
            return False
        return True

    def run(self) -> list[Any]:
        self.mine.close()
        with pytest.raises(Ended):
            become_each(self.descriptor)
        return self.noted


STARTED = [(signal.SIGINT, signal.SIG_IGN), (signal.SIGCHLD, signal.SIG_IGN)]
ENDED = ("killpg", 0, signal.SIGKILL)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the end of the process closes the rest
def test_a_seed_imports_what_it_is_told_and_ends_with_who_told_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seed = Seed(monkeypatch, child=False)
    for message in (pickle.dumps(Same), b"nothing", b"cno_such_module\nword\n."):
        seed.mine.send(message)
    assert seed.run() == [*STARTED, "freeze", ENDED]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the end of the process closes the rest
@pytest.mark.parametrize("child", [False, True])
def test_a_seed_becomes_a_process_for_each_connection(child: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = Seed(monkeypatch, child)
    connection, other = socket.socketpair()
    socket.send_fds(seed.mine, [b"fork"], [connection.fileno()])
    connection.close()
    if child:
        assert seed.run() == [*STARTED, "fork", ("main", True), ("exit", 0)]
    else:
        assert seed.run() == [*STARTED, "fork", ENDED]
        # The seed itself keeps no end of it.
        assert other.recv(1) == b""
    other.close()
