"""The command `adopt-node`: turns a node that was written by hand into a contract."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..adopting.node import NoNodeError, read
from ..judging.judge import judge
from ..terminal.command import command, json_option, output_option, package_option, run
from ..terminal.status import Status
from ..text.written import say, write
from .adopted import deliver
from .adopting import GenerationError, Outcome, Wish, generate


@command(
    "adopt-node",
    "Turn a node that was written by hand into a contract, or into a project that has its handlers. Nothing of the "
    "node is run, unless --check or --tests says so.",
    ("adopt-node src/shop/nodes/node_order_effect -o node.yaml --report adopted.md", "write the contract and a report"),
    ("copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST", "generate the node anew"),
    (
        'adopt-node src/shop/nodes/node_order_effect --into ../orders --check --tests "pytest -q tests/orders"',
        "generate it with what its handlers do, and compare both",
    ),
)
@click.argument("folder", metavar="DIR", type=click.Path())
@package_option("that of the old one when left out")
@output_option
@click.option(
    "--report",
    type=click.Path(),
    metavar="FILE",
    help="A Markdown file for what has to be looked at; it must not be there.",
)
@click.option(
    "--into",
    type=click.Path(),
    metavar="DEST",
    help="Generate a project with what the node's handlers do; it must not be there.",
)
@click.option(
    "--template",
    default="",
    metavar="SOURCE",
    help="The template of that project; default: the one that this command belongs to.",
)
@click.option("--check", is_flag=True, help="Run the new project's checks and tests, for its report.")
@click.option(
    "--tests", default="", metavar="COMMAND", help="Run the original's tests by this command, for the report."
)
@json_option("the contract, with what has to be looked at,")
def _command(  # noqa: PLR0917 - one for each option
    folder: str,
    package: str | None,
    output: str | None,
    report: str | None,
    into: str | None,
    template: str,
    tests: str,
    *,
    check: bool,
    as_json: bool,
) -> int:
    try:
        node = read(Path(folder), package)
        adopted = node.adopted
        taken = [name for name in (output, report) if name is not None and Path(name).exists()]
        if taken:
            say("\n".join(f"{name!r}: File exists" for name in taken))
            return Status.NOT_DONE
        if into is not None and not judge(adopted.contract):
            _tell(into, generate(node, Wish(Path(folder), Path(into), template, check, tests)))
        if report is not None:
            write(Path(report), adopted.report())
        return deliver(adopted, output, as_json=as_json, shown=into is None)
    except (NoNodeError, GenerationError) as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
    return Status.NOT_DONE


def _tell(into: str, outcome: Outcome) -> None:
    whole = sum(not body.missing for body in outcome.bodies.values())
    say(
        f"{into}: {whole} handlers run what was carried over, {len(outcome.bodies) - whole} wait for what it takes, "
        f"{len(outcome.stubs)} are to be written; see adopted.md"
    )
    for one in outcome.ran:
        say(f"{one.name}: {'passed' if one.passed else 'failed'}: {one.said}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of a node that was written by hand.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the folder holds no
        node that can be read, in which case nothing is written.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
