"""The command `import-openapi`: turns a description of an HTTP API into a contract."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..adopting.openapi import adopt
from ..adopting.reference import BrokenError
from ..terminal.command import command, json_option, output_option, package_option, run
from ..terminal.status import Status
from ..text.written import say
from .adopted import deliver


@command(
    "import-openapi",
    "Turn a description of an HTTP API in OpenAPI 3 into the contract of an effect node.",
    (
        "import-openapi petstore.yaml --operations listPets,showPetById -o node.yaml",
        "write a contract of two operations",
    ),
    ("copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST", "generate the node"),
)
@click.argument("document", metavar="SPEC", type=click.Path())
@click.option("--operations", default="", metavar="NAME,...", help="The operations to take; all when left out.")
@click.option("--tag", metavar="NAME", help="Take the operations with this tag only.")
@package_option("one called after the API when left out")
@output_option
@json_option("the contract, with what has to be looked at,")
def _command(
    document: str, operations: str, tag: str | None, package: str | None, output: str | None, *, as_json: bool
) -> int:
    wanted = [name.strip() for name in operations.split(",") if name.strip()]
    try:
        return deliver(adopt(Path(document), package, wanted, tag), output, as_json=as_json)
    except BrokenError as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
    return Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of an effect node for an API.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the document can't
        be read, in which case nothing is written.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
