"""The JSON Schema of the contract language: its parts, and all of them as one document."""

import json
from typing import Any

from ..home import SCHEMAS

ROOT = "contract.schema.json"


def parts() -> dict[str, dict[str, Any]]:
    """Return the parts of the schema by file name, sorted."""
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(SCHEMAS.glob("*.json"))}


def bundle() -> dict[str, Any]:
    """Return the whole schema as one document without references to files, for editors and other tools."""
    files = parts()
    root = files.pop(ROOT)
    definitions = {name.partition(".")[0]: _local(part, name) for name, part in files.items()}
    whole: dict[str, Any] = _local(root, ROOT)
    whole["$defs"] = whole.get("$defs", {}) | definitions
    return {"$schema": root["$schema"]} | whole


def compact() -> str:
    """Return the whole schema as JSON on one line, as it lies beside a contract."""
    return json.dumps(bundle(), ensure_ascii=True, separators=(",", ":"))


def _local(value: Any, file: str) -> Any:
    """Return a part with its references as pointers into the bundle."""
    if isinstance(value, list):
        return [_local(item, file) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _pointer(item, file) if key == "$ref" else _local(item, file)
        for key, item in value.items()
        if key != "$schema"
    }


def _pointer(reference: str, file: str) -> str:
    target, _, inside = reference.partition("#")
    name = target or file
    prefix = "#" if name == ROOT else f"#/$defs/{name.partition('.')[0]}"
    return f"{prefix}{inside}"
