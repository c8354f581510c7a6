"""The command `describe-nodes`: reads the contracts of many nodes, draws their map, and says what does not fit."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ..describing.diagram import mermaid
from ..describing.faults import Fault, faults
from ..describing.page import page
from ..describing.system import Member, System
from ..judging.judge import read
from ..terminal.command import command, json_option, run, say_json
from ..terminal.status import Status
from ..text import streams
from .validate_contract import Finding, Report, examine_file

_CONTRACT = "node.yaml"
_LEFT_OUT = frozenset({".git", ".venv", "build", "node_modules", "__pycache__"})


def contract_files(folder: Path) -> list[Path]:
    """Return the contracts in a folder: each `node.yaml` below it, or else the YAML files that stand in it.

    Args:
        folder: The folder; a file is a contract itself.
    """
    if folder.is_file():
        return [folder]
    found = [path for path in folder.rglob(_CONTRACT) if not _LEFT_OUT & set(path.relative_to(folder).parts)]
    return sorted(found) or sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})


def _as_json(system: System, found: Sequence[Fault]) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "name": member.name,
                "node_type": member.contract.node_type,
                "package": member.contract.package,
                "version": member.contract.version,
                "file": member.file,
                "operations": list(member.operations),
                "publishes": list(member.publishes),
                "consumes": [topic for _, topic in member.consumes],
            }
            for member in system.members
        ],
        "calls": [
            {
                "caller": call.caller.name,
                "workflow": call.operation.name,
                "step": call.step,
                "node": call.call.node,
                "operation": call.call.operation,
            }
            for call in system.calls
        ],
        "problems": [
            {"file": fault.member.file, **Finding(_place(fault), fault.problem.printable).as_json()} for fault in found
        ],
    }


def _place(fault: Fault) -> Any:
    return fault.member.document.locate(fault.problem.path)


def _lines(found: Sequence[Fault]) -> Iterator[str]:
    for fault in found:
        place = _place(fault)
        yield f"{fault.member.file}:{place.line}:{place.column}: {fault.problem.printable}"


def _refused(reports: Sequence[Report], *, as_json: bool) -> Status:
    bad = [report for report in reports if report.problems]
    if as_json:
        say_json({"files": [report.as_json() for report in bad]})
    else:
        streams.say("".join(f"{line}\n" for report in bad for line in report.lines()))
    return Status.NOT_DONE


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _member(report: Report) -> Member:
    if report.document is None:
        raise ValueError(report.file)
    return Member(report.file, report.document, read(report.document.value))


@command(
    "describe-nodes",
    "Draw the map of many nodes, who calls whom and which topics connect whom, and say what does not fit.",
    ("describe-nodes shop/ -o build/map", "draw the nodes of a folder: nodes.mmd for Mermaid, and nodes.html"),
    ("describe-nodes shop/ pay/node.yaml --outside 'onex.evt.legacy.*'", "leave topics of others out of it"),
)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FOLDER...")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the map there.")
@click.option(
    "--outside",
    multiple=True,
    metavar="NAME",
    help="A node or topic that belongs to others, or a pattern with *. May be repeated.",
)
@json_option("nodes, calls and problems")
def _command(*, folders: tuple[Path, ...], output: Path | None, outside: tuple[str, ...], as_json: bool) -> int:
    files = list(dict.fromkeys(path for folder in folders for path in contract_files(folder)))
    if not files:
        raise click.UsageError(f"no contracts in {', '.join(map(str, folders))}")
    reports = [examine_file(str(path)) for path in files]
    if any(report.problems for report in reports):
        return _refused(reports, as_json=as_json)
    system = System(tuple(map(_member, reports)))
    found = faults(system, outside)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "nodes.mmd").write_text(mermaid(system, found), encoding="utf-8")
        (output / "nodes.html").write_text(page(system, found), encoding="utf-8")
    if as_json:
        say_json(_as_json(system, found))
    else:
        fits = _counted(len(found), "problem") if found else "everything fits"
        numbers = {"node": len(system.members), "call": len(system.calls), "topic": len(system.consumers)}
        counts = ", ".join(_counted(number, what) for what, number in numbers.items())
        streams.say("".join(f"{line}\n" for line in (*_lines(found), f"{counts}: {fits}")))
    return Status.NOT_DONE if found else Status.DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Describe the nodes whose contracts are in the folders that are named on the command line.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when everything fits, else 1; wrong usage ends the process with 2.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
