"""What the exit status of a command says."""

from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """The exit statuses of all commands."""

    DONE = 0
    NOT_DONE = 1
    USAGE = 2
    CONFLICTS = 3
    INTERRUPTED = 130


MEANINGS: Final = {
    Status.DONE: "done, and nothing is wrong",
    Status.NOT_DONE: "not done, and nothing was changed: mistakes in what was given, or a check that failed",
    Status.USAGE: "the command line is wrong, or names nothing to work on",
    Status.CONFLICTS: "done, and some files are in conflict: resolve them as in a merge",
    Status.INTERRUPTED: "interrupted, and nothing was changed",
}
