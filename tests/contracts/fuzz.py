"""Draws contracts by the thousand, renders each, and looks at what was rendered: `make fuzz`."""

import argparse
import ast
import copy
import itertools
import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

from examples.rendering import CONTRACTS, export_template, read_contract
from extensions.judging.judge import judge
from extensions.project import ownership
from extensions.project.places import Place
from extensions.validation import structure, syntax
from extensions.validation.imports import Imports
from extensions.validation.index import Index
from extensions.validation.onex import Onex
from extensions.validation.project import Project
from extensions.validation.security import Security
from tests.contracts.draw import likely_contracts, valid_contracts
from tests.contracts.garbage import failures
from tests.contracts.hostile import KINDS, carried, laid_out
from tests.contracts.hostile_nodes import NODES
from tests.contracts.mistakes import PLANTS, hidden, told
from tests.contracts.render import Renderer
from tests.contracts.tools import TOOLS, surroundings

BATCH = 50
# A run of so many contracts ends with hostile text and strange values.
_LARGE = 1000
# How the formatter names a file depends on its version.
_UNFORMATTED = re.compile(r"^(?:Would reformat: | *--> )(?P<path>[^:\n]+)", re.MULTILINE)


class Steady(HypothesisProvider):
    """Draws the same for the same seed, whatever else is loaded: Hypothesis draws constants of loaded modules, too."""

    def _maybe_draw_constant(self, *_: object, **__: object) -> None:
        return None


AVAILABLE_PROVIDERS["steady"] = f"{__name__}.{Steady.__name__}"


