"""The type of a node, as labelled descriptions teach it: a linear classifier whose weights are data.

`make classifier` learns them from the descriptions below `tests/drafting/taught`.
"""

import json
import math
from collections import Counter
from functools import cache
from typing import Any, Final

from ..home import DATA
from ..language.classify import Candidate
from .features import features, parts, stem, tokens
from .guess import GAZETTEER

WEIGHTS: Final = DATA / "classifier.json"
SURE: Final = 0.8
"""The confidence that no description exceeds which does not name its type."""

REFUSED: Final = "refused"
"""The class of texts that say too little, or describe no node."""

UNIT: Final = 1000
"""What weights are counted in: so many are one unit of the logarithm of odds."""

_REASONS = 4
_IDLE: Final = frozenset({*GAZETTEER["ends_of_names"], *GAZETTEER["articles"]})


@cache
def _learned() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return read


def weigh(text: str) -> tuple[Candidate, ...]:
    """Return how likely a text asks for a node of each type.

    Args:
        text: Running text.

    Returns:
        All types, the likeliest first, with the words that speak most for each. Confidences are at most `SURE`, and
        come to less than 1 together, since the text may also say too little.
    """
    learned = _learned()
    classes: list[str] = learned["classes"]
    points: list[float] = [*learned["intercepts"]]
    told: list[Counter[str]] = [Counter() for _ in classes]
    for kind, found in features(text).items():
        known = [(feature, learned["weights"][kind].get(feature, ())) for feature in found]
        for number in range(len(classes)):
            weights = {feature: row[number] for feature, row in known if row}
            told[number].update(weights)
            points[number] += sum(weights.values()) / math.sqrt(max(1, len(found)))
    highest = max(points)
    odds = [math.exp((point - highest) / UNIT) for point in points]
    spoken = list(dict.fromkeys(tokens(text)))
    candidates = [
        Candidate(name, min(SURE, odds[number] / sum(odds)), _reasons(spoken, told[number]))
        for number, name in enumerate(classes)
        if name != REFUSED
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.confidence))


def _reasons(spoken: list[str], told: Counter[str]) -> tuple[str, ...]:
    """Return the words of a text that speak most for a type, in their order."""
    weights = {word: told[stem(word)] + sum(told[part] for part in parts(word)) for word in spoken if word not in _IDLE}
    most = sorted((word for word in weights if weights[word] > 0), key=lambda word: -weights[word])[:_REASONS]
    return tuple(word for word in spoken if word in most)
