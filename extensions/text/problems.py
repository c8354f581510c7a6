"""Problems of a contract: where they are, what was found, what was expected."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

type Path = tuple[str | int, ...]

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""The characters with Unicode's property Bidi_Control: they let a text look like another one."""
_LONGEST_VALUE = 80
_MOST_BITS = 64


def place(path: Path) -> str:
    """Return a path as people write it, such as `operations[2].database.parameters[1]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", part):
            text += f".{part}" if text else part
        else:
            text += f"[{show(part)}]"
    return text or "contract"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a contract.

    Attributes:
        path: Where it is, as keys and indices from the root.
        found: What is there.
        expected: What should be there.
        hint: What may help, such as the nearest known word; empty for none.
        awaited: Where something is missing, when nothing of what is there is wrong.
    """

    path: Path
    found: str
    expected: str
    hint: str = ""
    awaited: tuple[Path, ...] = field(default=(), compare=False)

    @property
    def printable(self) -> "Problem":
        """The same without invisible characters, which words of a contract may hold."""
        texts = (self.found, self.expected, self.hint)
        if all(text.isprintable() for text in texts):
            return self
        found, expected, hint = ("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) for text in texts)
        return replace(self, found=found, expected=expected, hint=hint)

    @property
    def place(self) -> str:
        """The path as people write it."""
        return place(self.path)

    def __str__(self) -> str:
        """Return the problem on one line."""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: found {self.found}, expected {self.expected}{hint}"


def render(problems: Sequence[Problem]) -> str:
    """Return one message that lists all problems.

    Args:
        problems: At least one problem.

    Returns:
        A heading with their number, then one line for each.
    """
    heading = "1 problem in the contract:" if len(problems) == 1 else f"{len(problems)} problems in the contract:"
    return "\n".join([heading, *(f"  {problem}" for problem in problems)])


def no_contract(value: object) -> Problem:
    """Return the problem of a document that is no mapping."""
    return Problem((), show(value), "a contract: a mapping with name, package and operations")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is closest to a word, or None when none is close."""
    matches = difflib.get_close_matches(word[:200], sorted(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or nothing."""
    found = nearest(word, known) if isinstance(word, str) else None
    return f"did you mean {found!r}?" if found else ""


def show(value: object) -> str:
    """Return a value for an error message: on one line, short, and free of what would garble a terminal."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "a huge number"
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
