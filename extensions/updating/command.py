"""The commands `update-node`, for one project, and `update-nodes`, for many."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, Final

import click

from ..project import vcs
from ..project.origin import absolute
from ..project.places import Place, places_in
from ..terminal.command import command, folder_argument, json_file_option, json_option, node_option, run
from ..terminal.progress import progress
from ..terminal.status import Status
from ..text import streams
from .fleet import assign, find_projects, fleet_report, summary, update_projects
from .recovery import UpdateError, undo
from .shown import show_fleet, show_undone, show_update
from .update import Updated, Wish, update_all

CONFLICTS: Final = Status.CONFLICTS
_OPTIONS: Final = (
    click.option("--to", default="current", metavar="VERSION", help="Of the template: current, latest or a tag."),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option("--diff", is_flag=True, help="Report what differs, line by line."),
    click.option("--tests", is_flag=True, help="Run the unit tests of the result, which is code of the project."),
    click.option(
        "--trust", is_flag=True, help="Run whatever template the project names; see `trust` in Copier's settings."
    ),
    click.option(
        "--from",
        "start",
        default="",
        metavar="VERSION",
        help="Of the template: what the project was generated from, where the version that it names is gone.",
    ),
    click.option("--source", default="", metavar="PLACE", help="Where the template is now: the project remembers it."),
)


def _wish_options[Function: Callable[..., Any]](function: Function) -> Function:
    """Add what both commands may be told: it comes to the function by the names of the options."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _wish(*, to: str, dry_run: bool, diff: bool, tests: bool, trust: bool, start: str, source: str) -> Wish:
    return Wish(
        to=to,
        apply=not dry_run,
        tests=tests,
        trusted=trust,
        source=absolute(source),
        start=start,
        difference=diff,
    )


@command(
    "update-node",
    "Let a project follow its contract.",
    ("update-node", "after a change of node.yaml"),
    ("update-node --dry-run --diff", "what would change, line by line"),
    ("update-node --to latest", "take the newest version of the template"),
    ("update-node --undo", "make the project what it was before the last update"),
)
@folder_argument("project")
@node_option("A node in the project; default: all of its nodes.", multiple=True)
@_wish_options
@json_option("the comparison")
@json_file_option
@click.option("--undo", "undoing", is_flag=True, help="Undo the last update, or one that was cut off.")
def _update_node(
    project: Path, node: Sequence[str], *, as_json: bool, json_file: Path | None, undoing: bool, **wished: Any
) -> int:
    try:
        if undoing:
            return _undo(project)
        _require_writable(json_file)
        contracts = dict.fromkeys(_places(project, node))
        with progress("Looking at" if wished["dry_run"] else "Updating", len(contracts)) as advance:
            wish = replace(_wish(**wished), progress=advance)
            done = update_all(project, contracts, replace(wish, confirm=_confirm if _is_attended() else None))
    except UpdateError as error:
        streams.warn(f"update-node: {error}\nNothing was changed.\n")
        return Status.NOT_DONE
    text = _as_json(done)
    if as_json:
        streams.say(text)
    else:
        for updated in done:
            show_update(updated, difference=wished["diff"])
    if json_file:
        _write(json_file, text)
    if conflicts := sum(len(updated.conflicts) for updated in done):
        files = "1 file is" if conflicts == 1 else f"{conflicts} files are"
        streams.warn(f"{files} in conflict: resolve as in a merge, or take it back with update-node --undo.\n")
        return Status.CONFLICTS
    return Status.DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Update the nodes of the project that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when it is done, 1 when it is not and nothing was changed, 3 when conflicts are left to resolve.
    """
    return run(_update_node, arguments)


def _is_attended() -> bool:
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def _as_json(done: Sequence[Updated]) -> str:
    """Return the comparison of one node, or those of several by its name."""
    texts = [updated.comparison.as_json() for updated in done]
    by_node = {updated.place.name: json.loads(text) for updated, text in zip(done, texts, strict=True)}
    return texts[0] if len(texts) == 1 else json.dumps(by_node, indent=2) + "\n"


def _undo(project: Path) -> int:
    try:
        undone = undo(project, finished=True)
    except CalledProcessError as error:
        message = f"git can't do it: {vcs.why(error)}"
        raise UpdateError(message) from error
    except (OSError, ValueError) as error:
        raise UpdateError(str(error)) from error
    if undone is None:
        raise UpdateError("there is no update to undo")
    show_undone(undone)
    return Status.DONE


def _require_writable(file: Path | None) -> None:
    """Refuse a report that can't be written before anything is done."""
    if file and (file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)):
        message = f"{file} can't be written"
        raise UpdateError(message)


