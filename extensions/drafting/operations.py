"""Operations that a description names: signatures, points of lists, CRUD, and verbs with what they act on."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ..language import names
from ..text.nouns import singular
from .fields import Field, fields_in
from .guess import GAZETTEER, base_form, participle, plain_word
from .prose import Prose, bare

MOST: Final = 20
CRUD: Final = ("create", "get", "update", "delete", "list")
_SIGNATURE = re.compile(
    r"\b([a-z][a-z0-9_]{2,40})\(([^()\n]{0,300})\)(?:\s*(?:->|=>|\u2192|returns)\s*\(?([^().;\n]{1,300})\)?)?"
)
_CRUD = re.compile(
    r"(?:(?P<before>[\w-]+)\s+)?\bCRUD\b(?:\s+(?:operations?|api|access|endpoints?))?"
    r"(?:\s+(?:on|for|of|over|to)\s+(?:an?\s+|the\s+|our\s+)?(?P<after>[\w-]+(?:\s+[\w-]+)?))?",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"(?:\bwith\s+(?:the\s+)?(?:fields?|columns?|attributes?|properties)?\s*:?|\bhaving\b|\bfields?(?:\s+are)?\s*:?|\bcolumns?\s*:?|\()\s*(.{3,300})",
    re.IGNORECASE,
)
_TAKES = re.compile(
    r"\b(?:takes?|taking|given|accepts?|accepting|receives?|receiving|inputs?\s*(?:are|is)?\s*:?|from|based on)\s+(?:an?\s+|the\s+)?(.{2,200})",
    re.IGNORECASE,
)
_GIVES = re.compile(
    r"\b(?:returns?|returning|gives?(?:\s+back)?|giving|answers?\s+with|responds?\s+with|yields?|produces?|outputs?\s*(?:are|is)?\s*:?|->)\s+(?:an?\s+|the\s+)?(.{2,200})",
    re.IGNORECASE,
)
_END_OF_LIST = re.compile(
    r"\b(?:and|then|,)?\s*(?:returns?|returning|gives?|giving|answers?|responds?|yields?|produces?|outputs?|stores?|stored|keeps?|kept|in|into|to|on|using|through|via|by|per|with|for|when|if|that|which|so|unless|->)\b|[.;)]",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    r"((?:[a-z-]+\s+)?[a-z-]+)\s+(?:to|can|must|should|may|will|need to|have to)\s+be\s+"
    r"([a-z]+(?:(?:\s*,\s*|\s+)(?:and\s+|or\s+)?[a-z]+(?:ed|en|ept|ent|aid|old)){0,7})\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z][\w'-]*|[/,;:.()]")
_BEFORE_A_VERB: Final = frozenset(GAZETTEER["before_verbs"])
_STOPS: Final = frozenset(GAZETTEER["ends_of_nouns"])
_ARTICLES: Final = frozenset(GAZETTEER["articles"])
_META: Final = frozenset(GAZETTEER["nodes"])
_MEANINGLESS: Final = frozenset(GAZETTEER["no_nouns"])
# Nouns that are spelled like verbs, and mean what they are a name of.
_NOUNS_TOO: Final = frozenset(GAZETTEER["nouns_like_verbs"])
_OF_MANY: Final = frozenset(GAZETTEER["verbs_of_many"])
_TECHNICAL: Final = frozenset(GAZETTEER["no_entities"])
_NO_VERBS: Final = frozenset(GAZETTEER["no_verbs"])
_SENTENCE_ENDS: Final = frozenset({".", ";", ":"})
_INDEFINITE: Final = frozenset({"a", "an", "the"})
_BEGINNINGS: Final = (["."], [";"], [":"])
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation.

    Attributes:
        verb: What it does, in the verb's base form; empty where nothing says it.
        noun: What it acts on, in snake_case; may be empty.
        words: What it came from.
        confidence: From 0 to 1.
        inputs: Fields that it is said to take.
        outputs: Fields that it is said to give.
        is_crud: Whether it is one of those that "CRUD" means.
    """

    verb: str
    noun: str
    words: str
    confidence: float
    inputs: list[Field] = field(default_factory=list)
    outputs: list[Field] = field(default_factory=list)
    is_crud: bool = False

    @property
    def name(self) -> str:
        """Its name; what is done to one thing names one."""
        noun = self.noun if self.verb in _OF_MANY else singular(self.noun)
        return f"{self.verb}_{noun}".strip("_")[:_LONGEST].rstrip("_")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that is kept, with its fields.

    Attributes:
        name: Its name, singular, in snake_case.
        fields: Its fields; empty where none are said.
        words: What it came from.
    """

    name: str
    fields: list[Field]
    words: str


def operations_of(prose: Prose, entity: Entity | None) -> list[Operation]:
    """Return the operations that a description names, each name once.

    Args:
        prose: The description.
        entity: What "CRUD" is about.
    """
    listed: dict[str, Operation] = {}
    sources = (_signatures(prose), _crud(prose, entity), _points(prose), _sentences(prose), _passives(prose))
    for source in sources:
        for operation in source:
            if operation.name and not _is_known(operation, listed):
                listed[operation.name] = operation
    return list(listed.values())[:MOST]


def _is_known(operation: Operation, listed: dict[str, Operation]) -> bool:
    return any(
        known.verb == operation.verb
        and (not operation.noun or not known.noun or singular(known.noun) == singular(operation.noun) or known.is_crud)
        for known in listed.values()
    )


def entity_of(prose: Prose) -> Entity | None:
    """Return what a description says is kept, where it lists its fields or names CRUD."""
    for text in (*prose.sentences, *prose.points, *prose.headings):
        if match := _CRUD.search(text):
            noun = _entity_name(match["after"] or match["before"] or "")
            return Entity(noun or "item", _fields_after(text[match.end() :]) or _fields_after(text), text)
    for text in (*prose.sentences, *prose.points):
        run = next(iter(_runs(text)), None)
        if run and run.noun and (listed := _fields_after(text)) and len(listed) > 1:
            return Entity(singular(run.noun), listed, text)
    return None


def _entity_name(text: str) -> str:
    kept = [word for part in text.split() for word in plain_word(part).split("_")]
    kept = list(itertools.takewhile(lambda word: word not in _STOPS, kept))
    kept = [word for word in kept if word not in _META and word not in _TECHNICAL]
    return singular("_".join(kept[:2]))


def _fields_after(text: str) -> list[Field]:
    for match in _WITH.finditer(text):
        listed = fields_in(_until(match[1], brackets=match[0].startswith("(")))
        if len(listed) > 1 and not _are_operations(listed):
            return listed
    return []


def _without_fields(text: str) -> str:
    """Return a text without the fields that it lists, whose names may be spelled like verbs."""
    for match in _WITH.finditer(text):
        listed = _until(match[1], brackets=match[0].startswith("("))
        fields = fields_in(listed)
        if _are_operations(fields):
            return f"{text[: match.start()]} : {text[match.start(1) :]}"
        if len(fields) > 1:
            return f"{text[: match.start()]} . {text[match.start(1) + len(listed) :]}"
    return text


def _are_operations(listed: list[Field]) -> bool:
    """Tell whether most of a list say what is done to something, as in "with enqueue job, claim job"."""
    done = [each for each in listed if "_" in each.name and _is_plain_verb(each.name.partition("_")[0])]
    return len(done) > len(listed) / 2


def _is_plain_verb(word: str) -> bool:
    return word == base_form(word) and word not in _NOUNS_TOO


def _until(text: str, *, brackets: bool = False) -> str:
    """Return a text up to where a list in it ends."""
    depth = 0
    for match in re.finditer(r"[()]|" + (_END_OF_LIST.pattern if not brackets else r"(?!)"), text, re.IGNORECASE):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
        elif not depth:
            return text[: match.start()]
    return text


def _signatures(prose: Prose) -> Iterator[Operation]:
    for line in (line.text for line in prose.lines):
        for match in _SIGNATURE.finditer(line):
            verb, _, noun = match[1].partition("_")
            if not base_form(verb) and not match[3]:
                continue
            yield Operation(verb, noun, match[0], 0.95, fields_in(match[2]), fields_in(match[3] or ""))


def _crud(prose: Prose, entity: Entity | None) -> Iterator[Operation]:
    match = _CRUD.search(prose.text)
    if match and entity:
        for verb in CRUD:
            noun = names.snake(entity.name)
            yield Operation(verb, f"{noun}s" if verb == "list" else noun, match[0], 0.9, is_crud=True)


def _points(prose: Prose) -> Iterator[Operation]:
    for point in prose.points:
        start = point.partition(":")[0] if ":" in point[:_LONGEST] else point
        taken, given = _listed(_TAKES, point), _listed(_GIVES, point)
        for run in _runs(start, first=True):
            yield replace(run, words=point, confidence=0.85, inputs=taken, outputs=given)


def _sentences(prose: Prose) -> Iterator[Operation]:
    for sentence in prose.sentences:
        taken, given = _listed(_TAKES, sentence), _listed(_GIVES, sentence)
        for run in _runs(_without_fields(sentence)):
            yield replace(run, words=sentence, confidence=0.7, inputs=taken, outputs=given)


def _passives(prose: Prose) -> Iterator[Operation]:
    """Find what is to be done to things, such as "appointments can be booked, rescheduled and cancelled"."""
    for sentence in (*prose.sentences, *prose.points):
        for match in _PASSIVE.finditer(sentence):
            noun, _ = _noun(_TOKEN.findall(match[1]), 0)
            verbs = [verb for word in re.findall(r"[a-z]+", match[2].lower()) if (verb := participle(word))]
            if noun and noun.rpartition("_")[2] not in _META:
                yield from (Operation(verb, noun, sentence, 0.6) for verb in verbs)


def _listed(pattern: re.Pattern[str], text: str) -> list[Field]:
    match = pattern.search(text)
    return fields_in(_until(match[1])) if match else []


def _runs(text: str, *, first: bool = False) -> Iterator[Operation]:
    """Find verbs where verbs stand, those that share what they act on together.

    Args:
        text: A sentence.
        first: Whether only its beginning counts, as in the points of a list.
    """
    tokens = _TOKEN.findall(bare(text))
    position = 0
    while position < len(tokens):
        verbs, position = _verbs(tokens, position)
        if verbs:
            start = position - 1
            noun, position = _noun(tokens, position)
            if _is_something(noun, tokens[start].lower()):
                yield from (Operation(verb, noun, text, 0.7) for verb in verbs)
        if first:
            return
        position += not verbs


def _is_something(noun: str, verb: str) -> bool:
    """Tell whether a noun is something that a node works on, and not the node, or a noun that a verb is a part of."""
    last = noun.rpartition("_")[2]
    if (
        noun.partition("_")[0] in _META
        or last in _META
        or re.fullmatch(r"node.*(effect|compute|reducer|orchestrator)", noun)
    ):
        return False
    return not (verb in _NOUNS_TOO and last and base_form(last) and base_form(last) != verb)


def _verbs(tokens: list[str], position: int) -> tuple[list[str], int]:
    before = tokens[position - 1].lower() if position else "."
    here = tokens[position].lower()
    follows = tokens[position + 1].lower() if position + 1 < len(tokens) else "."
    # "Members borrow": a plural at the beginning of a clause, and what it does.
    people = before.endswith("s") and not base_form(before) and tokens[position - 2 : position - 1] in _BEGINNINGS
    subject = before in _META or re.fullmatch(r"node\w+(?:effect|compute|reducer|orchestrator)", before) is not None
    stands = before in _BEFORE_A_VERB or (subject and here.endswith("s"))
    stands = stands or (
        (position == 1 or people) and before.endswith("s") and base_form(here) == here not in _NOUNS_TOO
    )
    verb = base_form(here) or (_imperative(here) if before in _SENTENCE_ENDS and follows in _INDEFINITE else "")
    if not verb or not stands:
        return [], position
    ends = follows in {",", "and", "or", ".", ";", ":", ")"}
    if here in _NOUNS_TOO and before in {"and", "or", ",", "that", "this", "which"} and ends:
        return [], position
    if base_form(here) in _NOUNS_TOO and follows in {"is", "are", "was", "were"}:
        return [], position
    verbs = [verb]
    position += 1
    while position + 1 < len(tokens) and tokens[position].lower() in {",", "/", "and", "or"}:
        after = position + 1 + (tokens[position] == "," and tokens[position + 1].lower() in {"and", "or"})
        if after >= len(tokens) or not (verb := base_form(tokens[after])):
            break
        verbs.append(verb)
        position = after + 1
    return verbs, position


def _imperative(word: str) -> str:
    """Return a word that begins a sentence and has an object as the verb that it must be; empty where it can't be one."""
    return "" if word in _STOPS or word in _NO_VERBS or word.endswith(("ly", "s", "ed", "ing")) else word


def _noun(tokens: list[str], position: int) -> tuple[str, int]:
    kept: list[str] = []
    while position < len(tokens):
        word = tokens[position].lower()
        if not word[0].isalpha() or (word in _STOPS and (kept or word not in _ARTICLES)):
            break
        if word not in _ARTICLES and word not in _MEANINGLESS:
            kept.append(plain_word(word))
        position += 1
        if len(kept) > 2:  # noqa: PLR2004 - adjectives and their noun; more is a sentence
            break
    return "_".join(filter(None, kept)), position
