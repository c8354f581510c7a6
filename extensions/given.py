"""Finds the contract file behind data that Copier was given, to say where in it a problem is."""

from collections.abc import Sequence
from pathlib import Path as FilePath

from .effective import as_json, effective_contract, is_contract
from .problems import Problem, render
from .source import Document, read_stream

_OPTION = "--data-file"


def data_file(arguments: Sequence[str]) -> str | None:
    """Return the data file that a command line of Copier's names, the last where there are several."""
    named = None
    for index, argument in enumerate(arguments):
        if argument == _OPTION and index + 1 < len(arguments):
            named = arguments[index + 1]
        elif argument.startswith(f"{_OPTION}="):
            named = argument.removeprefix(f"{_OPTION}=")
    return named


def document_of(contract: object, arguments: Sequence[str]) -> Document | None:
    """Return the data file that says the same as a contract.

    Args:
        contract: The contract that is judged.
        arguments: The process's command line. Copier hands templates what a data file says, but not which file it was.

    Returns:
        The file's document, or None: an update also judges recorded contracts, and data may come without a file.
    """
    file = data_file(arguments)
    if file is None:
        return None
    try:
        with FilePath(file).open("rb") as stream:
            document = read_stream(stream)
    except OSError:
        return None
    if not is_contract(document.value) or not isinstance(contract, dict):
        return None
    try:
        same = as_json(effective_contract({}, document.value)) == as_json(contract)
    except (ValueError, RecursionError):  # it has no bounds
        return None
    return document if same else None


def explain(contract: object, problems: Sequence[Problem], arguments: Sequence[str]) -> str:
    """Return a message that lists problems, each with its line and column where the contract comes from a file.

    Args:
        contract: The contract that was judged.
        problems: What was found; may be empty.
        arguments: The process's command line.

    Returns:
        The message; empty when there are no problems, in the file as YAML neither.
    """
    document = document_of(contract, arguments)
    if document is None:
        return render(problems) if problems else ""
    found = [(place, problem) for problem, place in document.problems]
    found += [(document.locate(problem.path), problem) for problem in problems]
    if not found:
        return ""
    lines = [f"  {place.line}:{place.column}: {problem}" for place, problem in sorted(found, key=lambda item: item[0])]
    heading = render([problem for _, problem in found]).partition(":")[0]
    return "\n".join([f"{heading} ({data_file(arguments)}, line:column):", *lines])
