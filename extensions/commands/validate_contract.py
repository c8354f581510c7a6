"""The command `validate-contract`: judges contract files, without Copier."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import click

from ..judging.judge import judge, read
from ..judging.legacy import warnings
from ..language.changes import Change, Effect, changes, version_problem
from ..reading.schema import bundle
from ..reading.source import Document, Place, read_stream
from ..terminal.command import command, json_option, run, say_json
from ..terminal.status import Status
from ..text import streams
from ..text.problems import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and its place in a file."""

    place: Place
    problem: Problem

    def as_json(self) -> dict[str, Any]:
        """Return the finding for machines: `path` for people, `pointer` as RFC 6901 has it, and where it is."""
        problem = self.problem
        steps = (str(part).replace("~", "~0").replace("/", "~1") for part in problem.path)
        return {
            "path": problem.place,
            "pointer": "".join(f"/{step}" for step in steps),
            "line": self.place.line,
            "column": self.place.column,
            "found": problem.found,
            "expected": problem.expected,
            "hint": problem.hint,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file.

    Attributes:
        file: The file as it was named.
        problems: What is wrong, in the order of the file.
        warnings: What is legacy or without effect, where nothing is wrong.
        changes: What callers and consumers notice of the changes since another version.
        document: What was read; None where nothing was.
    """

    file: str
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    document: Document | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "file": self.file,
            "valid": not self.problems,
            "problems": [finding.as_json() for finding in self.problems],
            "warnings": [finding.as_json() for finding in self.warnings],
            "changes": [
                {"path": change.place, "change": change.text, "breaking": change.effect is Effect.MAJOR}
                for change in self.changes
            ],
        }

    def lines(self) -> Iterable[str]:
        """Return the report for people, in the form of compilers: file, line and column first."""
        file = self.file if self.file.isprintable() else ascii(self.file)
        if not self.problems:
            yield f"{file}: valid"
        for change in self.changes:
            yield f"{file}: {change}"
        for kind, findings in (("", self.problems), ("warning: ", self.warnings)):
            for finding in findings:
                yield f"{file}:{finding.place.line}:{finding.place.column}: {kind}{finding.problem}"


def examine(file: str, document: Document) -> Report:
    """Judge a document.

    Args:
        file: Its name, for the report.
        document: What was read.

    Returns:
        The report.
    """
    found = [Finding(place, problem) for problem, place in document.problems]
    unreadable = document.value is None and found
    if not unreadable:
        problems = [problem for problem in judge(document.value) if problem.path not in document.unread]
        found += [Finding(document.locate(problem.path), problem) for problem in problems]
    noted = () if found else warnings(document.value)
    noted_there = _sorted(Finding(document.locate(warning.path), warning) for warning in noted)
    return Report(file, _sorted(found), noted_there, document=document)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.place))


def examine_file(file: str) -> Report:
    """Judge a contract file.

    Args:
        file: Its path; `-` is standard input.

    Returns:
        The report; a file that can't be read is a problem like any other.
    """
    try:
        if file == "-":
            return examine("standard input", read_stream(sys.stdin.buffer))
        with FilePath(file).open("rb") as stream:
            return examine(file, read_stream(stream))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = Problem((), f"a file that can't be read ({reason})", "a file with a contract")
        return Report(file, (Finding(Place(1, 1), problem),))


def compare(old: Report, new: Report, *, strict: bool) -> Report:
    """Return the report of a contract with what changed for callers and consumers since another version of it.

    Args:
        old: The report of the other version.
        new: The report of the contract.
        strict: Whether a version that is too low for the changes is a problem, and no warning.
    """
    if old.problems or new.problems or old.document is None or new.document is None:
        return new
    before, after = read(old.document.value), read(new.document.value)
    found = changes(before, after)
    problem = version_problem(before, after, found)
    if problem is None:
        return replace(new, changes=found)
    low = Finding(new.document.locate(problem.path), problem)
    if strict:
        return replace(new, changes=found, problems=(low,))
    return replace(new, changes=found, warnings=(*new.warnings, low))


@command(
    "validate-contract",
    "Say all that is wrong with contract files, and where.",
    ("validate-contract node.yaml", "judge a contract"),
    ("validate-contract --json contracts/*.yaml", "judge many, for a program"),
    ("git show HEAD:node.yaml | validate-contract node.yaml --against -", "what callers notice of a change"),
    ("validate-contract --schema > contract.schema.json", "the JSON Schema of contracts, for an editor"),
)
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(allow_dash=True))
@json_option("what is wrong")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of contracts, for editors.")
@click.option(
    "--against",
    metavar="OLD",
    type=click.Path(allow_dash=True),
    help="An earlier version of the contract: tell what callers and consumers notice.",
)
@click.option("--strict", is_flag=True, help="With --against, a version that is too low for the changes is a problem.")
def _command(files: Sequence[str], against: str | None, *, as_json: bool, schema: bool, strict: bool) -> int:
    if schema:
        say_json(bundle())
        return Status.DONE
    if not files:
        raise click.UsageError("no FILE is named")
    reports = [examine_file(file) for file in files]
    if against is not None:
        if len(reports) != 1:
            raise click.UsageError("--against takes one FILE")
        old = examine_file(against)
        reports = [compare(old, *reports, strict=strict), *([old] if old.problems else [])]
    valid = not any(report.problems for report in reports)
    if as_json:
        say_json({"valid": valid, "files": [report.as_json() for report in reports]})
    else:
        streams.say("".join(f"{line}\n" for report in reports for line in report.lines()))
    return Status.DONE if valid else Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the files that are named on the command line.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when all files hold contracts without problems, else 1; wrong usage ends the process with 2.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
