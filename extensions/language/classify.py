"""Tells the type of a node from its contract, where the contract does not say it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..home import DATA
from ..text.problems import Problem
from ..text.specs import list_of, mapping_of

NODE_TYPES: Final[Mapping[str, Mapping[str, list[str]]]] = json.loads(
    (DATA / "node_types.json").read_text(encoding="utf-8")
)
THRESHOLD: Final = 0.6
# How much a kind of evidence weighs. One word of prose stays below the threshold; a word of `domain` reaches it.
_WEIGHTS: Final = {"subcontracts": 4, "features": 3, "integrations": 2, "domain": 2, "operations": 1, "description": 1}
_IMPLEMENTED: Final = 8
# Stands in every sum, so that little evidence never makes a certainty.
_DOUBT: Final = 1
_FEATURE_ALIASES: Final = {"database": "persistence", "api_client": "http_client", "kafka": "event_driven"} | {
    "workflow": "hybrid_execution"
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that a node may have.

    Attributes:
        node_type: The type.
        confidence: From 0 to 1.
        reasons: What speaks for it, as places in the contract.
    """

    node_type: str
    confidence: float
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """Return the candidate for people."""
        reasons = f": {', '.join(self.reasons)}" if self.reasons else ""
        return f"{self.node_type} ({self.confidence:.0%}{reasons})"


def node_type(raw: Mapping[str, Any]) -> str:
    """Return the type of a node: what its contract says, or else the likeliest one.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Returns:
        The type; `effect` where nothing speaks for any, which `check` reports.
    """
    return str(raw["node_type"]) if "node_type" in raw else classify(raw)[0].node_type


def completed(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a contract with its node's type, where it leaves that out and there is enough to tell it."""
    if "node_type" in raw:
        return raw
    likeliest = classify(raw)[0]
    return raw if likeliest.confidence < THRESHOLD else {**raw, "node_type": likeliest.node_type}


def check(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a contract that leaves its node's type open.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Yields:
        At most one problem, which shows the candidates.
    """
    if "node_type" in raw:
        return
    candidates = classify(raw)
    if candidates[0].confidence < THRESHOLD:
        shown = "; ".join(map(str, candidates))
        found = f"nothing, and too little to tell it: {shown}"
        yield Problem(("node_type",), found, f"one of {', '.join(NODE_TYPES)}")


def classify(raw: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """Weigh what in a contract speaks for each type.

    What operations are implemented with settles the type, where it speaks for one alone. Otherwise subcontracts,
    features, integrations and dependencies, whole words of `domain`, the verbs that operations' names start with, and
    whole words of descriptions count, in this order of weight. The confidence of a type is its part of all evidence.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Returns:
        All types, the likeliest first; in the order of the language where they are equal.
    """
    implemented = {kind: list(_implementations(raw, words)) for kind, words in NODE_TYPES.items()}
    settled = [kind for kind, reasons in implemented.items() if reasons]
    if len(settled) == 1:
        return (
            Candidate(settled[0], 1.0, tuple(implemented[settled[0]])),
            *(Candidate(kind, 0.0, ()) for kind in NODE_TYPES if kind not in settled),
        )
    evidence = {kind: [*implemented[kind], *_evidence(raw, words)] for kind, words in NODE_TYPES.items()}
    points = {kind: sum(_weight(reason) for reason in reasons) for kind, reasons in evidence.items()}
    total = sum(points.values()) + _DOUBT
    candidates = [Candidate(kind, points[kind] / total, tuple(evidence[kind])) for kind in NODE_TYPES]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.confidence))


def _weight(reason: str) -> int:
    place = re.split(r"[.:\[]", reason)[0]
    if place == "operations" and ":" not in reason:
        return _IMPLEMENTED
    return _WEIGHTS["integrations" if place == "dependencies" else place]


def _implementations(raw: Mapping[str, Any], kind: Mapping[str, list[str]]) -> Iterator[str]:
    for index, operation in enumerate(list_of(raw.get("operations"))):
        if isinstance(operation, Mapping):
            yield from (f"operations[{index}].{key}" for key in kind["implementations"] if key in operation)


def _evidence(raw: Mapping[str, Any], kind: Mapping[str, list[str]]) -> Iterator[str]:
    yield from (f"subcontracts.{key}" for key in kind["subcontracts"] if key in mapping_of(raw.get("subcontracts")))
    for word in list_of(raw.get("features")):
        if isinstance(word, str) and _FEATURE_ALIASES.get(word, word) in kind["features"]:
            yield f"features: {word}"
    yield from (
        f"integrations.{key}"
        for key in kind["integrations"]
        if mapping_of(raw.get("integrations")).get(key, False) is not False
    )
    yield from (f"dependencies.{key}" for key in mapping_of(raw.get("dependencies")) if key in kind["domains"])
    yield from (f"domain: {word}" for word in _words(raw.get("domain")) if word in kind["domains"])
    for index, operation in enumerate(list_of(raw.get("operations"))):
        name = mapping_of(operation).get("name")
        if isinstance(name, str) and (verb := name.partition("_")[0]) in kind["verbs"]:
            yield f"operations[{index}].name: {verb}"
        described = _words(mapping_of(operation).get("description"))
        yield from (f"operations[{index}].description: {word}" for word in described if word in kind["verbs"])
    yield from (f"description: {word}" for word in _words(raw.get("description")) if word in kind["verbs"])


def _words(text: object) -> list[str]:
    """Return the words of a text, each once, a verb's `s` taken off."""
    words = re.findall(r"[a-z0-9]+", text.lower()) if isinstance(text, str) else []
    return list(dict.fromkeys(form for word in words for form in (word, word.removesuffix("s"))))
