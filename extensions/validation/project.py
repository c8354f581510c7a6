"""The project that is validated: its files, read and parsed once."""

import ast
import os
import re
import sys
import sysconfig
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from ..project import ownership
from ..project.places import Place, places_in

# What tools leave behind, what is kept for people, and other people's code.
_FOREIGN = {".git", ".hg", ".venv", "venv", "node_modules", "build", "dist", "orphans", "__pycache__", ".onex_state"}
_LARGEST = 2_000_000
_MARKERS = (b"<<<<<<< ", b">>>>>>> ")
_CONFLICT = re.compile(rb"^(<<<<<<< |>>>>>>> )", re.MULTILINE)
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _is_conflicting(data: bytes) -> bool:
    # What every byte of a project goes through is quick to say no.
    return any(marker in data for marker in _MARKERS) and bool(_CONFLICT.search(data))


@dataclass(frozen=True)
class Node:
    """One node: its package's folder and module, and the contract that ONEX reads."""

    folder: str
    module: str
    contract: dict[str, Any]
    lines: dict[str, int]

    @property
    def contract_path(self) -> str:
        """The contract's path, relative to the project."""
        return f"{self.folder}/contract.yaml"

    def line(self, key: str) -> int:
        """Return the line of a key of the contract, from 1; 1 where there is no such key."""
        return self.lines.get(key, 1)


@dataclass
class Project:
    """A folder with a node's project, or with a node alone.

    Attributes:
        root: The folder, absolute.
        place: The node of the project that counts; None for all of them.
        trusted: Whether the project's own tools, plugins and environment may be run.
    """

    root: Path
    place: Place | None = None
    trusted: bool = False
    _texts: dict[str, str] = field(default_factory=dict)
    _trees: dict[str, ast.Module] = field(default_factory=dict)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files that are the project's own, relative, with `/`, sorted."""
        found: list[str] = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not _is_foreign(name)]
            inside = Path(folder).relative_to(self.root)
            found += [(inside / name).as_posix() for name in names if not name.endswith((".pyc", ".rej"))]
        return tuple(sorted(found))

    @cached_property
    def conflicting(self) -> tuple[str, ...]:
        """Files that hold the markers of a merge which nobody has finished."""
        own = [path for path in self.files if self.place is None or self.place.holds(path)]
        texts = (path for path in own if (self.root / path).stat().st_size < _LARGEST)
        return tuple(path for path in texts if _is_conflicting((self.root / path).read_bytes()))

    def named(self, *suffixes: str) -> list[str]:
        """Return the files with one of the suffixes, without those in conflict."""
        return [path for path in self.files if path.endswith(suffixes) and path not in self.conflicting]

    def text(self, path: str) -> str:
        """Return a file's text; of one in conflict, what an update makes of it, so that others find what they need.

        Raises:
            OSError: When it can't be read.
            ValueError: When it is not UTF-8.
        """
        if path not in self._texts:
            text = (self.root / path).read_text(encoding="utf-8")
            self._texts[path] = _resolved(text) if path in self.conflicting else text
        return self._texts[path]

    def tree(self, path: str) -> ast.Module:
        """Return a Python file's syntax tree.

        Raises:
            SyntaxError: When it does not parse.
            OSError: When it can't be read.
            ValueError: When it is not UTF-8.
        """
        if path not in self._trees:
            self._trees[path] = ast.parse(self.text(path), path)
        return self._trees[path]

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The Python files that parse, by path; the syntax stage names the others."""
        parsed: dict[str, ast.Module] = {}
        for path in (path for path in self.files if path.endswith(".py")):
            try:
                parsed[path] = self.tree(path)
            except (SyntaxError, OSError, ValueError):
                continue
        return parsed

    @cached_property
    def untouched(self) -> frozenset[str]:
        """The generated files that are as the template wrote them."""
        return frozenset(
            path
            for manifest in self.manifests
            for path in ownership.owned(manifest, "generated")
            if path in self.files and manifest["files"][path].get("sha256") == ownership.digest(self.root / path)
        )

    @cached_property
    def source_root(self) -> str:
        """The folder in which the project's packages lie, with a `/` at its end; empty for the root."""
        return "src/" if any(path.startswith("src/") for path in self.files) else ""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node: a folder with a contract.yaml that ONEX would read."""
        contracts = (path for path in self.files if path.endswith("contract.yaml"))
        paths = (path for path in contracts if self.place is None or self.place.holds(path))
        return tuple(node for path in paths if (node := self._node(path)))

    def _node(self, path: str) -> Node | None:
        folder, _, name = path.rpartition("/")
        if name != "contract.yaml":
            return None
        try:
            composed = yaml.compose(self.text(path), Loader=_Loader)
            contract = _Loader(self.text(path)).get_single_data()
        except (yaml.YAMLError, OSError, ValueError):
            return None
        if not isinstance(contract, dict) or "node_type" not in contract:
            return None
        lines = {str(key.value): key.start_mark.line + 1 for key, _ in composed.value} if composed else {}
        inside = folder.removeprefix(self.source_root) if self.source_root else folder
        module = inside.strip("/").replace("/", ".")
        return Node(folder=folder, module=module, contract=contract, lines=lines)

    @cached_property
    def manifests(self) -> tuple[dict[str, Any], ...]:
        """What was written when the nodes were generated; none for a project that is written by hand."""
        places = [self.place] if self.place else places_in(self.root)
        return tuple(manifest for place in places if (manifest := ownership.read(self.root, place)))

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The settings in pyproject.toml; empty when there are none that can be read."""
        try:
            return tomllib.loads(self.text("pyproject.toml"))
        except (OSError, ValueError):
            return {}

    @cached_property
    def python(self) -> Path:
        """The Python that runs tools: that of a trusted project's .venv, or else the one that runs this."""
        own = self.root / ".venv" / "bin" / "python"
        return own if self.trusted and own.exists() else Path(sys.executable)

    @property
    def own_environment(self) -> bool:
        """Whether the project has an environment of its own."""
        return (self.root / ".venv" / "bin" / "python").exists()

    @cached_property
    def site_packages(self) -> Path:
        """Where the packages are that the project imports."""
        if self.own_environment:
            found = sorted((self.root / ".venv" / "lib").glob("python3.*/site-packages"))
            if found:
                return found[0]
        return Path(sysconfig.get_path("purelib"))


def _is_foreign(name: str) -> bool:
    return name in _FOREIGN or name.endswith(("_cache", ".egg-info"))


def _resolved(text: str) -> str:
    """Return a text with conflicts as the side has it that comes last in them."""
    lines: list[str] = []
    ours = False
    for line in text.splitlines(keepends=True):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            ours = line.startswith("<")
        elif ours and line.rstrip("\r\n") == "=======":
            ours = False
        elif not ours:
            lines.append(line)
    return "".join(lines)
