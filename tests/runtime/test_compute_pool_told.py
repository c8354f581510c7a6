"""How processes for pure handlers are started, shared, replaced and ended, on processes that are played."""

import asyncio
import atexit
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime import compute_pool
from onex_node_runtime.compute_pool import ComputePool, ComputeProcess, PoolCall, Seed, can_fork, launched
from onex_node_runtime.compute_process import Answer, Failed, Invalid, Made, Refused, become_each, main
from pydantic import BaseModel, ValidationError


class Number(BaseModel):
    """An input or output."""

    n: int


class Same:
    """A handler, which the processes that are played do not run."""

    async def handle(self, request: Number) -> Number:
        return request


class Child:
    """A process that was launched."""

    def __init__(self, *given: Any, **how: Any) -> None:
        self.given, self.how = given, how
        self.noted: list[str] = []
        self.pid = 4321

    def kill(self) -> None:
        self.noted.append("kill")

    def wait(self) -> None:
        self.noted.append("wait")


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Child]:
    made: list[Child] = []

    def popen(*given: Any, **how: Any) -> Child:
        made.append(Child(*given, **how))
        return made[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return made


@pytest.mark.parametrize("apart", [None, True, False])
def test_a_process_is_of_the_same_interpreter_and_imports_what_this_one_does(
    children: list[Child], apart: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", ["src", "/else/where"])
    monkeypatch.setenv("ONEX_WORD", "said")
    mine, others = socket.socketpair()
    with mine, others:
        how = {} if apart is None else {"apart": apart}
        launched(main, others, **how)
        (child,) = children
        number = others.fileno()
        code = f"from onex_node_runtime.compute_process import main; main({number})"
        assert child.given == ([sys.executable, "-P", "-c", code],)
        environment = child.how.pop("env")
        assert environment["PYTHONPATH"] == f"{os.path.abspath('src')}{os.pathsep}/else/where"  # noqa: PTH100 - as text
        assert environment["ONEX_WORD"] == "said"
        group = 0 if apart else None
        assert child.how == {"pass_fds": (number,), "stdin": subprocess.DEVNULL, "process_group": group}


def test_a_seed_is_told_of_handlers_and_connections(children: list[Child], monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[int, int]] = []
    kept: list[socket.socket] = []

    def launch(begin: Callable[[int], None], end: socket.socket, *, apart: bool) -> Child:
        assert (begin, apart) == (become_each, True)
        kept.append(end.dup())
        return Child()

    monkeypatch.setattr(compute_pool, "launched", launch)
    monkeypatch.setattr(os, "killpg", lambda *given: ended.append(given))
    seed = Seed()
    child: Any = vars(seed)["_process"]
    seed.load(Same)
    (control,) = kept
    assert pickle.loads(control.recv(10_000)) is Same  # noqa: S301 - it was made here
    one, other = socket.socketpair()
    seed.fork(one)
    message, descriptors, _, _ = socket.recv_fds(control, 100, 1)
    assert (message, os.fstat(descriptors[0]).st_ino) == (b"fork", os.fstat(one.fileno()).st_ino)
    seed.close()
    assert (ended, child.noted) == ([(4321, signal.SIGKILL)], ["wait"])
    assert control.recv(1) == b""
    with pytest.raises(OSError, match=r"."):
        seed.load(Same)
    for end in (one, other, control):
        end.close()
    os.close(descriptors[0])


def test_a_seed_that_has_ended_is_closed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: int) -> None:
        raise ProcessLookupError

    monkeypatch.setattr(compute_pool, "launched", lambda *_, **__: Child())
    monkeypatch.setattr(os, "killpg", gone)
    seed = Seed()
    seed.close()
    child: Any = vars(seed)["_process"]
    assert child.noted == ["wait"]


@pytest.mark.skipif(sys.platform != "linux", reason="it is of Linux alone")
@pytest.mark.parametrize(
    ("platform", "opens", "signals", "forks"),
    [
        ("linux", True, True, True),
        ("darwin", True, True, False),
        ("linux", False, True, False),
        ("linux", True, False, False),
    ],
)
def test_processes_are_forked_where_they_can_be_ended(
    platform: str, opens: bool, signals: bool, forks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    closed: list[int] = []

    def opened(number: int) -> int:
        asked.append(number)
        if not opens:
            raise OSError
        return 77

    def sent(*given: int) -> None:
        asked.append(given)
        if not signals:
            raise OSError

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "pidfd_open", opened)
    monkeypatch.setattr(signal, "pidfd_send_signal", sent)
    monkeypatch.setattr(os, "close", closed.append)
    found = can_fork()
    monkeypatch.undo()
    assert found is forks
    if forks:
        assert asked == [os.getpid(), (77, 0)]
    assert closed == ([77] if platform == "linux" and opens else [])


def test_a_process_that_was_launched_answers_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Connection] = []

    def launch(begin: Callable[[int], None], end: socket.socket) -> Child:
        assert begin is main
        kept.append(Connection(end.dup().detach()))
        return Child()

    monkeypatch.setattr(compute_pool, "launched", launch)
    process = ComputeProcess()
    (other,) = kept
    child: Any = vars(process)["_process"]
    assert process.runs
    other.send_bytes(b"123")
    process.ready()
    other.send_bytes(b"answer")
    assert (process.ask(b"question"), other.recv_bytes()) == (b"answer", b"question")
    assert process.runs
    process.kill()
    assert child.noted == ["kill"]
    process.close()
    assert child.noted == ["kill", "kill", "wait"]
    with pytest.raises(EOFError):
        other.recv_bytes()
    other.close()


