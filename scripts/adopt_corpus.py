"""Adopts every node of the installed `omnibase_infra`, and prints what became of them: `make adopt-corpus`.

Nothing of that package is kept: contracts and projects are written to a folder that goes away.
"""

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from extensions.adopting.node import NoNodeError, adopt
from extensions.judging.judge import judge

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = Path(sysconfig.get_path("purelib")) / "omnibase_infra"
_BIN = Path(sys.executable).parent


@dataclass(slots=True)
class Figures:
    """What became of nodes.

    Attributes:
        nodes: How many were read.
        outcomes: How many got how far.
        reasons: Why others did not, by kind.
        notes: What people have to look at, by kind.
    """

    nodes: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)


def nodes(folder: Path) -> list[Path]:
    """Return the folders below one that hold a contract, in the order of their names."""
    return sorted(path.parent for path in folder.rglob("contract.yaml"))


def run(folder: Path, checked: int, out: Path) -> Figures:
    """Adopt all nodes below a folder, generate some of them, and count.

    Args:
        folder: Where nodes are looked for.
        checked: How many of them are generated and pass through their own `make check`, evenly picked; below 0 all.
        out: A folder for contracts and projects.
    """
    figures = Figures()
    valid: list[Path] = []
    for node in nodes(folder):
        figures.nodes += 1
        try:
            adopted = adopt(node)
            document = adopted.document()
        except NoNodeError as error:
            figures.outcomes["refused"] += 1
            figures.reasons[f"refused: {_kind(str(error).partition(': ')[2])}"] += 1
            continue
        except Exception as error:  # noqa: BLE001 - what is counted here
            figures.outcomes["tracebacks"] += 1
            figures.reasons[f"{type(error).__name__}: {traceback.extract_tb(error.__traceback__)[-1].name}"] += 1
            continue
        figures.notes.update(_kind(what) for _, what in adopted.notes)
        problems = judge(yaml.safe_load(document))
        figures.outcomes["valid"] += not problems
        figures.reasons.update(f"invalid: {_kind(problem.found)}" for problem in problems)
        if not problems:
            path = out / f"{len(valid):03}-{node.name}.yaml"
            path.write_text(document, encoding="utf-8")
            valid.append(path)
    picked = (
        valid if checked < 0 else [valid[index * len(valid) // checked] for index in range(min(checked, len(valid)))]
    )
    for contract in picked:
        outcome, reason = _generated(contract, out / contract.stem)
        figures.outcomes[outcome] += 1
        if reason:
            figures.reasons[f"{outcome}: {reason}"] += 1
            print(f"{contract.stem}: {outcome}: {reason}", file=sys.stderr)
    return figures


def _generated(contract: Path, project: Path) -> tuple[str, str]:
    copy: list[str | Path] = [
        _BIN / "copier",
        "copy",
        "-q",
        "--trust",
        "--defaults",
        "--vcs-ref",
        "HEAD",
        "--data-file",
        contract,
        ROOT,
        project,
    ]
    made = subprocess.run(copy, capture_output=True, text=True, check=False)
    if made.returncode:
        return "not generated", _kind((made.stderr.strip().splitlines() or ["without a word"])[-1])
    environment = {"PATH": f"{_BIN}:/usr/bin:/bin"}
    gate = subprocess.run(["make", "check"], cwd=project, env=environment, capture_output=True, text=True, check=False)
    if not gate.returncode:
        return "generated and checked", ""
    said = [line for line in (gate.stdout + gate.stderr).splitlines() if "error" in line.lower()]
    return "generated, not checked", _kind((said or ["without a word"])[0])


def _kind(words: str) -> str:
    """Return a message without what it says of one node alone."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\b\w+\.\w[\w.]*|\d+", "…", words)[:90]


def main() -> int:
    """Print the table.

    Returns:
        1 when there was a traceback; else 0.
    """
    parser = argparse.ArgumentParser(description="Adopt installed nodes, and print what became of them.")
    parser.add_argument("--folder", type=Path, default=INSTALLED, help="where nodes are looked for")
    parser.add_argument("--checked", type=int, default=12, help="how many are generated and checked; -1 for all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adopt-corpus-") as folder:
        figures = run(options.folder, options.checked, Path(folder))
    print(f"{figures.nodes:5} nodes")
    for title, counted in (
        ("became", figures.outcomes),
        ("reasons", figures.reasons),
        ("to be looked at", figures.notes),
    ):
        print(f"\n{title}")
        for what, count in counted.most_common(25):
            print(f"{count:5} {what}")
    return 1 if figures.outcomes["tracebacks"] else 0


if __name__ == "__main__":
    sys.exit(main())
