"""The command `import-openapi`: turns a description of an HTTP API into a contract."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..adopting.adopted import Adopted
from ..adopting.openapi import adopt, adopt_by_tag
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
    ("import-openapi api.json --per-tag -o contracts", "write a contract for each tag of a large document"),
)
@click.argument("document", metavar="SPEC", type=click.Path())
@click.option("--operations", default="", metavar="NAME,...", help="The operations to take; all when left out.")
@click.option("--tag", metavar="NAME", help="Take the operations with this tag only.")
@click.option(
    "--per-tag",
    is_flag=True,
    help="Write a contract for each tag into the folder OUTPUT, which is made where it lacks.",
)
@package_option("one called after the API when left out")
@output_option
@json_option("the contract, with what has to be looked at,")
def _command(
    document: str,
    operations: str,
    tag: str | None,
    package: str | None,
    output: str | None,
    *,
    per_tag: bool,
    as_json: bool,
) -> int:
    wanted = [name.strip() for name in operations.split(",") if name.strip()]
    if per_tag and (wanted or tag or output is None or as_json):
        raise click.UsageError("--per-tag goes with --output, and not with --operations, --tag or --json")
    try:
        if per_tag and output is not None:
            return _deliver_all(adopt_by_tag(Path(document), package), Path(output))
        return deliver(adopt(Path(document), package, wanted, tag), output, as_json=as_json)
    except BrokenError as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
    return Status.NOT_DONE


def _deliver_all(found: Sequence[Adopted], folder: Path) -> int:
    """Write a contract into a file of its own for each of what was taken in, or none where one is there already."""
    files = [folder / f"{one.contract['name']}.yaml" for one in found]
    if there := [file for file in files if file.exists()]:
        say("\n".join(f"'{file}': File exists" for file in there))
        return Status.NOT_DONE
    folder.mkdir(parents=True, exist_ok=True)
    ends = [deliver(one, str(file), as_json=False) for one, file in zip(found, files, strict=True)]
    say(f"{len(files)} contracts in {folder}")
    return max(ends)


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
