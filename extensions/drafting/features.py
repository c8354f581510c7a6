"""What of a text counts for the type of a node: its words, pairs of them, and their parts."""

import re
from collections.abc import Mapping, Set
from typing import Final

type Groups = Mapping[str, Set[str]]
"""Features by their kind; those of one kind share its weight, so that long texts count as much as short ones."""

_TOKEN = re.compile(r"[^\W_]+|\?|\u2192|->")
_ENDING = re.compile(r"(?:ies|es|s|ing|ed|er|e|ation|ions|ion|y)$")
_SHORTEST_STEM = 3
_PART: Final = 4


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case, with the few signs that tell something."""
    return [token.lower() for token in _TOKEN.findall(text)]


def stem(token: str) -> str:
    """Return what forms of a word have in common, roughly; all numbers are one."""
    if token.isdigit():
        return "0"
    return token if len(token) <= _SHORTEST_STEM else _ENDING.sub("", token)


def parts(token: str) -> set[str]:
    """Return the runs of four letters of a word, `<` and `>` being its ends; compounds and other forms share them."""
    whole = f"<{token}>"
    return {whole[start : start + _PART] for start in range(len(whole) - _PART + 1)}


def features(text: str) -> Groups:
    """Return what counts of a text.

    Args:
        text: Running text.

    Returns:
        Stems and pairs of neighbours as `words`, with `^` before the first and `$` after the last; runs of letters as
        `parts`.
    """
    said = tokens(text)
    stems = [stem(token) for token in said]
    pairs = {f"{one} {other}" for one, other in zip(["^", *stems], [*stems, "$"], strict=True)}
    return {"words": {*stems, *pairs}, "parts": {part for token in set(said) for part in parts(token)}}
