"""Drafts descriptions, and prints how often the drafts are what a person would expect: `make corpus`."""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from extensions.drafting.draft import Draft, TooLittleError, draft
from extensions.drafting.kinds import kind_of
from extensions.drafting.learned import REFUSED, SURE
from extensions.drafting.prose import Prose

_DRAFTING = Path(__file__).resolve().parents[1] / "tests" / "drafting"
CORPUS = _DRAFTING / "corpus.yaml"
TAUGHT = sorted((_DRAFTING / "taught").glob("*.yaml"))
"""Files of further descriptions that types are learned from."""

UNSEEN = _DRAFTING / "unseen.yaml"
"""Descriptions that nothing is learned from."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How often drafts were what a person would expect.

    Attributes:
        types: Of the descriptions that say enough, how many have the right type, and how many there are.
        refused: The same for those that are no description of a node, and are refused.
        operations: Of the expected operations, how many were found, and how many there are.
        integrations: The same for what nodes talk to.
        sure_and_wrong: Descriptions whose type is wrong with more confidence than `SURE`.
        misses: What was not as expected, a line each.
    """

    types: tuple[int, int]
    refused: tuple[int, int]
    operations: tuple[int, int]
    integrations: tuple[int, int]
    sure_and_wrong: tuple[str, ...]
    misses: tuple[str, ...]


def entries(path: Path) -> list[dict[str, Any]]:
    """Return the descriptions of a file with what is expected of them."""
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return listed


def digest() -> str:
    """Return a digest of all that types are learned from."""
    labelled = [(entry["text"], entry.get("type")) for path in (CORPUS, *TAUGHT) for entry in entries(path)]
    return hashlib.sha256(json.dumps(labelled).encode()).hexdigest()


def drafted(text: str) -> Draft | None:
    """Return the draft of a description; None where it is refused."""
    try:
        return draft(text)
    except TooLittleError:
        return None


def figures(path: Path) -> Figures:
    """Draft every description of a file, and count."""
    right, enough, sure, misses = 0, 0, [], []
    parts = {"refused": [0, 0], "operations": [0, 0], "integrations": [0, 0]}
    for entry in entries(path):
        title = str(entry["text"]).strip().partition("\n")[0][:60]
        made = drafted(entry["text"])
        contract = made.contract if made else {}
        likeliest = kind_of(Prose.of(entry["text"]))[0]
        wanted = entry.get("type")
        if wanted == REFUSED:
            parts["refused"][0] += not contract
            parts["refused"][1] += 1
        elif wanted:
            enough += 1
            right += contract.get("node_type") == wanted
            if contract.get("node_type") != wanted:
                misses.append(f"{title}: {contract.get('node_type', 'refused')}, not {wanted} ({likeliest})")
        if likeliest.node_type != wanted and likeliest.confidence > SURE:
            sure.append(title)
        found = {
            "operations": {operation["name"] for operation in contract.get("operations", [])},
            "integrations": set(contract.get("dependencies", {})),
        }
        for part, there in found.items():
            expected = set(entry.get(part, ()))
            parts[part][0] += len(expected & there)
            parts[part][1] += len(expected)
            if missing := expected - there:
                misses.append(f"{title}: {part} {', '.join(sorted(missing))} not in {', '.join(sorted(there))}")
    return Figures(
        types=(right, enough),
        refused=(parts["refused"][0], parts["refused"][1]),
        operations=(parts["operations"][0], parts["operations"][1]),
        integrations=(parts["integrations"][0], parts["integrations"][1]),
        sure_and_wrong=tuple(sure),
        misses=tuple(misses),
    )


def main() -> int:
    """Print the figures.

    Returns:
        0.
    """
    for path in (CORPUS, UNSEEN):
        found = figures(path)
        for line in found.misses:
            print(line)
        print(f"{path.stem}:")
        for title in ("types", "refused", "operations", "integrations"):
            good, whole = getattr(found, title)
            if whole:
                print(f"  {title:14}{good:4} of {whole:3}  {good / whole:.0%}")
        print(f"  wrong, and surer than {SURE:.0%}: {len(found.sure_and_wrong)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
