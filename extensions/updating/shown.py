"""What updates did, at a terminal."""

import sys
from collections.abc import Sequence
from io import BytesIO, TextIOWrapper

from rich.console import Console, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ..text import streams
from .apply import Undone
from .fleet import Result
from .update import Updated

_WIDE = 160
_STYLES = {"conflicting": "bold red", "orphaned": "yellow", "merged": "cyan", "added": "green", "removed": "magenta"}


def _print(*parts: RenderableType) -> None:
    """Print to standard output: in colour on a terminal alone, and in whole lines, as its encoding allows."""
    screen = Console(highlight=False)
    content = BytesIO()
    # Lines of tables are ASCII where the encoding has no others.
    encoding = sys.stdout.encoding or "utf-8"
    file = TextIOWrapper(content, encoding=encoding, errors="backslashreplace", newline="")
    console = Console(
        file=file,
        force_terminal=screen.is_terminal,
        no_color=screen.no_color,
        width=screen.width if screen.is_terminal else _WIDE,
        highlight=False,
    )
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))
    file.flush()
    streams.say(content.getvalue().decode(encoding))


def show_update(updated: Updated, *, difference: bool) -> None:
    """Show what an update of one node did, or would do.

    Args:
        updated: What it did.
        difference: Whether to show what differs, line by line.
    """
    comparison = updated.comparison
    parts: list[RenderableType] = [Text(f"{updated.title}. {comparison.headline}", style="bold")]
    if comparison.files:
        table = Table("file", "", "lines before", "lines after", show_footer=True)
        for column, footer in zip(table.columns, ("together", "", *map(str, comparison.lines)), strict=True):
            column.footer = footer
            column.overflow = "fold"
        for file in comparison.ranked:
            kind = Text(file.kind, style=_STYLES.get(file.kind, ""))
            table.add_row(Text(file.path), kind, str(file.lines_before), str(file.lines_after))
        parts.append(table)
    for title, items in comparison.sections:
        parts += [Text(f"\n{title}", style="bold"), *(Text(f"  {item.replace('`', '')}") for item in items)]
    if comparison.leftovers:
        kept = "Edits in files that are not generated any more; each is kept with its difference beside it"
        parts += [Text(f"\n{kept}", style="bold"), *(Text(f"  {name}") for name in comparison.leftovers)]
    if difference and comparison.difference:
        parts += [Text(), Syntax(comparison.difference, "diff", background_color="default", word_wrap=False)]
    _print(*parts)


def show_undone(undone: Undone) -> None:
    """Show what was done to undo an update."""
    lines = [Text("The update is undone; nothing was committed.", style="bold")]
    for what, paths in (("as before", undone.back), ("removed", undone.gone), ("edited since, kept", undone.edited)):
        lines += [Text(f"  {what}: {path}") for path in paths]
    if not (undone.back or undone.gone or undone.edited):
        lines.append(Text("  No file had been changed yet, or git has them back as they were."))
    _print(*lines)


def show_fleet(results: Sequence[Result]) -> None:
    """Show what became of many projects."""
    table = Table("project", "", "what changed")
    for column in table.columns:
        column.overflow = "fold"
    for result in results:
        if not result.updated:
            table.add_row(
                Text(str(result.project)), Text(result.status, "bold red"), Text(result.error.splitlines()[0])
            )
        for updated in result.updated:
            name = f"{result.project}: {updated.place.node}" if updated.place.inside else str(result.project)
            state = Text("conflicts", "bold red") if updated.conflicts else Text("done")
            table.add_row(Text(name), state, Text(updated.comparison.summary))
    errors = [Text(f"\n{result.project}:\n{result.error}") for result in results if result.error]
    _print(table, *errors)
