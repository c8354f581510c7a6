"""The command `generate-nodes`: many contracts become projects of their own, or nodes of one package."""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from ..judging.judge import judge
from ..project.copying import copied
from ..project.origin import absolute, installed
from ..project.places import places_in
from ..reading.effective import yaml_document
from ..reading.source import Document, read_bytes, read_text
from ..terminal.command import command, json_option, run, say_json
from ..terminal.progress import progress
from ..terminal.status import Status
from ..text import streams
from ..text.written import say

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A node that is to be generated.

    Attributes:
        file: Its contract.
        text: What Copier is given for it.
        folder: The project that it becomes, or goes into.
        error: What keeps it from being generated; empty where nothing does.
    """

    file: Path
    text: str
    folder: Path
    error: str = ""


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are named, or below the folders that are named."""
    found = (
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file == path or (file.is_file() and file.suffix in _SUFFIXES)
    )
    return list(dict.fromkeys(found))


def _problems(document: Document) -> list[str]:
    found = [(place, problem) for problem, place in document.problems]
    if not found or document.value is not None:
        found += [(document.locate(problem.path), problem) for problem in judge(document.value)]
    return [f"{place.line}:{place.column}: {problem}" for place, problem in sorted(found, key=lambda item: item[0])]


def _in_package(document: Document) -> str:
    """Return a contract for a node in a package: the text as it is, with one key more."""
    contract = {**document.value, "layout": "node"}
    text = f"{document.text.rstrip()}\nlayout: node\n"
    return text if read_text(text).value == contract else yaml_document(contract)


def plan(files: Sequence[Path], into: Path, *, package: bool) -> list[Wanted]:
    """Say what becomes of each contract.

    Args:
        files: Contracts.
        into: Where the projects, or the package, are.
        package: Whether all go into one project, of which the first one is generated whole if there is none.
    """
    wanted: list[Wanted] = []
    read: list[Mapping[str, Any]] = []
    for file in files:
        try:
            document = read_bytes(file.read_bytes())
        except OSError as error:
            wanted.append(Wanted(file, "", into, f"{error.strerror or error}"))
            continue
        if problems := _problems(document):
            wanted.append(Wanted(file, "", into, "\n".join(problems)))
            continue
        contract = document.value
        inside = package and (any(read) or (into / "pyproject.toml").is_file())
        text = _in_package(document) if inside and contract.get("layout") != "node" else document.text
        folder = into if package else into / str(contract["name"])
        read.append(contract)
        wanted.append(Wanted(file, text, folder))
    names = Counter(str(contract["name"]) for contract in read)
    packages = Counter(str(contract["package"]) for contract in read)
    contracts = iter(read)
    return [
        each if each.error else replace(each, error=_clash(next(contracts), names, packages, package=package))
        for each in wanted
    ]


def _clash(contract: Mapping[str, Any], names: Counter[str], packages: Counter[str], *, package: bool) -> str:
    if names[contract["name"]] > 1:
        return f"the name {contract['name']} is that of another contract, too"
    if package and contract["package"] != packages.most_common(1)[0][0]:
        return f"its package is {contract['package']}, and that of others {packages.most_common(1)[0][0]}"
    if not package and contract.get("layout") == "node":
        return "its layout is node: say --package to generate it into a project"
    return ""


def _generate(wanted: Wanted, template: str, version: str) -> Wanted:
    with tempfile.TemporaryDirectory(prefix="generate-nodes.") as scratch:
        file = Path(scratch) / wanted.file.with_suffix(".yaml").name
        file.write_text(wanted.text, encoding="utf-8")
        error = copied(file, wanted.folder, template, version)
    return replace(wanted, error=error)


def _all(wanted: Sequence[Wanted], template: str, version: str, *, package: bool) -> Iterator[Wanted]:
    """Generate them: projects side by side, nodes of one package one after the other, since they share its files."""
    with (
        progress("Generating", len(wanted)) as advance,
        ThreadPoolExecutor(1 if package else os.cpu_count() or 1) as pool,
    ):
        for done in pool.map(lambda each: _generate(each, template, version), wanted):
            advance(f"{done.file.name}: {'failed' if done.error else done.folder}")
            yield done


@command(
    "generate-nodes",
    "Generate many contracts: each as a project of its own, or all of them as nodes of one package.",
    ("generate-nodes contracts --into nodes", "a project of each contract below a folder"),
    ("generate-nodes contracts --into shop --package", "all of them in one project"),
    ("migrate-contract old -o new --package shop_nodes", "what comes before, where they are legacy contracts"),
)
@click.argument("contracts", nargs=-1, required=True, metavar="CONTRACT...", type=click.Path(path_type=Path))
@click.option(
    "--into",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the projects go; with --package, the one project, which may be there.",
)
@click.option("--package", is_flag=True, help="Generate nodes of one package, in one project.")
@click.option("--template", metavar="PLACE", help="The template; default: the one that this command belongs to.")
@click.option("--to", metavar="VERSION", help="Of the template: a tag or a commit.")
@json_option("what became of each")
def _command(
    contracts: Sequence[Path],
    into: Path,
    *,
    package: bool,
    template: str | None,
    to: str | None,
    as_json: bool,
) -> int:
    wanted = plan(_files(contracts), into, package=package)
    if not wanted:
        say("generate-nodes: no contract is there")
        return Status.USAGE
    wrong = any(each.error for each in wanted)
    if not wrong:
        into.mkdir(parents=True, exist_ok=True)
        place, version = (absolute(template), "") if template else installed()
        wanted = list(_all(wanted, place, to or version, package=package))
    for each in wanted:
        for line in each.error.splitlines():
            say(f"{each.file}:{'' if line[:1].isdigit() else ' '}{line}")
    if as_json:
        say_json([{"contract": str(each.file), "project": str(each.folder), "error": each.error} for each in wanted])
    elif wrong:
        say("Nothing was generated.")
    else:
        done = [each for each in wanted if not each.error]
        where = f"{into}, which has {len(places_in(into))} now" if package else str(into)
        streams.say(
            f"{len(done)} of {len(wanted)} nodes are generated into {where}. Commit them: updates start from there.\n"
        )
    return Status.NOT_DONE if any(each.error for each in wanted) else Status.DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate the contracts that the command line names.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when all are generated; 1 when one has problems, in which case nothing is, or when one could not be generated.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
