"""Python that is read and never run: modules found by their names, and what a name in one of them stands for."""

import ast
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..text.problems import show

LONGEST = 2_000_000
MOST_FILES = 5_000
_DEEPEST = 40

type Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr


class UnreadableError(ValueError):
    """A file that is no Python, or too long; the message says where."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module's text as a tree.

    Attributes:
        name: Its dotted name.
        path: Its file.
        names: What its names stand for, at its top level: definitions and values.
        imported: By name, the module and the name in it that an import means; an empty name means the module itself.
        stars: Modules of which all names are imported.
    """

    name: str
    path: Path
    names: dict[str, Definition] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for, and the module in which it does."""

    module: Module
    node: Definition


def parse(path: Path) -> ast.Module:
    """Return a file of Python as a tree.

    Args:
        path: The file, of which nothing is run.

    Returns:
        The tree.

    Raises:
        UnreadableError: When it is no Python, or too long.
        OSError: When it can't be read.
    """
    with path.open("rb") as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise UnreadableError(f"{path}: found a file without bounds, expected at most {LONGEST} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as a backslash that escapes nothing
            return ast.parse(content, filename=str(path))
    except SyntaxError as error:
        place = f"{path}:{error.lineno or 1}:{error.offset or 1}"
        raise UnreadableError(f"{place}: broken Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"{path}: broken Python: {show(str(error) or 'nested too deep')}") from error


def files(folder: Path) -> Iterator[Path]:
    """Yield the files of Python below a folder, in the order of their names, links to folders not followed."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".py"):
                count += 1
                if count > MOST_FILES:
                    raise UnreadableError(
                        f"{folder}: found a folder without bounds, expected at most {MOST_FILES} files"
                    )
                yield Path(parent) / name


class Sources:
    """Finds modules without importing them: those around a node, and those of the packages installed here.

    A node that was copied out of its package is found by the name of its folder.

    Args:
        node: The node's folder.
    """

    def __init__(self, node: Path) -> None:
        """Find out which package the node is in."""
        self.node = node.resolve()
        top = self.node
        while (top.parent / "__init__.py").is_file():
            top = top.parent
        self.root = top.parent
        self.package = ".".join(self.node.relative_to(self.root).parts)
        self._installed = [Path(entry) for entry in sys.path if entry and Path(entry).name.endswith("-packages")]
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Return a module by its dotted name; None where there is none, or none that can be read."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def at(self, path: Path) -> Module | None:
        """Return the module of a file below the node's folder."""
        parts = path.resolve().relative_to(self.root).with_suffix("").parts
        return self.module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    def lookup(self, module: Module, name: str) -> Found | None:
        """Return what a name, dots allowed, stands for in a module, imports followed; None where that can't be told."""
        return self._lookup(module, name, frozenset())

    def _lookup(self, module: Module, name: str, seen: frozenset[tuple[str, str]]) -> Found | None:
        if (module.name, name) in seen or len(seen) > _DEEPEST:
            return None
        seen |= {(module.name, name)}
        first, _, rest = name.partition(".")
        if not rest and first in module.names:
            return Found(module, module.names[first])
        if first in module.imported:
            target, original = module.imported[first]
            words = ".".join(word for word in (original, rest) if word)
            return self._in(target, words, seen)
        if rest and (deeper := self.module(f"{module.name}.{first}")):
            return self._lookup(deeper, rest, seen)
        for star in module.stars:
            if (other := self.module(star)) and (found := self._lookup(other, name, seen)):
                return found
        return None

    def _in(self, target: str, words: str, seen: frozenset[tuple[str, str]]) -> Found | None:
        other = self.module(target)
        if other and words and (found := self._lookup(other, words, seen)):
            return found
        first, _, rest = words.partition(".")
        deeper = self.module(f"{target}.{first}") if rest else None
        return self._lookup(deeper, rest, seen) if deeper else None

    def find(self, module: str, name: str) -> Found | None:
        """Return what a name stands for in a module that is named; where the module is unknown, in the node itself."""
        known = self.module(module) if module else None
        if known and (found := self.lookup(known, name)):
            return found
        return self.anywhere(name)

    def anywhere(self, name: str) -> Found | None:
        """Return the class of a name in the node's own files, the first in the order of their names."""
        for path in files(self.node):
            module = self.at(path)
            if module and isinstance(node := module.names.get(name), ast.ClassDef):
                return Found(module, node)
        return None

    def _read(self, name: str) -> Module | None:
        path = self._path(name)
        if path is None:
            return None
        try:
            tree = parse(path)
        except (UnreadableError, OSError):
            return None
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        module = Module(name, path)
        _fill(module, tree.body, package)
        return module

    def _path(self, name: str) -> Path | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        places = [self.root.joinpath(*parts)]
        if self.node.name in parts:
            places.append(self.node.joinpath(*parts[parts.index(self.node.name) + 1 :]))
        places.append(self.node.joinpath(*parts))
        places += [entry.joinpath(*parts) for entry in self._installed]
        for place in places:
            for path in (place / "__init__.py", place.with_suffix(".py")):
                if path.is_file():
                    return path
        return None


def _fill(module: Module, body: list[ast.stmt], package: str) -> None:
    for statement in body:
        match statement:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                module.names[statement.name] = statement
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.TypeAlias(name=ast.Name(id=name), value=value)
            ):
                module.names[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                module.names[name] = value
            case ast.Import() | ast.ImportFrom():
                _import(module, statement, package)
            case ast.If():
                _fill(module, [*statement.body, *statement.orelse], package)
            case ast.Try():
                _fill(module, statement.body, package)
            case _:
                pass


def _import(module: Module, statement: ast.Import | ast.ImportFrom, package: str) -> None:
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            module.imported[alias.asname or target] = (target, "")
        elif alias.name == "*":
            module.stars.append(absolute(statement, package))
        else:
            module.imported[alias.asname or alias.name] = (absolute(statement, package), alias.name)


def absolute(statement: ast.ImportFrom, package: str) -> str:
    """Return the dotted name of the module that an import in a package names."""
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, *([statement.module] if statement.module else [])])


def dotted(expression: ast.expr) -> str:
    """Return the dotted name that an expression is; empty where it is none."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    return ".".join([expression.id, *reversed(parts)]) if isinstance(expression, ast.Name) else ""
