"""Runs the stages of a level."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

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


def validate(root: Path, level: str, *, tests: bool = True) -> Report:
    """Validate a project.

    Args:
        root: The project's folder.
        level: One of `LEVELS`.
        tests: Whether `strict` runs the project's unit tests.

    Returns:
        The outcomes of all stages, those that the level leaves out included.
    """
    project = Project(root.resolve())
    wanted = {name for name, least in _STAGES.items() if LEVELS.index(least) <= LEVELS.index(level)}
    if not tests:
        wanted.discard("tests")
    # What runs in processes of its own starts first.
    tools = Tools(project, tests="tests" in wanted) if "lint" in wanted else None
    security = Security(project, program(project, "ruff")) if "security" in wanted else None
    index = Index(project.site_packages)
    outcomes: list[Outcome] = []

    def stage(name: str, check: Callable[[], Iterable[Finding]], unchecked: Callable[[], Iterable[str]]) -> None:
        if name not in wanted:
            outcomes.append(Outcome(name, left_out=True))
            return
        began = time.perf_counter()
        findings = tuple(sorted(set(check())))
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
