"""How long a copy of the example node takes, compared with plain Copier and as many static files of the same size.

Both run as whole processes, interleaved, with byte code compiled: that of the template is kept by content, since the
clone of a template is new each time. The node is copied by the command of this distribution, with
`validation_level: none`; the static files by Copier's own. Beside the time that passes there is that of the processors,
which depends less on what else a machine does.
"""

import compileall
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from examples.rendering import CONTRACTS, ROOT, export_template, generate, read_contract

ROUNDS = 9
GOAL = 1.15
OURS = (str(ROOT / ".venv" / "bin" / "copier"),)
PLAIN = (sys.executable, "-m", "copier")


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


def timed(command: list[str]) -> tuple[float, float]:
    """Return how many seconds a command took, and how many of processors it and what it started did."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print a table."""
    # What an installed distribution has compiled; in a checkout our modules lie outside of the environment.
    for folder in (".venv/lib", "copier_onex", "extensions"):
        compileall.compile_dir(str(ROOT / folder), quiet=2)
    contract = read_contract(CONTRACTS / "distributed_lock.yaml") | {"validation_level": "none"}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        template = export_template(scratch / "node")
        data = scratch / "contract.yaml"
        data.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
        plain = static_template(generate(template, contract, scratch / "project"), scratch / "plain")
        output = scratch / "output"

        def copy(copier: tuple[str, ...], source: Path, *options: str) -> tuple[float, float]:
            shutil.rmtree(output, ignore_errors=True)
            return timed([*copier, "copy", "--quiet", "--defaults", *options, str(source), str(output)])

        times: dict[str, list[tuple[float, float]]] = {"this template": [], "plain Copier": []}
        for turn in range(ROUNDS + 1):
            pair = (copy(OURS, template, "--trust", "--data-file", str(data)), copy(PLAIN, plain))
            if turn:  # the first fills the caches
                for taken, seconds in zip(times.values(), pair, strict=True):
                    taken.append(seconds)
        count = sum(path.is_file() for path in output.rglob("*"))
    ours, theirs = ([statistics.median(column) for column in zip(*taken, strict=True)] for taken in times.values())
    print(f"Copy of {count} files, whole process, median of {ROUNDS}, byte code compiled")
    print(f"  {'':<16} {'passed':>10} {'processors':>11}")
    for label, (passed, used) in zip(times, (ours, theirs), strict=True):
        print(f"  {label:<16} {passed * 1000:7.0f} ms {used * 1000:8.0f} ms")
    print(f"  {'ratio':<16} {ours[0] / theirs[0]:7.2f} {ours[1] / theirs[1]:11.2f}      goal {GOAL}")


if __name__ == "__main__":
    main()
