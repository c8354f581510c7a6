"""What a validation finds, and how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

type Status = Literal["passed", "failed", "not checked", "left out"]

LEVELS = ("none", "basic", "standard", "strict")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        path: The file, relative to the project's root.
        line: Its line, from 1; 0 for the file as a whole.
        code: A short name of the rule.
        message: What is wrong, on one line.
    """

    path: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        """Return the finding as compilers print theirs."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one stage.

    Attributes:
        stage: Its name.
        findings: What is wrong, sorted.
        unchecked: What could not be checked, each with its reason.
        seconds: How long it took.
        left_out: Whether the level does not ask for it.
    """

    stage: str
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[str, ...] = ()
    seconds: float = 0.0
    left_out: bool = False

    @property
    def status(self) -> Status:
        """One word for all of it."""
        if self.left_out:
            return "left out"
        if self.findings:
            return "failed"
        return "not checked" if self.unchecked else "passed"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes of all stages, at one level."""

    level: str
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether the level is reached; what could not be checked counts against `strict` alone."""
        if any(outcome.findings for outcome in self.outcomes):
            return False
        return self.level != "strict" or not any(outcome.unchecked for outcome in self.outcomes)

    def as_json(self) -> str:
        """Return the report as JSON; without times, so that the same project gives the same text."""
        stages: list[dict[str, Any]] = [
            {
                "stage": outcome.stage,
                "status": outcome.status,
                "findings": [
                    {"path": found.path, "line": found.line, "code": found.code, "message": found.message}
                    for found in outcome.findings
                ],
                "unchecked": list(outcome.unchecked),
            }
            for outcome in self.outcomes
        ]
        return json.dumps({"level": self.level, "passed": self.passed, "stages": stages}, indent=2) + "\n"

    def table(self) -> str:
        """Return the report for a screen: a line per stage, then all findings."""
        lines = [f"Validation at level {self.level}: {'passed' if self.passed else 'failed'}"]
        for outcome in self.outcomes:
            time = "" if outcome.left_out else f"{outcome.seconds * 1000:6.0f} ms"
            count = f"{len(outcome.findings)} findings" if outcome.findings else ""
            lines.append(f"  {outcome.stage:<10} {outcome.status:<12} {time:>9}  {count}".rstrip())
        lines += _list("Findings", [str(found) for outcome in self.outcomes for found in outcome.findings])
        lines += _list("Not checked", [f"{o.stage}: {text}" for o in self.outcomes for text in o.unchecked])
        return "\n".join(lines)


def _list(title: str, items: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {item}" for item in items)] if items else []
