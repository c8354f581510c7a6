"""The command `validate-node`: validates any node's project, generated or written by hand."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..project.places import Place, UntrustedNameError, places_in
from ..terminal.command import command, folder_argument, json_file_option, json_option, node_option, run
from ..terminal.status import Status
from ..text import streams
from .findings import LEVELS
from .project import Project
from .run import validate


@command(
    "validate-node",
    "Validate a node's project, generated or written by hand.",
    ("validate-node", "the project in this folder, at the level of its contract"),
    ("validate-node orders --level strict", "all that can be checked, unit tests included"),
    ("validate-node shop --node node_price_quote_compute --json", "one node of several, for a program"),
)
@folder_argument()
@node_option("One node of the project alone, such as node_price_quote_compute.")
@click.option("--level", type=click.Choice(LEVELS), help="Default: what its contract says, or else standard.")
@json_option("the report")
@json_file_option
@click.option("--no-tests", is_flag=True, help="Leave the unit tests out of strict.")
@click.option(
    "--trust",
    is_flag=True,
    help="Run code of the project: its own tools and their plugins, and the tests that its contract asks for.",
)
def _command(
    folder: Path,
    node: str | None,
    level: str | None,
    *,
    as_json: bool,
    json_file: Path | None,
    no_tests: bool,
    trust: bool,
) -> int:
    if not folder.is_dir():
        streams.warn(f"validate-node: {folder} is no folder\n")
        return Status.USAGE
    place = next((place for place in places_in(folder) if place.node == node), None)
    if node and place is None:
        streams.warn(f"validate-node: no node {node} was generated into {folder}\n")
        return Status.USAGE
    # Tests are the project's code: whoever calls this says that they run, and no file of the project does.
    tests = not no_tests and (trust or level == "strict")
    try:
        asked = level or level_of(folder, place)
        report = validate(folder, asked, tests=tests, place=place if node else None, trusted=trust)
    except UntrustedNameError as error:
        streams.warn(f"validate-node: {error}\n")
        return Status.NOT_DONE
    if as_json:
        streams.say(report.as_json())
    else:
        streams.say(f"{report.table()}\n")
        if asked == "strict" and not tests and not no_tests:
            streams.say("The tests are left out, since they run code of the project: say --level strict, or --trust.\n")
    if json_file:
        try:
            json_file.write_text(report.as_json(), encoding="utf-8")
        except OSError as error:
            streams.warn(f"validate-node: the report is not written: {error}\n")
            return Status.NOT_DONE
    return Status.DONE if report.passed else Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate the folder that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when the level is reached, 1 when it is not, 2 when there is nothing to validate.
    """
    return run(_command, arguments)


def level_of(folder: Path, place: Place | None = None) -> str:
    """Return the highest level that the contracts of generated nodes ask for; `standard` where there are none."""
    levels = (manifest.get("validation_level") for manifest in Project(folder, place).manifests)
    return max((level for level in levels if level in LEVELS), key=LEVELS.index, default="standard")


if __name__ == "__main__":
    sys.exit(main())
