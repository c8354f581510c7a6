# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""Starts, for `make run`, what nodes of the same project need that the node calls in its process."""

from collections.abc import Iterable
from contextlib import ExitStack
from importlib import import_module
from inspect import signature
from typing import Any

TESTS = __name__.partition(".")[0]


def start_servers_of(nodes: Iterable[str], servers: ExitStack) -> None:
    """Start servers in place of what the environment does not name, for nodes and those that they call in turn.

    Args:
        nodes: ONEX's names of nodes; what nodes of other projects need is for the environment to name.
        servers: Takes what is to be ended.
    """
    waiting, started, apis = [*nodes], set[str](), dict[str, Any]()
    while waiting:
        node = waiting.pop()
        run_local = None if node in started else _run_local(node)
        started.add(node)
        if run_local is not None:
            waiting += run_local.PEERS
            if hasattr(run_local, "start_servers"):
                # What nodes without APIs have, and what older versions generated, takes no APIs.
                takes_apis = len(signature(run_local.start_servers).parameters) > 1
                run_local.start_servers(servers, *([apis] if takes_apis else []))


def _run_local(node: str) -> Any:
    """Return the module of a node that runs it locally; None where it needs none, or is not of this project."""
    for name in (f"{TESTS}.nodes.{node}.run_local", f"{TESTS}.run_local"):
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            continue
        # What an older version generated says nothing of itself.
        if getattr(module, "NODE", "") == node:
            return module
    return None
