# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""Shows whether code is pure: while it is watched, files, sockets, processes, clock and chance are out of its reach."""

import os
import random
import sys
import time
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from types import ModuleType
from typing import Any, NoReturn
from unittest.mock import patch

OUTSIDE = {"open", "os", "shutil", "socket", "subprocess"}
CLOCKS = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep", "time", "time_ns")
CHANCES = ((os, "urandom"), (random, "random"), (random, "getrandbits"), (random, "randbytes"), (uuid, "uuid4"))


class ImpureError(AssertionError):
    """Watched code reached for the outside."""


class _Watch:
    on = False

    def __call__(self, event: str, _arguments: tuple[object, ...]) -> None:
        if self.on and event.partition(".")[0] in OUTSIDE:
            raise ImpureError(event)


class _Timeless(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> NoReturn:
        raise ImpureError("datetime.now")

    @classmethod
    def today(cls) -> NoReturn:
        raise ImpureError("datetime.today")


def _refuse(*_arguments: object) -> NoReturn:
    raise ImpureError("clock or chance")


_watch = _Watch()
# A hook of the interpreter, which sees what libraries written in C do as well; it can't be taken away again.
sys.addaudithook(_watch)


@contextmanager
def watched(*modules: ModuleType) -> Iterator[None]:
    """Raise ImpureError when something reaches for the outside.

    Args:
        modules: Those whose `datetime` is not to know the time either.
    """
    with ExitStack() as stack:
        for name in CLOCKS:
            stack.enter_context(patch.object(time, name, _refuse))
        for module, name in CHANCES:
            stack.enter_context(patch.object(module, name, _refuse))
        for module in modules:
            if hasattr(module, "datetime"):
                stack.enter_context(patch.object(module, "datetime", _Timeless))
        _watch.on = True
        try:
            yield
        finally:
            _watch.on = False


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise ImpureError("It waits.")
