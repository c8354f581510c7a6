"""A node that was written by hand beside the one that takes its place: lines, features, mixins and error codes."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .python import UnreadableError, dotted, files, parse

# By feature, what speaks of it in the names that code uses.
FEATURES: Final[Mapping[str, str]] = {
    "retry": r"retr(y|ies)|tenacity|backoff",
    "circuit breaker": r"circuit_?breaker",
    "timeouts": r"timeout|deadline",
    "rate limit": r"rate_?limit",
    "caching": r"cach(e|ing)",
    "health checks": r"health",
    "metrics": r"metrics?\b|prometheus",
    "tracing": r"tracing|tracer|opentelemetry",
    "logging": r"logg(er|ing)|structlog",
    "events": r"event_bus|publish|consumer|subscribe",
    "dead letters": r"dlq|dead_?letter",
    "transactions": r"transaction",
    "correlation": r"correlation_id",
    "secrets": r"secret",
}


@dataclass(slots=True)
class Side:
    """What one side has.

    Attributes:
        lines: Lines of Python that are neither empty nor comments.
        features: How many lines speak of a feature, by its name.
        mixins: Mixins that classes inherit from.
        codes: Error codes that are used.
        raised: Exceptions that are raised, by name.
        tests: How many test functions there are.
    """

    lines: int = 0
    features: Counter[str] = field(default_factory=Counter)
    mixins: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    tests: int = 0


def side(paths: Iterable[Path]) -> Side:
    """Return what files of Python have. They are read, and not run."""
    found = Side()
    for path in paths:
        try:
            tree = parse(path)
        except UnreadableError:
            continue
        code = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found.lines += sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code)
        spoken: dict[str, set[int]] = {}
        for node in ast.walk(tree):
            name = _spoken(node)
            for feature, pattern in FEATURES.items():
                if name and re.search(pattern, name, re.IGNORECASE):
                    spoken.setdefault(feature, set()).add(getattr(node, "lineno", 0))
            _gather(node, found)
        found.features.update({feature: len(lines) for feature, lines in spoken.items()})
    return found


def _spoken(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
            return name
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
    return ""


def _gather(node: ast.AST, found: Side) -> None:
    match node:
        case ast.ClassDef(bases=bases):
            bare = (base.value if isinstance(base, ast.Subscript) else base for base in bases)
            last = {dotted(base).rpartition(".")[2] for base in bare}
            found.mixins |= {name for name in last if name.startswith("Mixin")}
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner.startswith("Enum") and owner.endswith(
            "ErrorCode"
        ):
            found.codes.add(name)
        case ast.Raise(exc=ast.Call(func=raised)) if name := dotted(raised).rpartition(".")[2]:
            found.raised.add(name)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test_"):
            found.tests += 1


def tests_of(node: Path) -> Iterator[Path]:
    """Yield the test files of a node: in its own folder, and in `tests` beside its package that are called after it."""
    for path in files(node):
        if path.name.startswith("test_"):
            yield path
    for parent in node.resolve().parents:
        folder = parent / "tests"
        if folder.is_dir():
            yield from (
                path for path in files(folder) if node.name in path.as_posix() and path.name.startswith("test_")
            )
            return
        if (parent / "pyproject.toml").is_file():
            return


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run.

    Attributes:
        name: What it is called.
        passed: Whether it ended well.
        said: What it says of itself, such as `12 passed, 1 failed`.
        seconds: How long it took.
    """

    name: str
    passed: bool
    said: str
    seconds: float


def compared(before: Side, after: Side, own: int, carried: int, ran: Iterable[Ran]) -> str:
    """Return both sides beside each other, as Markdown.

    Args:
        before: The node that was written by hand.
        after: The generated one, without what was carried over.
        own: Lines of the generated one that are a person's: its custom handlers.
        carried: Lines that were carried over.
        ran: What was run on either side.
    """
    lines = ["## Lines of Python", "", "| | before | after |", "|---|---|---|"]
    lines += [
        f"| written by hand | {before.lines} | {own + carried} |",
        f"| of these carried over | | {carried} |",
        f"| generated | 0 | {after.lines - own} |",
        f"| test functions | {before.tests} | {after.tests} |",
    ]
    if before.lines:
        share = 100 * (before.lines - own - carried) / before.lines
        lines += [
            "",
            f"To be kept by hand: {share:.1f} % {'less' if share >= 0 else 'more'} than before.".replace("-", ""),
        ]
    lines += ["", "## Features", "", "Counted are lines whose names speak of one.", ""]
    lines += ["| feature | before | generated | status |", "|---|---|---|---|"]
    for feature in FEATURES:
        one, other = before.features[feature], after.features[feature]
        if one or other:
            status = (
                "in both"
                if one and other
                else "new"
                if other
                else "in what was carried over alone: see whether it works"
            )
            lines.append(f"| {feature} | {one or ''} | {other or ''} | {status} |")
    for title, old, new in (
        ("Mixins", before.mixins, after.mixins),
        ("Error codes", before.codes, after.codes),
        ("Exceptions that are raised", before.raised, after.raised),
    ):
        lines += ["", f"## {title}", "", f"- before: {_listed(old)}", f"- generated: {_listed(new)}"]
        if gone := old - new:
            lines.append(f"- [ ] no longer, but for what was carried over: {_listed(gone)}")
    lines += ["", "## What was run", ""]
    results = [
        f"| {one.name} | {'passed' if one.passed else 'failed'} | {one.said} | {one.seconds:.1f} |" for one in ran
    ]
    lines += (
        ["| | | | seconds |", "|---|---|---|---|", *results] if results else ["Nothing: `--check` and `--tests` do."]
    )
    return "\n".join([*lines, ""])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


CHECKLIST: Final[Mapping[str, tuple[str, ...]]] = {
    "Before": (
        "The original is kept as it was",
        "Features and lines of the original are written down",
        "The original's tests were run, and their results kept",
        "What was implemented by hand is reviewed",
        "Mixins that are needed are known",
    ),
    "Contract": (
        "Mixins are named in the contract, or not needed",
        "`advanced_features` says what the original did by hand",
        "The contract is valid",
        "Settings of mixins and features are reviewed",
    ),
    "Generation": (
        "The node was generated",
        "The generated code is reviewed",
        "It is compared with the original",
        "Nothing that worked is gone",
    ),
    "Tests": (
        "Unit tests pass",
        "Integration tests pass",
        "Performance tests pass",
        "Features are those of the original",
    ),
    "Checks": ("Syntax", "Types", "ONEX", "Security", "Review of the code"),
    "Figures": (
        "Lines are compared",
        "Times are taken",
        "This report is written",
        "A summary of several nodes is current",
    ),
    "Deployment": (
        "It is committed",
        "Documentation is current",
        "It runs where it is tried out",
        "Nothing unexpected is seen there",
        "It runs in production",
    ),
    "After": ("The original is removed, 30 days later", "The change log says so", "Others know what was learned"),
}


def checklist(done: Iterable[str]) -> str:
    """Return all that has to be done, as Markdown, with what is done ticked."""
    known = set(done)
    lines = ["# Checklist", ""]
    for title, items in CHECKLIST.items():
        lines += [f"## {title}", "", *(f"- [{'x' if item in known else ' '}] {item}" for item in items), ""]
    return "\n".join(lines)
