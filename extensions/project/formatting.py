"""Puts imports and layout of rendered Python in order, by ruff.

Templates read like the Python that they become: with literal imports, those that only some nodes need included, and
with natural line breaks. Ruff is a dependency of the template, so that both renders of an update use the same one.
"""

import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .ownership import THERE_BEFORE

# A template does not know which lines are short: where a comma stands at the end of a list, it may become one line.
_STEPS = (
    ("check", "--fix-only", "--select", "I,F401,UP034", "--config", "lint.isort.split-on-trailing-comma=false"),
    ("format", "--config", "format.skip-magic-trailing-comma=true"),
)
AS_THEY_ARE = (b"# The runtime of copier-onex", b"# Copied from copier-onex")
"""How copies begin of what the template itself keeps in order."""


def format_rendered(project: Path, manifest: dict[str, Any]) -> str:
    """Lay out what was just rendered; what is the user's, and was there before, stays as it is.

    Args:
        project: The folder that was rendered into.
        manifest: What was rendered, as the template left it.

    Returns:
        What ruff can't do, in its own words; empty when all is in order.
    """
    new = [name for name, entry in manifest.get("files", {}).items() if not entry.get(THERE_BEFORE)]
    return _format(project, [name for name in new if name.endswith(".py") and _is_rendered(project / name)])


def _is_rendered(path: Path) -> bool:
    return path.is_file() and not path.read_bytes().startswith(AS_THEY_ARE)


def _format(project: Path, files: Sequence[str]) -> str:
    if not files:
        return ""
    ruff = Path(sysconfig.get_path("scripts")) / f"ruff{sysconfig.get_config_var('EXE') or ''}"
    if not ruff.is_file():
        return "ruff is not installed beside Copier; the template's requirements name it"
    for step in _STEPS:
        command = [str(ruff), *step, "--no-cache", "--quiet", "--", *files]
        done = subprocess.run(command, cwd=project, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.strip() or done.stdout.strip()
            return said.decode("utf-8", "replace")
    return ""
