# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""A process that runs pure handlers for another one, with bounds on numbers, memory and answers."""

import decimal
import gc
import os
import pickle
import resource
import signal
import socket
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, ValidationError

from .payloads import MOST_DIGITS

# Below the loop, which answers others meanwhile.
NICENESS = 10
# Of loops: a few seconds.
MOST_ROUNDS = 25_000_000
# Beyond what the process needs by itself.
MOST_MEMORY_BYTES = 128 * 1024 * 1024
MOST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_MESSAGE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Made:
    """An output."""

    output: BaseModel


@dataclass(frozen=True, slots=True)
class Refused:
    """An error of the handler's own."""

    message: str
    error_code: Any
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invalid:
    """An output that a model does not take: the model's name, and pairs of a path and what is wrong there."""

    title: str
    problems: tuple[tuple[tuple[int | str, ...], str], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Another error, as text."""

    reason: str


type Answer = Made | Refused | Invalid | Failed


def answer(asked: bytes) -> bytes:
    """Run a handler.

    Args:
        asked: Its class and its input, pickled.

    Returns:
        What came of it, an `Answer`, pickled.
    """
    try:
        made = pickle.dumps(_answer(asked))
    except MemoryError:
        made = pickle.dumps(_refused("it needs too much memory"))
    return made if len(made) <= MOST_ANSWER_BYTES else pickle.dumps(_refused("a result that is too large"))


def _answer(asked: bytes) -> Answer:
    try:
        handler, request = pickle.loads(asked)  # noqa: S301  # from the process that started this one
        if _rounds(getattr(handler, "ROUNDS", ()), request) > MOST_ROUNDS:
            return _refused("too many items for loops inside of each other")
        return Made(_run(handler().handle(request)))
    except MemoryError:
        return _refused("it needs too much memory")
    except ModelOnexError as error:
        return Refused(error.message, error.error_code, dict(error.context.get("additional_context", {})))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return Invalid(error.title, tuple((problem["loc"], problem["msg"]) for problem in found))
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}")


def _refused(reason: str) -> Refused:
    message = f"There is no result for this input: {reason}."
    return Refused(message, EnumCoreErrorCode.VALIDATION_ERROR, {})


def _run(coroutine: Coroutine[Any, Any, BaseModel]) -> BaseModel:
    try:
        coroutine.send(None)
    except StopIteration as done:
        output: BaseModel = done.value
        return output
    coroutine.close()
    message = "A pure handler waits for nothing."
    raise RuntimeError(message)


def _rounds(bounds: Sequence[tuple[int, int]], request: BaseModel) -> int:
    items = _items(request) if bounds else 0
    return max((factor * items**power for factor, power in bounds), default=0)


def _items(value: object) -> int:
    """Return how many items the arrays in a value have together."""
    count, waiting = 0, [value]
    while waiting:
        match waiting.pop():
            case BaseModel() as model:
                waiting.extend(model.__dict__.values())
            case dict() as members:
                waiting.extend(members.values())
            case list() | tuple() as items:
                count += len(items)
                waiting.extend(item for item in items if isinstance(item, (BaseModel, dict, list, tuple)))
    return count


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    most = pages * resource.getpagesize() + MOST_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))


def serve(connection: Connection) -> None:
    """Tell the number of this process, and answer requests until nobody is left who asks."""
    connection.send_bytes(str(os.getpid()).encode())
    while True:
        try:
            asked = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(answer(asked))


def main(descriptor: int) -> None:
    """Set the bounds, and answer requests.

    Args:
        descriptor: One end of a pair of sockets, whose other end the asking process has.
    """
    # Ctrl-C reaches all processes of a terminal; this one ends with the one that it works for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    context = decimal.getcontext()
    context.Emax, context.Emin = MOST_DIGITS, -MOST_DIGITS
    if Path("/proc/self/statm").exists():
        _bound_memory()
    serve(Connection(descriptor))


def become_each(descriptor: int) -> None:
    """Import what handlers need, and become a process for each connection that comes.

    Args:
        descriptor: One end of a pair of sockets. Each message is a pickled class to be known, or comes with the
            descriptor of a connection. When the other end is closed, this process and those that it became end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody waits for those that have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MOST_MESSAGE_BYTES, 1)
        if not message:
            os.killpg(0, signal.SIGKILL)
        for connection in descriptors:
            _fork(control, connection)
        if not descriptors:
            # Where its module can't be imported, a request says so.
            with suppress(Exception):
                pickle.loads(message)  # noqa: S301  # from the process that started this one
                gc.freeze()


def _fork(control: socket.socket, connection: int) -> None:
    try:
        if os.fork() == 0:
            try:
                control.close()
                main(connection)
            finally:
                os._exit(0)
    finally:
        os.close(connection)
