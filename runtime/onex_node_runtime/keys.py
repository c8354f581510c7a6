# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Keys and paths that are made of values: distinct values give distinct ones.

What a value has in common with the text around it is percent-encoded, so that no value looks like two.
"""

import re
from collections.abc import Set
from functools import cache
from string import Formatter

from .texts import text

# Between two values that nothing else separates.
_MARK = "%~"
# What percent-encoding itself is made of can't tell where a value ends.
_AMBIGUOUS = frozenset("%0123456789ABCDEF")
# Frequent in names and identifiers; they are encoded only where they stand between two values.
_FREQUENT = frozenset("-._~ ")


class Fixed(str):
    """Text that is part of a key as it is, such as a setting."""

    __slots__ = ()


class Spanning:
    """A value that may lead through several folders, in the middle of a path."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        """Keep the value."""
        self.value = value


def key_of(template: str, *values: object) -> str:
    """Return the key of a value.

    Args:
        template: Text with `{}` for each value; doubled braces stand for themselves.
        values: The values, in order.

    Returns:
        The key. A single value without any text around is the key as it is.
    """
    return _filled(template, values, ":/")


def optional_key(value: object) -> str | None:
    """Return a value as a key by itself, or None where there is no value."""
    return None if value is None else text(value)


def path_of(template: str, *values: object) -> str:
    """Return the path of a file.

    Args:
        template: Text with `{}` for each value; doubled braces stand for themselves.
        values: The values, in order; one of them may be a `Spanning`.

    Returns:
        The path. A single value may lead through folders; each of several is a part of one name, but for the one that
        may span them.
    """
    return _filled(template, values, "/" if sum(not isinstance(value, Fixed) for value in values) > 1 else "")


def _filled(template: str, values: tuple[object, ...], separators: str) -> str:
    if template == "{}":
        return _shown(values[0])
    literals, encoded, spanning = _plan(template, tuple(isinstance(value, Fixed) for value in values), separators)
    pieces = [literals[0]]
    for value, literal in zip(values, literals[1:], strict=True):
        pattern = spanning if isinstance(value, Spanning) else encoded
        shown = _shown(value)
        pieces += [shown if pattern is None or isinstance(value, Fixed) else pattern.sub(_percent, shown), literal]
    return "".join(pieces)


def _shown(value: object) -> str:
    return text(value.value if isinstance(value, Spanning) else value)


@cache
def _plan(
    template: str, fixed: tuple[bool, ...], separators: str
) -> tuple[list[str], re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return the texts around the values, what is encoded in these, and in the one that may span folders."""
    literals = [""]
    for literal, field, *_ in Formatter().parse(template):
        literals[-1] += literal
        literals += [""] if field is not None else []
    encoded = set(separators)
    if separators:
        encoded |= {char for char in "".join(literals) if not char.isalnum() and char not in _FREQUENT}
    encoded -= _AMBIGUOUS
    open_value = False
    between = ""
    for index, is_fixed in enumerate(fixed):
        between += literals[index]
        if is_fixed:
            continue
        if open_value and encoded.isdisjoint(between):
            able = sorted(set(between) - _AMBIGUOUS, key=lambda char: (char.isalnum(), char))
            if able:
                encoded.add(able[0])
            else:
                literals[index] += _MARK
        open_value, between = True, ""
    if not encoded and _MARK not in "".join(literals):
        return literals, None, None
    return literals, _pattern(encoded), _pattern(encoded - {"/"})


def _pattern(encoded: Set[str]) -> re.Pattern[str]:
    chars = "".join(map(re.escape, sorted(encoded)))
    return re.compile(f"{f'[{chars}]|' if chars else ''}%(?=[0-9A-F][0-9A-F]|~)")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
