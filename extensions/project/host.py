"""The project that a node is generated into: what keeps it from holding the node, and what the node needs in it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from . import ownership
from .places import Place, UntrustedNameError, file_in, place_of, places_in

_PYPROJECT = "pyproject.toml"
_GROUP = "onex.nodes"
_SHOWN = 5
_CONFLICT = b"<<<<<<< before updating"
_MARKERS = {
    "integration": "integration: talks to a real server, embedded unless the environment names one",
    "performance": "performance: measures the contract's targets",
}
# Files whose settings pytest takes in the place of pyproject.toml's.
_PYTEST_FILES = {"pytest.ini": "[pytest]", ".pytest.ini": "[pytest]"}
_PACKAGE_FILE = '"""ONEX nodes of this package."""\n'


class Node(Protocol):
    """What a project is asked about a node."""

    @property
    def place(self) -> Place:
        """Where its files are."""

    @property
    def full_name(self) -> str:
        """ONEX's name of the node."""

    @property
    def package_path(self) -> str:
        """The folder of its package, below `src`."""

    @property
    def module(self) -> str:
        """Its module, dotted."""

    @property
    def project_needs(self) -> dict[str, Any]:
        """What the project has to hold for it."""


def misfit(project: Path, node: Node, answers: str, paths: Sequence[str], *, new: bool) -> str:
    """Say what keeps a project from holding a node; empty for nothing.

    Args:
        project: The project's root.
        node: The view of the contract.
        answers: The file that Copier's answers go to.
        paths: The files that the template yields.
        new: Whether the node is generated, and not updated: only then the project is there in all renders.
    """
    found = list(_problems(project, node, answers, paths, new=new))
    if not found:
        return ""
    return f"{node.full_name} can't be generated into {project}:\n" + "\n".join(f"  {problem}" for problem in found)


def _problems(project: Path, node: Node, answers: str, paths: Sequence[str], *, new: bool) -> Iterator[str]:
    place = node.place
    if place.inside and answers != place.answers:
        yield f"the answers are in {answers}, those of this node belong in {place.answers}"
        yield "the name, the type and the layout of a node stay: generate another node, and remove this one"
        return
    if not place.inside:
        if place_of(answers).inside:
            yield f"layout is not node, and {answers} is for a node in a project that is there"
        return
    if not new:
        # An update renders into empty folders, too.
        if places_in(project) and not (project / answers).is_file():
            yield f"there is no {answers}: the layout of a node stays"
        return
    yield from _of_settings(project, node)
    package = f"src/{node.package_path}"
    if not (project / package).is_dir():
        yield f"there is no folder {package}: `package` has to name a package of this project, below src"
    try:
        known = ownership.read(project, place) if (project / place.answers).is_file() else {}
        whole = ownership.read(project, Place())
    except UntrustedNameError as error:
        yield str(error)
        return
    if whole.get("node") == node.full_name:
        yield f"{node.full_name} is the node that the project was generated with: change node.yaml"
        return
    own = {*known.get("files", {}), *((place.manifest,) if known else ())}
    in_the_way = [path for path in (*paths, place.manifest) if path not in own and (project / path).exists()]
    in_the_way = list(dict.fromkeys(in_the_way))
    if in_the_way:
        more = f" and {len(in_the_way) - _SHOWN} more" if len(in_the_way) > _SHOWN else ""
        yield f"these files are in the way: {', '.join(in_the_way[:_SHOWN])}{more}"


