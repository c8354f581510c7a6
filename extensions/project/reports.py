"""Where reports on a node lie: in folders that no repository holds."""

from pathlib import Path

from .places import Place, file_in


def folder(project: Path, place: Place) -> Path:
    """Return the folder for reports on a node, which is made, and which git ignores whatever the project ignores.

    Args:
        project: The project's root.
        place: Where the node is in it.

    Raises:
        OSError: When it can't be made.
        UntrustedNameError: When the project has a link in its place.
    """
    reports = file_in(project, place.build)
    reports.mkdir(parents=True, exist_ok=True)
    if place.inside and not (reports / ".gitignore").exists():
        (reports / ".gitignore").write_text("*\n", encoding="utf-8")
    return reports
