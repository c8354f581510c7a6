"""Learns types of nodes from labelled descriptions, and prints how well that holds for others: `make classifier`."""

import json
import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline

from extensions.drafting.features import features
from extensions.drafting.learned import REFUSED, UNIT, WEIGHTS
from extensions.drafting.prose import Prose
from extensions.language.classify import THRESHOLD
from scripts.corpus import CORPUS, TAUGHT, digest, entries

_KEPT: Final = 12_000
_STRENGTH: Final = 5.0
# How often texts have a feature before it counts, and how much it counts beside those of the other kind.
_FEWEST: Final = {"words": 2, "parts": 3}
_SHARES: Final = {"words": 1.0, "parts": 0.7}


@dataclass(frozen=True, slots=True)
class Taught:
    """Descriptions to learn from.

    Attributes:
        rows: Of each, what it weighs by kind and feature.
        classes: Of each, a type or `REFUSED`.
        sources: The file that each is from.
    """

    rows: list[dict[str, float]]
    classes: list[str]
    sources: list[str]

    @classmethod
    def read(cls) -> "Taught":
        """Read all that is there to learn from."""
        listed = [(path.stem, entry) for path in (CORPUS, *TAUGHT) for entry in entries(path)]
        found = [features(Prose.of(entry["text"]).text) for _, entry in listed]
        often = Counter((kind, feature) for groups in found for kind, own in groups.items() for feature in own)
        return cls(
            [
                {
                    f"{kind} {feature}": _SHARES[kind] / math.sqrt(len(own))
                    for kind, own in groups.items()
                    for feature in own
                    if often[kind, feature] >= _FEWEST[kind]
                }
                for groups in found
            ],
            [entry.get("type") or REFUSED for _, entry in listed],
            [source for source, _ in listed],
        )


def _untrained() -> Pipeline:
    strongest = SelectFromModel(LogisticRegression(C=_STRENGTH, max_iter=3000), max_features=_KEPT, threshold=-np.inf)
    return make_pipeline(
        DictVectorizer(), TfidfTransformer(norm=None), strongest, LogisticRegression(C=_STRENGTH, max_iter=3000)
    )


def _held_back(taught: Taught) -> float:
    """Classify each file by what all the others teach, print how well that went, and return what calibrates it."""
    points = cross_val_predict(
        _untrained(),
        taught.rows,
        taught.classes,
        groups=taught.sources,
        cv=LeaveOneGroupOut(),
        method="decision_function",
    )
    classes = sorted(set(taught.classes))
    wanted = np.array([classes.index(name) for name in taught.classes])
    rows = np.arange(len(wanted))
    scale = float(
        minimize_scalar(
            lambda factor: -log_softmax(points * factor, axis=1)[rows, wanted].mean(), bounds=(0.5, 4), method="bounded"
        ).x
    )
    odds = np.exp(log_softmax(points * scale, axis=1))
    odds[:, classes.index(REFUSED)] = 0
    likeliest, settled = odds.argmax(axis=1), odds.max(axis=1) >= THRESHOLD
    sources = np.array(taught.sources)
    for source in (*dict.fromkeys(taught.sources), None):
        own = (sources == source) if source else np.full(len(rows), fill_value=True)
        enough = own & (wanted != classes.index(REFUSED))
        right = (likeliest == wanted) & settled
        wrong = (likeliest != wanted) & settled
        told = f"right {right[enough].mean():.1%}, wrong {wrong[enough].mean():.1%} of {enough.sum()}"
        nothing = own & ~enough
        print(f"{source or 'all':20} {told}; no node, and refused {1 - settled[nothing].mean():.0%} of {nothing.sum()}")
    return scale


def _weights(trained: Pipeline, scale: float) -> dict[str, Any]:
    """Return what a trained classifier knows, as whole numbers: a feature's weight for each class."""
    vectors, rarity, strongest, classifier = (step for _, step in trained.steps)
    kept = strongest.get_support(indices=True)
    names = vectors.get_feature_names_out()[kept]
    shares = np.array([_SHARES[name.partition(" ")[0]] for name in names])
    whole = np.rint(classifier.coef_ * rarity.idf_[kept] * shares * scale * UNIT).astype(int).T
    weights: dict[str, dict[str, list[int]]] = {kind: {} for kind in _FEWEST}
    for name, row in sorted(zip(names, whole.tolist(), strict=True)):
        kind, _, feature = name.partition(" ")
        weights[kind][feature] = row
    return {
        "digest": digest(),
        "classes": classifier.classes_.tolist(),
        "intercepts": np.rint(classifier.intercept_ * scale * UNIT).astype(int).tolist(),
        "weights": weights,
    }


def main() -> int:
    """Learn, print what descriptions that were held back show, and write the weights.

    Returns:
        0.
    """
    taught = Taught.read()
    scale = _held_back(taught)
    learned = _weights(_untrained().fit(taught.rows, taught.classes), scale)
    # One feature on a line, so that git shows what changed.
    text = json.dumps(learned, ensure_ascii=False, separators=(",", ":")).replace("],", "],\n").replace("{", "{\n")
    WEIGHTS.write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
