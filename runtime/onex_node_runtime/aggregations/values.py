# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Partial results about values themselves: which there are, how far apart they are, which comes first or last."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Self

from .packing import packed, unpacked

# Digits of a square root before it becomes a float or a decimal, which have fewer.
_ROOT = Context(prec=60)
_DECIMAL = Context(prec=28)
_MICROSECOND = timedelta(microseconds=1)


class Distinct[T]:
    """How many different values there are."""

    __slots__ = ("kind", "values")

    def __init__(self, kind: type[T]) -> None:
        """Start without values, which are of a type."""
        self.kind: type[T] = kind
        self.values: set[T] = set()

    def add(self, value: T) -> None:
        """Take one value."""
        self.values.add(value)

    def merge(self, other: Distinct[T]) -> None:
        """Take those of another partial result."""
        self.values |= other.values

    def value(self) -> int:
        """Return the number."""
        return len(self.values)

    def dump(self) -> Any:
        """Return the values as JSON keeps them, always in the same order."""
        return sorted((packed(value) for value in self.values), key=json.dumps)

    def restore(self, kept: Any) -> None:
        """Take the values that were dumped."""
        self.values = {unpacked(self.kind, value) for value in kept}


class Deviation:
    """The exact sums of values and of their squares; the classes below make a standard deviation of them.

    It is that of all values, which are not taken for a sample of others: the squares are divided by their number.
    """

    __slots__ = ("count", "squares", "total")

    def __init__(self) -> None:
        """Start without values."""
        self.count = 0
        self.total = Fraction(0)
        self.squares = Fraction(0)

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return self.count == 0

    def merge(self, other: Self) -> None:
        """Take those of another partial result."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def dump(self) -> Any:
        """Return the number of values, and both sums."""
        return [self.count, str(self.total), str(self.squares)]

    def restore(self, kept: Any) -> None:
        """Take what was dumped."""
        self.count, self.total, self.squares = kept[0], Fraction(kept[1]), Fraction(kept[2])

    def _take(self, value: Fraction) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value

    def _root(self) -> Decimal:
        """Return the deviation, to more digits than anybody is told; ZeroDivisionError when there are no values."""
        variance = self.squares / self.count - (self.total / self.count) ** 2
        return _ROOT.sqrt(_ROOT.divide(Decimal(variance.numerator), Decimal(variance.denominator)))


class DeviationOfNumbers(Deviation):
    """The standard deviation of whole numbers and floats."""

    __slots__ = ()

    def add(self, value: float) -> None:
        """Take one value."""
        self._take(Fraction(value))

    def value(self) -> float:
        """Return the standard deviation; ZeroDivisionError when there are no values."""
        return float(self._root())


class DeviationOfDecimals(Deviation):
    """The standard deviation of decimals."""

    __slots__ = ()

    def add(self, value: Decimal) -> None:
        """Take one value."""
        self._take(Fraction(value))

    def value(self) -> Decimal:
        """Return the standard deviation, to 28 digits; ZeroDivisionError when there are no values."""
        return _DECIMAL.plus(self._root())


class DeviationOfDurations(Deviation):
    """The standard deviation of durations."""

    __slots__ = ()

    def add(self, value: timedelta) -> None:
        """Take one value."""
        self._take(Fraction(value // _MICROSECOND))

    def value(self) -> timedelta:
        """Return the standard deviation, rounded to microseconds; ZeroDivisionError when there are no values."""
        return timedelta(microseconds=round(self._root()))


class Ranked[T, R: (int, datetime, date)]:
    """One value of many by what events are ordered by; the classes below say which.

    Of several values at the same place, the one whose JSON sorts first is the first one, so that the order in which
    they come changes nothing.
    """

    __slots__ = ("found", "kind", "order")

    def __init__(self, kind: type[T], order: type[R]) -> None:
        """Start without values.

        Args:
            kind: The type of the values.
            order: The type of what events are ordered by.
        """
        self.kind: type[T] = kind
        self.order: type[R] = order
        self.found: tuple[R, str, T] | None = None

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return self.found is None

    def value(self) -> T:
        """Return the value; ValueError when there are none."""
        if self.found is None:
            raise ValueError("There are no values.")
        return self.found[2]

    def dump(self) -> Any:
        """Return the value and its place."""
        return None if self.found is None else [packed(self.found[0]), packed(self.found[2])]

    def restore(self, kept: Any) -> None:
        """Take what was dumped."""
        self.found = None
        if kept is not None:
            self.found = (unpacked(self.order, kept[0]), json.dumps(kept[1]), unpacked(self.kind, kept[1]))


class First[T, R: (int, datetime, date)](Ranked[T, R]):
    """The value of the first event."""

    __slots__ = ()

    def add(self, place: R, value: T) -> None:
        """Take the value of an event, by its place among all."""
        found = (place, json.dumps(packed(value)), value)
        if self.found is None or found[:2] < self.found[:2]:
            self.found = found

    def merge(self, other: Self) -> None:
        """Take that of another partial result."""
        if other.found is not None:
            self.add(other.found[0], other.found[2])


class Last[T, R: (int, datetime, date)](Ranked[T, R]):
    """The value of the last event."""

    __slots__ = ()

    def add(self, place: R, value: T) -> None:
        """Take the value of an event, by its place among all."""
        found = (place, json.dumps(packed(value)), value)
        if self.found is None or found[:2] > self.found[:2]:
            self.found = found

    def merge(self, other: Self) -> None:
        """Take that of another partial result."""
        if other.found is not None:
            self.add(other.found[0], other.found[2])


class Come[T]:
    """One value of many by the order in which events come; the classes below say which."""

    __slots__ = ("found", "kind")

    def __init__(self, kind: type[T]) -> None:
        """Start without values, which are of a type."""
        self.kind: type[T] = kind
        self.found: list[T] = []

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return not self.found

    def value(self) -> T:
        """Return the value; IndexError when there are none."""
        return self.found[0]

    def dump(self) -> Any:
        """Return the value, in a list that is empty where there is none."""
        return [packed(value) for value in self.found]

    def restore(self, kept: Any) -> None:
        """Take what was dumped."""
        self.found = [unpacked(self.kind, value) for value in kept]


class FirstCome[T](Come[T]):
    """The value of the event that came first."""

    __slots__ = ()

    def add(self, value: T) -> None:
        """Take the value of the next event."""
        self.found = self.found or [value]

    def merge(self, other: Self) -> None:
        """Take that of another partial result, whose events came later."""
        self.found = self.found or other.found


class LastCome[T](Come[T]):
    """The value of the event that came last."""

    __slots__ = ()

    def add(self, value: T) -> None:
        """Take the value of the next event."""
        self.found = [value]

    def merge(self, other: Self) -> None:
        """Take that of another partial result, whose events came later."""
        self.found = other.found or self.found
