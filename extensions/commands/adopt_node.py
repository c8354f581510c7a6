"""The command `adopt-node`: turns a node that was written by hand into a contract."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..adopting.node import NoNodeError, adopt
from ..terminal.command import command, json_option, output_option, package_option, run
from ..terminal.status import Status
from ..text.written import say, write
from .adopted import deliver


@command(
    "adopt-node",
    "Turn a node that was written by hand into a contract. Nothing of the node is run.",
    ("adopt-node src/shop/nodes/node_order_effect -o node.yaml --report adopted.md", "write the contract and a report"),
    ("copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST", "generate the node anew"),
)
@click.argument("folder", metavar="DIR", type=click.Path())
@package_option("that of the old one when left out")
@output_option
@click.option(
    "--report",
    type=click.Path(),
    metavar="FILE",
    help="A Markdown file for what has to be looked at; it must not be there.",
)
@json_option("the contract, with what has to be looked at,")
def _command(folder: str, package: str | None, output: str | None, report: str | None, *, as_json: bool) -> int:
    try:
        adopted = adopt(Path(folder), package)
        taken = [name for name in (output, report) if name is not None and Path(name).exists()]
        if taken:
            say("\n".join(f"{name!r}: File exists" for name in taken))
            return Status.NOT_DONE
        if report is not None:
            write(Path(report), adopted.report())
        return deliver(adopted, output, as_json=as_json)
    except NoNodeError as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
    return Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of a node that was written by hand.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the folder holds no
        node that can be read, in which case nothing is written.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
