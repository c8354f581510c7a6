"""Updates that were cut off: whether there is one, and how the project becomes what it was."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..project import vcs
from ..project.snapshot import Snapshot
from .apply import Journal


class UpdateError(Exception):
    """An update did not happen; the message says why, and the project is what it was."""


def is_unfinished(project: Path) -> bool:
    """Whether an update of a project is under way, or was cut off."""
    return Journal(project).unfinished or Snapshot.of(project).exists


def undo(project: Path) -> list[str]:
    """Make a project what it was before an update that was cut off, by this or by Copier alone.

    Args:
        project: The project's root.

    Returns:
        Files that someone has edited since; they are left alone.

    Raises:
        UpdateError: When there have been commits since Copier was cut off; nothing is changed then.
    """
    project = project.resolve()
    journal, snapshot = Journal(project), Snapshot.of(project)
    with alone(project):
        edited = journal.undo() if journal.unfinished else []
        if snapshot.exists:
            try:
                snapshot.restore()
            except ValueError as error:
                raise UpdateError(str(error)) from error
    return edited


@contextmanager
def alone(project: Path) -> Iterator[None]:
    """Wait until no other process updates or repairs a project of this repository, and keep others waiting."""
    folder = os.open(vcs.git_folder(project), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
