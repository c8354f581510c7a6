"""The name and the type of the node that a description asks for."""

import re
from collections.abc import Iterator
from typing import Final

from ..language import names
from ..language.classify import NODE_TYPES, THRESHOLD, Candidate
from ..text.nouns import singular
from .bodies import transitions
from .guess import GAZETTEER, Guess, base_form, found, is_denied, plain_word
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
_ONE_AFTER_ANOTHER = re.compile(r"\b(?:then|finally|afterwards|after that|at the end|lastly)\b", re.IGNORECASE)
_LABEL = re.compile(r"^(?:prd|user story|feature|title|epic|spec(?:ification)?|rfc)\s*[:\u2013-]\s*", re.IGNORECASE)
_STORY = re.compile(r"^as an?\s[^,]{2,60},\s*i (?:want|need|would like)\s+(?:to\s+)?", re.IGNORECASE)
_DENYING = re.compile(r"\b(?:must|should|does|do|may|can|shall|will)(?:\s+not|n't)\b|\bnever\b", re.IGNORECASE)
_THOUGHT: Final = frozenset(GAZETTEER["verbs_in_thought"])
_NOUNS_TOO: Final = frozenset(GAZETTEER["nouns_like_verbs"])
_BEFORE_A_VERB: Final = frozenset(GAZETTEER["before_verbs"])
_OF_LISTS: Final = frozenset(GAZETTEER["verbs_of_lists"])
_ONE_BY_ONE = re.compile(
    r"\bevents?\b|\bstreams?\b|\bper\b|\bfrom\b|\bby the\b|\bas (?:they|it)\b|\b(?:each|every|so far)\b"
)
_BEFORE_A_GERUND: Final = frozenset(GAZETTEER["before_gerunds"])
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
_SURE = 0.8
_FEW = 3
_MAIN_VERB = 3
_MAIN_SENTENCES = 2
_TELLING = 2
_DECISIVE = 4
_COMMAS_OF_STEPS = 3
_DOUBT = 0.6


def kind_of(prose: Prose) -> tuple[Candidate, ...]:
    """Weigh what in a description speaks for each type of node.

    Args:
        prose: The description.

    Returns:
        All types, the likeliest first. What names its type, such as `NodeLockEffect` or "a reducer node", is of that
        type; otherwise phrases and verbs count, and the confidence of a type is its part of all that was found.
    """
    named = [match for pattern in (_CLASS, _FOLDER) for match in pattern.finditer(prose.text)]
    if named:
        return _settled(named[0][2].lower(), _NAMED, named[0][0])
    said = {next(filter(None, match.groups())).lower(): match[0] for match in _SAID.finditer(prose.text)}
    if len(said) == 1:
        return _settled(*next((kind, _SAYS_SO, text) for kind, text in said.items()))
    told = {kind: _phrases(prose, kind) for kind in NODE_TYPES}
    steps, moves = steps_in(prose), transitions(prose)
    evidence = {kind: told[kind] | dict(_evidence(prose, kind, steps, moves)) for kind in NODE_TYPES}
    for kind, text in said.items():
        evidence[kind][text.lower()] = _FEW
    strongest = {kind: max(weights.values(), default=0) for kind, weights in told.items()}
    if steps and (
        strongest["orchestrator"] >= _TELLING
        or _ONE_AFTER_ANOTHER.search(steps)
        or (strongest["effect"] < _FEW and steps.count(",") >= _COMMAS_OF_STEPS)
    ):
        strongest["orchestrator"] = _DECISIVE
    if _is_machine(moves):
        strongest["reducer"] = _DECISIVE
    if max(evidence["effect"].values(), default=0) >= _FEW > strongest["compute"]:
        # What something outside works out is no computation of the node.
        evidence["compute"] = dict.fromkeys(evidence["compute"], 1)
    for kind in _decided(strongest):
        evidence[kind] = {}
    if not any(evidence.values()):
        evidence["compute"] = dict(_thought(prose))
    points = {kind: sum(weights.values()) for kind, weights in evidence.items()}
    total = sum(points.values()) + _DOUBT
    candidates = (Candidate(kind, min(_SURE, points[kind] / total), tuple(words)) for kind, words in evidence.items())
    return tuple(sorted(candidates, key=lambda candidate: -candidate.confidence))


def _decided(strongest: dict[str, int]) -> Iterator[str]:
    """Yield the types that words elsewhere leave little of.

    Where one type alone is spelled out, what is done on the way is no evidence: steps are for other nodes, what is
    kept outside is counted there, and where events come from is the bus's matter.
    """
    decisive = [kind for kind, weight in strongest.items() if weight >= _DECISIVE]
    if len(decisive) == 1:
        # A machine may keep its state outside.
        enough = _FEW if decisive == ["effect"] else _DECISIVE
        yield from (kind for kind, weight in strongest.items() if weight < enough)


