"""The command `fill-node`: a model writes bodies of custom handlers, which are checked before they are put in."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..asking import figures
from ..asking import options as model_options
from ..asking.client import AskingError
from ..asking.options import Asking
from ..project import reports
from ..project.places import UntrustedNameError, places_in
from ..text import streams
from . import prompt
from .fill import Filling, Node, NodeError, node_in
from .stubs import Stub

_INTERRUPTED = 130
_EXAMPLE = """\
example:
  fill-node . --dry-run
  fill-node . --operation greet --model NAME --base-url https://models.example.org/v1
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the stubs of the project that the command line names.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when no stub is left of those that were named, 1 when one is, 2 when there is nothing to fill in, 130 when it
        was interrupted. What did not pass is as it was, byte for byte.
    """
    parser = argparse.ArgumentParser(
        prog="fill-node",
        description="Let a model write custom handlers that are still stubs, and check them before they are put in.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the project; default: here")
    parser.add_argument("--node", metavar="NAME", help="one node of the project alone, such as node_hashing_compute")
    parser.add_argument(
        "--operation", metavar="NAME", action="extend", nargs="+", default=[], help="these operations alone"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what a model would be told, and ask none")
    parser.add_argument(
        "--allow-unproven", action="store_true", help="take bodies of operations without examples, or without tests"
    )
    model_options.add_to(parser)
    options = parser.parse_args(arguments)
    asking = model_options.read(parser, options)
    streams.tolerate()
    try:
        chosen = _chosen(options.folder, options.node, options.operation)
    except (NodeError, UntrustedNameError, OSError) as error:
        streams.warn(f"fill-node: {error}\n")
        return 2
    if options.dry_run:
        for node, stubs in chosen:
            for stub in stubs:
                streams.say(f"=== {stub.path}\n{prompt.as_text(node.told(stub))}")
        return 0
    return max(_filled(node, stubs, asking, allow_unproven=options.allow_unproven) for node, stubs in chosen)


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


def _filled(node: Node, stubs: Sequence[Stub], asking: Asking, *, allow_unproven: bool) -> int:
    filling = Filling(node, asking, allow_unproven)
    status = 0
    try:
        filling.fill(stubs)
    except KeyboardInterrupt:
        streams.warn("Interrupted: what is not in the table as filled is as it was.\n")
        status = _INTERRUPTED
    except AskingError as error:
        streams.warn(f"fill-node: {error}\n")
        status = 1
    if filling.made:
        report = figures.report("fill-node", asking.strategy, asking.model, filling.made)
        figures.write(reports.folder(node.project, node.place) / "fill.json", report)
        figures.show(asking.strategy, filling.made)
        for made in filling.made:
            if made.note:
                streams.warn(f"{made.name}: {_shown(made.note)}\n")
    return status or int(any(not made.succeeded for made in filling.made))


def _shown(text: str) -> str:
    """Return a text without what moves a terminal, which an answer may have made its tests say."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


if __name__ == "__main__":
    sys.exit(main())
