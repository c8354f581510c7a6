"""Whose a file of a generated project is: reads and completes its manifest, with the standard library alone."""

import hashlib
import json
from pathlib import Path
from typing import Any

PATH = ".onex-manifest.json"


def read(project: Path) -> dict[str, Any]:
    """Return a project's manifest; empty when it has none that can be read."""
    try:
        manifest = json.loads((project / PATH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("files"), dict) else {}


def complete(project: Path) -> dict[str, Any]:
    """Write the hashes of the generated files into a project's manifest.

    Args:
        project: The project as the template rendered it, before edits are merged back.

    Returns:
        The manifest; empty when the project has none.
    """
    manifest = read(project)
    for name, entry in manifest.get("files", {}).items():
        if entry["owner"] == "generated" and (project / name).is_file():
            entry["sha256"] = digest(project / name)
    if manifest:
        (project / PATH).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def owned(manifest: dict[str, Any], owner: str) -> list[str]:
    """Return the files of one owner: `generated`, `yours` or `copier`."""
    return [name for name, entry in manifest.get("files", {}).items() if entry.get("owner") == owner]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
