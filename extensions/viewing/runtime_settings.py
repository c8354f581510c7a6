"""Settings that the runtime brings along, read from its source: it is not imported, nor is what it needs."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from .runtime import FOLDER
from .settings import SettingView

_FOLDER = FOLDER / "settings"
_BASE = "NodeSettings"


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting of the runtime: code of its type and of its default, and what it means."""

    type: str
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class SettingsClass:
    """A class of settings of the runtime.

    Attributes:
        module: Its module, below the package.
        name: The class.
        parent: The class that it extends.
        fields: Its own fields, by name.
    """

    module: str
    name: str
    parent: str
    fields: dict[str, KnownSetting]


@dataclass(frozen=True, slots=True)
class NodeSettingsView:
    """What the settings of a node are made of.

    Attributes:
        bases: The classes of the runtime that it extends.
        own: The fields that it adds, and those whose default the contract gives.
    """

    bases: tuple[SettingsClass, ...]
    own: tuple[SettingView, ...]


def settings_of(fields: Sequence[SettingView]) -> NodeSettingsView:
    """Return what the settings of a node are made of.

    Args:
        fields: All settings of the node.
    """
    wanted = {field.name: field for field in fields}
    by_name = {known.name: known for known in classes()}
    usable = [
        found
        for found in classes()
        if found.fields and all(part.fields.keys() <= wanted.keys() for part in _line(found, by_name))
    ]
    covered = {name: spec for found in usable for name, spec in found.fields.items()}
    parents = {part.name for found in usable for part in list(_line(found, by_name))[1:]}
    own = []
    for field in fields:
        known = covered.get(field.name)
        if known is None:
            own.append(field)
        elif _normal(field.default) != _normal(known.default):
            own.append(replace(field, type=known.type, arguments=()))
    base = by_name[_BASE]
    return NodeSettingsView(tuple(found for found in usable if found.name not in parents) or (base,), tuple(own))


def _line(known: SettingsClass, by_name: dict[str, SettingsClass]) -> Iterator[SettingsClass]:
    while True:
        yield known
        if known.parent not in by_name:
            return
        known = by_name[known.parent]


@cache
def _normal(code: str) -> str:
    return ast.unparse(ast.parse(code, mode="eval"))


@cache
def classes() -> tuple[SettingsClass, ...]:
    """Return the classes of settings, by module."""
    found = []
    for path in sorted(_FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                fields = dict(_fields(node))
                found.append(SettingsClass(f"settings.{path.stem}", node.name, ast.unparse(node.bases[0]), fields))
    return tuple(found)


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, KnownSetting]]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.value, ast.Call):
            given = {keyword.arg: keyword.value for keyword in item.value.keywords}
            description = str(ast.literal_eval(given["description"]))
            known = KnownSetting(ast.unparse(item.annotation), ast.unparse(given["default"]), description)
            yield ast.unparse(item.target), known
