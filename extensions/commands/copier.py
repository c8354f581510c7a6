"""The command `copier-onex`: Copier, once the data files and answers that it is to read are known to be readable.

What keeps Copier from getting at a template is one message, which says how to go on.

Copier reads them before it loads a template, so that a template can neither bound nor explain what it reads.
`make setup` puts this command in the place of `copier` in the environment of this repository.
"""

import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import distribution

from plumbum.commands.processes import ProcessExecutionError

from ..project.origin import not_found
from ..reading.given import ANSWERS_SCALE, answers_files, unreadable
from ..reading.source import read_stream

_EXIT_BAD = 1
# What Copier says, with a traceback, of a version or a place that there is not.
_OF_TEMPLATES = ("Unknown revision", "Local template must be")


def main() -> int:
    """Check the files, then hand the process over to Copier.

    Returns:
        1 when one can't be read; else what Copier's own command returns, if it returns.
    """
    if message := unreadable(sys.argv[1:]):
        _say(message)
        return _EXIT_BAD
    (command,) = distribution("copier").entry_points.select(group="console_scripts", name="copier")
    try:
        return int(command.load()() or 0)
    except (OSError, ValueError) as error:  # git's failures are of the first, and versions that are gone of the second
        message = _explain(sys.argv[1:], error)
        if not message:
            raise
        _say(message)
        return _EXIT_BAD


def _explain(arguments: Sequence[str], error: Exception) -> str:
    """Return what a failure of Copier's means; empty where it has nothing to do with where a template is."""
    if not isinstance(error, ProcessExecutionError) and not str(error).startswith(_OF_TEMPLATES):
        return ""
    for file in answers_files(arguments):
        with file.open("rb") as stream:
            answers = read_stream(stream, ANSWERS_SCALE).value
        if isinstance(answers, dict) and "_src_path" in answers:
            return not_found(str(answers["_src_path"]), str(answers.get("_commit")), str(error))
    said = error.stderr if isinstance(error, ProcessExecutionError) else str(error)
    return f"The template can't be had:\n{textwrap.indent(str(said).strip(), '  ')}"


def _say(message: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(f"{message.encode(encoding, 'backslashreplace').decode(encoding)}\n")


if __name__ == "__main__":
    sys.exit(main())
