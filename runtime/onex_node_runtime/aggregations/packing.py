# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values as JSON keeps them exactly, and back."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import JsonValue

_MICROSECOND = timedelta(microseconds=1)


def packed(value: object) -> JsonValue:
    """Return a value as JSON keeps it, without loss.

    Args:
        value: A text, number, boolean, moment, date, time, duration, decimal, UUID, value of an enum, or None.
    """
    match value:
        case Enum():
            return packed(value.value)
        case None | bool() | int() | float() | str():
            return value
        case timedelta():
            return value // _MICROSECOND
        case Decimal() | UUID():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} can't be kept.")


def unpacked[T](kind: type[T], value: Any) -> T:
    """Return a value of a type that was packed."""
    made: Any
    if issubclass(kind, timedelta):
        made = timedelta(microseconds=value)
    elif issubclass(kind, (datetime, date, time)):
        made = kind.fromisoformat(value)
    else:
        made = kind(value)  # type: ignore[call-arg]  # those that are left are made of what JSON keeps of them
    return made  # type: ignore[no-any-return]  # of the type that was asked for
