"""Writes the static index of omnibase_core: what Copier's environment need not have, and nodes import.

It holds the modules that the template, its modules and the runtime name, with what each of them hands out.
"""

import json
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from sysconfig import get_path

from extensions.validation.index import Index, Module

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "extensions" / "data" / "onex_index.json"
_NAME = re.compile(r"\bomnibase_core(?:\.[a-z_0-9]+)+")
_ENUM = ("omnibase_core.enums", "EnumCoreErrorCode")
_PROFILES = ("omnibase_core.constants.constants_runtime_profiles", "REGISTERED_RUNTIME_PROFILES")


def build() -> dict[str, object]:
    """Return the index of the installed package."""
    index = Index(Path(get_path("purelib")))
    named: set[str] = set()
    for folder in ("template", "runtime", "extensions", "examples"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".j2", ".py", ".json"} and path != TARGET and path.is_file():
                named.update(_NAME.findall(path.read_text(encoding="utf-8")))
    modules = {name: _names(module) for name in sorted(named) if (module := _module(index, name))}
    profiles: frozenset[str] = getattr(import_module(_PROFILES[0]), _PROFILES[1])
    return {
        "version": version("omnibase-core"),
        "modules": modules,
        "members": {_ENUM[1]: sorted(index.members(*_ENUM) or [])},
        "profiles": sorted(profiles),
    }


def _module(index: Index, name: str) -> Module | None:
    return index.module(name) if index.file_of(name) else None


def _names(module: Module) -> list[str]:
    return sorted(name for name in module.names if not name.startswith("_"))


if __name__ == "__main__":
    TARGET.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8")
