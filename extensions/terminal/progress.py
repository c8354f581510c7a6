"""How far a long piece of work has come: moving on a terminal, lines elsewhere, on standard error either way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..text import streams

type Advance = Callable[[str], None]
"""Says that one more is done, with a word on it that may be empty."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show how many are done.

    Args:
        what: What is done, such as `Updating`.
        total: How many there are; of one alone nothing is shown.
    """
    console = Console(stderr=True)
    done = 0

    def line(text: str) -> None:
        nonlocal done
        done += 1
        streams.warn(f"{what} {done}/{total}{f': {text}' if text else ''}\n")

    if total <= 1:
        yield lambda _: None
    elif not console.is_terminal:
        yield line
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as shown:
            task = shown.add_task(what, total=total)

            def advance(text: str) -> None:
                shown.advance(task)
                if text:
                    shown.console.print(Text(text))

            yield advance
