# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What an operation may have done to the world, for those who decide whether it may run again."""

from __future__ import annotations

import asyncio
import math
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OutcomeUnknownError(Exception):
    """A call may have taken effect, and nobody knows; the cause is what went wrong."""


@dataclass(slots=True)
class Effects:
    """What is known of the effects of one operation.

    Attributes:
        repeatable: Whether the contract says that running it twice does no harm.
        in_doubt: Whether the outcome of a call is unknown.
        lasting: Whether a call that must not be made twice took effect, or may have.
        ends_at: When its deadline ends it, by the clock of the event loop.
    """

    repeatable: bool = False
    in_doubt: bool = False
    lasting: bool = False
    ends_at: float = math.inf

    @property
    def safe_to_repeat(self) -> bool:
        """Whether running the operation again does nothing twice that must be done once."""
        return self.repeatable or not self.lasting


@dataclass(slots=True)
class Underway:
    """A call that is being made.

    Attributes:
        begun: Whether it may have taken effect by now.
    """

    begun: bool


EFFECTS: ContextVar[Effects | None] = ContextVar("effects", default=None)
"""The effects of the operation that is running; None outside of one."""

_UNDERWAY: ContextVar[Underway | None] = ContextVar("underway", default=None)


def _never(_error: Exception) -> bool:
    return False


@contextmanager
def effect(
    leaves_open: Callable[[Exception], bool] = _never, *, idempotent: bool = False, begun: bool = True
) -> Iterator[None]:
    """Note what becomes of a call that changes something outside.

    A call that is cancelled leaves its outcome open, since nobody waited for the answer.

    Args:
        leaves_open: Tells the errors after which the call may have taken effect from those after which it has not.
        idempotent: Whether making the call twice does no harm.
        begun: Whether the call may take effect from the start of the block on, or only after `begin`.

    Raises:
        OutcomeUnknownError: In place of an error that leaves the outcome open.
    """
    effects = EFFECTS.get() or Effects()
    call = Underway(begun)
    token = _UNDERWAY.set(call)
    try:
        yield
    except Exception as error:
        if not (call.begun and leaves_open(error)):
            raise
        effects.in_doubt = True
        effects.lasting |= not idempotent
        raise OutcomeUnknownError from error
    except BaseException:
        effects.in_doubt |= call.begun
        effects.lasting |= call.begun and not idempotent
        raise
    else:
        effects.lasting |= not idempotent
    finally:
        _UNDERWAY.reset(token)


def begin() -> None:
    """Note that the call whose block this is may take effect from now on."""
    if (call := _UNDERWAY.get()) is not None:
        call.begun = True


def cause_of(error: BaseException) -> BaseException:
    """Return what went wrong, whether or not it left an outcome open."""
    return error.__cause__ or error if isinstance(error, OutcomeUnknownError) else error


def safe_to_repeat() -> bool:
    """Tell whether the operation that is running, or was just cut off, may run again."""
    effects = EFFECTS.get()
    return effects is None or effects.safe_to_repeat


def seconds_left() -> float:
    """Return how long the operation that is running may still take; infinity outside of one."""
    effects = EFFECTS.get()
    return math.inf if effects is None else max(0.0, effects.ends_at - asyncio.get_running_loop().time())
