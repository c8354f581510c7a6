"""How long a copy of the example node takes, compared with plain Copier and as many static files of the same size.

Both run as whole processes, interleaved, with byte code compiled: that of the template is kept by content, since the
clone of a template is new each time. The node is copied with `validation_level: none`.
"""

import compileall
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from examples.rendering import CONTRACTS, ROOT, export_template, generate, read_contract

ROUNDS = 9
GOAL = 1.15
COPIER = ROOT / ".venv" / "bin" / "copier"


def static_template(project: Path, destination: Path) -> Path:
    """Make a template that yields the files of a project as they are.

    Args:
        project: The generated project.
        destination: The folder to fill; it is created.

    Returns:
        The folder.
    """
    shutil.copytree(project, destination / "template")
    (destination / "copier.yml").write_text("_subdirectory: template\n", encoding="utf-8")
    return destination


def timed(command: Callable[[], object]) -> float:
    """Return how many seconds a call took."""
    began = time.perf_counter()
    command()
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print a table."""
    compileall.compile_dir(str(ROOT / ".venv" / "lib"), quiet=2)
    contract = read_contract(CONTRACTS / "distributed_lock.yaml") | {"validation_level": "none"}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        template = export_template(scratch / "node")
        data = scratch / "contract.yaml"
        data.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
        plain = static_template(generate(template, contract, scratch / "project"), scratch / "plain")
        output = scratch / "output"

        def copy(source: Path, *options: str) -> float:
            shutil.rmtree(output, ignore_errors=True)
            command = [str(COPIER), "copy", "--quiet", "--defaults", *options, str(source), str(output)]
            return timed(lambda: subprocess.run(command, check=True, capture_output=True))

        times: dict[str, list[float]] = {"this template": [], "plain Copier": []}
        for _ in range(ROUNDS):
            times["this template"].append(copy(template, "--trust", "--data-file", str(data)))
            times["plain Copier"].append(copy(plain))
        count = sum(path.is_file() for path in output.rglob("*"))
    ours, theirs = (statistics.median(values) for values in times.values())
    print(f"Copy of {count} files, whole process, median of {ROUNDS}, byte code compiled")
    for label, seconds in (("this template", ours), ("plain Copier", theirs)):
        print(f"  {label:<16} {seconds * 1000:7.0f} ms")
    print(f"  {'ratio':<16} {ours / theirs:7.2f}      goal {GOAL}")


if __name__ == "__main__":
    main()
