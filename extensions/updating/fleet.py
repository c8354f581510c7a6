"""Updates many projects, each as if it were alone."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Semaphore

from ..project.places import Place, places_in
from ..reading import source
from ..reporting.generation import Generation, generation
from ..reporting.page import page
from ..terminal.progress import progress
from .recovery import UpdateError
from .update import Updated, Wish, update_all


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


def assign(projects: Sequence[Path], folder: Path) -> tuple[dict[Path, dict[Place, Path | None]], list[Result]]:
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


def update_projects(contracts: Mapping[Path, Mapping[Place, Path | None]], wish: Wish, jobs: int) -> list[Result]:
    """Update projects.

    Args:
        contracts: Per project its nodes, each with the file that becomes its contract, or None.
        wish: What to do.
        jobs: How many nodes at a time.

    Returns:
        What became of each, in their order.
    """
    total = sum(map(len, contracts.values()))
    with (
        progress("Looking at" if not wish.apply else "Updating", total) as advance,
        ThreadPoolExecutor(max(1, jobs)) as pool,
    ):

        def shown(project: Path, text: str) -> None:
            advance(f"{project}: {text}")

        slots = Semaphore(max(1, jobs))
        waiting = {
            pool.submit(_one, project, places, replace(wish, slots=slots, progress=partial(shown, project))): project
            for project, places in contracts.items()
        }
        results = {waiting[future]: future.result() for future in as_completed(waiting)}
    return [results[project] for project in contracts]


def _one(project: Path, contracts: Mapping[Place, Path | None], wish: Wish) -> Result:
    # Whatever goes wrong in one project is that project's result, and no other's.
    try:
        return Result(project, update_all(project, contracts, wish))
    except UpdateError as error:
        return Result(project, error=str(error))
    except Exception as error:  # noqa: BLE001
        return Result(project, error=f"{type(error).__name__}: {error}")


def summary(results: Sequence[Result]) -> str:
    """Return what became of many projects as JSON."""
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


def fleet_report(projects: Sequence[Path], *, as_json: bool) -> str:
    """Return what was generated in projects: as a page with charts, or as JSON."""
    nodes: list[tuple[str, Generation]] = []
    failed: list[tuple[str, str]] = []
    for project in projects:
        for place in places_in(project):
            try:
                nodes.append((str(project), generation(project, place)))
            except (OSError, ValueError) as error:
                failed.append((f"{project}: {place.name}", str(error)))
    if not as_json:
        return page(nodes, failed)
    values = [{"project": project} | made.as_values() for project, made in nodes]
    return json.dumps({"nodes": values, "failed": dict(failed)}, indent=2) + "\n"
