"""The command `adopt-node`: turns a node that was written by hand into a contract."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..adopting.node import NoNodeError, adopt
from ..text.written import say, show, write
from .adopted import told

_EXAMPLE = """\
example:
  adopt-node src/shop/nodes/node_order_effect -o node.yaml --report adopted.md
  copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of a node that was written by hand.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the folder holds no
        node that can be read, in which case nothing is written.
    """
    parser = argparse.ArgumentParser(
        prog="adopt-node",
        description="Turn a node that was written by hand into a contract. Nothing of the node is run.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="the node's folder, which holds its contract.yaml")
    parser.add_argument("--package", help="the new node's Python package; that of the old one when left out")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; it must not be there")
    parser.add_argument(
        "--report", metavar="FILE", help="a Markdown file for what has to be looked at; it must not be there"
    )
    options = parser.parse_args(arguments)
    try:
        adopted = adopt(Path(options.folder), options.package)
        document, report = adopted.document(), adopted.report()
        taken = [name for name in (options.output, options.report) if name is not None and Path(name).exists()]
        if taken:
            say("\n".join(f"{name!r}: File exists" for name in taken))
            return 1
        if options.report is not None:
            write(Path(options.report), report)
        if options.output is None:
            show(document)
        else:
            write(Path(options.output), document)
    except NoNodeError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
        return 1
    return told(adopted)


if __name__ == "__main__":
    sys.exit(main())
