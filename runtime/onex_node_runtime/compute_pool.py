# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs pure handlers in processes of their own: what takes long there holds up nothing here, and can be ended."""

import asyncio
import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Protocol, cast

from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from .compute_process import Answer, Failed, Invalid, Made, Refused, main

MOST_PROCESSES = 2


class PureOperation[InputT: BaseModel, OutputT: BaseModel](Protocol):
    """A handler that needs nothing but its input."""

    async def handle(self, request: InputT) -> OutputT:
        """Run the operation."""


class ComputeProcess:
    """One process, which answers one request after another."""

    def __init__(self) -> None:
        """Start it."""
        mine, others = socket.socketpair()
        with others:
            # Without -P, whatever lies in the working folder could take the place of a module.
            self._process = subprocess.Popen(  # noqa: S603  # nothing of it comes from outside
                [sys.executable, "-P", "-c", f"from {main.__module__} import main; main({others.fileno()})"],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
                pass_fds=(others.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(mine.detach())

    @property
    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ready(self) -> None:
        """Wait until the process has started."""
        self._connection.recv_bytes()

    def ask(self, request: bytes) -> bytes:
        """Return the answer to a request; EOFError or OSError when the process ends before."""
        self._connection.send_bytes(request)
        return self._connection.recv_bytes()

    def kill(self) -> None:
        """End the process, whatever it does; a thread that waits for its answer gets an error."""
        self._process.kill()

    def close(self) -> None:
        """End the process, and wait for that."""
        self._process.kill()
        self._process.wait()
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
        atexit.register(self.close)

    def around[InputT: BaseModel, OutputT: BaseModel](
        self, handler: type[PureOperation[InputT, OutputT]]
    ) -> Callable[[InputT], Coroutine[Any, Any, OutputT]]:
        """Return a function that runs a handler in another process, and ends that when it is cancelled.

        Args:
            handler: The handler's class, which takes no arguments, at the top of a module.
        """
        self._threads.submit(self._warm)

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
        """End the processes that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

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
        process = ComputeProcess()
        try:
            process.ready()
        except (EOFError, OSError):
            process.close()
            raise
        return process

    def _give_back(self, process: ComputeProcess) -> None:
        with self._lock:
            self._idle.append(process)


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
