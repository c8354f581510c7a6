"""The command `fill-node`: a model writes bodies of custom handlers, which are checked before they are put in."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..asking import figures
from ..asking.client import AskingError
from ..asking.options import Asking, asking_options
from ..project import reports
from ..project.places import UntrustedNameError, places_in
from ..terminal.command import command, folder_argument, json_option, node_option, run, say_json
from ..terminal.status import Status
from ..text import streams
from . import prompt
from .fill import Filling, Node, NodeError, node_in
from .stubs import Stub


@command(
    "fill-node",
    "Let a model write custom handlers that are still stubs, and check them before they are put in.",
    ("fill-node . --dry-run", "show what a model would be told"),
    ("fill-node . --operation greet --model NAME --base-url https://models.example.org/v1", "fill one stub"),
    several=("--operation",),
)
@folder_argument()
@node_option("One node of the project alone, such as node_hashing_compute.")
@click.option("--operation", "operations", metavar="NAME...", multiple=True, help="These operations alone.")
@click.option("--dry-run", is_flag=True, help="Show what a model would be told, and ask none.")
@click.option("--allow-unproven", is_flag=True, help="Take bodies of operations without examples, or without tests.")
@json_option("the report")
@asking_options
def _command(
    asking: Asking,
    *,
    asked_for: bool,
    folder: Path,
    node: str | None,
    operations: Sequence[str],
    dry_run: bool,
    allow_unproven: bool,
    as_json: bool,
) -> int:
    del asked_for
    try:
        chosen = _chosen(folder, node, list(operations))
    except (NodeError, UntrustedNameError, OSError) as error:
        streams.warn(f"fill-node: {error}\n")
        return Status.USAGE
    if dry_run:
        told = [(stub.path, prompt.as_text(each.told(stub))) for each, stubs in chosen for stub in stubs]
        if as_json:
            say_json([{"path": str(path), "prompt": text} for path, text in told])
        else:
            streams.say("".join(f"=== {path}\n{text}" for path, text in told))
        return Status.DONE
    done = [_filled(each, stubs, asking, allow_unproven=allow_unproven) for each, stubs in chosen]
    if as_json:
        say_json([report for _, report in done])
    return max(status for status, _ in done)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the stubs of the project that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when no stub is left of those that were named, 1 when one is, 2 when there is nothing to fill in, 130 when it
        was interrupted. What did not pass is as it was, byte for byte.
    """
    return run(_command, arguments)


def _chosen(folder: Path, name: str | None, operations: list[str]) -> list[tuple[Node, list[Stub]]]:
    """Return nodes with the stubs to fill.

    Raises:
        NodeError: There are none, or what was named is no stub.
    """
    project = folder.resolve()
    places = [place for place in places_in(project) if name is None or place.node == name]
    if not places:
        raise NodeError(
            f"no node {name} was generated into {folder}" if name else f"no node was generated into {folder}"
        )
    nodes = [node_in(project, place) for place in places]
    for operation in dict.fromkeys(operations):
        if any(operation in node.written for node in nodes):
            raise NodeError(f"{operation} is written already: its handler is a person's, and left alone")
        if not any(stub.name == operation for node in nodes for stub in node.stubs):
            raise NodeError(f"no operation {operation} has a custom handler")
    chosen = [(node, [stub for stub in node.stubs if not operations or stub.name in operations]) for node in nodes]
    chosen = [(node, stubs) for node, stubs in chosen if stubs]
    if not chosen:
        raise NodeError("no custom handler is still to be written")
    return chosen


def _filled(
    node: Node, stubs: Sequence[Stub], asking: Asking, *, allow_unproven: bool
) -> tuple[int, Mapping[str, Any]]:
    """Fill the stubs of one node; return the exit status, and what is reported."""
    filling = Filling(node, asking, allow_unproven)
    status: int = Status.DONE
    report: dict[str, Any] = {}
    try:
        filling.fill(stubs)
    except KeyboardInterrupt:
        streams.warn("Interrupted: what is not in the table as filled is as it was.\n")
        status = Status.INTERRUPTED
    except AskingError as error:
        streams.warn(f"fill-node: {error}\n")
        status = Status.NOT_DONE
    if filling.made:
        report = figures.report("fill-node", asking.strategy, asking.model, filling.made)
        figures.write(reports.folder(node.project, node.place) / "fill.json", report)
        figures.show(asking.strategy, filling.made)
        for made in filling.made:
            if made.note:
                streams.warn(f"{made.name}: {_shown(made.note)}\n")
    return status or int(any(not made.succeeded for made in filling.made)), report


def _shown(text: str) -> str:
    """Return a text without what moves a terminal, which an answer may have made its tests say."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


if __name__ == "__main__":
    sys.exit(main())
