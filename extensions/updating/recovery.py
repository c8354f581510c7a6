"""Updates that were cut off, or that nobody wants: how the project becomes what it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from plumbum.fs.atomic import locked_file

from ..project import vcs
from ..project.snapshot import Snapshot
from .apply import Journal, Undone, unmark_conflicts

# The lock of the file is the process's, whichever of its threads asks.
_TURN: Final = Lock()


class UpdateError(Exception):
    """An update did not happen; the message says why, and the project is what it was."""


def is_unfinished(project: Path) -> bool:
    """Whether an update of a project is under way, or was cut off."""
    return Journal(project).unfinished or Snapshot.of(project).exists


def undo(project: Path, *, finished: bool = False) -> Undone | None:
    """Make a project what it was before an update that was cut off, by this or by Copier alone.

    Args:
        project: The project's root.
        finished: Whether to undo the last update, too, where none was cut off.

    Returns:
        What was done; None when there is nothing to undo.

    Raises:
        UpdateError: When there have been commits since Copier was cut off; nothing is changed then.
    """
    project = project.resolve()
    journal, snapshot = Journal(project), Snapshot.of(project)
    with alone(project):
        undone = None
        if journal.unfinished or (finished and journal.finished and not snapshot.exists):
            undone = journal.undo()
            unmark_conflicts(project, undone.back)
        if snapshot.exists:
            undone = undone or Undone()
            try:
                snapshot.restore()
            except ValueError as error:
                raise UpdateError(str(error)) from error
    return undone


@contextmanager
def alone(project: Path) -> Iterator[None]:
    """Wait until no other process updates or repairs a project of this repository, and keep others waiting."""
    file = vcs.git_folder(project) / "onex.lock"
    with _TURN, file.open("ab") as opened, locked_file(opened.fileno()):
        yield
