"""What one update costs in fleets of different sizes; the goal is a cost per node that does not grow.

The cost is the time of processors that the command and all that it starts take. The project is the smallest example,
its contract edited. All of a fleet is updated by one call of `update-nodes`.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from examples.rendering import CONTRACTS, ROOT, export_template

SIZES = (1, 4, 16, 100)
GOAL = 1.25


def git(folder: Path, *arguments: str) -> None:
    """Run git, as someone."""
    identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Make a repository of a folder, with one commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")


def busy_seconds() -> float:
    """Return how long processors worked for the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print a table."""
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    jobs = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        template = export_template(scratch / "template")
        commit(template)
        git(template, "tag", "v1.0.0")
        options = ["--quiet", "--trust", "--defaults", "--data-file", str(CONTRACTS / "custom_greeting.yaml")]
        copier = [sys.executable, "-m", "copier", "copy", *options, str(template), str(scratch / "project")]
        subprocess.run(copier, check=True, capture_output=True)
        commit(scratch / "project")
        contract = scratch / "project" / "node.yaml"
        contract.write_text(contract.read_text(encoding="utf-8") + "service: {port: 8123}\n", encoding="utf-8")
        print(f"Fleets of one node each, {jobs} at a time")
        costs: list[float] = []
        for size in sizes:
            fleet = scratch / f"fleet{size}"
            for number in range(size):
                shutil.copytree(scratch / "project", fleet / f"node{number}")
            began, busy = time.perf_counter(), busy_seconds()
            command = [
                sys.executable,
                "-c",
                "from extensions.updating.command import main_fleet; raise SystemExit(main_fleet())",
            ]
            subprocess.run([*command, str(fleet), "--trust"], check=True, capture_output=True, cwd=ROOT)
            costs.append((busy_seconds() - busy) / size)
            print(f"  {size:>4} nodes {time.perf_counter() - began:8.1f} s   {costs[-1]:6.2f} s of a core per node")
        print(f"  dearest to first: {max(costs) / costs[0]:.2f}   goal {GOAL}")


if __name__ == "__main__":
    main()
