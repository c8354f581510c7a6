"""The command `new-node`: asks for a node, a question at a time, and writes its contract."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import yaml

from ..drafting.interview import BACK, Answers, Interview, StuckError
from ..drafting.questions import contract_questions, document
from ..reading.source import message, read_bytes
from ..terminal.command import command, json_option, output_option, run, say_json
from ..terminal.status import Status
from ..text.written import say, write
from . import generate_nodes

_NODE: Final = "node.yaml"
_DRAFT: Final = ".draft"
_HEAD: Final = "# Answers to new-node. Go on with: new-node --resume FILE\n"


class _NoDraftError(Exception):
    """A file that holds no answers; its text says why."""


class _Terminal:
    """Asks on standard error, so that standard output has the result alone; answers may come from a pipe."""

    def ask(self, question: str, default: str) -> str:
        """Return the answer; a line that ends in a backslash goes on below."""
        shown = f"{question}{f'[{default}] ' if default else ''}>"
        text = str(click.prompt(shown, default="", show_default=False, prompt_suffix=" ", err=True))
        while text.endswith("\\"):
            text = (
                text[:-1].rstrip()
                + " "
                + str(click.prompt("…", default="", show_default=False, prompt_suffix=" ", err=True))
            )
        return text

    def tell(self, text: str) -> None:
        """Show a text on standard error."""
        say(text)


@command(
    "new-node",
    "Ask for a node, a question at a time, and write its contract. Each answer is kept in a draft at once: nothing is "
    f"lost by a mistake or Ctrl-C. The answer {BACK} goes back by one question.",
    ("new-node", "write node.yaml in this folder, and generate the node if you like"),
    ("new-node -o contracts/locks.yaml", "write another file"),
    ("new-node --resume node.yaml.draft", "go on where you stopped"),
)
@output_option
@click.option("--resume", type=click.Path(), metavar="DRAFT", help="Go on from the answers in a draft.")
@json_option("the contract, and the files")
def _command(output: str | None, resume: str | None, *, as_json: bool) -> int:
    target = Path(output or (resume or "").removesuffix(_DRAFT) or _NODE)
    draft = Path(resume) if resume else target.with_name(target.name + _DRAFT)
    if target.exists():
        return _refuse(f"{str(target)!r}: File exists; name another one with -o")
    if not resume and draft.exists():
        return _refuse(f"{str(draft)!r} has answers already: go on with new-node --resume {draft}, or remove it")
    try:
        answers = _read(draft) if resume else Answers()
        say(f"Enter takes the answer in brackets, {BACK} goes back, Ctrl-C stops; your answers are kept in {draft}.")
        interview = Interview(contract_questions, _Terminal(), answers, lambda kept: _keep(draft, kept))
        contract = interview.run()
        write(target, document(contract))
        draft.unlink(missing_ok=True)
        say(f"{target}: written")
        return _finish(contract, target, as_json=as_json)
    except click.Abort:
        say("")
        if not draft.exists():
            say("Interrupted: nothing was answered yet.")
        else:
            say(f"Interrupted: your answers are in {draft}. Go on with: new-node --resume {draft}")
        return Status.INTERRUPTED
    except StuckError as error:
        return _refuse(f"{error}\nYour answers are in {draft}. Change it, and go on with: new-node --resume {draft}")
    except _NoDraftError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename!r}: {error.strerror or error}")


def _finish(contract: Mapping[str, Any], target: Path, *, as_json: bool) -> int:
    """Generate the node where that is wanted, and say what is there."""
    name = contract["name"]
    try:
        into = _Terminal().ask(f"In which folder is the project {name} generated? (Enter for later)", "").strip()
    except click.Abort:  # the contract is written, which was asked for
        say("")
        into = ""
    if as_json:
        say_json({"contract": contract, "file": str(target), "folder": str(Path(into) / name) if into else None})
    if not into:
        say(f"Generate it with: generate-nodes {target} --into FOLDER")
        return Status.DONE
    with contextlib.redirect_stdout(sys.stderr):
        return generate_nodes.main([str(target), "--into", into])


def _keep(draft: Path, answers: Answers) -> None:
    """Write a draft anew, whole or not at all."""
    kept = {"answers": answers.given, "again": sorted(answers.again)}
    text = _HEAD + yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    with tempfile.NamedTemporaryFile("wb", dir=draft.parent, prefix=f".{draft.name}.", delete=False) as stream:
        stream.write(text.encode())
    os.replace(stream.name, draft)  # noqa: PTH105 - over the one before


def _read(draft: Path) -> Answers:
    found = read_bytes(draft.read_bytes())
    if found.problems:
        raise _NoDraftError(message([(place, problem) for problem, place in found.problems], str(draft)))
    value = found.value
    given = value.get("answers") if isinstance(value, Mapping) else None
    again = value.get("again", []) if isinstance(value, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(again, list):
        raise _NoDraftError(f"{str(draft)!r} holds no answers to new-node")
    return Answers({key: str(text) for key, text in given.items()}, {str(key) for key in again})


def _refuse(text: str) -> int:
    say(text)
    return Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for a node, and write its contract.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when the contract is written; 1 when it can't be, or the node can't be generated; 130 when it was
        interrupted, in which case the answers are in a draft.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
