"""Refuses an update that would delete a handler written by hand; Copier runs it before anything is written."""

import json
import sys
from pathlib import Path


def orphans(project: Path, operations: list[str]) -> list[Path]:
    """Return the hand-written handlers whose operations are gone.

    Args:
        project: The project's root.
        operations: The operations of the new contract that have hand-written handlers.

    Returns:
        Paths relative to the root, sorted.
    """
    handlers = project.glob("src/**/handlers/custom/handler_*.py")
    return sorted(
        path.relative_to(project) for path in handlers if path.stem.removeprefix("handler_") not in operations
    )


def main() -> None:
    """Look at the project in the current folder, and end with status 1 when a handler would be lost."""
    if lost := orphans(Path.cwd(), json.loads(sys.argv[1])):
        names = "\n".join(f"  {path}" for path in lost)
        sys.exit(
            f"The contract no longer has the operations of these handlers, which are yours:\n{names}\n"
            "Move or delete them and their tests, commit, and update again. Nothing was changed."
        )


if __name__ == "__main__":
    main()
