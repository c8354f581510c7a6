"""What the validation hook adds to a copy of the example node, per level, and what `strict` takes without its tests.

Copies run as whole processes, interleaved, with byte code compiled, and with warm caches of the index and of mypy.
"""

import compileall
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

from examples.rendering import CONTRACTS, ROOT, export_template, read_contract
from extensions.validation.findings import Outcome
from extensions.validation.run import validate

ROUNDS = 9
GOAL_STANDARD = 0.2
GOAL_STRICT = 3.0
LEVELS = ("none", "basic", "standard")
COPIER = ROOT / ".venv" / "bin" / "copier"


def main() -> None:
    """Measure, and print a table."""
    compileall.compile_dir(str(ROOT / ".venv" / "lib"), quiet=2)
    contract = read_contract(CONTRACTS / "distributed_lock.yaml")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        template = export_template(scratch / "template")
        output = scratch / "output"
        times: dict[str, list[float]] = {level: [] for level in LEVELS}
        for level in LEVELS:
            text = yaml.safe_dump(contract | {"validation_level": level}, sort_keys=False)
            (scratch / f"{level}.yaml").write_text(text, encoding="utf-8")
        for turn in range(ROUNDS + 1):
            for level in LEVELS:
                shutil.rmtree(output, ignore_errors=True)
                options = ("--quiet", "--defaults", "--trust", "--data-file", str(scratch / f"{level}.yaml"))
                began = time.perf_counter()
                subprocess.run(
                    [str(COPIER), "copy", *options, str(template), str(output)], check=True, capture_output=True
                )
                if turn:  # the first fills the caches
                    times[level].append(time.perf_counter() - began)
        strict: list[float] = []
        outcomes: tuple[Outcome, ...] = ()
        for turn in range(ROUNDS + 1):
            # A copy of its own each time: mypy has to look at every file of the project again.
            project = shutil.copytree(output, scratch / f"strict{turn}")
            began = time.perf_counter()
            outcomes = validate(project, "strict", tests=False).outcomes
            if turn:
                strict.append(time.perf_counter() - began)
    medians = {level: statistics.median(values) for level, values in times.items()}
    print(f"Copy of the example with its validation, whole process, median of {ROUNDS}")
    for level, seconds in medians.items():
        print(f"  {level:<10} {seconds * 1000:7.0f} ms   {(seconds - medians['none']) * 1000:+7.0f} ms")
    print(f"  goal of standard: {GOAL_STANDARD * 1000:+.0f} ms")
    print(f"Strict without tests, warm caches: {statistics.median(strict):.2f} s, goal {GOAL_STRICT} s")
    for outcome in outcomes:
        print(f"  {outcome.stage:<10} {outcome.status:<12} {outcome.seconds * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
