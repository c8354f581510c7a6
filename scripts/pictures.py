"""Draw a session in a terminal for the documentation, from what the commands print.

The same commands give the same picture on every machine, so that `make lint` can compare it.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console
from rich.text import Text

from extensions.terminal.command import Command

WIDTH = 110
"""How many columns the terminal has."""
WISH = "CRUD for customers in PostgreSQL with fields name and email"
_FILE = "node.yaml"
_MISTAKES = (("node_type: effect", "node_type: efect"), ("rows: many", "rows: some"))
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def session(commands: Mapping[str, Command]) -> list[tuple[str, str]]:
    """Return the commands of the session, each with what it prints."""
    draft, validate = commands["draft-contract"], commands["validate-contract"]
    runner = CliRunner()
    with runner.isolated_filesystem():
        file = Path(_FILE)
        drafted = runner.invoke(draft, [WISH, "-o", _FILE]).output
        judged = runner.invoke(validate, [_FILE]).output
        text = file.read_text(encoding="utf-8")
        for right, wrong in _MISTAKES:
            text = text.replace(right, wrong)
        file.write_text(text, encoding="utf-8")
        refused = runner.invoke(validate, [_FILE]).output
    edits = "; ".join(f"s/{right}/{wrong}/" for right, wrong in _MISTAKES)
    return [
        (f'draft-contract "{WISH}" -o {_FILE}', drafted),
        (f"validate-contract {_FILE}", judged),
        (f"sed -i '{edits}' {_FILE}    # two mistakes", ""),
        (f"validate-contract {_FILE}", refused),
    ]


def terminal(commands: Mapping[str, Command]) -> str:
    """Return the session as SVG; its font is one of the reader's, since a picture asks no server."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for command, output in session(commands):
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        console.print(Text(output), end="")
    drawn = console.export_svg(title="A contract, drafted and checked", unique_id="session")
    return _FONTS.sub("", drawn).rstrip() + "\n"
