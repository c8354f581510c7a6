"""Which modules of the runtime a node holds: those that its generated code imports, and those that they import."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .view import NodeView

FOLDER = Path(__file__).resolve().parents[1] / "runtime" / "onex_node_runtime"
PACKAGE = FOLDER.name
REQUIREMENT = "onex-node-runtime>=0.1,<0.2"
_DOUBLES_FOLDER = FOLDER.parent / "doubles"
_RELATIVE_IMPORT = re.compile(r"^\s*from (\.+)([\w.]*) import ", re.MULTILINE)

# What generated code imports, by what tells that it does.
_ROOTS: Mapping[str, Callable[["NodeView"], object]] = {
    "discovery": lambda node: node.consul,
    "patterns": lambda node: node.security and node.security.forbidden_patterns,
    "compute_pool": lambda node: node.aggregating or node.compute_operations,
}
_DOUBLES: Mapping[str, Callable[["NodeView"], object]] = {"consul_agent": lambda node: node.consul}


def package(node: "NodeView") -> str:
    """Return the package that the node imports the runtime from: a copy of its own, or the installed one."""
    return f"{node.module}.runtime" if node.contract.runtime == "copy" else PACKAGE


def modules(node: "NodeView") -> tuple[str, ...]:
    """Return the modules that the node holds a copy of, as paths without their suffix, sorted."""
    if node.contract.runtime != "copy":
        return ()
    found: set[str] = {"__init__"}
    wanted = ["settings/types", *(base.module.replace(".", "/") for base in node.settings_class.bases)]
    wanted += [module for module, needed in _ROOTS.items() if needed(node)]
    while wanted:
        module = wanted.pop()
        if module not in found:
            found.add(module)
            wanted += _imported(module)
    return tuple(sorted(found))


def doubles(node: "NodeView") -> tuple[str, ...]:
    """Return the modules that the node's tests have copies of, for what stands in for servers."""
    return tuple(module for module, needed in _DOUBLES.items() if needed(node))


def double_source(module: str) -> str:
    """Return the text of a module that stands in for a server."""
    return (_DOUBLES_FOLDER / f"{module}.py").read_text(encoding="utf-8")


def source(module: str) -> str:
    """Return the text of a module, which nodes hold as it is.

    Args:
        module: Its path without the suffix, below the package.
    """
    return (FOLDER / f"{module}.py").read_text(encoding="utf-8")


def _imported(module: str) -> Iterator[str]:
    parents = module.split("/")[:-1]
    if parents:
        yield "/".join([*parents, "__init__"])
    for dots, name in _RELATIVE_IMPORT.findall(source(module)):
        folder = parents[: len(parents) - len(dots) + 1]
        yield "/".join([*folder, *name.split(".")])
