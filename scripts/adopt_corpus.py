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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from extensions.adopting.node import NoNodeError, adopt, read
from extensions.commands.adopting import GenerationError, Wish, generate
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

    def add(self, node: str, outcome: str, reason: str) -> None:
        """Count how far a node got, and tell why it got no further."""
        self.outcomes[outcome] += 1
        if reason:
            self.reasons[f"{outcome}: {reason}"] += 1
            print(f"{node}: {outcome}: {reason}", file=sys.stderr)


def nodes(folder: Path) -> list[Path]:
    """Return the folders below one that hold a contract, in the order of their names."""
    return sorted(path.parent for path in folder.rglob("contract.yaml"))


def run(folder: Path, checked: int, carried: int, out: Path) -> Figures:
    """Adopt all nodes below a folder, generate some of them, and count.

    Args:
        folder: Where nodes are looked for.
        checked: How many of them are generated and pass through their own `make check`, evenly picked; below 0 all.
        carried: How many are generated with what their handlers do, which is imported and tested; below 0 all.
        out: A folder for contracts and projects.
    """
    figures = Figures()
    valid: list[Path] = []
    sound: list[Path] = []
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
            sound.append(node)
    for contract in _picked(valid, checked):
        figures.add(contract.stem, *_generated(contract, out / contract.stem))
    for node in _picked(sound, carried):
        for outcome, reason in _carried(node, out / f"carried-{node.name}"):
            figures.add(node.name, outcome, reason)
    return figures


def _picked(paths: list[Path], count: int) -> list[Path]:
    return paths if count < 0 else [paths[index * len(paths) // count] for index in range(min(count, len(paths)))]


def _carried(node: Path, project: Path) -> Iterator[tuple[str, str]]:
    """Generate a node with what its handlers do, and yield how far that gets: imported, tested, checked."""
    try:
        outcome = generate(read(node), Wish(node, project))
    except GenerationError as error:
        yield "not generated with bodies", _kind(str(error).splitlines()[-1])
        return
    whole = not outcome.stubs and not any(body.missing for body in outcome.bodies.values())
    yield f"generated with {'all' if whole else 'some' if outcome.bodies else 'no'} bodies", ""
    if not outcome.bodies:
        return
    src = project / "src"
    names = [".".join(path.relative_to(src).with_suffix("").parts) for path in sorted(src.rglob("custom/handler_*.py"))]
    environment = {"PATH": f"{_BIN}:/usr/bin:/bin", "PYTHONPATH": str(src)}
    for title, command in (
        ("import", [sys.executable, "-W", "ignore", "-c", "\n".join(f"import {name}" for name in names)]),
        ("pass their tests", ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/custom"]),
        ("pass make check", ["make", "check"]),
    ):
        made = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in (made.stdout + made.stderr).splitlines() if "rror" in line]
        # Of a traceback, the last one says why.
        word = (said or ["without a word"])[-1 if title == "import" else 0]
        yield f"bodies {title if not made.returncode else f'do not {title}'}", _kind(word) if made.returncode else ""


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
    parser.add_argument("--carried", type=int, default=4, help="how many are generated with their bodies; -1 for all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adopt-corpus-") as folder:
        figures = run(options.folder, options.checked, options.carried, Path(folder))
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
