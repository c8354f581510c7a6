"""The commands `update-node`, for one project, and `update-nodes`, for many."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CalledProcessError

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..project import vcs
from ..project.origin import absolute
from ..project.places import Place, places_in
from ..reading import source
from ..text import streams
from .recovery import UpdateError, undo
from .update import Updated, Wish, update_all

CONFLICTS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Update the nodes of the project that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when it is done, 1 when it is not and nothing was changed, 3 when conflicts are left to resolve.
    """
    parser = argparse.ArgumentParser(prog="update-node", description="Let a project follow its contract.")
    parser.add_argument("project", type=Path, nargs="?", default=Path(), help="its folder; default: here")
    parser.add_argument(
        "--node", metavar="NAME", action="append", default=[], help="a node in the project; default: all of its nodes"
    )
    _add_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison there too")
    parser.add_argument(
        "--undo", action="store_true", help="undo an update that was cut off: what is not committed since then is lost"
    )
    options = parser.parse_args(arguments)
    streams.tolerate()
    try:
        if options.undo:
            for path in _undo(options.project):
                streams.say(f"edited since, and left alone: {path}\n")
            return 0
        _require_writable(options.json)
        contracts = dict.fromkeys(_places(options.project, options.node))
        confirm = _confirm if sys.stdin and sys.stdin.isatty() and sys.stderr.isatty() else None
        done = update_all(options.project, contracts, replace(_wish(options), confirm=confirm))
    except UpdateError as error:
        streams.warn(f"update-node: {error}\nNothing was changed.\n")
        return 1
    for updated in done:
        streams.say(updated.comparison.as_markdown(updated.title))
    if options.json:
        texts = [updated.comparison.as_json() for updated in done]
        by_node = {updated.place.name: json.loads(text) for updated, text in zip(done, texts, strict=True)}
        _write(options.json, texts[0] if len(texts) == 1 else json.dumps(by_node, indent=2) + "\n")
    if conflicts := sum(len(updated.conflicts) for updated in done):
        streams.warn(f"{conflicts} files are in conflict: resolve them as in a merge.\n")
        return CONFLICTS
    return 0


def _undo(project: Path) -> list[str]:
    try:
        return undo(project)
    except CalledProcessError as error:
        message = f"git can't do it: {vcs.why(error)}"
        raise UpdateError(message) from error
    except (OSError, ValueError) as error:
        raise UpdateError(str(error)) from error


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


def _wish(options: argparse.Namespace) -> Wish:
    return Wish(
        to=options.to,
        apply=not options.dry_run,
        tests=options.tests,
        trusted=options.trust,
        source=absolute(options.source),
        start=options.start,
    )


def _places(project: Path, nodes: Sequence[str]) -> list[Place]:
    """Return the places of the nodes that are to be updated: those that are named, or all."""
    places = places_in(project)
    for node in nodes:
        if not node or Place(node) not in places:
            known = ", ".join(place.node for place in places if place.inside) or "none"
            message = f"no node {node} was generated into {project}; there are: {known}"
            raise UpdateError(message)
    return [Place(node) for node in nodes] or places or [Place()]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", default="current", metavar="VERSION", help="of the template: current, latest or a tag")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--tests", action="store_true", help="run the unit tests of the result, which is code of the project"
    )
    parser.add_argument(
        "--trust", action="store_true", help="run whatever template the project names; see `trust` in Copier's settings"
    )
    parser.add_argument(
        "--from",
        dest="start",
        default="",
        metavar="VERSION",
        help="of the template: what the project was generated from, where the version that it names is gone",
    )
    parser.add_argument(
        "--source", default="", metavar="PLACE", help="where the template is now: the project remembers it"
    )


@dataclass(frozen=True)
class Result:
    """What became of one of many projects."""

    project: Path
    updated: Sequence[Updated] = ()
    error: str = ""

    @property
    def status(self) -> str:
        """One word for it."""
        if not self.updated:
            return "failed"
        return "conflicts" if any(updated.conflicts for updated in self.updated) else "done"


