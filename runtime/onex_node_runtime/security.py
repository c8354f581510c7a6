# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What inputs are checked for beyond their types, and what is kept out of logs and errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .patterns import LinearPattern

# All but tab and line ends, and halves of characters, which no encoding takes.
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# What could end a line, or make one look like another.
_MISLEADING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
MOST_PROBLEMS = 50
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What texts in an input may hold, in whatever field, at whatever depth.

    Attributes:
        max_length: Characters of a text; 0 for any number.
        control_characters: Whether control characters other than tab and line ends are allowed.
        forbidden_patterns: What no text may match.
    """

    max_length: int = 0
    control_characters: bool = True
    forbidden_patterns: tuple[LinearPattern, ...] = ()

    def check(self, payload: Mapping[str, object]) -> None:
        """Refuse an input that holds text which is not allowed.

        Args:
            payload: The input as plain values.

        Raises:
            ModelOnexError: VALIDATION_ERROR with the path of each such text.
        """
        problems: list[dict[str, str]] = []
        for path, text in _texts(payload):
            problems += [{"path": path, "message": message} for message in self._objections(text)]
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise ModelOnexError(
                message="The input holds text that is not allowed.",
                error_code=EnumCoreErrorCode.VALIDATION_ERROR,
                problems=problems,
            )

    def _objections(self, text: str) -> Iterator[str]:
        if self.max_length and len(text) > self.max_length:
            yield f"Text should have at most {self.max_length} characters"
            return
        if not self.control_characters and _CONTROL_CHARACTER.search(text):
            yield "Text should hold no control characters"
        if any(pattern.search(text) for pattern in self.forbidden_patterns):
            yield "Text should match no forbidden pattern"


def _texts(payload: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    # With a stack of its own, since a payload may be nested deeper than calls may be.
    waiting: list[tuple[str, object]] = [("", payload)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            for name, item in value.items():
                place = _below(path, name)
                yield place, str(name)
                waiting.append((place, item))
        elif isinstance(value, list):
            places = ((index, item) for index, item in enumerate(value) if isinstance(item, (str, dict, list)))
            waiting += [(_below(path, index), item) for index, item in places]


def _below(path: str, name: object) -> str:
    # Cut at once: a long name with many values below it would fill the memory.
    return (f"{path}.{name}" if path else str(name))[:_LONGEST_PATH]


def cleaned(value: Any, names: Sequence[str], clean: Callable[[str], str]) -> Any:
    """Return a value of JSON as logs and errors may show it.

    Args:
        value: The value; only its mappings, lists and texts are looked into.
        names: Fields whose values are masked; upper and lower case, `-` and `_` make no difference.
        clean: Cleans a text.

    Returns:
        A copy of it.
    """
    if isinstance(value, dict):
        hidden = {_plain(name) for name in names}
        return {
            clean(str(name)): "***" if _plain(str(name)) in hidden else cleaned(item, names, clean)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [cleaned(item, names, clean) for item in value]
    return clean(value) if isinstance(value, str) else value


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def masked(text: str, names: tuple[str, ...]) -> str:
    """Return a text in which the values that follow these names are `***`, as in `name=value` and `"name": "value"`."""
    return _assignments(names).sub(r"\1***", text) if names else text


@cache
def _assignments(names: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(re.sub(r"\\?-|_", "[-_]", re.escape(name)) for name in names)
    value = r"(?:bearer|basic)\s+[^\s,;]+|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|[^\s,;&)}\]]+"
    return re.compile(rf"((?<![\w-])(?:{words})\\*+[\"']?\s*+[:=]\s*+)(?:{value})", re.IGNORECASE)


def escaped(text: str) -> str:
    r"""Return a text on one line, its control characters as Python writes them, such as `\n`."""
    return _MISLEADING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
