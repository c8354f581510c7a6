"""Counts how many drawn contracts become projects that pass their own `make check` and `make test`: `make drawn`."""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from extensions.project import ownership
from extensions.project.places import Place
from tests.contracts.fuzz import draw, renderer, testable
from tests.contracts.tools import surroundings

TARGETS = ("check", "test")
_BATCH = 10
_LAST_LINES = 40


def failures(contract: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Generate a project, and run its own checks and tests.

    Args:
        contract: A valid contract.
        folder: Where the project goes; the folder above it keeps what mypy knows of libraries.

    Yields:
        The targets that fail, each with the last lines that it printed.
    """
    renderer().render(contract, folder)
    ownership.complete(folder, Place(""))
    environment = surroundings(folder.parent / "mypy")
    for target in TARGETS:
        done = subprocess.run(
            ["make", target],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            yield target, "\n".join(done.stdout.splitlines()[-_LAST_LINES:])


def main() -> int:
    """Draw contracts and print which of their projects fail, with their contracts, and the counts.

    Returns:
        0 when all pass, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="valid contracts")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch; the following ones count up")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="drawn-"))
    batches = (testable(draw(arguments.seed + number, _BATCH)) for number in itertools.count())
    chosen = itertools.islice(itertools.chain.from_iterable(batches), arguments.examples)
    counts: Counter[str] = Counter()
    for number, contract in enumerate(chosen, 1):
        found = dict(failures(contract, folder / str(number)))
        counts += Counter({"projects": 1, contract["node_type"]: 1, "pass": not found})
        counts += Counter(f"fail make {target}" for target in found)
        if found:
            sys.stdout.write(f"{yaml.safe_dump(contract, sort_keys=False, allow_unicode=True)}\n")
            sys.stdout.writelines(f"make {target}:\n{said}\n" for target, said in found.items())
        sys.stdout.write(f"{', '.join(f'{count} {what}' for what, count in counts.items())}\n")
        sys.stdout.flush()
        shutil.rmtree(folder / str(number))
    shutil.rmtree(folder)
    return int(counts["pass"] < counts["projects"])


if __name__ == "__main__":
    sys.exit(main())
