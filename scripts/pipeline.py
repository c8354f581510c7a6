"""Puts the package of `examples/pipeline` together, and runs a target of its Makefile: `make pipeline`.

The package is kept where a folder is named, else it is temporary.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from examples.pipeline_package import build
from examples.rendering import ROOT, export_template, generate


def run_targets(folder: Path | None, targets: Sequence[str]) -> int:
    """Build the package, and run targets in it.

    Args:
        folder: Where it goes, and stays; None for a temporary folder.
        targets: Of its Makefile.

    Returns:
        The exit status of make.
    """
    with tempfile.TemporaryDirectory() as scratch, _place(folder) as package:
        template = export_template(Path(scratch) / "template")
        build(partial(generate, template), package)
        environment = os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        command = ["make", "--no-print-directory", *targets]
        return subprocess.run(command, cwd=package, env=environment, check=False).returncode


@contextlib.contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch) / "package"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the package goes, and stays")
    parser.add_argument("targets", nargs="*", default=["check", "test"], help="of its Makefile")
    given = parser.parse_args(arguments)
    return run_targets(given.folder, given.targets)


if __name__ == "__main__":
    sys.exit(main())
