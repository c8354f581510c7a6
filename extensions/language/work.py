"""How much work an expression is: rounds of its loops, and bits of its whole numbers, told before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_ROUNDS: Final = 25_000_000
"""Rounds of loops: a few seconds."""

MOST_BITS: Final = 65_536
"""Bits of a whole number: arithmetic with it takes less than a thousandth of a second."""

MOST_LOOP_BITS: Final = 2048
"""The same in loops of conditions, which run where everything else does: half a million times a millionth."""

INPUT_BITS: Final = 64
NUMBER_BITS: Final = 1024
DECIMAL_BITS: Final = 3400
TEXT_BITS: Final = 14_400
"""Of the whole number in a text, which has at most 4,300 digits."""

COUNT_BITS: Final = 24
"""Of the number of items of an array: no body holds as many."""

# A longer array counts with the items that a request does hold.
_SHORT: Final = 1000
# A body holds at most half a million items.
_HARMLESS: Final = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How many items there are at most: a factor times the items of the whole request, to a power.

    Attributes:
        factor: The factor.
        degree: The power; 0 for what does not depend on the request.
    """

    factor: int = 1
    degree: int = 0

    def times(self, other: "Size") -> "Size":
        """Return the rounds of a loop of one size inside of a loop of another."""
        return Size(self.factor * other.factor, self.degree + other.degree)

    def plus(self, other: "Size") -> "Size":
        """Return the size of two arrays together."""
        return Size(self.factor + other.factor, max(self.degree, other.degree))


ONE: Final = Size()
ANY: Final = Size(1, 1)
"""The size of an array of which nothing is known but that it came with the request."""


def size_of(spec: Mapping[str, Any]) -> Size:
    """Return the size of a field that is an array.

    Args:
        spec: The field in its long form.
    """
    most = spec.get("maxItems")
    return Size(most) if isinstance(most, int) and not isinstance(most, bool) and 0 <= most <= _SHORT else ANY


class Rounds:
    """The most rounds of loops inside of each other, for each power of the request's items."""

    def __init__(self) -> None:
        """Begin without loops."""
        self._factors: dict[int, int] = {}

    def note(self, size: Size) -> None:
        """Note rounds of a loop."""
        self._factors[size.degree] = max(self._factors.get(size.degree, 0), size.factor)

    @property
    def endless(self) -> bool:
        """Whether the rounds are too many whatever the request holds."""
        return any(factor > MOST_ROUNDS for factor in self._factors.values())

    @property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Pairs of factor and power where a request may make too many rounds; none where no request can."""
        found: list[tuple[int, int]] = []
        for degree, factor in sorted(self._factors.items(), reverse=True):
            grows = degree > 1 or (degree == 1 and factor > _HARMLESS)
            # Fewer rounds of a smaller power are counted with those.
            if grows and all(factor > other for other, _ in found):
                found.append((factor, degree))
        return tuple(found)
