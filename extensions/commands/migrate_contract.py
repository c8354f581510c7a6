"""The command `migrate-contract`: turns legacy contracts into ones of today's language."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..adopting.adopted import Adopted
from ..judging.judge import judge
from ..judging.legacy import warnings
from ..reading.source import Document, comments, read_stream
from ..terminal.command import command, json_option, package_option, run, say_json
from ..terminal.status import Status
from ..text import written
from ..text.problems import Problem, show
from ..text.written import say
from .migration import migrate

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one contract.

    Attributes:
        contract: The new contract; None where the old one could not be read.
        document: The new contract as a text, with what has no place in it as comments.
        told: What a person has to know: kinds, each with what is of that kind.
        done: Whether the new contract has no problems.
    """

    contract: Mapping[str, Any] | None
    document: str
    told: Mapping[str, Sequence[str]]
    done: bool


def _read(file: str) -> Document | str:
    """Return what a file holds, or why it can't be read."""
    try:
        if file == "-":
            return read_stream(sys.stdin.buffer)
        with Path(file).open("rb") as stream:
            return read_stream(stream)
    except (OSError, ValueError) as error:
        return f"{show(file)} can't be read: {error}"


def _migrated(file: str, package: str | None) -> Result:
    document = _read(file)
    if isinstance(document, str):
        return Result(None, "", {"": [document]}, done=False)
    if document.problems or not isinstance(document.value, Mapping):
        found = document.problems or ((Problem((), show(document.value), "a mapping"), document.start),)
        lines = [f"{place.line}:{place.column}: {problem}" for problem, place in found]
        return Result(None, "", {"": lines}, done=False)
    contract, changes, kept = migrate(document.value, package)
    problems = judge(contract)
    told = {
        "changed": changes,
        "warning": [] if problems else [str(warning) for warning in warnings(contract)],
        "problem": [str(problem) for problem in problems],
    }
    head = tuple(f"line {line}: {text}" for line, text in comments(document))
    text = Adopted(contract, kept, head=head).document() or "{}\n"
    return Result(contract, text, told, done=not problems)


def _tell(result: Result, prefix: str = "") -> None:
    for kind, items in result.told.items():
        for item in items:
            say(f"{prefix}{kind}: {item}" if kind else f"{prefix}{item}")


def _contracts(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that may hold contracts, sorted."""
    yield from sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def _many(old: Sequence[Path], package: str | None, output: Path, *, as_json: bool) -> int:
    """Write the new contracts of files and folders below a folder, each at its place."""
    files = [
        (path, path.relative_to(each) if each.is_dir() else Path(path.name))
        for each in old
        for path in (_contracts(each) if each.is_dir() else [each])
    ]
    if not files:
        say("migrate-contract: no contract is there")
        return Status.USAGE
    results: list[dict[str, Any]] = []
    for file, place in files:
        result = _migrated(str(file), package)
        target = (output / place).with_suffix(".yaml")
        told = {kind: list(items) for kind, items in result.told.items() if kind}
        done = result.done
        _tell(result, f"{file}: ")
        if result.contract is not None:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                written.write(target, result.document)
            except OSError as error:
                say(f"{file}: {target} is not written: {error.strerror or error}")
                done = False
        results.append({"file": str(file), "done": done, "contract": str(target) if result.contract else None} | told)
    count = sum(bool(result["done"]) for result in results)
    if as_json:
        say_json(results)
    say(
        f"{count} of {len(results)} are valid contracts in {output}; the others have problems, listed above"
        if count < len(results)
        else f"All {len(results)} are valid contracts in {output}"
    )
    return Status.DONE if count == len(results) else Status.NOT_DONE


@command(
    "migrate-contract",
    "Turn legacy contracts into ones of today's language. What has no place in it is kept in comments.",
    ("migrate-contract old.yaml > node.yaml", "what was changed goes to standard error"),
    ("migrate-contract --package shop_nodes old.yaml", "where the old contract names no package"),
    ("migrate-contract --package shop_nodes old -o new", "all contracts below a folder"),
)
@click.argument("old", nargs=-1, required=True, metavar="OLD...", type=click.Path(allow_dash=True))
@package_option("where the contract names none")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Where several contracts go.")
@json_option("the contract, with what was changed,")
def _command(old: Sequence[str], package: str | None, output: Path | None, *, as_json: bool) -> int:
    if output is not None:
        return _many([Path(each) for each in old], package, output, as_json=as_json)
    if len(old) > 1 or Path(old[0]).is_dir():
        raise click.UsageError("several contracts need --output FOLDER")
    result = _migrated(old[0], package)
    if result.contract is not None and as_json:
        say_json({"contract": result.contract, **result.told, "document": result.document})
    elif result.contract is not None:
        written.show(result.document)
    _tell(result)
    return Status.DONE if result.done else Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the contract that a legacy one becomes, or write those of many, and what was changed on standard error.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when the new contracts have no problems; 1 when one has some, which are listed, or when one could not be
        read, in which case nothing is printed or written of it.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
