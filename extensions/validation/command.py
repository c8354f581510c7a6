"""The command `validate-node`: validates any node's project, generated or written by hand."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..project.places import Place, UntrustedNameError, places_in
from ..text import streams
from .findings import LEVELS
from .project import Project
from .run import validate


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate the folder that the command line names.

    Args:
        arguments: The command line; that of the process when left out.

    Returns:
        0 when the level is reached, 1 when it is not, 2 when there is nothing to validate.
    """
    parser = argparse.ArgumentParser(prog="validate-node", description="Validate a node's project.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the project or the node; default: here")
    parser.add_argument(
        "--node", metavar="NAME", help="one node of the project alone, such as node_price_quote_compute"
    )
    parser.add_argument("--level", choices=LEVELS, help="default: what its contract says, or else standard")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as JSON")
    parser.add_argument("--no-tests", action="store_true", help="leave the unit tests out of strict")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run code of the project: its own tools and their plugins, and the tests that its contract asks for",
    )
    options = parser.parse_args(arguments)
    streams.tolerate()
    folder: Path = options.folder
    if not folder.is_dir():
        streams.warn(f"validate-node: {folder} is no folder\n")
        return 2
    place = next((place for place in places_in(folder) if place.node == options.node), None)
    if options.node and place is None:
        streams.warn(f"validate-node: no node {options.node} was generated into {folder}\n")
        return 2
    # Tests are the project's code: whoever calls this says that they run, and no file of the project does.
    tests = not options.no_tests and (options.trust or options.level == "strict")
    try:
        level = options.level or level_of(folder, place)
        place = place if options.node else None
        report = validate(folder, level, tests=tests, place=place, trusted=options.trust)
    except UntrustedNameError as error:
        streams.warn(f"validate-node: {error}\n")
        return 1
    streams.say(f"{report.table()}\n")
    if level == "strict" and not tests and not options.no_tests:
        streams.say("The tests are left out, since they run code of the project: say --level strict, or --trust.\n")
    if options.json:
        try:
            options.json.write_text(report.as_json(), encoding="utf-8")
        except OSError as error:
            streams.warn(f"validate-node: the report is not written: {error}\n")
            return 1
    return 0 if report.passed else 1


def level_of(folder: Path, place: Place | None = None) -> str:
    """Return the highest level that the contracts of generated nodes ask for; `standard` where there are none."""
    levels = (manifest.get("validation_level") for manifest in Project(folder, place).manifests)
    return max((level for level in levels if level in LEVELS), key=LEVELS.index, default="standard")


if __name__ == "__main__":
    sys.exit(main())