def _write(file: Path, text: str) -> None:
    """Write a report; what it tells of is done, whether or not that succeeds."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        streams.warn(f"The update is done, and the report is not written: {error}\n")


def _confirm(message: str) -> bool:
    """Ask a person whether a template is run."""
    streams.warn(f"update-node: {message}\nRun it this time? [y/N] ")
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _places(project: Path, nodes: Sequence[str]) -> list[Place]:
    """Return the places of the nodes that are to be updated: those that are named, or all."""
    places = places_in(project)
    for node in nodes:
        if not node or Place(node) not in places:
            known = ", ".join(place.node for place in places if place.inside) or "none"
            message = f"no node {node} was generated into {project}; there are: {known}"
            raise UpdateError(message)
    return [Place(node) for node in nodes] or places or [Place()]


@command(
    "update-nodes",
    "Let many projects follow their contracts.",
    ("update-nodes nodes --dry-run", "what would change in the projects below a folder"),
    ("update-nodes nodes --to latest --json > changes.json", "take a new version of the template everywhere"),
    ("update-nodes nodes --dry-run --report nodes.html", "a page about all nodes, with charts"),
    ("update-nodes nodes --contracts contracts", "each gets the contract with its package and name from there"),
)
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--contracts",
    "given",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Contracts that become those of the projects.",
)
@click.option("--jobs", type=int, metavar="N", help="How many nodes at a time; default: the cores.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A page about all nodes, with charts; JSON where it ends in .json.",
)
@_wish_options
@json_option("the summary")
@json_file_option
def _update_nodes(
    folders: Sequence[Path],
    given: Path | None,
    jobs: int | None,
    report: Path | None,
    *,
    as_json: bool,
    json_file: Path | None,
    **wished: Any,
) -> int:
    try:
        for file in (json_file, report):
            _require_writable(file)
    except UpdateError as error:
        streams.warn(f"update-nodes: {error}\nNothing was changed.\n")
        return Status.NOT_DONE
    projects = list(dict.fromkeys(project for folder in folders for project in find_projects(folder)))
    if given:
        contracts, problems = assign(projects, given)
    else:
        contracts, problems = {project: dict.fromkeys(places_in(project)) for project in projects}, []
    if not contracts and not problems:
        streams.warn("update-nodes: there is nothing to update\n")
        return Status.NOT_DONE
    results = [*problems, *update_projects(contracts, _wish(**wished), jobs or os.cpu_count() or 1)]
    if as_json:
        streams.say(summary(results))
    else:
        show_fleet(results)
        for updated in (each for result in results for each in result.updated if wished["diff"]):
            show_update(updated, difference=True)
    if json_file:
        _write(json_file, summary(results))
    if report:
        _write(report, fleet_report(projects, as_json=report.suffix == ".json"))
    statuses = {result.status for result in results}
    return Status.NOT_DONE if "failed" in statuses else CONFLICTS if "conflicts" in statuses else Status.DONE


def main_fleet(arguments: Sequence[str] | None = None) -> int:
    """Update all projects below the folders that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when all are done, 1 when one failed, 3 when none failed and conflicts are left.
    """
    return run(_update_nodes, arguments)


if __name__ == "__main__":
    sys.exit(main())