def _draws(number: int, count: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Return what makes a test draw so often, from a seed, and do nothing else."""
    made = settings(
        max_examples=count,
        backend="steady",
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(number)(made(test))


def draw(number: int, count: int) -> list[dict[str, Any]]:
    """Draw valid contracts, the same for the same seed.

    Args:
        number: The seed.
        count: How many there are.
    """
    drawn: list[dict[str, Any]] = []

    @_draws(number, count)
    @given(valid_contracts())
    def collect(contract: dict[str, Any]) -> None:
        drawn.append(contract)

    collect()
    return drawn


def draw_refused(number: int, count: int) -> tuple[int, list[str]]:
    """Draw contracts that rules may refuse.

    Args:
        number: The seed.
        count: How many there are.

    Returns:
        How many were refused, and the texts of problems without a place.
    """
    refused = 0
    vague: list[str] = []

    @_draws(number, count)
    @given(likely_contracts())
    def collect(contract: dict[str, Any]) -> None:
        nonlocal refused
        problems = judge(contract)
        refused += bool(problems)
        vague.extend(problem.found for problem in problems if not problem.path)

    collect()
    return refused, vague


def silent(contracts: Sequence[dict[str, Any]], number: int) -> list[str]:
    """Plant two mistakes in each of some contracts, and return those that are not told.

    Args:
        contracts: Valid ones.
        number: The seed of the choice.
    """
    chosen = random.Random(number)  # noqa: S311 - of tests
    found: list[str] = []
    for index, contract in enumerate(contracts):
        names = chosen.sample(sorted(PLANTS), len(PLANTS))
        first, second = list(itertools.islice((name for name in names if _planted(contract, name)), 2))
        found += [f"{index}/node.yaml: {line}" for line in hidden(contract, first, second)]
    return found


def _planted(contract: dict[str, Any], name: str) -> bool:
    """Tell whether a mistake can be planted in a contract."""
    changed = copy.deepcopy(contract)
    path = PLANTS[name](changed)
    return path is not None and told(judge(changed), path)


def broken_files(project: Path) -> list[str]:
    """Return what can't be parsed in a project, one line for each file.

    Args:
        project: Its folder.
    """
    broken = []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(file for file in project.rglob("*") if file.is_file()):
        try:
            text = path.read_text(encoding="utf-8")
            match path.suffix:
                case ".py":
                    ast.parse(text)
                case ".toml":
                    tomllib.loads(text)
                case ".json":
                    json.loads(text)
                case ".yaml" | ".yml":
                    list(yaml.load_all(text, Loader=loader))
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            broken.append(f"{path.relative_to(project)}: {' '.join(str(error).split())[:200]}")
    return broken


@cache
def _index(libraries: Path) -> Index:
    return Index(libraries)


def refused(project: Path, contract: Mapping[str, Any]) -> list[str]:
    """Return what Copier's last step would refuse in a project, but for what `ruff` finds.

    Args:
        project: Its folder.
        contract: What it was made of.
    """
    place = Place(f"node_{contract['name']}_{contract['node_type']}" if contract.get("layout") == "node" else "")
    ownership.complete(project, place)
    found = Project(project, place if place.inside else None)
    index = _index(found.site_packages)
    stages = (syntax.check(found), structure.check(found), Imports(found, index).check(), Onex(found, index).check())
    own = [finding for stage in (*stages, Security(found, None).check()) for finding in stage]
    return sorted({str(finding) for finding in own if not place.inside or finding.path != "pyproject.toml"})


def ruff(folder: Path) -> list[str]:
    """Return what ruff says of the projects below a folder, each by the rules of its own pyproject.toml.

    Args:
        folder: It holds projects.
    """
    command = [str(TOOLS / "ruff"), "format", "--check", "--no-cache", "."]
    formatted = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = [f"{match['path']}: would be reformatted" for match in _UNFORMATTED.finditer(formatted.stdout)]
    command = [str(TOOLS / "ruff"), "check", "--no-cache", "--output-format", "concise", "."]
    checked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said += [line for line in checked.stdout.splitlines() if ":" in line and not line.startswith("Found ")]
    for done in (formatted, checked):
        if done.returncode not in (0, 1):
            said.append(done.stderr.strip())
    return said


@cache
def renderer() -> Renderer:
    """Return the template of this checkout, compiled once for each process."""
    return Renderer(export_template(Path(tempfile.mkdtemp(prefix="fuzz-")) / "template"))


def generate(contracts: Sequence[dict[str, Any]], folder: Path) -> tuple[int, list[str]]:
    """Render contracts, every other one for a project that is there, and look at the files.

    Args:
        contracts: Valid ones.
        folder: Where the projects go; the name of each is its number.

    Returns:
        How many were rendered, and what is wrong with their files, each line beginning with the project's number.
    """
    rendered, wrong = 0, []
    for number, contract in enumerate(contracts):
        project = folder / str(number)
        layout = {"layout": "node"} if number % 2 else {}
        try:
            renderer().render(contract | layout, project)
        except Exception:  # noqa: BLE001 - whatever it is, it is a find.
            wrong.append(f"{number}/: {traceback.format_exc(limit=-3)}")
            continue
        rendered += 1
        wrong += [f"{number}/{line}" for line in (*broken_files(project), *refused(project, contract | layout))]
    return rendered, wrong + ruff(folder)


def _batch(job: tuple[int, int]) -> tuple[int, Counter[str], list[str]]:
    number, count = job
    folder = Path(tempfile.mkdtemp(prefix="fuzz-batch-"))
    try:
        refused, wrong = draw_refused(number, count)
        contracts = draw(number, count)
        rendered, found = generate(contracts, folder)
        counts = Counter({"drawn": count + len(contracts), "refused": refused, "generated": rendered})
        return number, counts, wrong + found + silent(contracts, number)
    except Exception:  # noqa: BLE001 - the judge's own failures are finds, too.
        return number, Counter(), [traceback.format_exc(limit=-5)]
    finally:
        shutil.rmtree(folder)


def unproven(contract: dict[str, Any], folder: Path) -> list[str]:
    """Generate a project, and have its types checked and its tests run.

    Args:
        contract: A valid contract.
        folder: It is kept: projects in it share what mypy knows of libraries.

    Returns:
        What mypy and pytest say; empty when all is well.
    """
    project = renderer().render(contract, Path(tempfile.mkdtemp(dir=folder)) / "project")
    environment = surroundings(folder / "mypy") | {"PYTHONPATH": "src"}
    # What is left to do is told from the manifest, which Copier's last step completes.
    tests = ("pytest", "-q", "tests", "--deselect", "tests/contract/test_drift.py::test_nothing_is_left_to_do")
    said: list[str] = []
    for command in (("mypy",), tests):
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        said += done.stdout.splitlines()[-20:] if done.returncode else []
    return said


def testable(contracts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the contracts that bring no migrations: drawn SQL is text that no server reads."""
    return [contract for contract in contracts if not _migrations(contract.get("integrations", {}).get("database"))]


def _migrations(database: object) -> object:
    return database.get("migrations") if isinstance(database, dict) else None


def _unproven(number: int) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-proof-"))
    try:
        return [line for contract in testable(draw(number, 10))[1:6:4] for line in unproven(contract, folder)]
    finally:
        shutil.rmtree(folder)


def hostile(turn: int) -> list[str]:
    """Generate nodes with hostile text in every place for text, and look at the files.

    Args:
        turn: Which kind goes into the first place.

    Returns:
        What is wrong with them.
    """
    folder = Path(tempfile.mkdtemp(prefix="fuzz-hostile-"))
    wrong: list[str] = []
    try:
        for kind, contract in NODES.items():
            changed, texts, _ = laid_out(contract, turn)
            project = renderer().render(changed, folder / kind)
            wrong += [f"{kind}/{line}" for line in (*broken_files(project), *carried(project, texts)[1])]
        return wrong + ruff(folder)
    except Exception:  # noqa: BLE001 - whatever it is, it is a find.
        return [traceback.format_exc(limit=-3)]
    finally:
        shutil.rmtree(folder)


def strange(name: str) -> list[str]:
    """Judge an example with strange values in each of its places, and return what went wrong."""
    return failures(read_contract(CONTRACTS / f"{name}.yaml"))


def main() -> int:
    """Run as many batches as are asked for, and print what was found.

    Returns:
        0 when nothing was found, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="valid contracts")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch; the following ones count up")
    parser.add_argument("--keep", type=Path, help="render the batch of --seed alone into this folder, and keep it")
    arguments = parser.parse_args()
    if arguments.keep:
        contracts = draw(arguments.seed, min(BATCH, arguments.examples))
        _, found = generate(contracts, arguments.keep)
        sys.stdout.writelines(f"{line}\n" for line in found)
        return int(bool(found))
    jobs = [
        (arguments.seed + number, min(BATCH, arguments.examples - number * BATCH))
        for number in range(-(-arguments.examples // BATCH))
    ]
    total: Counter[str] = Counter()
    names = sorted(path.stem for path in CONTRACTS.glob("*.yaml"))
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2, maxtasksperchild=20) as pool:
        for done, (number, counts, found) in enumerate(pool.imap_unordered(_batch, jobs), 1):
            total += counts
            total["finds"] += len(found)
            each = (time.perf_counter() - started) * 1000 / max(total["generated"], 1)
            sys.stdout.writelines(f"seed {number}: {line}\n" for line in found)
            state = ", ".join(f"{total[name]} {name}" for name in ("drawn", "refused", "generated", "finds"))
            sys.stdout.write(f"{done}/{len(jobs)} batches, seed {number}: {state}, {each:.0f} ms each\n")
            sys.stdout.flush()
        proofs = range(arguments.seed, arguments.seed + arguments.examples // _LARGE)
        for what, finds in (
            ("unproven", pool.imap(_unproven, proofs)),
            ("hostile text", pool.imap(hostile, range(len(KINDS)))),
            ("strange", pool.imap(strange, names)),
        ):
            for number, found in enumerate(finds if arguments.examples >= _LARGE else ()):
                total["finds"] += len(found)
                sys.stdout.writelines(f"{what} {number}: {line}\n" for line in found)
                sys.stdout.flush()
    return int(total["finds"] > 0)


if __name__ == "__main__":
    sys.exit(main())
