"""A description becomes a contract, or a refusal that says what to add."""

import copy
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..judging.judge import judge
from ..language import names
from ..language.classify import THRESHOLD, Candidate
from ..language.prose import features_in
from ..reading.effective import yaml_document
from ..text.nouns import singular
from . import bodies
from .fields import short
from .guess import GAZETTEER, Guess, found, quoted
from .kinds import elsewhere_in, is_settled, kind_of, name_of
from .operations import Entity, Operation, entity_of, operations_of
from .prose import LONGEST, Line, Prose

PACKAGE: Final = "my_nodes"
"""The package of a node whose author names none."""

_DEPENDENCIES: Final = ("postgres", "redis", "kafka", "http")
_CHOICES = re.compile(
    r"\b([a-z][a-z_]*)\s*(?:\(|:|is\s+(?:either\s+|one\s+of\s+)?|can\s+be\s+|one\s+of\s*:?\s*|either\s+)\s*"
    r"([a-z][\w-]*(?:\s*(?:,|/|\||\bor\b|\band\b|,\s*or|,\s*and)\s*[a-z][\w-]*)+)",
    re.IGNORECASE,
)
_CHOSEN: Final = frozenset(GAZETTEER["choices"])
_LONGEST_DESCRIPTION = 500
_DEMAND = re.compile(
    r"^(?:please\s+)?(?:create|generate|build|write|implement|make|develop|design|draft)\s+(?:me\s+)?(?:an?\s+|the\s+)?"
    r"(?:Node[A-Z]\w+|[\w -]{0,40}?\bnode)\s*(?:for|that|which|to)?\s+(?=\w)",
    re.IGNORECASE,
)
_FEWEST_CHOICES = 2


class TooLittleError(Exception):
    """A description from which no contract can be told; its text says what to add."""


@dataclass(slots=True)
class Draft:
    """A contract that was made from words.

    Attributes:
        contract: The contract; it has no mistakes.
        guesses: What was guessed, in the contract's order.
        by: Who made it, for people; empty for the rules, where nobody else was asked.
    """

    contract: dict[str, Any]
    guesses: list[Guess] = field(default_factory=list)
    by: str = ""

    def document(self) -> str:
        """Return the contract as YAML, each guess as a comment above it."""
        by = f" by {self.by}" if self.by else ""
        head = [f"Drafted from a description{by}. What follows was guessed; check it, least certain first."]
        ordered = sorted(self.guesses, key=lambda guess: guess.confidence)
        lines = [f"# {line}".rstrip() for line in (*head, *(f"- {guess}" for guess in ordered))]
        return "\n".join(lines) + "\n" + yaml_document(self.contract)


def draft(text: str, *, name: str | None = None, package: str | None = None, node_type: str | None = None) -> Draft:
    """Return the contract that a description asks for.

    Args:
        text: A sentence or a document, plain or Markdown.
        name: The node's name, where it is known.
        package: The node's package, where it is known.
        node_type: The node's type, where it is known.

    Returns:
        The draft; the same text gives the same draft.

    Raises:
        TooLittleError: The text is too long, says nothing to make a name of, or leaves the type open.
    """
    if len(text) > LONGEST:
        raise TooLittleError(f"The description has {len(text)} characters; at most {LONGEST} are read.")
    prose = Prose.of(text)
    named = Guess("name", name, 1.0) if name else name_of(prose)
    if named is None:
        raise TooLittleError("The description holds no word that can name a node. Say what the node does, in English.")
    candidates = kind_of(prose)
    chosen = candidates[0]
    if node_type:
        chosen = Candidate(node_type, 1.0, ("the command line",))
    elif not is_settled(candidates):
        raise TooLittleError(_open(candidates))
    return _Drafting(prose, named, chosen, package).run()


def _open(candidates: tuple[Candidate, ...]) -> str:
    lines = [f"The type of the node is open: no type reaches {THRESHOLD:.0%}."]
    lines += [f"  {candidate}" for candidate in candidates]
    lines.append(
        "Say which it is (--node-type, or a sentence such as \"an effect node\"), or add what it works on: a database, "
        "an API or a queue (effect), a calculation (compute), events and states (reducer), steps on other nodes "
        "(orchestrator)."
    )  # fmt: skip
    return "\n".join(lines)


def _described(prose: Prose) -> str:
    """Return what a description says as running text, without the demand for a node in front."""
    text = " ".join(prose.sentences)
    if text.endswith(":") or not text:
        text = f"{text} {'; '.join(prose.points)}".strip()
    text = _DEMAND.sub("", text or " ".join(prose.headings))
    shown = text[:1].upper() + text[1:]
    return shown if len(shown) <= _LONGEST_DESCRIPTION else f"{shown[: _LONGEST_DESCRIPTION - 1]}\u2026"


