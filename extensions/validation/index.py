"""A static index of installed packages: which names a module defines, found by reading it, never by running it."""

import ast
import hashlib
import importlib
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..home import DATA, RUNTIME, cache_folder

_FORMAT = 2
_SHIPPED = DATA / "onex_index.json"
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Module:
    """What is known of a module.

    Attributes:
        names: What its text binds at the top level, and how: for a name that is imported, the module and name it
            comes from; None for any other.
        stars: Modules from which it imports everything.
        dynamic: Whether it makes up names when asked.
        members: Per class, the names that its body binds.
    """

    names: dict[str, tuple[str, str] | None]
    stars: tuple[str, ...]
    dynamic: bool
    members: dict[str, list[str]]


class Index:
    """The modules of one environment, read when they are first asked for."""

    def __init__(self, site_packages: Path) -> None:
        """Load what earlier runs read.

        Args:
            site_packages: The environment's folder of packages.
        """
        stdlib = Path(sysconfig.get_path("stdlib"))
        # The runtime comes with the template, whether or not its distribution is installed.
        self._roots = (site_packages, stdlib, stdlib / "lib-dynload", RUNTIME)
        self._modules: dict[str, Module | None] = {}
        self._files: dict[str, Path | None] = {}
        self._listed: dict[Path, frozenset[str]] = {}
        digest = hashlib.sha256(f"{sys.version}:{site_packages}".encode()).hexdigest()[:16]
        self._cache_file = cache_folder() / f"index-{_FORMAT}-{digest}.json"
        self._cached: dict[str, Any] = {}
        self._changed = False
        with suppress(OSError, ValueError):
            self._cached = json.loads(self._cache_file.read_text(encoding="utf-8"))

    @cached_property
    def shipped(self) -> dict[str, Any]:
        """What comes with the template about omnibase_core; empty where that is installed, which is always right."""
        if self.file_of("omnibase_core"):
            return {}
        shipped: dict[str, Any] = json.loads(_SHIPPED.read_text(encoding="utf-8"))
        return shipped

    def save(self) -> None:
        """Keep what was read for the next run; a folder that can't be written to costs time, nothing else."""
        if not self._changed:
            return
        with suppress(OSError):
            self._cache_file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._cache_file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._cached, file)
            Path(name).replace(self._cache_file)

    def file_of(self, module: str) -> Path | None:
        """Return the file, or for a package without one the folder, of a module; None when it is not installed."""
        if module not in self._files:
            self._files[module] = self._find(module)
        return self._files[module]

    def _find(self, module: str) -> Path | None:
        parent, _, name = module.rpartition(".")
        folders: tuple[Path | None, ...] = self._roots
        if parent:
            package = self.file_of(parent)
            folders = (package if package and package.is_dir() else package.parent if package else None,)
            if package and package.is_file() and package.stem != "__init__":
                return None
        rest = None
        for folder in folders:
            entries = self._entries(folder) if folder else frozenset()
            for file in (f"{name}.py", f"{name}.pyi"):
                if folder and file in entries:
                    return folder / file
            if folder and name in entries and (folder / name).is_dir():
                inner = self._entries(folder / name)
                for file in ("__init__.py", "__init__.pyi"):
                    if file in inner:
                        return folder / name / file
                rest = rest or folder / name
            binary = next((entry for entry in entries if entry.startswith(f"{name}.") and entry.endswith(".so")), None)
            if folder and binary:
                return folder / binary
        return rest

    def _entries(self, folder: Path) -> frozenset[str]:
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(entry.name for entry in os.scandir(folder))
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]

    def has_module(self, module: str) -> bool:
        """Tell whether a module can be imported."""
        if module in sys.builtin_module_names or self.file_of(module) is not None:
            return True
        return module in self.shipped.get("modules", {}) if module.startswith("omnibase_core") else False

    def has_name(self, module: str, name: str, depth: int = 0) -> bool | None:
        """Tell whether `from module import name` works.

        Returns:
            The answer; None when only running the module would tell.
        """
        known = self.module(module)
        if known and name in known.names:
            return True
        if self.has_module(f"{module}.{name}"):
            return True
        if known is None:
            return None
        if depth < _DEEPEST:
            answers = [self.has_name(star, name, depth + 1) for star in known.stars]
            if True in answers:
                return True
            if None in answers:
                return None
        return None if known.dynamic else False

    def members(self, module: str, name: str, depth: int = 0) -> list[str] | None:
        """Return the names that a class's body binds, wherever the module takes the class from; None for unknown."""
        known = self.module(module)
        if known is None or depth > _DEEPEST:
            return None
        if name in known.members:
            return known.members[name]
        if origin := known.names.get(name):
            return self.members(*origin, depth + 1)
        for star in known.stars:
            if (found := self.members(star, name, depth + 1)) is not None:
                return found
        return None

    def module(self, module: str) -> Module | None:
        """Return what is known of a module; None when there is nothing to read."""
        if module not in self._modules:
            self._modules[module] = self._load(module)
        return self._modules[module]

    def _load(self, module: str) -> Module | None:
        path = self.file_of(module)
        if path is None and self.has_module(module) and module not in sys.builtin_module_names:
            names = dict.fromkeys(self.shipped["modules"][module])
            members = {name: found for name, found in self.shipped["members"].items() if name in names}
            return Module(names, (), dynamic=False, members=members)
        if path is None or path.suffix == ".so":
            return _standard(module)
        if path.is_dir():
            return Module({}, (), dynamic=False, members={})
        stamp = path.stat()
        entry = self._cached.get(str(path))
        if not entry or entry[:2] != [stamp.st_mtime_ns, stamp.st_size]:
            try:
                tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError, OSError):
                return None
            package = module if path.stem == "__init__" else module.rpartition(".")[0]
            found = read(tree, package)
            entry = [stamp.st_mtime_ns, stamp.st_size, found.names, found.stars, found.dynamic, found.members]
            self._cached[str(path)] = entry
            self._changed = True
        names = {name: tuple(origin) if origin else None for name, origin in entry[2].items()}
        return Module(names, tuple(entry[3]), dynamic=entry[4], members=entry[5])


