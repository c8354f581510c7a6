# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Partial results of single figures. Put together in any order, they give the same figure."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any, Protocol, Self

from .packing import packed, unpacked

_MOST_TERMS = 1024
# Digits enough for sums without rounding; a sum that needs more is an error, since its rounding depends on the order.
_EXACT = Context(prec=1000, traps=[Inexact, InvalidOperation, Overflow])


class Measure(Protocol):
    """What is known of some values."""

    def merge(self, other: Any) -> None:
        """Take what another one of the same class knows."""

    def dump(self) -> Any:
        """Return what is known as JSON keeps it, without loss."""

    def restore(self, kept: Any) -> None:
        """Take what was dumped, in the place of what is known."""


class Count:
    """How many there are."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        """Start at none."""
        self.number = 0

    def add(self) -> None:
        """Take one more."""
        self.number += 1

    def merge(self, other: Count) -> None:
        """Add those of another partial result."""
        self.number += other.number

    def value(self) -> int:
        """Return the number."""
        return self.number

    def dump(self) -> Any:
        """Return the number."""
        return self.number

    def restore(self, kept: Any) -> None:
        """Take the number that was dumped."""
        self.number = kept


class Sum[T: (int, timedelta)]:
    """A sum of values whose addition is exact."""

    __slots__ = ("total",)

    def __init__(self, zero: T) -> None:
        """Start at zero."""
        self.total: T = zero

    def add(self, value: T) -> None:
        """Add one value."""
        self.total += value

    def merge(self, other: Sum[T]) -> None:
        """Add those of another partial result."""
        self.total += other.total

    def value(self) -> T:
        """Return the sum."""
        return self.total

    def dump(self) -> Any:
        """Return the sum as JSON keeps it."""
        return packed(self.total)

    def restore(self, kept: Any) -> None:
        """Take the sum that was dumped."""
        self.total = unpacked(type(self.total), kept)


class ExactSum:
    """A sum of floats, rounded once at the end, so that it does not depend on their order.

    The terms are kept until there are many; then floats that do not overlap, and whose sum is exactly the same, take
    their place (J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997).
    """

    __slots__ = ("terms",)

    def __init__(self) -> None:
        """Start at zero."""
        self.terms: list[float] = []

    def add(self, value: float) -> None:
        """Add one value."""
        self.terms.append(value)
        if len(self.terms) > _MOST_TERMS:
            self._shorten()

    def merge(self, other: ExactSum) -> None:
        """Add those of another partial result."""
        self.terms += other.terms
        if len(self.terms) > _MOST_TERMS:
            self._shorten()

    def value(self) -> float:
        """Return the sum, correctly rounded.

        Raises:
            OverflowError: When it is beyond what a float holds.
        """
        return math.fsum(self.terms)

    def dump(self) -> Any:
        """Return floats whose sum is exactly the same."""
        self._shorten()
        return self.terms

    def restore(self, kept: Any) -> None:
        """Take the floats that were dumped."""
        self.terms = list(kept)

    def _shorten(self) -> None:
        parts: list[float] = []
        while rest := math.fsum([*self.terms, *(-part for part in parts)]):
            parts.append(rest)
        self.terms = parts


class DecimalSum:
    """A sum of decimals without rounding."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        """Start at zero."""
        self.total = Decimal(0)

    def add(self, value: Decimal) -> None:
        """Add one value.

        Raises:
            Inexact: When the sum has more than 1000 digits.
        """
        self.total = _EXACT.add(self.total, value)

    def merge(self, other: DecimalSum) -> None:
        """Add those of another partial result."""
        self.add(other.total)

    def value(self) -> Decimal:
        """Return the sum."""
        return self.total

    def dump(self) -> Any:
        """Return the sum as text."""
        return packed(self.total)

    def restore(self, kept: Any) -> None:
        """Take the sum that was dumped."""
        self.total = Decimal(kept)


class Mean[S: (Sum[int], Sum[timedelta], ExactSum, DecimalSum)]:
    """An exact sum, and the number of its values; the classes below divide the one by the other."""

    __slots__ = ("count", "total")

    def __init__(self, total: S) -> None:
        """Start without values, from a sum of none."""
        self.total: S = total
        self.count = 0

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return self.count == 0

    def merge(self, other: Self) -> None:
        """Take those of another partial result."""
        self.total.merge(other.total)
        self.count += other.count

    def dump(self) -> Any:
        """Return the number of values, and their sum."""
        return [self.count, self.total.dump()]

    def restore(self, kept: Any) -> None:
        """Take what was dumped."""
        self.count = kept[0]
        self.total.restore(kept[1])


class MeanOfIntegers(Mean[Sum[int]]):
    """The mean of integers: their exact sum by their number."""

    __slots__ = ()

    def __init__(self) -> None:
        """Start without values."""
        super().__init__(Sum(0))

    def add(self, value: int) -> None:
        """Take one value."""
        self.total.add(value)
        self.count += 1

    def value(self) -> float:
        """Return the mean; ZeroDivisionError when there are no values."""
        return self.total.value() / self.count


class MeanOfNumbers(Mean[ExactSum]):
    """The mean of floats: their exact sum by their number."""

    __slots__ = ()

    def __init__(self) -> None:
        """Start without values."""
        super().__init__(ExactSum())

    def add(self, value: float) -> None:
        """Take one value."""
        self.total.add(value)
        self.count += 1

    def value(self) -> float:
        """Return the mean; ZeroDivisionError when there are no values."""
        return self.total.value() / self.count


class MeanOfDecimals(Mean[DecimalSum]):
    """The mean of decimals: their exact sum by their number."""

    __slots__ = ()

    def __init__(self) -> None:
        """Start without values."""
        super().__init__(DecimalSum())

    def add(self, value: Decimal) -> None:
        """Take one value."""
        self.total.add(value)
        self.count += 1

    def value(self) -> Decimal:
        """Return the mean; InvalidOperation when there are no values."""
        return self.total.value() / self.count


class MeanOfDurations(Mean[Sum[timedelta]]):
    """The mean of durations: their exact sum by their number."""

    __slots__ = ()

    def __init__(self) -> None:
        """Start without values."""
        super().__init__(Sum(timedelta()))

    def add(self, value: timedelta) -> None:
        """Take one value."""
        self.total.add(value)
        self.count += 1

    def value(self) -> timedelta:
        """Return the mean, rounded to microseconds; ZeroDivisionError when there are no values."""
        return self.total.value() / self.count


class Extreme[T: (int, float, Decimal, timedelta, datetime, date)]:
    """One value of many; the classes below say which."""

    __slots__ = ("extreme", "kind")

    def __init__(self, kind: type[T]) -> None:
        """Start without values, which are of a type."""
        self.kind: type[T] = kind
        self.extreme: T | None = None

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return self.extreme is None

    def value(self) -> T:
        """Return the value.

        Raises:
            ValueError: When there are no values.
        """
        if self.extreme is None:
            raise ValueError("There are no values.")
        return self.extreme

    def dump(self) -> Any:
        """Return the value as JSON keeps it."""
        return packed(self.extreme)

    def restore(self, kept: Any) -> None:
        """Take the value that was dumped."""
        self.extreme = None if kept is None else unpacked(self.kind, kept)


class Smallest[T: (int, float, Decimal, timedelta, datetime, date)](Extreme[T]):
    """The smallest value."""

    __slots__ = ()

    def add(self, value: T) -> None:
        """Take one value."""
        if self.extreme is None or value < self.extreme:
            self.extreme = value

    def merge(self, other: Self) -> None:
        """Take that of another partial result."""
        if other.extreme is not None:
            self.add(other.extreme)


class Largest[T: (int, float, Decimal, timedelta, datetime, date)](Extreme[T]):
    """The largest value."""

    __slots__ = ()

    def add(self, value: T) -> None:
        """Take one value."""
        if self.extreme is None or value > self.extreme:
            self.extreme = value

    def merge(self, other: Self) -> None:
        """Take that of another partial result."""
        if other.extreme is not None:
            self.add(other.extreme)


class Percentile[T: (int, float, Decimal, timedelta)]:
    """An exact percentile: the smallest of the values that a given part of them does not exceed (nearest rank)."""

    __slots__ = ("_denominator", "_numerator", "kind", "values")

    def __init__(self, kind: type[T], numerator: int, denominator: int) -> None:
        """Start without values.

        Args:
            kind: The type of the values.
            numerator: With the denominator, the part of the values: 95 and 100 for the 95th percentile.
            denominator: More than 0.
        """
        self.kind: type[T] = kind
        self._numerator = numerator
        self._denominator = denominator
        self.values: list[T] = []

    def add(self, value: T) -> None:
        """Take one value."""
        self.values.append(value)

    def merge(self, other: Percentile[T]) -> None:
        """Take those of another partial result."""
        self.values += other.values

    @property
    def empty(self) -> bool:
        """Whether there are no values."""
        return not self.values

    def value(self) -> T:
        """Return the percentile.

        Raises:
            IndexError: When there are no values.
        """
        rank = -(-len(self.values) * self._numerator // self._denominator)
        return sorted(self.values)[rank - 1]

    def dump(self) -> Any:
        """Return all values as JSON keeps them."""
        return [packed(value) for value in self.values]

    def restore(self, kept: Any) -> None:
        """Take the values that were dumped."""
        self.values = [unpacked(self.kind, value) for value in kept]
