"""The command `draft-contract`: turns a description into a contract, by rules, or by a model that is judged by them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..asking import figures
from ..asking.figures import Made
from ..asking.options import Asking, asking_options
from ..drafting.asked import NoDraftError, draft_with
from ..drafting.draft import Draft, TooLittleError, draft
from ..drafting.prose import LONGEST
from ..language.classify import NODE_TYPES
from ..terminal.command import command, json_option, output_option, package_option, run, say_json
from ..terminal.status import Status
from ..text.written import say, show, write


@command(
    "draft-contract",
    "Turn a description into a contract. Guesses stand in it as comments.",
    (
        'draft-contract "CRUD for customers in PostgreSQL with fields name, email and age (optional)" -o node.yaml',
        "by rules alone, offline",
    ),
    ("draft-contract --file wish.md --model NAME --base-url https://models.example.org/v1", "ask a model first"),
    ("copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST", "generate the node"),
)
@click.argument("description", required=False)
@click.option(
    "--file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="A file with the description, text or Markdown; - for standard input.",
)
@package_option("such as shop_nodes")
@click.option(
    "--node-type", type=click.Choice(tuple(NODE_TYPES)), help="The node's type, where the description leaves it open."
)
@output_option
@json_option("the contract, with what was guessed as comments of its text,")
@asking_options
def _command(
    asking: Asking,
    *,
    asked_for: bool,
    description: str | None,
    file: str | None,
    package: str | None,
    node_type: str | None,
    output: str | None,
    as_json: bool,
) -> int:
    if (description is None) == (file is None):
        raise click.UsageError("give either a description or --file")
    folder = (Path(output).parent if output else Path()) / "build"
    known = {"package": package, "node_type": node_type}
    try:
        text = description if file is None else _read(file)
        made = _made(text or "", asking, folder, **known) if asked_for else draft(text or "", **known)
        if output is not None:
            write(Path(output), made.document())
        if as_json:
            say_json({"contract": made.contract, "document": made.document()})
        elif output is None:
            show(made.document())
    except (TooLittleError, NoDraftError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        _refuse("Interrupted: nothing was written.")
        return Status.INTERRUPTED
    except UnicodeDecodeError:
        return _refuse(f"{file!r} is no text in UTF-8.")
    except OSError as error:
        return _refuse(f"{error.filename!r}: {error.strerror or error}")
    return Status.DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract that a description asks for.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract, which has no mistakes; 1 when the description says too little or can't be read, in
        which case no contract is written, and standard error says what to add; 130 when it was interrupted.
    """
    return run(_command, arguments)


def _made(text: str, asking: Asking, folder: Path, **known: str | None) -> Draft:
    """Return the draft that was asked for by a strategy, with a report of what it took."""
    made = Made("contract", known["node_type"] or "unknown")
    try:
        if asking.model is None:
            with made.stage("rules"):
                found = draft(text, **known)
            made.outcome, made.succeeded, made.node_type = "rules", True, found.contract["node_type"]
            return found
        asked = draft_with(text, asking, made, **known)
    except TooLittleError:
        made.outcome = "refused"
        raise
    else:
        if asked.why:
            _refuse(f"The draft is the rules' own: {asked.why}")
        return asked.draft
    finally:
        if made.outcome != "open":
            folder.mkdir(exist_ok=True)
            figures.write(
                folder / "draft.json", figures.report("draft-contract", asking.strategy, asking.model, [made])
            )
            figures.show(asking.strategy, [made])


def _read(file: str) -> str:
    """Return a file's text, of which no more is read than can be drafted from."""
    most = 4 * LONGEST + 4
    if file == "-":
        return sys.stdin.buffer.read(most).decode("utf-8-sig")
    with Path(file).open("rb") as stream:
        return stream.read(most).decode("utf-8-sig")


def _refuse(text: str) -> int:
    say(text)
    return Status.NOT_DONE


if __name__ == "__main__":
    sys.exit(main())
