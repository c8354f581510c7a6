"""Has Copier make a project of a contract, for commands that do so."""

import subprocess
import sys
from pathlib import Path

from . import vcs


def copied(contract: Path, folder: Path, template: str, version: str) -> str:
    """Generate a project.

    Args:
        contract: The file of its contract, or of a node that goes into it.
        folder: The project.
        template: Where the template is, which is trusted.
        version: Which of its versions, a tag or a commit; empty for the newest.

    Returns:
        What Copier and the checks of the project said where it failed; empty where there is a project now.
    """
    command = [sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--quiet"]
    options = ["--data-file", str(contract), *(["--vcs-ref", version] if version else [])]
    result = subprocess.run(
        [*command, *options, "--", template, str(folder)],
        env=vcs.environment(PYTHONUTF8="1", PYTHONSAFEPATH="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = result.stdout.decode("utf-8", "replace").strip()
    return (output or f"copier ended with {result.returncode}") if result.returncode else ""
