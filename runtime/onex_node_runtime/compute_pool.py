# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs pure handlers in processes of their own: what takes long there holds up nothing here, and can be ended."""

import asyncio
import atexit
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol, cast

from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from .compute_process import Answer, Failed, Invalid, Made, Refused, become_each, main

MOST_PROCESSES = 2


type PopenOrNone = subprocess.Popen[bytes] | None
type SeedOrNone = Seed | None


class PureOperation[InputT: BaseModel, OutputT: BaseModel](Protocol):
    """A handler that needs nothing but its input."""

    async def handle(self, request: InputT) -> OutputT:
        """Run the operation."""


def launched(begin: Callable[[int], None], end: socket.socket, *, apart: bool = False) -> subprocess.Popen[bytes]:
    """Start a process of the interpreter's own.

    Args:
        begin: What it runs, a function at the top of a module: takes a descriptor.
        end: What the descriptor is of.
        apart: Whether it leads a process group of its own.
    """
    # Without -P, whatever lies in the working folder could take the place of a module.
    code = f"from {begin.__module__} import {begin.__name__}; {begin.__name__}({end.fileno()})"
    return subprocess.Popen(  # noqa: S603  # nothing of it comes from outside
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        pass_fds=(end.fileno(),),
        stdin=subprocess.DEVNULL,
        process_group=0 if apart else None,
    )