def main_fleet(arguments: Sequence[str] | None = None) -> int:
    """Update all projects below the folders that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when all are done, 1 when one failed, 3 when none failed and conflicts are left.
    """
    parser = argparse.ArgumentParser(prog="update-nodes", description="Let many projects follow their contracts.")
    parser.add_argument("folders", type=Path, nargs="+", help="projects, or folders that hold some")
    parser.add_argument("--contracts", type=Path, metavar="FOLDER", help="contracts that become those of the projects")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time; default: the cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there as JSON")
    _add_options(parser)
    options = parser.parse_args(arguments)
    streams.tolerate()
    console = Console(stderr=True)
    try:
        _require_writable(options.json)
    except UpdateError as error:
        streams.warn(f"update-nodes: {error}\nNothing was changed.\n")
        return 1
    projects = list(dict.fromkeys(project for folder in options.folders for project in find_projects(folder)))
    if options.contracts:
        contracts, problems = _assign(projects, options.contracts)
    else:
        contracts, problems = {project: dict.fromkeys(places_in(project)) for project in projects}, []
    if not contracts and not problems:
        streams.warn("update-nodes: there is nothing to update\n")
        return 1
    results = [*problems, *_run(contracts, options, console)]
    _show(results, Console())
    if options.json:
        _write(options.json, _summary(results))
    statuses = {result.status for result in results}
    return 1 if "failed" in statuses else CONFLICTS if "conflicts" in statuses else 0


def _assign(projects: Sequence[Path], folder: Path) -> tuple[dict[Path, dict[Place, Path | None]], list[Result]]:
    """Find the node of each contract in a folder, by package and name."""
    contracts: dict[Path, dict[Place, Path | None]] = {}
    problems: list[Result] = []
    known = {_node(project / place.contract): (project, place) for project in projects for place in places_in(project)}
    for file in sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"}):
        found = known.get(_node(file))
        if found is None:
            problems.append(Result(file, error="no project holds this node: generate it with `copier copy`"))
            continue
        project, place = found
        other = contracts.setdefault(project, {}).setdefault(place, file)
        if other != file:
            problems.append(Result(file, error=f"{other} is a contract of the same node"))
    return contracts, problems


def _node(file: Path) -> tuple[str, str] | None:
    """Return what tells a contract's node from others; None for a file that holds no contract."""
    try:
        with file.open("rb") as stream:
            contract = source.read_stream(stream).value
    except OSError:
        return None
    return (str(contract.get("package")), str(contract.get("name"))) if isinstance(contract, dict) else None


def find_projects(folder: Path) -> Iterator[Path]:
    """Yield the generated projects in a folder, itself included, sorted."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in {"build", "orphans"})
        if any(name.startswith(".copier-answers.") for name in names) and places_in(Path(parent)):
            folders.clear()
            yield Path(parent)


def _run(
    contracts: Mapping[Path, Mapping[Place, Path | None]], options: argparse.Namespace, console: Console
) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: dict[Path, Result] = {}
    shown = Progress(*columns, console=console, disable=not console.is_terminal)
    with shown as progress, ThreadPoolExecutor(max(1, options.jobs)) as pool:
        task = progress.add_task("Updating", total=len(contracts))
        waiting = [pool.submit(_one, project, places, options) for project, places in contracts.items()]
        for future in as_completed(waiting):
            result = future.result()
            results[result.project] = result
            progress.advance(task)
            if result.status != "done" and console.is_terminal:
                progress.console.print(Text(f"{result.project}: {result.status}"))
    return [results[project] for project in contracts]


def _one(project: Path, contracts: Mapping[Place, Path | None], options: argparse.Namespace) -> Result:
    # Whatever goes wrong in one project is that project's result, and no other's.
    try:
        return Result(project, update_all(project, contracts, _wish(options)))
    except UpdateError as error:
        return Result(project, error=str(error))
    except Exception as error:  # noqa: BLE001
        return Result(project, error=f"{type(error).__name__}: {error}")


def _show(results: Sequence[Result], console: Console) -> None:
    table = Table("project", "", "what changed")
    for result in results:
        if not result.updated:
            table.add_row(Text(str(result.project)), result.status, Text(result.error.splitlines()[0]))
        for updated in result.updated:
            name = f"{result.project}: {updated.place.node}" if updated.place.inside else str(result.project)
            table.add_row(Text(name), "conflicts" if updated.conflicts else "done", updated.comparison.summary)
    with console.capture() as shown:
        console.print(table)
    streams.say(shown.get())
    for result in results:
        if result.error:
            streams.say(f"\n{result.project}:\n{result.error}\n")


def _summary(results: Sequence[Result]) -> str:
    values = [
        {
            "project": str(result.project),
            "status": result.status,
            "error": result.error,
            "node": updated.place.node if updated else "",
            "comparison": json.loads(updated.comparison.as_json()) if updated else None,
        }
        for result in results
        for updated in (result.updated or (None,))
    ]
    return json.dumps(values, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
