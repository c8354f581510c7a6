"""Runs the stages of a level."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..project.places import Place
from . import structure, syntax
from .findings import LEVELS, Finding, Outcome, Report
from .imports import Imports
from .index import Index
from .onex import Onex
from .project import Project
from .security import Security
from .tools import Tools, program

_STAGES = {
    "syntax": "basic",
    "structure": "basic",
    "imports": "standard",
    "ONEX": "standard",
    "security": "standard",
    "lint": "strict",
    "tests": "strict",
}


def validate(
    root: Path, level: str, *, tests: bool = True, place: Place | None = None, trusted: bool = False
) -> Report:
    """Validate a project, or one node of a project.

    Args:
        root: The project's folder, or that of a node, with its contract.yaml.
        level: One of `LEVELS`.
        tests: Whether `strict` runs the project's unit tests, which is code of the project.
        place: The node of the project that counts; None for all that is in the folder.
        trusted: Whether the tools and plugins of the project's own environment and settings are run.

    Returns:
        The outcomes of all stages, those that the level leaves out included.
    """
    top, inside = _project_of(root.resolve())
    project = Project(top, place if place and place.inside else None, trusted=trusted)
    wanted = {name for name, least in _STAGES.items() if LEVELS.index(least) <= LEVELS.index(level)}
    if not tests:
        wanted.discard("tests")
    # What runs in processes of its own starts first.
    tools = Tools(project, tests="tests" in wanted) if "lint" in wanted else None
    security = Security(project, program(project, "ruff")) if "security" in wanted else None
    index = Index(project.site_packages)
    outcomes: list[Outcome] = []

    def is_own(path: str) -> bool:
        if path in project.conflicting:
            return False  # a person's to resolve first
        return project.place is None or path in {"pyproject.toml", "."} or project.place.holds(path)

    def stage(name: str, check: Callable[[], Iterable[Finding]], unchecked: Callable[[], Iterable[str]]) -> None:
        if name not in wanted:
            outcomes.append(Outcome(name, left_out=True))
            return
        began = time.perf_counter()
        findings = tuple(
            sorted(found for found in set(check()) if found.path.startswith(inside) and is_own(found.path))
        )
        conflicts = [f"{path}, since it holds a conflict" for path in project.conflicting] if name == "syntax" else []
        notes = (*conflicts, *unchecked())
        outcomes.append(Outcome(name, findings, notes, time.perf_counter() - began))

    stage("syntax", lambda: syntax.check(project), tuple)
    stage("structure", lambda: structure.check(project), tuple)
    imports, onex = Imports(project, index), Onex(project, index)
    stage("imports", imports.check, imports.unchecked.values)
    stage("ONEX", onex.check, lambda: onex.unchecked)
    stage("security", lambda: security.check() if security else (), lambda: security.unchecked if security else ())
    stage("lint", lambda: tools.lint() if tools else (), lambda: tools.unchecked if tools else ())
    stage("tests", lambda: tools.tests() if tools else (), lambda: tools.test_unchecked if tools else ())
    index.save()
    return Report(level, tuple(outcomes))


def _project_of(folder: Path) -> tuple[Path, str]:
    """Return the project that a folder is in, and where in it; a folder without a contract is a project itself."""
    if not (folder / "contract.yaml").is_file():
        return folder, ""
    for parent in folder.parents:
        if (parent / "pyproject.toml").is_file() or (parent / ".git").exists():
            return parent, f"{folder.relative_to(parent).as_posix()}/"
    return folder.parent, f"{folder.name}/"