class Seed:
    """A process that has imported what handlers need, from which others start without doing so again."""

    def __init__(self) -> None:
        """Start it."""
        self._control, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with others:
            self._process = launched(become_each, others, apart=True)

    def load(self, handler: type[object]) -> None:
        """Import a handler; OSError when the process has ended."""
        self._control.send(pickle.dumps(handler))

    def fork(self, end: socket.socket) -> None:
        """Start a process that answers on one end of a pair of sockets; OSError when the seed has ended."""
        socket.send_fds(self._control, [b"fork"], [end.fileno()])

    def close(self) -> None:
        """End the process, and all that started from it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._control.close()


def can_fork() -> bool:
    """Tell whether processes are started from a seed: where a process that was forked is sound, and can be ended."""
    if sys.platform != "linux":
        return False
    try:
        descriptor = os.pidfd_open(os.getpid())
    except OSError:
        return False
    try:
        signal.pidfd_send_signal(descriptor, 0)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


class ComputeProcess:
    """One process, which answers one request after another."""

    def __init__(self, seed: SeedOrNone = None) -> None:
        """Start it.

        Args:
            seed: What it starts from; None starts it from nothing. OSError when the seed has ended.
        """
        mine, others = socket.socketpair()
        self._connection = Connection(mine.detach())
        self._process: PopenOrNone = None
        self._descriptor = -1
        with others:
            if seed is None:
                self._process = launched(main, others)
            else:
                seed.fork(others)

    @property
    def runs(self) -> bool:
        """Whether the process has not ended; nothing is asked of it now."""
        return not self._connection.poll()

    def ready(self) -> None:
        """Wait until the process has started."""
        number = int(self._connection.recv_bytes())
        if self._process is None:
            # Unlike its number, this stays that of the process when it has ended.
            self._descriptor = os.pidfd_open(number)

    def ask(self, request: bytes) -> bytes:
        """Return the answer to a request; EOFError or OSError when the process ends before."""
        self._connection.send_bytes(request)
        return self._connection.recv_bytes()

    def kill(self) -> None:
        """End the process, whatever it does; a thread that waits for its answer gets an error."""
        if self._process is not None:
            self._process.kill()
        elif self._descriptor >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def close(self) -> None:
        """End the process, and wait for that."""
        self.kill()
        if self._process is not None:
            self._process.wait()
        elif self._descriptor >= 0:
            select.select([self._descriptor], [], [])
            os.close(self._descriptor)
            self._descriptor = -1
        self._connection.close()


class PoolCall:
    """One call, which may be given up before it has a process, while it has one, and after."""

    def __init__(self) -> None:
        """Begin without a process."""
        self._lock = threading.Lock()
        self._process: ComputeProcess | None = None
        self._given_up = False

    def begin(self, process: ComputeProcess) -> bool:
        """Take a process; False when the call was given up already."""
        with self._lock:
            self._process = None if self._given_up else process
        return not self._given_up

    def end(self) -> None:
        """Let go of the process, which others get."""
        with self._lock:
            self._process = None

    def give_up(self) -> None:
        """End the process, if the call has one."""
        with self._lock:
            self._given_up = True
            if self._process is not None:
                self._process.kill()


class ComputePool:
    """A few processes that run pure handlers; the next one that is free takes the next call."""

    def __init__(self, most: int = MOST_PROCESSES) -> None:
        """Start nothing yet.

        Args:
            most: How many processes there are at most.
        """
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="compute")
        self._lock = threading.Lock()
        self._idle: list[ComputeProcess] = []
        self._handlers: list[type[object]] = []
        self._forks = can_fork()
        self._seed: SeedOrNone = None
        atexit.register(self.close)

    def around[InputT: BaseModel, OutputT: BaseModel](
        self, handler: type[PureOperation[InputT, OutputT]]
    ) -> Callable[[InputT], Coroutine[Any, Any, OutputT]]:
        """Return a function that runs a handler in another process, and ends that when it is cancelled.

        Args:
            handler: The handler's class, which takes no arguments, at the top of a module.
        """
        self._threads.submit(self._know, handler)

        async def handle(request: InputT) -> OutputT:
            call = PoolCall()
            running = asyncio.get_running_loop().run_in_executor(self._threads, self._run, call, handler, request)
            try:
                answer = await running
            except asyncio.CancelledError:
                call.give_up()
                raise
            return cast("OutputT", _output(answer))

        return handle

    def close(self) -> None:
        """End the processes that have nothing to do, and what others start from."""
        with self._lock:
            idle, self._idle = self._idle, []
            seed, self._seed = self._seed, None
        for process in idle:
            process.close()
        if seed is not None:
            seed.close()

    def _know(self, handler: type[object]) -> None:
        with self._lock:
            self._handlers.append(handler)
            seed = self._seed
        if seed is not None:
            with suppress(OSError):
                seed.load(handler)
        self._warm()

    def _warm(self) -> None:
        with self._lock:
            if self._idle:
                return
        self._give_back(self._started())

    def _run(self, call: PoolCall, handler: type[object], request: BaseModel) -> Answer:
        process = self._taken()
        try:
            if not call.begin(process):
                self._give_back(process)
                raise asyncio.CancelledError
            answer = process.ask(pickle.dumps((handler, request)))
        except (EOFError, OSError):
            call.end()
            process.close()
            self._threads.submit(self._warm)
            return Failed("its process ended")
        finally:
            call.end()
        self._give_back(process)
        made: Answer = pickle.loads(answer)  # noqa: S301  # from a process of this node
        return made

    def _taken(self) -> ComputeProcess:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return self._started()
            if process.runs:
                return process
            process.close()

    def _started(self) -> ComputeProcess:
        if not self._forks:
            return _ready(None)
        seed = self._seeded()
        try:
            return _ready(seed)
        except (EOFError, OSError):
            # It has ended, unless another thread saw that first: then a new one is in its place, which stays.
            with self._lock:
                is_mine = self._seed is seed
                self._seed = None if is_mine else self._seed
            if is_mine:
                seed.close()
            return _ready(self._seeded())

    def _seeded(self) -> Seed:
        with self._lock:
            if self._seed is None:
                self._seed = Seed()
                for handler in self._handlers:
                    self._seed.load(handler)
            return self._seed

    def _give_back(self, process: ComputeProcess) -> None:
        with self._lock:
            self._idle.append(process)


def _ready(seed: SeedOrNone) -> ComputeProcess:
    """Return a process that has begun to wait for calls."""
    process = ComputeProcess(seed)
    try:
        process.ready()
    except (EOFError, OSError):
        process.close()
        raise
    return process


def _output(answer: Answer) -> object:
    match answer:
        case Made(output):
            return output
        case Refused(message, error_code, details):
            raise ModelOnexError(message=message, error_code=error_code, **details)
        case Invalid(title, problems):
            raise ValidationError.from_exception_data(
                title,
                [
                    InitErrorDetails(
                        type=PydanticCustomError("invalid", "{message}", {"message": text}), loc=path, input=None
                    )
                    for path, text in problems
                ],
            )
        case Failed(reason):
            raise RuntimeError(reason)


COMPUTE_POOL = ComputePool()
"""The processes that all nodes of this process share."""