def _standard(module: str) -> Module | None:
    """Ask the interpreter about its own modules that have no text; it is the one that runs already."""
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    try:
        return Module(dict.fromkeys(dir(importlib.import_module(module))), (), dynamic=False, members={})
    except ImportError:
        return None


def read(tree: ast.Module, package: str) -> Module:
    """Return what a module's text says.

    Args:
        tree: The module.
        package: The package that it is in, for its relative imports.
    """
    names: dict[str, tuple[str, str] | None] = {}
    stars: list[str] = []
    members: dict[str, list[str]] = {}
    for statement in _statements(tree.body):
        if isinstance(statement, ast.ImportFrom):
            source = absolute(statement, package)
            for alias in statement.names:
                if alias.name == "*":
                    stars.append(source)
                else:
                    names[alias.asname or alias.name] = (source, alias.name)
        else:
            names.update(dict.fromkeys(_bound(statement)))
        if isinstance(statement, ast.ClassDef):
            members[statement.name] = [name for item in statement.body for name in _bound(item)]
    listed = [text for item in tree.body if (value := _assigned(item, "__all__")) for text in _texts(value)]
    # A module with both promises what it lists, and makes it when asked.
    names.update({name: names.get(name) for name in listed})
    dynamic = ("__getattr__" in names and not listed) or _writes_globals(tree)
    return Module(names, tuple(stars), dynamic=dynamic, members=members)


def _writes_globals(tree: ast.Module) -> bool:
    """Tell whether a module binds names that only running it would tell, as `globals()[name] = …` does."""
    return any(
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Call)
        and isinstance(target.value.func, ast.Name)
        and target.value.func.id == "globals"
        for statement in _statements(tree.body)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def absolute(statement: ast.ImportFrom, package: str) -> str:
    """Return the module from which a statement imports.

    Args:
        statement: The statement.
        package: The package that its own module is in.
    """
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run in a module's scope, those in branches included."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, field, []))
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Import():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in statement.names)
        case ast.TypeAlias():
            yield from _targets(statement.name)
        case ast.Assign():
            for target in statement.targets:
                yield from _targets(target)
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            yield from _targets(statement.target)
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                if item.optional_vars:
                    yield from _targets(item.optional_vars)
        case _:
            return


def _targets(target: ast.expr) -> Iterator[str]:
    return (item.id for item in ast.walk(target) if isinstance(item, ast.Name))


def _assigned(statement: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and name in _bound(statement):
        return statement.value
    return None


def _texts(value: ast.expr) -> list[str]:
    if not isinstance(value, ast.List | ast.Tuple):
        return []
    return [item.value for item in value.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
