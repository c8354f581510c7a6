"""The manifest of a generated project: which files there are, whose they are, and what their classes promise."""

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

import yaml
from copier._jinja_ext import get_yield_context
from jinja2 import Environment
from pathspec import GitIgnoreSpec

from ..home import ROOT
from ..project.ownership import THERE_BEFORE, document
from .node import NodeView

_FORMAT = 1
_SUFFIX = ".j2"


def render(files: Sequence[str], answers: str, node: NodeView, kept: Collection[str] = ()) -> str:
    """Return the manifest as JSON, its hashes left open: nothing is written yet.

    Args:
        files: The paths that the template yields.
        answers: The path of Copier's answers.
        node: The view of the contract.
        kept: The paths that were there before.
    """
    template = ROOT
    yours = _yours(template)
    entries: dict[str, dict[str, object]] = {}
    for path in files:
        if path != node.place.manifest:
            owner = "yours" if yours.match_file(path) else "copier" if path == answers else "generated"
            entries[path] = {"owner": owner}
            if owner == "yours" and path in kept:
                entries[path][THERE_BEFORE] = True
    manifest = {
        "format": _FORMAT,
        "node": node.full_name,
        "validation_level": node.contract.validation_level,
        "operations": {operation.name: _shape(operation) for operation in node.operations},
        "files": entries,
        "classes": {path: classes for path, classes in promises(node).items() if path in entries},
    }
    if node.place.inside:
        manifest["project"] = node.project_needs
    return document(manifest)


def paths(environment: Environment, context: Mapping[str, Any], left_out: Sequence[str]) -> list[str]:
    """Return the paths that the template yields for a contract, as Copier renders them, sorted.

    Args:
        environment: The environment that renders the template.
        context: What its templates are handed.
        left_out: Patterns of the paths that the node does without.
    """
    root = ROOT
    fixed = (pattern for pattern in _settings(root).get("_exclude", []) if "{" not in pattern)
    foreign = GitIgnoreSpec.from_lines([*fixed, *left_out])
    found = map(normpath, _rendered(environment, context, root / "template"))
    return sorted(path for path in found if not foreign.match_file(path))


def _rendered(environment: Environment, context: Mapping[str, Any], folder: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        part = entry.name if entry.is_dir() else entry.name.removesuffix(_SUFFIX)
        for inner, name in _names(environment, context, part):
            if name and entry.is_dir():
                for path in _rendered(environment, inner, folder / entry.name):
                    yield f"{name}/{path}"
            elif name:
                yield name


def _names(environment: Environment, context: Mapping[str, Any], part: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield what a part of a path becomes, each with the context for what is below it."""
    if "{" not in part:
        yield context, part
        return
    text = environment.from_string(part).render(context)
    found = get_yield_context(environment)
    if not found.yield_name:
        yield context, text
        return
    name, values = found.yield_name, found.yield_iterable or ()
    for value in values:
        inner = {**context, name: value}
        yield inner, environment.from_string(part).render(inner)


def _settings(template: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    settings: dict[str, Any] = loader((template / "copier.yml").read_text(encoding="utf-8")).get_single_data()
    return settings


def _yours(template: Path) -> GitIgnoreSpec:
    """Return the patterns of files that are written once: Copier's own setting, so that both say the same."""
    return GitIgnoreSpec.from_lines(_settings(template).get("_skip_if_exists", []))


def _shape(operation: Any) -> str:
    """Return a digest of what an operation takes and gives, by which a renamed one is recognised."""
    sides = [[(field.name, field.summary) for field in side.fields] for side in (operation.input, operation.output)]
    return hashlib.sha256(json.dumps([sides, operation.description]).encode()).hexdigest()[:16]


def promises(node: NodeView) -> dict[str, dict[str, dict[str, Any]]]:
    """Return which classes the contract promises, with bases, methods and members.

    Args:
        node: The view of the contract.

    Returns:
        Per path and class: `bases` and `members` as names, `methods` as names of their arguments,
        and the `awaited` ones among them.
    """
    promised: dict[str, dict[str, dict[str, Any]]] = {}

    def add(symbol: tuple[str, str], **what: Any) -> None:
        path = f"src/{symbol[0].replace('.', '/')}.py"
        promised.setdefault(path, {})[symbol[1]] = {key: value for key, value in what.items() if value}

    handle = {"handle": ["self", "request"]}
    add(node.node, bases=[node.node_parent[1], *(base.partition("[")[0].rpartition(".")[2] for base in node.bases)])
    add(node.lifecycle, bases=[node.running_class])
    if node.base.service_mode:
        add(
            node.tool_server,
            bases=["ToolServing", node.lifecycle[1]],
            methods={"run": ["self", "request"]},
            awaited=["run"],
        )
    add(node.handler, bases=["EntryPoint"], methods=handle, awaited=["handle"])
    add(node.settings)
    add(node.request, bases=["ModelOperationRequest"])
    add(node.response, bases=["ModelOperationResponse"])
    add(node.operation_enum, members=[operation.constant for operation in node.operations])
    for operation in node.operations:
        add(operation.handler, methods=handle)
    for enum in node.enums:
        add(enum.symbol, members=[member for member, _ in enum.members])
    for kind in node.types:
        add(kind.symbol, members=[field.name for field in kind.fields])
    return promised
