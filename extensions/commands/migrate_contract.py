"""The command `migrate-contract`: turns a legacy contract into one of today's language."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ..judging.judge import judge
from ..judging.legacy import warnings
from ..reading.effective import yaml_document
from ..reading.source import comments, read_stream
from ..terminal.command import command, json_option, package_option, run, say_json
from ..terminal.status import Status
from ..text.problems import Problem, show
from ..text.written import say
from .migration import migrate


@command(
    "migrate-contract",
    "Turn a legacy contract into one of today's language.",
    ("migrate-contract old.yaml > node.yaml", "what was changed goes to standard error"),
    ("migrate-contract --package shop_nodes old.yaml", "where the old contract names no package"),
)
@click.argument("file", metavar="OLD", type=click.Path(allow_dash=True))
@package_option("where the contract names none")
@json_option("the contract, with what was changed,")
def _command(file: str, package: str | None, *, as_json: bool) -> int:
    try:
        if file == "-":
            document = read_stream(sys.stdin.buffer)
        else:
            with Path(file).open("rb") as stream:
                document = read_stream(stream)
    except (OSError, ValueError) as error:
        say(f"{show(file)} can't be read: {error}")
        return Status.NOT_DONE
    if document.problems or not isinstance(document.value, Mapping):
        for problem, place in document.problems or ((Problem((), show(document.value), "a mapping"), document.start),):
            say(f"{place.line}:{place.column}: {problem}")
        return Status.NOT_DONE
    contract, changes = migrate(document.value, package)
    problems = judge(contract)
    noted = () if problems else warnings(contract)
    if as_json:
        found = {"changes": changes, "warnings": noted, "problems": problems}
        say_json({"contract": contract} | {key: [str(item) for item in items] for key, items in found.items()})
    else:
        sys.stdout.write("".join(f"# line {line}: {text}\n" for line, text in comments(document)))
        sys.stdout.write(yaml_document(contract))
    for kind, items in (("changed", changes), ("warning", noted), ("problem", problems)):
        for item in items:
            say(f"{kind}: {item}")
    return Status.NOT_DONE if problems else Status.DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the contract that a legacy one becomes, and what was changed on standard error.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when the new contract has no problems; 1 when it has some, which are listed, or when nothing could be read,
        in which case nothing is printed.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
