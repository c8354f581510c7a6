"""What an update changed, for people and for programs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

type Kind = Literal["added", "changed", "removed", "merged", "conflicting", "orphaned"]
_LONGEST = 100
_FENCE = 3
KINDS: tuple[Kind, ...] = ("conflicting", "orphaned", "merged", "changed", "added", "removed")


@dataclass(frozen=True, slots=True)
class File:
    """What became of one file, with its number of lines before and after."""

    path: str
    kind: Kind
    lines_before: int
    lines_after: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of the contract that differs: None where there is none."""

    place: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Comparison:
    """Everything that an update changed.

    Attributes:
        version_before: The template's version before.
        version_after: The template's version after.
        files: What became of the files, sorted by path.
        contract: What differs in the contract.
        renamed: Operations that seem to be renamed, old and new.
        features: Features gained and lost.
        mixins: Bases and mixins of the node class gained and lost.
        leftovers: Files that people edited and that are not generated any more, by their path in `orphans/`, with the
            difference from what was generated; empty where that is not known.
        notes: What the update said.
        onex: What `onex contract diff` says about the contract that ONEX reads; empty where ONEX is not installed.
        interface: What callers and consumers notice of the contract's changes, and the version that these ask for.
        tests: The last line of the tests' output; empty when they were not run.
        difference: What differs in the files, line by line; empty when nobody asked.
    """

    version_before: str
    version_after: str
    files: tuple[File, ...]
    contract: tuple[Difference, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    features: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    mixins: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    leftovers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    onex: tuple[str, ...] = ()
    interface: tuple[str, ...] = ()
    tests: str = ""
    difference: str = ""

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the paths of the files of one kind."""
        return [file.path for file in self.files if file.kind == kind]

    @property
    def summary(self) -> str:
        """All of it on one line."""
        counts = [f"{count} {kind}" for kind in KINDS if (count := len(self.of_kind(kind)))]
        return ", ".join(counts) or "nothing changed"

    def as_json(self) -> str:
        """Return it as JSON."""
        values = asdict(self) | {
            "features": {"gained": self.features[0], "lost": self.features[1]},
            "mixins": {"gained": self.mixins[0], "lost": self.mixins[1]},
        }
        return json.dumps(values, indent=2, sort_keys=True, default=str) + "\n"

    def as_markdown(self, heading: str = "Update") -> str:
        """Return it as Markdown, under a heading."""
        lines = [f"# {heading}", "", self.headline, ""]
        if self.files:
            lines += ["| file | | lines before | lines after |", "|---|---|---|---|"]
            lines += [
                f"| `{file.path}` | {file.kind} | {file.lines_before} | {file.lines_after} |" for file in self.ranked
            ]
            lines += [f"| together | | {self.lines[0]} | {self.lines[1]} |", ""]
        for title, items in self.sections:
            lines += [f"## {title}", *(f"- {item}" for item in items), ""]
        lines += _leftovers(self.leftovers)
        return "\n".join(lines).rstrip() + "\n"

    @property
    def headline(self) -> str:
        """The template's versions, and how many files changed."""
        return f"Template: {self.version_before} → {self.version_after}. Files: {self.summary}."

    @property
    def ranked(self) -> list[File]:
        """The files, those first that a person has to look at."""
        return sorted(self.files, key=lambda file: (KINDS.index(file.kind), file.path))

    @property
    def lines(self) -> tuple[int, int]:
        """The number of lines of the files, before and after."""
        return sum(file.lines_before for file in self.files), sum(file.lines_after for file in self.files)

    @property
    def sections(self) -> list[tuple[str, list[str]]]:
        """What changed besides the files, by subject; subjects of which there is something to say."""
        gained = [
            (title, [*(f"gained: {name}" for name in new), *(f"lost: {name}" for name in lost)])
            for title, (new, lost) in (("Features", self.features), ("Mixins", self.mixins))
        ]
        found = [
            ("Contract", [f"`{each.place}`: {_change(each)}" for each in self.contract]),
            ("For callers and consumers", list(self.interface)),
            ("ONEX contract", list(self.onex)),
            ("Renamed operations", [f"`{old}` seems to be `{new}` now" for old, new in self.renamed.items()]),
            *gained,
            ("Notes", list(self.notes)),
            ("Tests", [self.tests] if self.tests else []),
        ]
        return [(title, items) for title, items in found if items]


def _leftovers(leftovers: Mapping[str, str]) -> Iterator[str]:
    if not leftovers:
        return
    yield "## Edits in files that are not generated any more"
    yield "The files are kept as you left them. What you changed, where it is still needed, has another place now:"
    yield ""
    for name, difference in leftovers.items():
        if not difference:
            yield from (f"`{name}`, without the difference: its version of the template can't be rendered any more", "")
            continue
        longest = max((len(ticks) for ticks in re.findall("`+", difference)), default=0)
        fence = "`" * max(_FENCE, longest + 1)
        yield from (f"`{name}`", "", f"{fence}diff", difference.rstrip("\n"), fence, "")


def _change(difference: Difference) -> str:
    before, after = (_short(value) for value in (difference.before, difference.after))
    if difference.before is None:
        return f"new, {after}"
    return f"gone, was {before}" if difference.after is None else f"{before} → {after}"


def _short(value: Any) -> str:
    text = json.dumps(value, default=str).replace("`", "'")
    return f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}`"


def differences(before: Any, after: Any, place: str = "") -> Iterator[Difference]:
    """Yield where two contracts differ; items of lists that have names are told apart by these.

    Args:
        before: The one.
        after: The other.
        place: Where both are.
    """
    if isinstance(before, list) and isinstance(after, list) and _named(before) and _named(after):
        before, after = ({item["name"]: item for item in items} for items in (before, after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{place}.{key}" if place else str(key))
    elif before != after:
        yield Difference(place, before, after)


def _named(items: Sequence[Any]) -> bool:
    return all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items)


def gained_and_lost(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the second has alone, and what the first has alone."""
    return tuple(name for name in after if name not in before), tuple(name for name in before if name not in after)
