"""Whose a file of a generated project is: reads and completes its manifest, with the standard library alone."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .places import Place

_WHOLE = Place()
# Marks, until the render is complete, a file that is the user's already.
THERE_BEFORE = "there_before"


def read(project: Path, place: Place = _WHOLE) -> dict[str, Any]:
    """Return the manifest of a node of a project; empty when it has none that can be read."""
    try:
        manifest = json.loads((project / place.manifest).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict) else {}


def complete(project: Path, place: Place = _WHOLE) -> dict[str, Any]:
    """Write the hashes of the generated files into the manifest of a node of a project.

    Args:
        project: The project as the template rendered it, before edits are merged back.
        place: Where the node is in it.

    Returns:
        The manifest; empty when there is none.
    """
    manifest = read(project, place)
    for name, entry in manifest.get("files", {}).items():
        entry.pop(THERE_BEFORE, None)
        if entry["owner"] == "generated" and (project / name).is_file():
            entry["sha256"] = digest(project / name)
    if manifest:
        (project / place.manifest).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def owned(manifest: dict[str, Any], owner: str) -> list[str]:
    """Return the files of one owner: `generated`, `yours` or `copier`."""
    return [name for name, entry in manifest.get("files", {}).items() if entry.get("owner") == owner]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
