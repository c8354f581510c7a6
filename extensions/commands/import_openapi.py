"""The command `import-openapi`: turns a description of an HTTP API into a contract."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..adopting.openapi import adopt
from ..adopting.reference import BrokenError
from ..text.written import say, show, write
from .adopted import told

_EXAMPLE = """\
example:
  import-openapi petstore.yaml --operations listPets,showPetById -o node.yaml
  copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of an effect node for an API.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the document can't
        be read, in which case nothing is written.
    """
    parser = argparse.ArgumentParser(
        prog="import-openapi",
        description="Turn a description of an HTTP API in OpenAPI 3 into the contract of an effect node.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("document", metavar="SPEC", help="the document, JSON or YAML")
    parser.add_argument(
        "--operations", default="", metavar="NAME,...", help="the operations to take; all when left out"
    )
    parser.add_argument("--tag", help="take the operations with this tag only")
    parser.add_argument("--package", help="the node's Python package; one called after the API when left out")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; it must not be there")
    options = parser.parse_args(arguments)
    wanted = [name.strip() for name in options.operations.split(",") if name.strip()]
    try:
        adopted = adopt(Path(options.document), options.package, wanted, options.tag)
        if options.output is None:
            show(adopted.document())
        else:
            write(Path(options.output), adopted.document())
    except BrokenError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
        return 1
    return told(adopted)


if __name__ == "__main__":
    sys.exit(main())