class Forking:
    """A seed whose process is one that sleeps."""

    def __init__(self) -> None:
        self.sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.end: Connection

    def fork(self, end: socket.socket) -> None:
        self.end = Connection(end.dup().detach())
        self.end.send_bytes(str(self.sleeper.pid).encode())


@pytest.mark.skipif(not can_fork(), reason="processes can't be told apart here")
def test_a_process_that_was_forked_is_ended_by_what_stays_its_own() -> None:
    seed: Any = Forking()
    process = ComputeProcess(seed)
    # It is not known yet, so that nothing else is hit.
    process.kill()
    process.ready()
    assert seed.sleeper.poll() is None
    process.close()
    assert seed.sleeper.wait() == -signal.SIGKILL
    assert not seed.end.closed
    with pytest.raises(EOFError):
        seed.end.recv_bytes()
    process.kill()
    seed.end.close()


class Played:
    """A process that answers by itself: `ends` lets it end before, `wait` keeps its answer back."""

    def __init__(self, seed: object = None) -> None:
        self.seed = seed
        self.runs = True
        self.ends: type[Exception] | None = None
        self.starts: type[Exception] | None = None
        self.wait = threading.Event()
        self.wait.set()
        self.answer: Answer | None = None
        self.asked: list[Any] = []
        self.noted: list[str] = []

    def ready(self) -> None:
        if self.starts is not None:
            raise self.starts
        self.noted.append("ready")

    def ask(self, request: bytes) -> bytes:
        handler, number = pickle.loads(request)  # noqa: S301 - it was made here
        self.asked.append((handler, number))
        self.wait.wait(20)
        if self.ends is not None:
            raise self.ends
        return pickle.dumps(self.answer or Made(Number(n=number.n * 2)))

    def kill(self) -> None:
        self.noted.append("kill")
        self.ends = EOFError
        self.wait.set()

    def close(self) -> None:
        self.noted.append("close")


class PlayedSeed:
    """A seed that notes what it is told; `gone` lets it have ended."""

    def __init__(self) -> None:
        self.loaded: list[type] = []
        self.closed = 0
        self.gone = False

    def load(self, handler: type) -> None:
        if self.gone:
            raise BrokenPipeError
        self.loaded.append(handler)

    def close(self) -> None:
        self.closed += 1