def _without_choices(prose: Prose) -> tuple[Prose, list[tuple[str, list[str], str]]]:
    """Take out what fields can be: what is left, and the fields' names with their values and the words."""
    choices: list[tuple[str, list[str], str]] = []

    def taken(match: re.Match[str]) -> str:
        noun = singular(match[1].lower())
        values = [names.snake(value) for value in re.split(r"\s*(?:,|/|\||\bor\b|\band\b)\s*", match[2])]
        values = list(dict.fromkeys(filter(None, values)))
        if noun not in _CHOSEN or len(values) < _FEWEST_CHOICES:
            return match[0]
        choices.append((noun, values, match[0]))
        return match[1]

    lines = tuple(Line(_CHOICES.sub(taken, line.text), line.kind) for line in prose.lines)
    return Prose(lines), choices


class _Drafting:
    def __init__(self, prose: Prose, name: Guess, kind: Candidate, package: str | None) -> None:
        self.prose, self.choices = _without_choices(prose)
        self.description = _described(prose)
        self.kind, self.text = kind, prose.text.lower()
        self.contract: dict[str, Any] = {"name": self._own_name(name.value), "node_type": kind.node_type}
        self.guesses = [name, Guess("node_type", kind.node_type, kind.confidence, ", ".join(kind.reasons))]
        self.contract |= {"version": "1.0.0", "package": package or PACKAGE}
        if not package:
            self.guesses.append(Guess("package", PACKAGE, 0.1))
        self.entity = entity_of(self.prose)
        self.integrations = self._integrations() if kind.node_type == "effect" else {}

    def _own_name(self, name: str) -> str:
        stem = name.removesuffix(f"_{self.kind.node_type}")
        return stem if re.fullmatch(r"[a-z][a-z0-9_]*", stem) else name

    def run(self) -> Draft:
        self.contract["description"] = self.description
        if features := self._features():
            self.contract["features"] = features
        if self.integrations:
            self.contract["dependencies"] = dict.fromkeys(self.integrations, "*")
        self._enums()
        self._operations()
        return self._judged()

    def _features(self) -> list[str]:
        listed = []
        for line in self.prose.lines:
            for feature in features_in(line.text):
                if feature in _ASKED_FEATURES and feature not in listed:
                    trial = {
                        **self.contract,
                        "features": [feature],
                        "operations": [_custom("a", {}, {"done": "boolean"})],
                    }
                    if not judge(trial):
                        listed.append(feature)
                        self.guesses.append(Guess("features", feature, 0.8, line.text))
        return listed

    def _integrations(self) -> dict[str, str]:
        named: dict[str, str] = {}
        for key, phrases in GAZETTEER["integrations"].items():
            if key in _DEPENDENCIES and (spoken := next(found(phrases, self.text), "")):
                named[key] = spoken
                self.guesses.append(Guess(f"dependencies.{key}", "*", 0.9, spoken))
        for key, patterns in GAZETTEER["patterns_of_integrations"].items():
            matches = (match[0] for pattern in patterns for match in re.finditer(pattern, self.text))
            # Tables are those of a product that is named.
            is_free = key not in named and (key == "http" or not any(found(GAZETTEER["stores"], self.text)))
            if is_free and (spoken := next(matches, "")):
                named[key] = spoken
                self.guesses.append(Guess(f"dependencies.{key}", "*", 0.7, spoken))
        if not named and (elsewhere := elsewhere_in(self.prose)):
            named["http"] = elsewhere
            self.guesses.append(Guess("dependencies.http", "*", 0.5, elsewhere))
        return {key: named[key] for key in GAZETTEER["integrations"] if key in named}

    def _enums(self) -> None:
        for noun, values, said in self.choices:
            owner = self.entity.name if self.entity else self.contract["name"]
            title = names.pascal(f"{owner}_{noun}")
            if title in self.contract.setdefault("enums", {}):
                continue
            self.contract["enums"][title] = values
            self.guesses.append(Guess(f"enums.{title}", ", ".join(values), 0.8, said))
            for known in self.entity.fields if self.entity else ():
                if known.name == noun:
                    known.spec["type"] = title

    def _operations(self) -> None:
        listed = operations_of(self.prose, self.entity)
        made: dict[str, dict[str, Any]] = {}
        if self.kind.node_type == "reducer" and (moves := bodies.transitions(self.prose)):
            moving = self.entity.name if self.entity else singular(self.contract["name"].partition("_")[0])
            moved, subcontracts = bodies.machine(moves, moving)
            made["apply_event"] = {"name": "apply_event"} | moved
            self.contract["subcontracts"] = subcontracts
            said = "; ".join(f"{before} to {after}" for _, before, after in moves)
            self.guesses.append(Guess("subcontracts.fsm", said, 0.75, said))
            listed = []
        if "postgres" in self.integrations and self.entity and bodies.fits_a_table(self.entity):
            self._table(self.entity, listed, made)
        for operation in listed:
            if operation.name not in made:
                made[operation.name] = self._operation(operation)
        if not made:
            made["run"] = _custom(_only_name(self.contract["name"]), {"payload": "object"}, {"result": "object"})
            self.guesses.append(Guess("operations", str(made["run"]["name"]), 0.2))
        self.contract["operations"] = list(made.values())

    def _table(self, entity: Entity, listed: list[Operation], made: dict[str, dict[str, Any]]) -> None:
        table = bodies.Table(entity)
        crud = list(bodies.crud_of(listed, entity))
        if not crud:
            return
        self.contract.setdefault("models", {})[table.model] = {"fields": table.fields}
        self.contract["integrations"] = {"database": {"migrations": [table.migration()]}}
        said = ", ".join(field.name for field in entity.fields)
        self.guesses.append(Guess(f"models.{table.model}", said, 0.8, entity.words))
        for operation, verb in crud:
            made[operation.name] = {"name": operation.name} | table.operation(verb)
            self.guesses.append(Guess(f"operations.{operation.name}", "SQL", operation.confidence, operation.words))

    def _operation(self, operation: Operation) -> dict[str, Any]:
        entity = self.entity
        mine = bool(entity and singular(operation.noun) == entity.name)
        fields = entity.fields if entity and mine else []
        if set(self.integrations) == {"redis"} and (entry := bodies.entry(operation, fields)):
            self.guesses.append(Guess(f"operations.{operation.name}", "Redis", operation.confidence, operation.words))
            return {"name": operation.name, "description": quoted(operation.words)} | entry
        inputs = {field.name: short(field.spec) for field in operation.inputs}
        outputs = {field.name: short(field.spec) for field in operation.outputs}
        value = (
            f"{', '.join(inputs) or 'input unknown'} to {', '.join(outputs) or 'output unknown'}, a handler of your own"
        )
        certain = operation.confidence if inputs and outputs else operation.confidence / 2
        self.guesses.append(Guess(f"operations.{operation.name}", value, certain, operation.words))
        if not inputs and self.kind.node_type == "compute":
            # What comes from the request alone comes whole.
            inputs = {_own_noun(operation): "object"}
        inputs = inputs or _likely_input(operation, fields and {field.name: short(field.spec) for field in fields})
        outputs = outputs or _likely_output(operation)
        return _custom(operation.name, inputs, outputs, quoted(operation.words))

    def _judged(self) -> Draft:
        """Give up what the judge refuses, the least certain first, until nothing is refused."""
        for simpler in self._simpler():
            if not judge(simpler):
                return Draft(simpler, self.guesses)
        problems = "\n".join(f"  {problem}" for problem in judge(self.contract))
        raise TooLittleError(f"The description leads to a contract with mistakes; say it in other words:\n{problems}")

    def _simpler(self) -> Iterator[dict[str, Any]]:
        yield self.contract
        plain = copy.deepcopy(self.contract)
        plain["operations"] = [_renamed(operation, number) for number, operation in enumerate(plain["operations"], 1)]
        yield plain
        bare = {key: plain[key] for key in ("name", "node_type", "version", "package", "description")}
        custom = [_custom(each["name"], {"payload": "object"}, {"result": "object"}) for each in plain["operations"]]
        yield bare | {"operations": custom}
        one = {"operations": [_custom("call", {"payload": "object"}, {"result": "object"})]}
        yield bare | {"name": f"{bare['name'][:40].rstrip('_')}_node"} | one


