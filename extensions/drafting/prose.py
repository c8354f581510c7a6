"""A description as words: cleaned of markup and of what is no text, cut into sentences and points of lists."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

LONGEST: Final = 100_000
"""Characters that a description may have."""

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_SCRIPT = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>\n]{1,200}>")
_MARKUP = re.compile(r"[*`]+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_POINT = re.compile(r"\s*(?:[-*+\u2022]|\d{1,3}[.)])\s+(.*)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*")
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_OWNER = re.compile(r"(?<=\w)['\u2019]s\b")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|\d[\d.]*")
_EXCLUDED = re.compile(
    r"non.?goals?|out of scope|not included|won't|future work|alternatives|references", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a description.

    Attributes:
        text: Its words, without markup.
        kind: `heading`, `point` of a list, or `prose`.
    """

    text: str
    kind: str


@dataclass(frozen=True)
class Prose:
    """A description.

    Attributes:
        lines: Its lines, without code and markup, and without those below headings that tell what is left out.
    """

    lines: tuple[Line, ...]

    @classmethod
    def of(cls, text: str) -> "Prose":
        """Return a description as lines.

        Args:
            text: Plain text or Markdown; characters that are no text are taken for blanks.
        """
        shown = "".join(char if _is_text(char) else " " for char in unicodedata.normalize("NFC", text))
        return cls(tuple(_lines(_SCRIPT.sub(" ", _FENCE.sub("", shown)))))

    @property
    def headings(self) -> tuple[str, ...]:
        """What headings say."""
        return tuple(line.text for line in self.lines if line.kind == "heading")

    @property
    def points(self) -> tuple[str, ...]:
        """The points of all lists."""
        return tuple(line.text for line in self.lines if line.kind == "point")

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The sentences of all running text."""
        return tuple(sentence.strip() for part in self._paragraphs() for sentence in _SENTENCE.split(part) if sentence)

    @cached_property
    def text(self) -> str:
        """The whole on one line."""
        return " ".join(line.text for line in self.lines)

    def _paragraphs(self) -> Iterator[str]:
        running: list[str] = []
        for line in self.lines:
            if line.kind == "prose" and line.text:
                running.append(line.text)
            elif running:
                yield " ".join(running)
                running = []
        if running:
            yield " ".join(running)


def words(text: str) -> list[str]:
    """Return the words of a text, those that are identifiers whole."""
    return _WORD.findall(bare(text))


def bare(text: str) -> str:
    """Return a text without accents and the "'s" of owners, as names are made of it."""
    letters = unicodedata.normalize("NFKD", _OWNER.sub("", text).replace("\u00df", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _is_text(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char)[0] != "C"


def _lines(text: str) -> Iterator[Line]:
    excluded = False
    for raw in text.splitlines():
        if heading := _HEADING.fullmatch(raw):
            excluded = _EXCLUDED.search(heading[1]) is not None
            if not excluded:
                yield Line(_plain(heading[1]), "heading")
        elif excluded:
            continue
        elif point := _POINT.fullmatch(raw):
            yield Line(_plain(point[1]), "point")
        else:
            yield Line(_plain(raw), "prose")


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub("", _TAG.sub(" ", _LINK.sub(r"\1", text))).split())
