"""Keeps `examples/rendered/` equal to what the template generates now, copies of modules of `runtime/` aside.

Run `python -m examples.golden` to render it again, and with `--check` to compare.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from examples.rendering import CONTRACTS, ROOT, export_template, generate, read_contract
from extensions.project.formatting import AS_THEY_ARE

RENDERED = ROOT / "examples" / "rendered"
EXAMPLES = ("distributed_lock",)

# Where the template lay, and which of its commits was used, says nothing about the output.
VOLATILE_ANSWERS = ("_src_path:", "_commit:")


def render(destination: Path) -> None:
    """Render every golden example into a folder of its own.

    Args:
        destination: The folder that receives them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        template = export_template(Path(scratch) / "template")
        for name in EXAMPLES:
            project = generate(template, read_contract(CONTRACTS / f"{name}.yaml"), destination / name)
            # What is below build/ depends on the machine, and is in no repository.
            shutil.rmtree(project / "build")
            for path in project.rglob("*.py"):
                if path.read_bytes().startswith(AS_THEY_ARE):
                    path.unlink()
            answers = project / ".copier-answers.yml"
            lines = answers.read_text(encoding="utf-8").splitlines(keepends=True)
            answers.write_text("".join(line for line in lines if not line.startswith(VOLATILE_ANSWERS)))


def differences(expected: Path, actual: Path) -> list[str]:
    """Compare two trees byte for byte.

    Args:
        expected: The committed tree.
        actual: The tree that was rendered now.

    Returns:
        One line per file that is missing, superfluous or different.
    """
    before, after = (
        {path.relative_to(tree): path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        for tree in (expected, actual)
    )
    problems = []
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            problems.append(f"no longer generated: {path}")
        elif path not in before:
            problems.append(f"not committed: {path}")
        elif before[path].read_bytes() != after[path].read_bytes():
            problems.append(f"differs: {path}")
    return problems


def main() -> int:
    """Render the golden examples, or compare them.

    Returns:
        The exit status: 1 when `--check` found a difference.
    """
    parser = argparse.ArgumentParser(description="Render the golden examples.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files and change nothing")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        render(fresh)
        if not check:
            shutil.rmtree(RENDERED, ignore_errors=True)
            shutil.copytree(fresh, RENDERED)
            return 0
        problems = differences(RENDERED, fresh)
    for problem in problems:
        print(problem)
    if problems:
        print("Run `make golden`, look at the difference, and commit it.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
