"""The command `validate-node`: validates any node's project, generated or written by hand."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..places import Place, places_in
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
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    if not folder.is_dir():
        sys.stderr.write(f"validate-node: {folder} is no folder\n")
        return 2
    place = next((place for place in places_in(folder) if place.node == options.node), None)
    if options.node and place is None:
        sys.stderr.write(f"validate-node: no node {options.node} was generated into {folder}\n")
        return 2
    level = options.level or level_of(folder, place)
    report = validate(folder, level, tests=not options.no_tests, place=place if options.node else None)
    sys.stdout.write(f"{report.table()}\n")
    if options.json:
        options.json.write_text(report.as_json(), encoding="utf-8")
    return 0 if report.passed else 1


def level_of(folder: Path, place: Place | None = None) -> str:
    """Return the highest level that the contracts of generated nodes ask for; `standard` where there are none."""
    levels = (manifest.get("validation_level") for manifest in Project(folder, place).manifests)
    return max((level for level in levels if level in LEVELS), key=LEVELS.index, default="standard")


if __name__ == "__main__":
    sys.exit(main())
