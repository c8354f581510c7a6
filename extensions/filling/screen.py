"""What the code of an answer may use: names, imports and attributes, by its syntax tree.

This is no boundary: what can't be seen in a tree is what isolation is for. It is what keeps an accepted body from doing
more than its operation, once it runs in the node.
"""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from ..home import DATA

_DATA: Final[Mapping[str, Any]] = json.loads((DATA / "screen.json").read_text(encoding="utf-8"))
# Those that name members offer these alone; of the others, all that is public is harmless.
_MODULES: Final[Mapping[str, frozenset[str]]] = {name: frozenset(members) for name, members in _DATA["modules"].items()}
_FORBIDDEN: Final = frozenset(_DATA["forbidden"])
# Attributes by which frames, code and what lies behind them are reached.
_INNER = re.compile(r"(?:ag|cr|gi|tb|f|co|func)_[a-z]+|format_map|mro")
_OWN: Final = frozenset(("_adapters", "_settings"))


@dataclass(frozen=True, slots=True)
class Screen:
    """What may be used.

    Attributes:
        own: Packages of the node whose classes may be imported.
        offered: What other modules of the node offer, such as what adapters take.
        required: Modules of what the contract says that the handler needs.
    """

    own: tuple[str, ...] = ()
    offered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    required: frozenset[str] = field(default_factory=frozenset)

    def problems(self, tree: ast.Module) -> Iterator[str]:
        """Say what of a tree may not be used, a line each."""
        modules: dict[str, str] = {}
        for item in ast.walk(tree):
            if isinstance(item, ast.Import | ast.ImportFrom):
                yield from self._imports(item, modules)
        bases = {item.value: item.attr for item in ast.walk(tree) if isinstance(item, ast.Attribute)}
        for item in ast.walk(tree):
            yield from _name(item, modules, bases)
            if isinstance(item, ast.ClassDef) and item not in tree.body:
                yield f"line {item.lineno}: a class may not be defined"

    def _imports(self, item: ast.Import | ast.ImportFrom, modules: dict[str, str]) -> Iterator[str]:
        if isinstance(item, ast.Import):
            for alias in item.names:
                if not self._may(alias.name):
                    yield f"line {item.lineno}: {alias.name} may not be imported"
                elif alias.name in _MODULES:
                    if "." in alias.name and not alias.asname:
                        yield f"line {item.lineno}: write `from {alias.name} import …`"
                    modules[alias.asname or alias.name] = alias.name
            return
        source = item.module or ""
        if item.level or not self._may(source):
            yield f"line {item.lineno}: {'.' * item.level}{source} may not be imported from"
            return
        for alias in item.names:
            if alias.name == "*" or not self._offers(source, alias.name):
                yield f"line {item.lineno}: {alias.name} may not be imported from {source}"

    def _may(self, module: str) -> bool:
        return (
            module in _MODULES
            or module.partition(".")[0] in self.required
            or module in self.offered
            or self._is_own(module)
        )

    def _is_own(self, module: str) -> bool:
        return any(module.startswith(f"{own}.") for own in self.own)

    def _offers(self, module: str, name: str) -> bool:
        if module in self.offered:
            return name in self.offered[module]
        return name[:1].isupper() if self._is_own(module) else _has(module, name)


def _name(item: ast.AST, modules: Mapping[str, str], bases: Mapping[ast.expr, str]) -> Iterator[str]:
    match item:
        case ast.Name(id=name) if name in _FORBIDDEN or name.startswith("__"):
            yield f"line {item.lineno}: {name} may not be used"
        case ast.Name(id=name) if name in modules and item not in bases:
            yield f"line {item.lineno}: the module {name} may be used for its members alone"
        case ast.Name(id=name) if name in modules and not _has(modules[name], bases[item]):
            yield f"line {item.lineno}: {name}.{bases[item]} may not be used"
        case ast.Attribute(attr=attr) if attr.startswith("_") and not _is_own(item):
            yield f"line {item.lineno}: the attribute {attr} may not be used"
        case ast.Attribute(attr=attr) if _INNER.fullmatch(attr):
            yield f"line {item.lineno}: the attribute {attr} may not be used"
        case ast.Global():
            yield f"line {item.lineno}: global may not be used"
        case ast.MatchClass(kwd_attrs=names) if any(name.startswith("_") for name in names):
            yield f"line {item.lineno}: an attribute of a pattern may not be used"
        case _:
            return


def _is_own(item: ast.Attribute) -> bool:
    return item.attr in _OWN and isinstance(item.value, ast.Name) and item.value.id == "self"


@cache
def _has(module: str, name: str) -> bool:
    """Tell whether a name may be taken from a module: what it offers, and no module that it happens to import."""
    if module not in _MODULES:
        return not name.startswith("_")
    if _MODULES[module]:
        return name in _MODULES[module]
    found = importlib.import_module(module) if not module.startswith("omnibase_core") else None
    if found is None:
        return name[:1].isupper()
    if (offered := getattr(found, "__all__", None)) is not None:
        return name in offered
    member = inspect.getattr_static(found, name, None)
    return member is not None and name != "main" and not name.startswith("_") and not inspect.ismodule(member)