_ASKED_FEATURES: Final = frozenset(
    {"retry", "circuit_breaker", "caching", "rate_limiting", "dead_letter_queue", "service_discovery"}
)


def _custom(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], description: str = "") -> dict[str, Any]:
    described = {"description": description} if description else {}
    return {"name": name, **described, "input": dict(inputs), "output": dict(outputs), "handler": "custom"}


def _renamed(operation: dict[str, Any], number: int) -> dict[str, Any]:
    name = str(operation["name"])
    return operation | {"name": name if re.fullmatch(r"[a-z][a-z0-9_]{0,47}", name) else f"operation_{number}"}


def _only_name(name: str) -> str:
    return f"handle_{name}"[:48].rstrip("_")


def _likely_input(operation: Operation, kept: Mapping[str, Any] | list[Any]) -> dict[str, Any]:
    noun = singular(operation.noun) or "payload"
    if isinstance(kept, Mapping) and kept:
        return dict(kept)
    if noun == "payload":
        return {"payload": "object"}
    return {f"{noun}_id": {"type": "string", "minLength": 1}, "payload": {"type": "object", "default": {}}}


def _own_noun(operation: Operation) -> str:
    noun = singular(operation.noun)
    return noun if noun.isidentifier() and not keyword.iskeyword(noun) else "payload"


def _likely_output(operation: Operation) -> dict[str, Any]:
    noun = singular(operation.noun) or "result"
    match operation.verb:
        case "get" | "find" | "fetch" | "read" | "load" | "retrieve" | "query" | "lookup":
            return {"found": "boolean", noun: {"type": "object", "required": False}}
        case "list" | "search" | "filter":
            return {f"{noun}_list": {"type": "array", "items": "object"}}
        case "check" | "verify" | "validate":
            return {"valid": "boolean", "problems": {"type": "array", "items": "string"}}
        case "count":
            return {"count": {"type": "integer", "minimum": 0}}
        case _:
            return {"done": "boolean"}
