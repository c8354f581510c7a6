"""The command `validate-node`: validates any node's project, generated or written by hand."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
    parser.add_argument("--level", choices=LEVELS, help="default: what its contract says, or else standard")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as JSON")
    parser.add_argument("--no-tests", action="store_true", help="leave the unit tests out of strict")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    if not folder.is_dir():
        sys.stderr.write(f"validate-node: {folder} is no folder\n")
        return 2
    report = validate(folder, options.level or level_of(folder), tests=not options.no_tests)
    sys.stdout.write(f"{report.table()}\n")
    if options.json:
        options.json.write_text(report.as_json(), encoding="utf-8")
    return 0 if report.passed else 1


def level_of(folder: Path) -> str:
    """Return the level that a generated project's contract asks for; `standard` for any other."""
    manifest = Project(folder).manifest or {}
    level = manifest.get("validation_level")
    return level if level in LEVELS else "standard"


if __name__ == "__main__":
    sys.exit(main())
