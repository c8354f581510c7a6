"""Drafts every description of the corpus, and prints how often the rules were right: `make corpus`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from extensions.drafting.draft import Draft, TooLittleError, draft
from extensions.drafting.kinds import kind_of
from extensions.drafting.prose import Prose

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "drafting" / "corpus.yaml"
SURE = 0.8


@dataclass(frozen=True, slots=True)
class Figures:
    """How often drafts were what a person would expect.

    Attributes:
        types: Of the descriptions that say enough, how many have the right type, and how many there are.
        operations: Of the expected operations, how many were found, and how many there are.
        integrations: The same for what nodes talk to.
        sure_and_wrong: Descriptions whose type is wrong with more confidence than `SURE`.
        misses: What was not as expected, a line each.
    """

    types: tuple[int, int]
    operations: tuple[int, int]
    integrations: tuple[int, int]
    sure_and_wrong: tuple[str, ...]
    misses: tuple[str, ...]


def entries() -> list[dict[str, Any]]:
    """Return the descriptions with what is expected of them."""
    listed: list[dict[str, Any]] = yaml.safe_load(CORPUS.read_text(encoding="utf-8"))
    return listed


def drafted(text: str) -> Draft | None:
    """Return the draft of a description; None where it is refused."""
    try:
        return draft(text)
    except TooLittleError:
        return None


def figures() -> Figures:
    """Draft every description, and count."""
    right, enough, sure, misses = 0, 0, [], []
    parts = {"operations": [0, 0], "integrations": [0, 0]}
    for entry in entries():
        title = str(entry["text"]).strip().partition("\n")[0][:60]
        made = drafted(entry["text"])
        contract = made.contract if made else {}
        likeliest = kind_of(Prose.of(entry["text"]))[0]
        wanted = entry.get("type")
        if wanted not in {None, "refused"}:
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
        for part, counts in parts.items():
            expected = set(entry.get(part, ()))
            counts[0] += len(expected & found[part])
            counts[1] += len(expected)
            if missing := expected - found[part]:
                misses.append(f"{title}: {part} {', '.join(sorted(missing))} not in {', '.join(sorted(found[part]))}")
    return Figures(
        types=(right, enough),
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
    found = figures()
    for line in found.misses:
        print(line)
    for title in ("types", "operations", "integrations"):
        good, whole = getattr(found, title)
        print(f"{title:14}{good:4} of {whole:3}  {good / whole:.0%}")
    print(f"wrong, and surer than {SURE:.0%}: {len(found.sure_and_wrong)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
