"""What numbers fields take, judged as the generated models judge, and worked out without the errors of floats."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from pydantic_core import CoreSchema, SchemaError, SchemaValidator, core_schema

_SCHEMAS: Final[Mapping[str, Callable[..., CoreSchema]]] = {
    "integer": core_schema.int_schema,
    "number": core_schema.float_schema,
    "decimal": core_schema.decimal_schema,
}
_WORDS: Final = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}


def exact(value: float | Decimal) -> Decimal:
    """Return a number of a contract as it is written there: 0.1, and not the float next to it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def takes(kind: str, limits: Mapping[str, Any], value: float | str | Decimal) -> bool:
    """Tell whether a field takes a number.

    Args:
        kind: The field's type: integer, number or decimal.
        limits: Its constraints.
        value: The number; decimals as text.
    """
    words = tuple((word, limits[key]) for key, word in _WORDS.items() if key in limits)
    try:
        return _validator(kind, words).isinstance_python(value)
    except SchemaError:  # bounds that are no numbers of the type are a mistake of their own
        return True


@lru_cache(maxsize=256)
def _validator(kind: str, words: tuple[tuple[str, float], ...]) -> SchemaValidator:
    bounds = {word: exact(bound) if kind == "decimal" else bound for word, bound in words}
    return SchemaValidator(_SCHEMAS[kind](**bounds))


@dataclass(frozen=True, slots=True)
class Range:
    """Between which numbers a field's values are.

    Attributes:
        low: The lower one; None where there is none.
        high: The upper one; None where there is none.
        above: Whether values are above the lower one, and not that itself.
        below: Whether values are below the upper one, and not that itself.
    """

    low: Decimal | None
    high: Decimal | None
    above: bool
    below: bool

    def within(self, low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
        """Return the bounds, those that there are none of taken from the arguments."""
        return (low if self.low is None else self.low), (high if self.high is None else self.high)

    def steps(self, step: Decimal, low: Decimal, high: Decimal) -> tuple[int, int]:
        """Return how many steps from 0 the first and the last multiple within the bounds are.

        Args:
            step: What values are multiples of.
            low: The lower bound.
            high: The upper bound.
        """
        first, last = math.ceil(low / step), math.floor(high / step)
        first += self.above and self.low is not None and first * step <= low
        last -= self.below and self.high is not None and last * step >= high
        return first, last


def range_of(limits: Mapping[str, Any]) -> Range:
    """Return between which numbers a field's values are; of two bounds on one side, the narrower counts."""
    lows = [(exact(limits[key]), key != "minimum") for key in ("minimum", "exclusiveMinimum") if key in limits]
    highs = [(exact(limits[key]), key == "maximum") for key in ("maximum", "exclusiveMaximum") if key in limits]
    low, above = max(lows, default=(None, False))
    high, at_most = min(highs, default=(None, True))
    return Range(low, high, above, not at_most)


def numbers(kind: str, limits: Mapping[str, Any]) -> Iterator[int | float | Decimal]:
    """Yield numbers that a field might take, the plainest first; which it does take, `takes` tells."""
    found = range_of(limits)
    yield 1
    start = found.low if found.low is not None else min(Decimal(1), found.high or Decimal(1))
    step = exact(limits.get("multipleOf", 1))
    yield from (_plain(kind, number) for number in (start, start + 1))
    low, high = found.within(start, start + 2 * step)
    first, last = found.steps(step, low, high)
    yield from (_plain(kind, count * step) for count in (first, first + 1, last))
    if found.high is not None:
        yield _plain(kind, found.high)
        yield _plain(kind, (start + found.high) / 2)
    # Beside a large number, a float has no room for the next integer.
    yield from (_plain(kind, start + sign * abs(start) / 2) for sign in (1, -1))


def _plain(kind: str, number: Decimal) -> int | float | Decimal:
    if number == number.to_integral_value():
        return int(number)
    return number if kind == "decimal" else float(number)
