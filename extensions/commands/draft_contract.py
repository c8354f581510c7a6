"""The command `draft-contract`: turns a description into a contract, by rules, or by a model that is judged by them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..asking import figures
from ..asking import options as model_options
from ..asking.figures import Made
from ..asking.options import Asking
from ..drafting.asked import NoDraftError, draft_with
from ..drafting.draft import Draft, TooLittleError, draft
from ..drafting.prose import LONGEST
from ..language.classify import NODE_TYPES
from ..text.written import say, show, write

_PACKAGE = "the node's Python package, such as shop_nodes"
_EXAMPLE = """\
example:
  draft-contract "CRUD for customers in PostgreSQL with fields name, email and age (optional)" -o node.yaml
  copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract that a description asks for.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract, which has no mistakes; 1 when the description says too little or can't be read, in
        which case no contract is written, and standard error says what to add; 130 when it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="draft-contract",
        description="Turn a description into a contract. Guesses stand in it as comments.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("description", nargs="?", help="what the node is to do, in English")
    parser.add_argument(
        "--file", metavar="FILE", help="a file with the description, text or Markdown; - for standard input"
    )
    parser.add_argument("--package", help=_PACKAGE)
    parser.add_argument(
        "--node-type", choices=tuple(NODE_TYPES), help="the node's type, where the description leaves it open"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; it must not be there")
    model_options.add_to(parser)
    options = parser.parse_args(arguments)
    asking = model_options.read(parser, options)
    if (options.description is None) == (options.file is None):
        parser.error("give either a description or --file")
    try:
        text = options.description if options.file is None else _read(options.file)
        made = _made(text, asking, options)
        if options.output is None:
            show(made.document())
        else:
            write(Path(options.output), made.document())
    except (TooLittleError, NoDraftError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        _refuse("Interrupted: nothing was written.")
        return 130
    except UnicodeDecodeError:
        return _refuse(f"{options.file!r} is no text in UTF-8.")
    except OSError as error:
        return _refuse(f"{error.filename!r}: {error.strerror or error}")
    return 0


def _made(text: str, asking: Asking, options: argparse.Namespace) -> Draft:
    """Return the draft; where the strategy was asked for, with a report of what it took."""
    known = {"package": options.package, "node_type": options.node_type}
    if not (options.strategy or options.model):
        return draft(text, **known)
    made = Made("contract", options.node_type or "unknown")
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
            folder = (Path(options.output).parent if options.output else Path()) / "build"
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
    return 1


if __name__ == "__main__":
    sys.exit(main())
