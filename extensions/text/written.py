"""Files that commands write: whole or not at all, and never over another one."""

import os
import sys
import tempfile
from pathlib import Path

from . import streams


def write(path: Path, words: str) -> None:
    """Write a file that is not there, whole or not at all.

    Args:
        path: The file.
        words: What goes into it.

    Raises:
        FileExistsError: When there is a file of the name.
        OSError: When it can't be written.
    """
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        written = Path(stream.name)
        try:
            stream.write(words.encode())
            stream.flush()
            written.chmod(0o644)
            try:
                os.link(written, path)
            except OSError as error:
                # The user knows of one of the two files.
                error.filename = str(path)
                raise
        finally:
            written.unlink()


def show(words: str) -> None:
    """Print what a command makes to standard output.

    Args:
        words: What it makes: a report is said instead, since nothing is lost with it.

    Raises:
        UnheardError: When it can't be written.
    """
    if not streams.say(words):
        raise streams.UnheardError


def say(words: str) -> None:
    """Print lines to standard error, each with escapes where it would garble a terminal."""
    for line in words.splitlines():
        print(line if line.isprintable() else ascii(line), file=sys.stderr)  # noqa: T201 - what commands are for
