"""Whose a file of a generated project is: reads and completes its manifest, with the standard library alone."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..text.specs import mapping_of
from .places import Place, UntrustedNameError, file_in, require_names

_WHOLE = Place()
# Marks, until the render is complete, a file that is the user's already.
THERE_BEFORE = "there_before"
_MAPPINGS = ("classes", "operations", "project")


def read(project: Path, place: Place = _WHOLE) -> dict[str, Any]:
    """Return the manifest of a node of a project; empty when it has none that can be read.

    Raises:
        UntrustedNameError: When it names files that it may not speak of.
    """
    try:
        manifest = json.loads(file_in(project, place.manifest).read_text(encoding="utf-8"))
    except UntrustedNameError:
        raise
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        return {}
    require_names(project, manifest["files"], place.manifest)
    entries = {name: entry for name, entry in manifest["files"].items() if isinstance(entry, dict)}
    known = {key: mapping_of(manifest.get(key)) for key in _MAPPINGS if key in manifest}
    return manifest | known | {"files": entries}


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
        if entry.get("owner") == "generated" and (project / name).is_file():
            entry["sha256"] = digest(project / name)
    if manifest:
        file_in(project, place.manifest).write_text(document(manifest), encoding="utf-8")
    return manifest


def document(manifest: Mapping[str, Any]) -> str:
    """Return a manifest as JSON with one line for each file, class and operation, so that merges see these apart."""
    keys = []
    for key, value in sorted(manifest.items()):
        if isinstance(value, Mapping) and value:
            lines = (
                f"    {json.dumps(name)}: {json.dumps(entry, sort_keys=True)}" for name, entry in sorted(value.items())
            )
            keys.append(f"  {json.dumps(key)}: {{\n{',\n'.join(lines)}\n  }}")
        else:
            keys.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return f"{{\n{',\n'.join(keys)}\n}}\n"


def owned(manifest: dict[str, Any], owner: str) -> list[str]:
    """Return the files of one owner: `generated`, `yours` or `copier`."""
    return [name for name, entry in manifest.get("files", {}).items() if entry.get("owner") == owner]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; its line ends are those of a checkout, and do not count."""
    return digest_of(path.read_bytes())


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a content without the carriage returns at the ends of its lines, in hexadecimal."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
