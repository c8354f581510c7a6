"""Generates every example, checks and tests it, and prints what it took: `make catalogue`.

`ONLY` in the environment picks contracts by name, separated by blanks. The figures are kept in `build/catalogue.json`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from examples.rendering import ROOT, export_template, generate, read_contract
from scripts import nodes_page

FIGURES = ROOT / "build" / "catalogue.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a contract.

    Attributes:
        name: The contract's file, without its ending.
        contract: Lines of the contract.
        source: Generated lines below `src`, those of the runtime aside.
        tests: Generated lines of tests.
        others: Generated lines of everything else.
        custom: Lines of handlers that are for a person to write, as they are generated.
        passed: How many tests passed.
        seconds: What generating, checking and testing took.
        failure: What failed, the end of its output; empty where nothing did.
    """

    name: str
    contract: int
    source: int
    tests: int
    others: int
    custom: int
    passed: int
    seconds: float
    failure: str


def outcome(template: Path, path: Path, folder: Path) -> Outcome:
    """Generate, check and test one contract.

    Args:
        template: A template without history.
        path: The contract.
        folder: An empty folder for the project.

    Returns:
        What became of it.
    """
    start = time.monotonic()
    project = generate(template, read_contract(path), folder)
    counted = {"source": 0, "tests": 0, "others": 0, "custom": 0}
    for kind, lines in nodes_page.sizes(project):
        counted[kind] += lines
    environment = os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = ["make", "--no-print-directory", "check", "test"]
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    passed = re.findall(r"(\d+) passed", ran.stdout)
    return Outcome(
        name=path.stem,
        contract=nodes_page.lines_of(path),
        passed=int(passed[-1]) if passed else 0,
        seconds=round(time.monotonic() - start, 1),
        failure=(ran.stdout + ran.stderr)[-3000:] if ran.returncode else "",
        **counted,
    )


def table(outcomes: list[Outcome]) -> str:
    """Return what was found, for people."""
    head = f"{'contract':26}{'lines':>7}{'src':>7}{'tests':>7}{'others':>7}{'to write':>9}{'passed':>8}{'seconds':>9}"
    lines = [head]
    for each in outcomes:
        figures = f"{each.contract:7}{each.source:7}{each.tests:7}{each.others:7}{each.custom:9}{each.passed:8}"
        lines.append(f"{each.name:26}{figures}{each.seconds:9.1f}{'  FAILED' if each.failure else ''}")
    whole = sum(each.source + each.tests + each.others + each.custom for each in outcomes)
    custom = sum(each.custom for each in outcomes)
    free = sum(not each.custom for each in outcomes)
    lines += ["", f"{free} of {len(outcomes)} leave nothing to write"]
    lines.append(f"{custom} of {whole} lines are for you to write ({custom / whole:.1%})")
    return "\n".join(lines)


def main() -> int:
    """Run the catalogue.

    Returns:
        The exit status: 1 when a contract's node failed.
    """
    only = os.environ.get("ONLY", "").split()
    chosen = [path for path in nodes_page.contracts() if not only or path.stem in only]
    if unknown := set(only) - {path.stem for path in chosen}:
        print(f"no contract of the catalogue: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 1
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as scratch:
        template = export_template(Path(scratch) / "template")
        for number, path in enumerate(chosen, 1):
            print(f"[{number}/{len(chosen)}] {path.stem}", file=sys.stderr, flush=True)
            folder = Path(scratch) / path.stem
            outcomes.append(outcome(template, path, folder))
            shutil.rmtree(folder)
            if outcomes[-1].failure:
                print(outcomes[-1].failure, file=sys.stderr, flush=True)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([asdict(each) for each in outcomes], indent=2), encoding="utf-8")
    print(table(outcomes))
    return 1 if any(each.failure for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
