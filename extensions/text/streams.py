"""What commands say: never the reason why they fail, whatever the terminal, the pipe or the locale can take."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO


def tolerate() -> None:
    """Let the standard streams take every text: what their encoding lacks is written with escapes.

    One that was closed before the process began leads nowhere, and no file that is opened later takes its place.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
            continue
        with suppress(AttributeError, ValueError, OSError):  # replaced, or closed
            stream.reconfigure(errors="backslashreplace")


class UnheardError(Exception):
    """What was to be written to standard output is lost."""


def say(text: str, stream: TextIO | None = None) -> bool:
    """Write a text to standard output or another stream; where nobody reads, or the disk is full, it is lost.

    Returns:
        Whether it was written.
    """
    stream = stream or sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except ValueError:
        return False
    except OSError:
        # Python flushes once more at its end, and would fail for this.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return False
    return True


def warn(text: str) -> None:
    """Write a text to standard error."""
    say(text, sys.stderr)