def _is_machine(moves: list[tuple[str, str, str]]) -> bool:
    """Tell whether moves are of a state machine: several, or one with what triggers it; "from May to June" is none."""
    return len(moves) > 1 or any(trigger != f"to_{after}" for trigger, _, after in moves)


def _thought(prose: Prose) -> Iterator[tuple[str, int]]:
    """Find what is only thought, where nothing is told of anything outside, events, or steps."""
    before = "."
    for word in words(prose.text):
        verb = base_form(word)
        if verb in _THOUGHT and _does(verb, word.lower(), before):
            yield word.lower(), 2
        before = word.lower()


def _settled(kind: str, confidence: float, text: str) -> tuple[Candidate, ...]:
    others = (Candidate(other, 0.0, ()) for other in NODE_TYPES if other != kind)
    return (Candidate(kind, confidence, (text,)), *others)


def _phrases(prose: Prose, kind: str) -> dict[str, int]:
    """Return the phrases of a description that speak for a type, with what each weighs."""
    text = prose.text.lower()
    told = {
        phrase: int(weight) for weight, phrases in GAZETTEER["types"][kind].items() for phrase in found(phrases, text)
    }
    for weight, patterns in GAZETTEER["patterns"].get(kind, {}).items():
        for pattern in patterns:
            if (match := re.search(pattern, text)) and not is_denied(text, match.start()):
                told[match[0]] = int(weight)
    return told


def _evidence(prose: Prose, kind: str, steps: str, moves: list[tuple[str, str, str]]) -> Iterator[tuple[str, int]]:
    """Find what speaks for a type beside phrases: steps, moves of a state machine, where things come from, verbs."""
    text = prose.text.lower()
    if kind == "orchestrator" and steps:
        yield steps, 2
    if kind == "reducer" and (stream := re.search(r"\b(?:from|out of) (?:[\w-]+ ){0,4}events\b", text)):
        yield stream[0], 2
    if kind == "reducer" and _is_machine(moves):
        yield f"{moves[0][1]} to {moves[0][2]}", _MAIN_VERB
    if kind == "effect" and (elsewhere := elsewhere_in(prose)):
        yield elsewhere, _MAIN_VERB
    verbs = {*NODE_TYPES[kind]["verbs"], *GAZETTEER["verbs_of_types"].get(kind, ())}
    if not _ONE_BY_ONE.search(text):
        # What is there as a whole is counted and summed at once.
        verbs = verbs - _OF_LISTS if kind == "reducer" else verbs | _OF_LISTS if kind == "compute" else verbs
    for number, sentence in enumerate((*prose.sentences, *prose.points)):
        main = number < _MAIN_SENTENCES
        before = "."
        for position, word in enumerate(words(sentence)):
            verb = base_form(word)
            if verb in verbs and _does(verb, word.lower(), before):
                yield f"{word.lower()}", _MAIN_VERB if main and position <= _WORDS_OF_A_NAME else 1
            if verb:
                main = False
            before = word.lower()


def _does(verb: str, word: str, before: str) -> bool:
    """Tell whether a word is a verb where it stands, rather than a noun or an adjective that is spelled like one."""
    if word.endswith("ing") and verb != word:
        return before in _BEFORE_A_VERB or before in _BEFORE_A_GERUND
    return verb not in _NOUNS_TOO or before in _BEFORE_A_VERB


def elsewhere_in(prose: Prose) -> str:
    """Return the words that tell of a place with a name of its own that something comes from; empty where none do."""
    for match in _ELSEWHERE.finditer(prose.text):
        if (match[1] or match[2]).lower() not in _NO_PLACES and not is_denied(prose.text, match.start()):
            return match[0]
    return ""


def steps_in(prose: Prose) -> str:
    """Return a sentence that lists steps: three or more different things that are done, not all to the same."""
    for sentence in prose.sentences:
        parts = [words(part) for part in re.split(r"\s*(?:,|;|:|\bthen\b)\s*(?:and\s+|then\s+|finally\s+)*", sentence)]
        done = [part for part in parts if part and base_form(part[0]) == part[0].lower()]
        if done and len(done[0]) == 1:
            continue  # words, such as those of operations
        things = {singular(part[-1].lower()) for part in done} - {"it", "them"}
        steps = {(part[0], part[-1]) for part in done}
        if len(steps) >= _FEW and len({verb for verb, _ in steps}) > 1 and len(things) > 1:
            return sentence
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