def _of_settings(project: Path, node: Node) -> Iterator[str]:
    try:
        settings = tomllib.loads((project / _PYPROJECT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        yield f"there is no {_PYPROJECT}: layout node is for a project that is there"
        return
    except (OSError, ValueError) as error:
        yield f"{_PYPROJECT} can't be read: {error}"
        return
    table = settings.get("project")
    if not isinstance(table, dict):
        yield f"{_PYPROJECT} has no [project], in which the entry point is registered"
        return
    if "entry-points" in table.get("dynamic", ()):
        yield f"{_PYPROJECT} says that entry points are dynamic, so none can be registered there"
        return
    registered = table.get("entry-points", {}).get(_GROUP, {}).get(node.full_name, node.module)
    if registered != node.module:
        yield f"{_PYPROJECT} has the entry point {node.full_name} for {registered}"
        return
    try:
        _changed(project, (project / _PYPROJECT).read_bytes(), node.full_name, node.project_needs, Registration())
    except ValueError as error:
        yield str(error)


@dataclass
class Registration:
    """What a project got, so that it holds a node.

    Attributes:
        done: What was written, for people.
        left: What only a person can do.
        before: The bytes that files had; None for a file that was not there.
    """

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    before: dict[Path, bytes | None] = field(default_factory=dict)

    def undo(self) -> None:
        """Make the files what they were."""
        for path, content in self.before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)


def register(project: Path, manifest: Mapping[str, Any]) -> Registration:
    """Write into a project what a node needs there, and leave everything else as it is; a second time does nothing.

    Args:
        project: The project's root.
        manifest: The node's manifest.

    Returns:
        What was done.

    Raises:
        ValueError: When pyproject.toml can't be changed; nothing is written then.
    """
    registration = Registration()
    wanted: dict[str, Any] = manifest["project"]
    file = file_in(project, _PYPROJECT)
    package = file_in(project, f"src/{wanted['package']}/nodes/__init__.py")
    before = file.read_bytes()
    if _CONFLICT in before:
        registration.left.append(f"{_PYPROJECT} is in conflict: resolve it, and run update-node again")
        return registration
    after = _changed(project, before, manifest["node"], wanted, registration)
    if after != before:
        registration.before[file] = before
        file.write_bytes(after)
    if not package.exists():
        registration.before[package] = None
        package.write_text(_PACKAGE_FILE, encoding="utf-8")
        registration.done.append(package.relative_to(project).as_posix())
    return registration


def _changed(project: Path, before: bytes, node: str, wanted: Mapping[str, Any], registration: Registration) -> bytes:
    """Return pyproject.toml with what a node needs.

    Raises:
        ValueError: When it can't be written so that nothing else in it changes.
    """
    text = before.decode()
    end = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    try:
        document = tomlkit.parse(text)
        _Settings(project, document, registration).add(node, wanted)
        after = _apart(text, document.as_string())
        sound = tomllib.loads(after) == document.unwrap() and _kept(tomllib.loads(text), tomllib.loads(after))
    except (TOMLKitError, TypeError, ValueError) as error:
        message = f"{_PYPROJECT} can't be added to: {error}"
        raise ValueError(message) from error
    if not sound:
        message = (
            f"{_PYPROJECT} has tables of a form that can't be added to: write out [project] and [tool.…] as tables"
        )
        raise ValueError(message)
    return after.replace("\n", end).encode()


def _kept(before: Any, after: Any) -> bool:
    """Tell whether all values are there still; lists and texts may have got longer."""
    if isinstance(before, dict):
        return all(key in after and _kept(value, after[key]) for key, value in before.items())
    if isinstance(before, list):
        return bool(before == after[: len(before)])
    return bool(after.startswith(before.rstrip("\n")) if isinstance(before, str) else before == after)


def _apart(before: str, after: str) -> str:
    """Return settings with an empty line before each table that new lines precede."""
    known = set(pairwise(before.splitlines()))
    lines = after.splitlines(keepends=True)
    spaced = lines[:1]
    for previous, line in pairwise(lines):
        close = line.startswith("[") and previous.strip() and not previous.startswith("#")
        if close and (previous.rstrip("\n"), line.rstrip("\n")) not in known:
            spaced.append("\n")
        spaced.append(line)
    return "".join(spaced)


class _Settings:
    """The settings in pyproject.toml, with their comments and layout."""

    def __init__(self, project: Path, document: tomlkit.TOMLDocument, registration: Registration) -> None:
        self._project = project
        self._document: Any = document
        self._registration = registration

    def add(self, node: str, wanted: Mapping[str, Any]) -> None:
        """Add what is missing."""
        points = _table(_table(self._document["project"], "entry-points"), _GROUP)
        if node not in points:
            points[node] = wanted["module"]
            self._done(f'the entry point {node} = "{wanted["module"]}"')
        self._requirements(wanted["requirements"], wanted["dev_requirements"])
        self._pytest()
        self._mypy(wanted["untyped"])

    def _done(self, what: str) -> None:
        self._registration.done.append(f"{what}, in {_PYPROJECT}")

    def _requirements(self, run: Sequence[str], dev: Sequence[str]) -> None:
        project = self._document["project"]
        if "dependencies" in project.get("dynamic", ()):
            self._registration.left.append(f"dependencies are dynamic: the node needs {', '.join(run)}")
        else:
            self._extend(project, "dependencies", run, _names(project.get("dependencies", ())))
        groups = self._document.get("dependency-groups", {})
        extras = project.get("optional-dependencies", {})
        declared = _names(project.get("dependencies", ()))
        declared |= {name for listed in (*groups.values(), *extras.values()) for name in _names(listed)}
        if {_name(requirement) for requirement in dev} <= declared:
            return
        if "dev" in groups or ("dev" not in extras and groups):
            self._extend(groups, "dev", dev, declared)
        else:
            self._extend(_table(project, "optional-dependencies"), "dev", dev, declared)

    def _extend(self, table: Any, key: str, requirements: Sequence[str], declared: set[str]) -> None:
        missing = [requirement for requirement in requirements if _name(requirement) not in declared]
        if not missing:
            return
        if key not in table:
            table[key] = tomlkit.array()
        _append(table[key], missing)
        self._done(f"{', '.join(missing)} in {key}")

    def _pytest(self) -> None:
        elsewhere = [name for name in _PYTEST_FILES if (self._project / name).is_file()]
        if elsewhere:
            self._registration.left.append(
                f"pytest reads {elsewhere[0]}: set asyncio_mode = auto there, and the markers {', '.join(_MARKERS)}"
            )
            return
        tool = _table(self._document, "tool")
        options = _table(_table(tool, "pytest"), "ini_options")
        if "asyncio_mode" not in options:
            options["asyncio_mode"] = "auto"
            options.setdefault("asyncio_default_fixture_loop_scope", "function")
            self._done('asyncio_mode = "auto" for pytest')
        elif options["asyncio_mode"] != "auto":
            self._registration.left.append('the tests of the node need asyncio_mode = "auto" of pytest')
        markers = options.get("markers", [])
        if isinstance(markers, str):
            known = {line.partition(":")[0].strip() for line in markers.splitlines()}
        else:
            known = {str(marker).partition(":")[0].strip() for marker in markers}
        missing = [text for name, text in _MARKERS.items() if name not in known]
        if missing and isinstance(markers, str):
            options["markers"] = tomlkit.string("\n".join((markers.rstrip("\n"), *missing, "")), multiline=True)
        elif missing:
            if "markers" not in options:
                options["markers"] = tomlkit.array()
            _append(options["markers"], missing)
        if missing:
            self._done("markers of pytest")

    def _mypy(self, untyped: Sequence[str]) -> None:
        mypy = self._document.get("tool", {}).get("mypy")
        if mypy is None or not untyped or mypy.get("ignore_missing_imports"):
            return
        overrides = mypy.get("overrides")
        known = {
            module
            for override in overrides or ()
            if override.get("ignore_missing_imports")
            for module in ([override["module"]] if isinstance(override["module"], str) else override["module"])
        }
        missing = [module for module in untyped if module not in known]
        if not missing:
            return
        override = tomlkit.table()
        override["module"] = missing
        override["ignore_missing_imports"] = True
        if overrides is None:
            mypy["overrides"] = overrides = tomlkit.aot()
        overrides.append(override)
        self._done(f"{', '.join(missing)} without types for mypy")


def _table(parent: Any, key: str) -> Any:
    """Return a table, which is made where there is none; its own line is left out while it holds tables alone."""
    if key not in parent:
        parent[key] = tomlkit.table(is_super_table=True)
    return parent[key]


def _append(items: Array, values: Iterable[str]) -> None:
    spread = not items or "\n" in items.as_string()
    for value in values:
        if spread:
            items.add_line(value)
        else:
            items.append(value)
    if spread:
        items.multiline(multiline=True)


def _names(requirements: Iterable[object]) -> set[str]:
    return {_name(requirement) for requirement in requirements if isinstance(requirement, str)}


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return canonicalize_name(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
