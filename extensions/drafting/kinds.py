"""The name and the type of the node that a description asks for."""

import re
from typing import Final

from ..language import names
from ..language.classify import NODE_TYPES, THRESHOLD, Candidate
from .guess import GAZETTEER, Guess, base_form, is_denied, plain_word
from .learned import weigh
from .prose import Prose, words

_KINDS = "|".join(NODE_TYPES)
_CLASS = re.compile(r"\bNode([A-Z][A-Za-z0-9]*?)(Effect|Compute|Reducer|Orchestrator)\b")
_FOLDER = re.compile(rf"\bnode_([a-z][a-z0-9_]*?)_({_KINDS})\b")
_SAID = re.compile(
    rf"(?<!not a )(?<!not an )(?<!no )\b(?:({_KINDS})\s+nodes?\b|node[ _]type\s*(?:is|:|=|of)?\s*({_KINDS})\b"
    rf"|\bas an?\s+({_KINDS})\b|\bONEX\s+({_KINDS})\b|\ban?\s+(compute|reducer|orchestrator)\b(?!\s+\w))",
    re.IGNORECASE,
)
_ASKED = re.compile(
    rf"\b(?:create|generate|build|write|implement|make|need|want|develop|design|draft|add)s?\s+(?:me\s+|us\s+)?"
    rf"(?:an?|the|one|our)\s+((?:(?!that\b|which\b|to\b|for\b)[\w-]+\s+){{1,5}}?)(?:(?:{_KINDS})\s+)?(?:node|microservice|service)\b",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"\b(?:an?|the|one)\s+(?:[\w-]+\s+)?(?:{_KINDS})\s+(?:node|service)\s+for\s+([\w-]+(?:\s+[\w-]+){{0,3}})",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:prd|user story|feature|title|epic|spec(?:ification)?|rfc)\s*[:\u2013-]\s*", re.IGNORECASE)
_STORY = re.compile(r"^as an?\s[^,]{2,60},\s*i (?:want|need|would like)\s+(?:to\s+)?", re.IGNORECASE)
_DENYING = re.compile(r"\b(?:must|should|does|do|may|can|shall|will)(?:\s+not|n't)\b|\bnever\b", re.IGNORECASE)
_TITLES: Final = frozenset(GAZETTEER["no_titles"])
_ELSEWHERE = re.compile(
    r"\b(?:from|through|via|(?:[Pp]ush|[Ss]end|[Pp]ost|[Ff]orward|[Ee]xport|[Rr]eport|[Ww]rite|[Ss]ync)\w* [^.;]{1,40}? to)"
    r" (?:the )?([A-Z][\w-]*[a-z][\w-]*|[A-Z]{3,})\b|\b(?:with|by|using|in|into) ([A-Z][a-z]+[A-Z]\w+)\b"
)
_NO_PLACES: Final = frozenset({*GAZETTEER["no_places"], *GAZETTEER["stores"]})
_SUBJECT = re.compile(
    rf"^(?:an?|the|this|our)\s+((?:[\w-]+\s+){{0,3}}[\w-]+?)(?:\s+(?:{_KINDS}))?(?:\s+(?:node|service))?"
    r"(?:\s+(?:that|which|for|to|with|of|is|will|should|must)\b|,)",
    re.IGNORECASE,
)
_IDLE: Final = frozenset(GAZETTEER["no_names"])
_CUTTING: Final = frozenset(GAZETTEER["ends_of_names"])
_LONGEST = 48
_WORDS_OF_A_NAME = 4
_SAYS_SO, _NAMED = 0.93, 0.97


def kind_of(prose: Prose) -> tuple[Candidate, ...]:
    """Tell how likely a description asks for each type of node.

    Args:
        prose: The description.

    Returns:
        All types, the likeliest first. What names its type, such as `NodeLockEffect` or "a reducer node", is of that
        type; otherwise all words count, as labelled descriptions teach it.
    """
    named = [match for pattern in (_CLASS, _FOLDER) for match in pattern.finditer(prose.text)]
    if named:
        return _settled(named[0][2].lower(), _NAMED, named[0][0])
    said = {next(filter(None, match.groups())).lower(): match[0] for match in _SAID.finditer(prose.text)}
    if len(said) == 1:
        return _settled(*next((kind, _SAYS_SO, text) for kind, text in said.items()))
    return weigh(prose.text)


def _settled(kind: str, confidence: float, text: str) -> tuple[Candidate, ...]:
    others = (Candidate(other, 0.0, ()) for other in NODE_TYPES if other != kind)
    return (Candidate(kind, confidence, (text,)), *others)


def elsewhere_in(prose: Prose) -> str:
    """Return the words that tell of a place with a name of its own that something comes from; empty where none do."""
    for match in _ELSEWHERE.finditer(prose.text):
        if (match[1] or match[2]).lower() not in _NO_PLACES and not is_denied(prose.text, match.start()):
            return match[0]
    return ""


def is_settled(candidates: tuple[Candidate, ...]) -> bool:
    """Tell whether the likeliest type is likely enough."""
    return candidates[0].confidence >= THRESHOLD


def name_of(prose: Prose) -> Guess | None:
    """Return the name of the node: one that is said, or made from the words of the description's beginning.

    Args:
        prose: The description.

    Returns:
        The guess; None where no word can be part of a name.
    """
    for pattern, confidence in ((_CLASS, _NAMED), (_FOLDER, _NAMED), (_ASKED, 0.85)):
        for match in pattern.finditer(prose.text):
            if name := _name(words(match[1]) if pattern is _ASKED else [names.snake(match[1])]):
                return Guess("name", name, confidence, match[0])
    if (called := _FOR.search(prose.text)) and (name := _name(words(called[1]), whole=False)):
        return Guess("name", name, 0.75, called[0])
    headings = [heading for heading in prose.headings if heading.lower().strip(": ") not in _TITLES]
    said = [sentence for sentence in prose.sentences if not _DENYING.search(sentence)]
    for sentence in [*headings, *said, *prose.points, *prose.sentences][:3]:
        sentence = _STORY.sub("", _LABEL.sub("", sentence))  # noqa: PLW2901 - what of it can hold a name
        subject = _SUBJECT.match(sentence)
        if subject and (name := _name(words(subject[1]))):
            return Guess("name", name, 0.7, subject[0])
        if name := _name(words(sentence), whole=False):
            return Guess("name", name, 0.5, sentence)
    return None


def _name(parts: list[str], *, whole: bool = True) -> str:
    """Return the first words that say something as one name, at most as long as names may be.

    Args:
        parts: The words.
        whole: Whether all of them are the name, rather than those before the first preposition.
    """
    kept: list[str] = []
    for word in parts:
        part = base_form(word) if not kept and not whole and word.endswith("s") else ""
        part = part or plain_word(word)
        if kept and not whole and part in _CUTTING:
            break
        if part and part not in _IDLE and not part[0].isdigit():
            kept.append(part)
    name = ""
    for part in kept[:_WORDS_OF_A_NAME]:
        longer = f"{name}_{part}".strip("_")
        if len(longer) > _LONGEST:
            break
        name = longer
    return name
