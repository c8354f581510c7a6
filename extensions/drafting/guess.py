"""A guess: what was taken for so, how sure that is, and the words that it came from."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..home import DATA
from ..language import names
from ..language.classify import NODE_TYPES

GAZETTEER: Final[Mapping[str, Any]] = json.loads((DATA / "gazetteer.json").read_text(encoding="utf-8"))
VERBS: Final = frozenset(
    {
        *GAZETTEER["verbs"],
        *(verb for kind in NODE_TYPES.values() for verb in kind["verbs"]),
    }
)
_AGAIN: Final = ("re", "un")
# Names of products, which are one word however they are spelled.
_PRODUCTS: Final = frozenset(
    phrase
    for listed in (*GAZETTEER["integrations"].values(), GAZETTEER["stores"], GAZETTEER["products"])
    for phrase in listed
    if phrase.isalnum()
)
_LONGEST_QUOTE = 80
# A denial holds for the words after it, up to the end of its clause; "not only" denies nothing.
_DENIAL = re.compile(
    r"(?:\b(?:no|not(?! only)|never|without|neither|nor|instead of|rather than)|n't)\s+(?:[\w-]+\s+){0,3}$"
)
_JOINED = re.compile(r"\b(?:but|and|then|so|because|while|when|if|that|which)\b")


@dataclass(frozen=True, slots=True)
class Guess:
    """What was taken for so.

    Attributes:
        place: Where it stands in the contract.
        value: What stands there, for people.
        confidence: From 0 to 1.
        words: What it came from; empty where nothing says it.
    """

    place: str
    value: str
    confidence: float
    words: str = ""

    def __str__(self) -> str:
        """Return the guess for people."""
        source = f'from "{quoted(self.words)}"' if self.words else "nothing says it"
        return f"{self.place}: {self.value} ({self.confidence:.0%}, {source})"


def quoted(text: str) -> str:
    """Return words on one line, the middle left out where they are many."""
    shown = " ".join(text.split())
    return shown if len(shown) <= _LONGEST_QUOTE else f"{shown[: _LONGEST_QUOTE - 1]}\u2026"


def found(phrases: list[str], text: str) -> Iterator[str]:
    """Yield the phrases that stand in a text as whole words, those that are denied left out.

    Args:
        phrases: Words in lower case.
        text: The text in lower case.
    """
    for phrase in phrases:
        if phrase not in text:
            continue
        matches = re.finditer(rf"(?<![\w-]){re.escape(phrase)}(?!\w)", text)
        if any(not is_denied(text, match.start()) for match in matches):
            yield phrase


def is_denied(text: str, position: int) -> bool:
    """Tell whether the words before a position deny what stands there.

    Args:
        text: The text in lower case.
        position: Where the words begin that may be denied.
    """
    before = text[max(0, position - 80) : position]
    denial = _DENIAL.search(before)
    return bool(denial and not _JOINED.search(denial[0]))


def base_form(word: str) -> str:
    """Return the verb that a word is a form of, such as `store` of `stores` and `storing`; empty where it is none."""
    word = word.lower()
    for form in (word, *_stems(word)):
        # British spelling is the same verb.
        for spelled in (form, re.sub(r"ise$", "ize", form), re.sub(r"yse$", "yze", form)):
            if spelled in VERBS:
                return spelled
            # What is done again, or undone, is done.
            if spelled.startswith(_AGAIN) and spelled[2:] in VERBS and len(spelled) > _SHORTEST_AGAIN:
                return spelled
    return ""


def participle(word: str) -> str:
    """Return the verb of a past participle, such as `cancel` of `cancelled`; empty where the word is none."""
    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if not word.endswith("ed"):
        return ""
    stem = word[:-2]
    stems = [f"{stem}e", stem, *([stem[:-1]] if stem[-2:-1] == stem[-1:] else [])]
    stems += [f"{stem[:-1]}y"] if stem.endswith("i") else []
    return next((verb for each in stems if (verb := base_form(each))), "")


_IRREGULAR: Final[Mapping[str, str]] = GAZETTEER["participles"]
_SHORTEST_AGAIN: Final = 5


def _stems(word: str) -> Iterator[str]:
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
    if word.endswith("ing"):
        stem = word[:-3]
        yield from (stem, f"{stem}e")
        if stem[-2:-1] == stem[-1:]:
            yield stem[:-1]


def plain_word(word: str) -> str:
    """Return a word as a part of a name, such as `postgres` of `PostgreSQL`."""
    lower = word.lower()
    if lower == "postgresql":
        return "postgres"
    return lower if lower in _PRODUCTS else names.snake(word)
