"""The commands `update-node`, for one project, and `update-nodes`, for many."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..places import Place, places_in
from .update import Updated, UpdateError, undo, update_all

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
    try:
        if options.undo:
            for path in undo(options.project):
                sys.stdout.write(f"edited since, and left alone: {path}\n")
            return 0
        contracts = dict.fromkeys(_places(options.project, options.node))
        done = update_all(options.project, contracts, to=options.to, apply=not options.dry_run, tests=options.tests)
    except UpdateError as error:
        sys.stderr.write(f"update-node: {error}\nNothing was changed.\n")
        return 1
    for updated in done:
        sys.stdout.write(updated.comparison.as_markdown(updated.title))
    if options.json:
        texts = [updated.comparison.as_json() for updated in done]
        by_node = {updated.place.name: json.loads(text) for updated, text in zip(done, texts, strict=True)}
        text = texts[0] if len(texts) == 1 else json.dumps(by_node, indent=2) + "\n"
        options.json.write_text(text, encoding="utf-8")
    if conflicts := sum(len(updated.conflicts) for updated in done):
        sys.stderr.write(f"{conflicts} files are in conflict: resolve them as in a merge.\n")
        return CONFLICTS
    return 0


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
    parser.add_argument("--tests", action="store_true", help="run the unit tests of the result")


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
    console = Console(stderr=True)
    projects = list(dict.fromkeys(project for folder in options.folders for project in find_projects(folder)))
    if options.contracts:
        contracts, problems = _assign(projects, options.contracts)
    else:
        contracts, problems = {project: dict.fromkeys(places_in(project)) for project in projects}, []
    if not contracts and not problems:
        console.print("update-nodes: there is nothing to update")
        return 1
    results = [*problems, *_run(contracts, options, console)]
    _show(results, Console())
    if options.json:
        options.json.write_text(_summary(results), encoding="utf-8")
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
        contract = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
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
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(max(1, options.jobs)) as pool:
        task = progress.add_task("Updating", total=len(contracts))
        waiting = [pool.submit(_one, project, places, options) for project, places in contracts.items()]
        for future in as_completed(waiting):
            result = future.result()
            results[result.project] = result
            progress.advance(task)
            if result.status != "done":
                progress.console.print(f"{result.project}: {result.status}")
    return [results[project] for project in contracts]


def _one(project: Path, contracts: Mapping[Place, Path | None], options: argparse.Namespace) -> Result:
    # Whatever goes wrong in one project is that project's result, and no other's.
    try:
        how = {"to": options.to, "apply": not options.dry_run, "tests": options.tests}
        return Result(project, update_all(project, contracts, **how))
    except UpdateError as error:
        return Result(project, error=str(error))
    except Exception as error:  # noqa: BLE001
        return Result(project, error=f"{type(error).__name__}: {error}")


def _show(results: Sequence[Result], console: Console) -> None:
    table = Table("project", "", "what changed")
    for result in results:
        if not result.updated:
            table.add_row(str(result.project), result.status, result.error.splitlines()[0])
        for updated in result.updated:
            name = f"{result.project}: {updated.place.node}" if updated.place.inside else str(result.project)
            table.add_row(name, "conflicts" if updated.conflicts else "done", updated.comparison.summary)
    console.print(table)
    for result in results:
        if result.error:
            console.print(f"\n{result.project}:\n{result.error}", markup=False, highlight=False)


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
