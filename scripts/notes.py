"""Prints what the changelog says of a version: `python -m scripts.notes v1.0.0`.

It refuses a tag that is not the version of the distribution, and a version that the changelog does not have.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Return the version of the distribution, which stands in one place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def notes(changelog: str, wanted: str) -> str:
    """Return the section of a version, without its heading; empty where there is none.

    Args:
        changelog: A changelog in the form of Keep a Changelog.
        wanted: A version, such as `1.0.0`.
    """
    found = re.search(rf"^## \[{re.escape(wanted)}\][^\n]*\n(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() + "\n" if found else ""


def main(arguments: Sequence[str]) -> int:
    """Print the notes of the version that a tag names.

    Returns:
        1 when the tag names no version that can be released.
    """
    tag = arguments[0] if arguments else ""
    if tag != f"v{version()}":
        print(f"the tag {tag!r} is not v{version()}, the version in pyproject.toml", file=sys.stderr)
        return 1
    text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version())
    if not text:
        print(f"CHANGELOG.md has no section [{version()}]", file=sys.stderr)
        return 1
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