class Stage:
    """What a pool starts on it.

    Attributes:
        starts: What the next processes end in before they are ready; None where they are.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, forks: bool) -> None:
        self.processes: list[Played] = []
        self.seeds: list[PlayedSeed] = []
        self.starts: list[type[Exception] | None] = []
        self.at_end: list[Any] = []
        monkeypatch.setattr(compute_pool, "ComputeProcess", self._process)
        monkeypatch.setattr(compute_pool, "Seed", self._seed)
        monkeypatch.setattr(compute_pool, "can_fork", lambda: forks)
        monkeypatch.setattr(atexit, "register", self.at_end.append)

    def _process(self, seed: object = None) -> Played:
        made = Played(seed)
        made.starts = self.starts.pop(0) if self.starts else None
        self.processes.append(made)
        return made

    def _seed(self) -> PlayedSeed:
        self.seeds.append(PlayedSeed())
        return self.seeds[-1]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch, forks=True)


@pytest.fixture
def pool(stage: Stage) -> Iterator[ComputePool]:
    # With one thread, things happen one after another.
    made = ComputePool(1)
    assert stage.at_end == [made.close]
    yield made
    made.close()


async def test_a_process_is_there_before_the_first_call_and_takes_one_after_another(
    stage: Stage, pool: ComputePool
) -> None:
    handle = pool.around(Same)
    assert [(await handle(Number(n=n))).n for n in (1, 2)] == [2, 4]
    (process,), (seed,) = stage.processes, stage.seeds
    assert process.seed is seed
    assert (process.noted, process.asked) == (["ready"], [(Same, Number(n=1)), (Same, Number(n=2))])
    assert seed.loaded == [Same]
    pool.around(Played)  # type: ignore[arg-type]  # it is only known
    await handle(Number(n=3))
    assert (seed.loaded, len(stage.processes)) == ([Same, Played], 1)
    pool.close()
    pool.close()
    assert (process.noted, seed.closed) == (["ready", "close"], 1)


async def test_an_answer_is_an_output_or_an_error(stage: Stage, pool: ComputePool) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    (process,) = stage.processes
    process.answer = Refused("No.", EnumCoreErrorCode.NOT_FOUND, {"asked": 5})
    with pytest.raises(ModelOnexError) as refused:
        await handle(Number(n=1))
    assert (refused.value.error_code, refused.value.message) == (EnumCoreErrorCode.NOT_FOUND, "No.")
    assert refused.value.context["additional_context"] == {"asked": 5}
    process.answer = Invalid("Number", ((("n",), "It is {wrong}."), (("parts", 2), "Too many.")))
    with pytest.raises(ValidationError) as invalid:
        await handle(Number(n=1))
    assert invalid.value.title == "Number"
    assert invalid.value.errors(include_url=False, include_context=False) == [
        {"type": "invalid", "loc": ("n",), "msg": "It is {wrong}.", "input": None},
        {"type": "invalid", "loc": ("parts", 2), "msg": "Too many.", "input": None},
    ]
    process.answer = Failed("LookupError: 5")
    with pytest.raises(RuntimeError, match=r"^LookupError: 5$"):
        await handle(Number(n=1))
    assert stage.processes == [process]


async def test_so_many_calls_are_made_at_once(stage: Stage) -> None:
    pool = ComputePool()
    handle = pool.around(Same)
    await handle(Number(n=0))
    stage.processes[0].wait.clear()
    calls = [asyncio.create_task(handle(Number(n=n))) for n in range(1, 5)]
    async with asyncio.timeout(20):
        while len(stage.processes) < 2 or not all(call.done() for call in calls if call is not held(calls)):
            await asyncio.sleep(0.001)
    assert compute_pool.MOST_PROCESSES == len(stage.processes) == 2
    stage.processes[0].wait.set()
    assert [found.n for found in await asyncio.gather(*calls)] == [2, 4, 6, 8]
    pool.close()


def held(calls: list[asyncio.Task[Number]]) -> asyncio.Task[Number] | None:
    """Return the call that waits, once it is the only one."""
    waiting = [call for call in calls if not call.done()]
    return waiting[0] if len(waiting) == 1 else None


@pytest.mark.parametrize("error", [EOFError, OSError])
async def test_a_process_that_ends_fails_its_call_and_another_takes_its_place(
    stage: Stage, pool: ComputePool, error: type[Exception]
) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    stage.processes[0].ends = error
    with pytest.raises(RuntimeError, match=r"^its process ended$"):
        await handle(Number(n=2))
    assert stage.processes[0].noted == ["ready", "close"]
    # The next one is there before it is asked for.
    async with asyncio.timeout(20):
        while len(stage.processes) < 2:
            await asyncio.sleep(0.001)
    assert (await handle(Number(n=3))).n == 6
    assert len(stage.processes) == 2


async def test_a_process_that_ended_meanwhile_is_passed_over(stage: Stage, pool: ComputePool) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    stage.processes[0].runs = False
    assert (await handle(Number(n=2))).n == 4
    assert [process.noted for process in stage.processes] == [["ready", "close"], ["ready"]]


async def test_a_call_that_is_given_up_ends_its_process(stage: Stage, pool: ComputePool) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    (process,) = stage.processes
    process.wait.clear()
    calls = [asyncio.create_task(handle(Number(n=n))) for n in (2, 3)]
    async with asyncio.timeout(20):
        while len(process.asked) < 2:
            await asyncio.sleep(0.001)
    # The second has no process yet.
    for call in reversed(calls):
        call.cancel()
    assert await asyncio.gather(*calls, return_exceptions=True) != []
    assert all(call.cancelled() for call in calls)
    assert (await handle(Number(n=4))).n == 8
    assert process.noted == ["ready", "kill", "close"]
    assert [asked for _, asked in stage.processes[-1].asked] == [Number(n=4)]


async def test_a_seed_that_ended_is_replaced(stage: Stage, pool: ComputePool) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    stage.processes[0].runs = False
    stage.seeds[0].gone = True
    stage.starts = [EOFError]
    assert (await handle(Number(n=2))).n == 4
    assert [seed.closed for seed in stage.seeds] == [1, 0]
    assert stage.seeds[1].loaded == [Same]
    assert [process.seed for process in stage.processes] == [stage.seeds[0], stage.seeds[0], stage.seeds[1]]
    assert stage.processes[1].noted == ["close"]


async def test_a_seed_that_ended_keeps_no_handler_from_being_known(stage: Stage, pool: ComputePool) -> None:
    handle = pool.around(Same)
    await handle(Number(n=1))
    stage.seeds[0].gone = True
    again = pool.around(Same)
    assert (await again(Number(n=2))).n == 4
    assert len(stage.processes) == 1


async def test_where_nothing_forks_there_is_no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, forks=False)
    pool = ComputePool()
    assert (await pool.around(Same)(Number(n=1))).n == 2
    assert stage.seeds == []
    assert {process.seed for process in stage.processes} == {None}
    pool.close()


def test_a_call_is_given_up_before_while_and_after_it_has_a_process() -> None:
    processes: list[Any] = [Played() for _ in range(3)]
    before, meanwhile, after = (PoolCall() for _ in range(3))
    before.give_up()
    assert not before.begin(processes[0])
    before.give_up()
    assert meanwhile.begin(processes[1])
    meanwhile.give_up()
    assert after.begin(processes[2])
    after.end()
    after.give_up()
    assert [process.noted for process in processes] == [[], ["kill"], []]
