"""The command `migrate-contract`: turns a legacy contract into one of today's language."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..judging.judge import judge
from ..judging.legacy import warnings
from ..reading.effective import yaml_document
from ..reading.source import comments, read_stream
from ..text.problems import Problem, show
from .migration import migrate


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the contract that a legacy one becomes, and what was changed on standard error.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when the new contract has no problems; 1 when it has some, which are listed, or when nothing could be read,
        in which case nothing is printed.
    """
    parser = argparse.ArgumentParser(
        prog="migrate-contract", description="Turn a legacy contract into one of today's language."
    )
    parser.add_argument("file", metavar="OLD", help="a contract file; - for standard input")
    parser.add_argument("--package", help="the node's Python package, where the contract names none")
    options = parser.parse_args(arguments)
    try:
        if options.file == "-":
            document = read_stream(sys.stdin.buffer)
        else:
            with Path(options.file).open("rb") as stream:
                document = read_stream(stream)
    except (OSError, ValueError) as error:
        _report(f"{show(options.file)} can't be read: {error}")
        return 1
    if document.problems or not isinstance(document.value, Mapping):
        for problem, place in document.problems or ((Problem((), show(document.value), "a mapping"), document.start),):
            _report(f"{place.line}:{place.column}: {problem}")
        return 1
    contract, changes = migrate(document.value, options.package)
    problems = judge(contract)
    sys.stdout.write("".join(f"# line {line}: {text}\n" for line, text in comments(document)))
    sys.stdout.write(yaml_document(contract))
    for change in changes:
        _report(f"changed: {change}")
    for warning in () if problems else warnings(contract):
        _report(f"warning: {warning}")
    for problem in problems:
        _report(f"problem: {problem}")
    return 1 if problems else 0


def _report(line: str) -> None:
    print(line if line.isprintable() else ascii(line), file=sys.stderr)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    sys.exit(main())
