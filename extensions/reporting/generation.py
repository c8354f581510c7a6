"""What was generated for one node: files and lines by kind, decisions, tests, and what is left to write."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ..project import ownership
from ..project.places import Place, file_in
from .known import Known, of_answers

KINDS: Final = ("source", "runtime", "tests", "deployment", "migrations", "documents", "settings")
_TEST: Final = re.compile(r"^ *(?:async )?def test_", re.MULTILINE)
_STUB: Final = "METHOD_NOT_IMPLEMENTED"


@dataclass(frozen=True, slots=True)
class Count:
    """How many files there are of a kind, and how many lines they have."""

    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Generation(Known):
    """What was generated for a node, beside what is known of it. The same project gives the same.

    Attributes:
        paths: The files by kind, sorted.
        counts: Their number and lines, by kind.
        mixins: What the node class is made of.
        tests: How many test functions there are.
        to_write: Files that are left for a person to write.
        problems: What a validation found; None where there was none.
    """

    paths: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, Count]
    mixins: tuple[str, ...]
    tests: int
    to_write: tuple[str, ...]
    problems: tuple[str, ...] | None = None

    @property
    def total(self) -> Count:
        """All files together."""
        counts = self.counts.values()
        return Count(sum(count.files for count in counts), sum(count.lines for count in counts))

    def as_values(self) -> dict[str, Any]:
        """Return it for programs, in the form of ONEX's ModelGenerationResult, and what that has no place for."""
        source = self.paths.get("source", ())
        home = next((path.removesuffix("node.py") for path in source if path.endswith("/node.py")), "")
        node_file, contract_file, init_file = (
            f"{home}{name}" if f"{home}{name}" in source else "" for name in ("node.py", "contract.yaml", "__init__.py")
        )
        return {
            "artifacts": {
                "node_type": self.node_type,
                "node_name": self.node,
                "service_name": self.node.removeprefix("node_").removesuffix(f"_{self.node_type}"),
                "node_file": node_file,
                "contract_file": contract_file,
                "init_file": init_file,
                "models": [path for path in source if "/models/" in path],
                "tests": list(self.paths.get("tests", ())),
                "documentation": list(self.paths.get("documents", ())),
            },
            "strategy_used": "template",
            "validation_passed": None if self.problems is None else not self.problems,
            "validation_errors": list(self.problems or ()),
            "llm_used": False,
            "intelligence_sources": [],
            "package": self.package,
            "template": self.template,
            "counts": {kind: asdict(count) for kind, count in self.counts.items()} | {"total": asdict(self.total)},
            "features": list(self.features),
            "mixins": list(self.mixins),
            "decisions": [dict(decision) for decision in self.decisions],
            "test_functions": self.tests,
            "to_write": list(self.to_write),
        }

    def as_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_values(), indent=2) + "\n"

    def as_text(self, seconds: float | None = None) -> str:
        """Return it in a few lines.

        Args:
            seconds: How long it took, where that is known.
        """
        took = "" if seconds is None else f" in {seconds:.1f} s"
        kinds = ", ".join(f"{kind} {count.files}/{count.lines}" for kind, count in self.counts.items())
        lines = [f"{self.total.files} files with {self.total.lines} lines{took}: {kinds}; {self.tests} tests"]
        if self.to_write:
            lines += ["Left for you to write:", *(f"  {path}" for path in self.to_write)]
        return "\n".join(lines) + "\n"


def generation(
    project: Path,
    place: Place | None = None,
    problems: tuple[str, ...] | None = None,
    known: Known | None = None,
) -> Generation:
    """Count what was generated for a node of a project.

    Args:
        project: The project's root.
        place: Where the node is in it; the whole project when left out.
        problems: What a validation found, if there was one.
        known: What is known of the node; worked out from its answers when left out, or known of another one.

    Raises:
        ValueError: When it is no generated node, or its files can't be read.
        OSError: When they can't be read.
    """
    place = place or Place()
    manifest = ownership.read(project, place)
    if known is None or known.node != manifest.get("node"):
        known = of_answers(project, place)
    if not manifest:
        raise ValueError(f"{project} was not generated")
    paths: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for name in sorted(manifest["files"]):
        file = file_in(project, name)
        if file.is_file():
            paths.setdefault(_kind(name, place), []).append(name)
            texts[name] = file.read_bytes().decode("utf-8", "replace")
    bases = [
        base
        for path, classes in manifest.get("classes", {}).items()
        if path.endswith("/node.py")
        for promised in classes.values()
        for base in promised.get("bases", ())
    ]
    return Generation(
        **asdict(known) | {"node": str(manifest.get("node", known.node))},
        paths={kind: tuple(paths[kind]) for kind in KINDS if kind in paths},
        counts={
            kind: Count(len(paths[kind]), sum(len(texts[name].splitlines()) for name in paths[kind]))
            for kind in KINDS
            if kind in paths
        },
        mixins=tuple(bases),
        tests=sum(len(_TEST.findall(texts[name])) for name in paths.get("tests", ())),
        to_write=tuple(name for name in texts if "/handlers/custom/" in name and _STUB in texts[name]),
        problems=problems,
    )


def _kind(name: str, place: Place) -> str:
    if name.startswith("src/"):
        return "runtime" if "/runtime/" in name else "migrations" if name.endswith(".sql") else "source"
    if name.startswith(f"{place.tests}/"):
        return "tests"
    if name.startswith(f"{place.deploy}/"):
        return "deployment"
    if name.endswith(".sql"):
        return "migrations"
    return "documents" if name.endswith(".md") else "settings"
