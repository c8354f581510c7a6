"""What commands say: never the reason why they fail, whatever the terminal, the pipe or the locale can take."""

import os
import sys
from contextlib import suppress
from typing import TextIO


def tolerate() -> None:
    """Let the standard streams take every text: what their encoding lacks is written with escapes."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # replaced, or closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # tests replace them


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a text to standard output or another stream; where nobody reads, or the disk is full, it is lost."""
    stream = stream or sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except ValueError:
        return
    except OSError:
        # Python flushes once more at its end, and would fail for this.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def warn(text: str) -> None:
    """Write a text to standard error."""
    say(text, sys.stderr)
