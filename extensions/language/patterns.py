"""Patterns of fields, as pydantic reads them in the generated models: in time that grows with the text alone."""

import re
import string
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

_BEYOND_PYDANTIC: Final = re.compile(r"\(\?[=!<]|\(\?P=|\\[1-9]")


def objection(pattern: str) -> tuple[str, str] | None:
    """Say why a pattern can't be a field's.

    Args:
        pattern: Any text.

    Returns:
        What is expected in its place, and a hint; None when it can be one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            _parse(pattern)
            re.compile(pattern)
    except FutureWarning as warning:
        hint = f"{str(warning)[:1].lower()}{str(warning)[1:]}: escape it, or name its characters, such as [A-Za-z]"
        return "a regular expression that means the same to everybody who reads it", hint
    except (re.error, RecursionError, OverflowError) as error:
        return "a regular expression", str(error)
    if _BEYOND_PYDANTIC.search(pattern):
        return "a regular expression without look-around and back-references", ""
    try:
        _validator(pattern)
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ")
        hint = "maxLength in the place of a large number of repetitions" if "size limit" in reason else reason
        return "a regular expression that pydantic takes", hint
    return None


def matches(pattern: str, text: str) -> bool:
    """Tell whether a field with a pattern takes a text.

    Args:
        pattern: The pattern.
        text: Any text.

    Returns:
        Whether it does; True for a pattern that means nothing, of which there is a problem already.
    """
    try:
        return _validator(pattern).isinstance_python(text)
    except SchemaError:
        return True


def example(pattern: str, shortest: int, longest: int) -> str | None:
    """Return a text that matches a pattern, the same for the same arguments.

    Args:
        pattern: One without an objection.
        shortest: Characters that it has at least.
        longest: Characters that it has at most.

    Returns:
        The text, as plain as the pattern allows; None where none was found, which need not mean that there is none.
    """
    tree = _parse(pattern)
    try:
        text = _Writer(0).text(tree)
        text = _Writer(shortest - len(text)).text(tree)
    except _BeyondError:
        return None
    return text if shortest <= len(text) <= longest and matches(pattern, text) else None


def plainest(pattern: str, shortest: int, longest: int) -> str | None:
    """Return an example that is not empty, where there is one: keys and paths are made of it; else as `example`."""
    found = example(pattern, max(1, shortest), longest) if longest else None
    return example(pattern, shortest, longest) if found is None else found


def width(pattern: str) -> tuple[int, int]:
    """Return how many characters a match has at least, and at most."""
    least, most = _parse(pattern).getwidth()
    return least, most


def _parse(pattern: str) -> Any:
    return re._parser.parse(pattern)  # type: ignore[attr-defined]  # noqa: SLF001 - the standard library has no other


class _BeyondError(Exception):
    """A pattern has a part for which no text is known."""


class _Writer:
    """Writes a text for a pattern: each part as often as it has to be, or more often while characters are missing."""

    def __init__(self, missing: int) -> None:
        self.missing = missing

    def text(self, parts: Iterable[tuple[object, Any]]) -> str:
        return "".join(self.part(str(kind), value) for kind, value in parts)

    def part(self, kind: str, value: Any) -> str:
        match kind:
            case "LITERAL":
                return chr(value)
            case "NOT_LITERAL":
                return _plainest(lambda char: char != chr(value))
            case "ANY":
                return _PLAIN[0]
            case "IN":
                return _plainest(lambda char: _is_in(char, value))
            case "SUBPATTERN":
                return self.text(value[-1])
            case "BRANCH":
                return self.text(value[1][0])
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self.repeated(*value)
            case "AT":
                return ""
            case _:
                raise _BeyondError

    def repeated(self, least: int, most: int, parts: Any) -> str:
        text = "".join(self.text(parts) for _ in range(least))
        for _ in range(least, min(most, least + max(self.missing, 0))):
            if self.missing <= 0:
                break
            more = self.text(parts)
            self.missing -= len(more)
            text += more
        return text


# Characters of samples, the plainest first.
_PLAIN: Final = "aA01" + string.ascii_letters + string.digits + "-_. @" + string.punctuation + "\t\n"
_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda char: char == "_" or char.isalnum(),
}


def _plainest(fits: Callable[[str], bool]) -> str:
    for char in _PLAIN:
        if fits(char):
            return char
    raise _BeyondError


def _is_in(char: str, parts: Iterable[tuple[object, Any]]) -> bool:
    inside, found = True, False
    for kind, value in parts:
        match str(kind):
            case "NEGATE":
                inside = False
            case "LITERAL":
                found |= char == chr(value)
            case "RANGE":
                found |= value[0] <= ord(char) <= value[1]
            case _:
                name = str(value)
                holds = _CATEGORIES[name.replace("_NOT_", "_")](char)
                found |= holds != ("_NOT_" in name)
    return found == inside


@lru_cache(maxsize=256)
def _validator(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern))
