"""Modules of a node that was written by hand are carried over: copies whose imports lead to each other."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Final

from .python import Found, Module, Sources, absolute, parse

FOLDER: Final = "original"
HEAD: Final = "# ruff: noqa\n# Carried over as it was, imports and layout apart. It is yours: no update touches it.\n"
_DATA: Final = (".yaml", ".yml", ".json", ".sql", ".toml", ".txt", ".j2")
_LONGEST_DATA: Final = 1_000_000
# What every node depends on.
_OWN: Final = frozenset({"omnibase_core", "pydantic", "pydantic_settings", "yaml"})


@dataclass(slots=True)
class Carried:
    """What is carried over.

    Attributes:
        files: Texts by their path below the folder of custom handlers.
        packages: Packages that they import, other than those that every node depends on.
        notes: What a person has to look at: a file and what.
    """

    files: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    notes: list[tuple[str, str]] = field(default_factory=list)


class Carrier:
    """Copies modules of a node, and all of the node's that they import.

    Args:
        sources: The node's modules.
        home: The dotted name of the package that the copies go to.
    """

    def __init__(self, sources: Sources, home: str) -> None:
        """Start with nothing carried."""
        self.sources = sources
        self.home = f"{home}.{FOLDER}"
        self.carried = Carried()
        self._known: set[Path] = set()

    def inside(self, module: Module) -> bool:
        """Tell whether a module is one of the node's own."""
        return module.path.resolve().is_relative_to(self.sources.node)

    def take(self, module: Module) -> str:
        """Carry a module over, and return the dotted name that it has from now on; others keep theirs."""
        if not self.inside(module):
            self._needs(module.name)
            return module.name
        path = module.path.resolve().relative_to(self.sources.node)
        parts = path.with_suffix("").parts
        name = ".".join([self.home, *(parts[:-1] if parts[-1] == "__init__" else parts)])
        if path not in self._known:
            self._known.add(path)
            text = _text(module.path)
            self.carried.files[f"{FOLDER}/{path.as_posix()}"] = HEAD + self._rewritten(module, text)
            if "__file__" in text:
                self._data()
                self.carried.notes.append((path.as_posix(), "reads files beside itself; those of the node lie there"))
        return name

    def finish(self) -> Carried:
        """Return all of it, with a module for each package."""
        for path in list(self.carried.files):
            for parent in Path(path).parents:
                if parent != Path():
                    words = '"""What was carried over from a node that was written by hand."""\n'
                    self.carried.files.setdefault((parent / "__init__.py").as_posix(), words)
        return self.carried

    def reference(self, module: Module, name: str) -> tuple[str, str] | None:
        """Return the module and name by which a name of a module can be imported; None for a builtin."""
        if found := self.sources.lookup(module, name):
            return self.take(found.module), _own_name(found, name)
        if name in module.imported:
            target, original = module.imported[name]
            self._needs(target)
            return target, original
        if name in module.names:
            return self.take(module), name
        return None

    def _data(self) -> None:
        for path in sorted(self.sources.node.rglob("*")):
            if path.is_file() and path.suffix in _DATA and path.stat().st_size <= _LONGEST_DATA:
                target = f"{FOLDER}/{path.relative_to(self.sources.node).as_posix()}"
                try:
                    self.carried.files[target] = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    self.carried.notes.append((path.name, "left behind, as it is no text"))

    def _needs(self, module: str) -> None:
        first = module.partition(".")[0]
        if first and first not in sys.stdlib_module_names and first not in _OWN:
            self.carried.packages.add(first)

    def _rewritten(self, module: Module, text: str) -> str:
        """Return a module's text with imports that lead where they should."""
        lines = text.encode().splitlines(keepends=True)
        package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
        wanted = [
            (node, self._statements(node, package))
            for node in ast.walk(parse(module.path))
            if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        # From the end on, so that places before stay where they are.
        for node, statements in sorted(wanted, key=lambda pair: (-pair[0].lineno, -pair[0].col_offset)):
            if statements is None or node.end_lineno is None or node.end_col_offset is None:
                continue
            before = lines[node.lineno - 1][: node.col_offset]
            after = lines[node.end_lineno - 1][node.end_col_offset :]
            between = b"; " if before.strip() else b"\n" + before
            lines[node.lineno - 1 : node.end_lineno] = [
                before + between.join(one.encode() for one in statements) + after
            ]
        return b"".join(lines).decode()

    def _statements(self, node: ast.Import | ast.ImportFrom, package: str) -> list[str] | None:
        """Return the imports that take the place of one; None where it stays as it is."""
        if isinstance(node, ast.Import):
            return self._modules(node)
        target = absolute(node, package)
        other = self.sources.module(target)
        if other is None or not self.inside(other):
            self._needs(target)
            names = ", ".join(ast.unparse(alias) for alias in node.names)
            return [f"from {target} import {names}"] if node.level else None
        found: list[str] = []
        for alias in node.names:
            shown = alias.asname or alias.name
            if alias.name == "*":
                found.append(f"from {self.take(other)} import *")
                continue
            held = self.sources.lookup(other, alias.name)
            deeper = None if held else self.sources.module(f"{target}.{alias.name}")
            if held:
                home, name = self.take(held.module), _own_name(held, alias.name)
            elif deeper:
                home, name = self.take(deeper).rpartition(".")[0], alias.name
            else:
                home, name = self.take(other), alias.name
            found.append(f"from {home} import {name}" + (f" as {shown}" if shown != name else ""))
        return found

    def _modules(self, node: ast.Import) -> list[str] | None:
        found: list[str] = []
        changed = False
        for alias in node.names:
            other = self.sources.module(alias.name)
            if other and self.inside(other):
                changed = True
                name = self.take(other)
                if alias.asname:
                    found.append(f"import {name} as {alias.asname}")
                else:
                    self.carried.notes.append((alias.name, "imported as a whole: use its new name where it is used"))
                    found.append(f"import {name}")
            else:
                self._needs(alias.name)
                found.append(f"import {ast.unparse(alias)}")
        return found if changed else None


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def _own_name(found: Found, name: str) -> str:
    """Return what a definition is called where it stands."""
    if isinstance(found.node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return found.node.name
    return name.rpartition(".")[2]


def requirements(packages: set[str], known: Mapping[str, list[str]] | None = None) -> Iterator[str]:
    """Yield the distributions that packages come from, with the versions that are installed here.

    Args:
        packages: Names that are imported.
        known: Distributions by package; those of this environment when left out.
    """
    distributions = metadata.packages_distributions() if known is None else known
    for name in sorted({one for package in packages for one in distributions.get(package, ())}):
        yield f"{name}>={metadata.version(name)}"
