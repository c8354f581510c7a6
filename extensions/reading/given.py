"""Finds the contract file behind data that Copier was given, to say where in it a problem is."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from ..text.problems import Problem, no_contract, render, show
from ..text.remembered import by_content
from .effective import as_json, effective_contract, is_contract
from .source import MAX_BYTES, Document, message, read_bytes, read_stream

_DATA_FILE = "--data-file"
_ANSWERS_FILE = ("--answers-file", "-a")
_ANSWERS = ".copier-answers.yml"
# What Copier does to the working folder where the command line names none.
_FOLLOWING = frozenset({"update", "recopy", "check-update"})
ANSWERS_SCALE = 4
"""Answers repeat the contract, in the longest of its forms: they may have so many times its size."""


def data_files(arguments: Sequence[str]) -> list[str]:
    """Return the data files that a command line of Copier's names, in its order."""
    return _values(arguments, _DATA_FILE)


def answers_files(arguments: Sequence[str]) -> list[FilePath]:
    """Return the files of answers that Copier reads, in the folders that its command line names."""
    name = ([*_values(arguments, *_ANSWERS_FILE)] or [_ANSWERS])[-1]
    folders = [FilePath(argument) for argument in arguments if FilePath(argument).is_dir()]
    if not folders and not _FOLLOWING.isdisjoint(arguments):
        folders = [FilePath()]
    return [folder / name for folder in folders if (folder / name).is_file()]


def _values(arguments: Sequence[str], *options: str) -> list[str]:
    named = []
    for index, argument in enumerate(arguments):
        option, given, value = argument.partition("=")
        if argument in options and index + 1 < len(arguments):
            named.append(arguments[index + 1])
        elif option in options and given:
            named.append(value)
    return named


def unreadable(arguments: Sequence[str]) -> str:
    """Say why Copier can't be left to read the data files and the answers that its command line leads to.

    Args:
        arguments: The command line. What is no file is Copier's to refuse.

    Returns:
        The message; empty when each file holds a mapping within the limits of contracts.
    """
    messages = []
    for file in data_files(arguments):
        if not FilePath(file).is_file():
            continue
        with FilePath(file).open("rb") as stream:
            document = read_stream(stream)
        found = [(place, problem) for problem, place in document.problems]
        if not found and not isinstance(document.value, Mapping):
            found = [(document.start, no_contract(document.value))]
        if found:
            messages.append(message(found, file))
    for answers in answers_files(arguments):
        with answers.open("rb") as stream:
            document = read_stream(stream, ANSWERS_SCALE)
        if document.problems:
            messages.append(message([(place, problem) for problem, place in document.problems], str(answers)))
    return "\n".join(messages)


def document_of(contract: object, arguments: Sequence[str]) -> Document | None:
    """Return the data file that says the same as a contract, or that can't be read as one.

    Args:
        contract: The contract that is judged.
        arguments: The process's command line. Copier hands templates what a data file says, but not which file it was.

    Returns:
        The file's document, or None: an update also judges recorded contracts, and data may come without a file.
    """
    files = data_files(arguments)
    if not files:
        return None
    try:
        with FilePath(files[-1]).open("rb") as stream:
            document = _document(stream.read(MAX_BYTES + 1))
    except OSError:
        return None
    if document.value is None and document.problems:
        return document
    if not is_contract(document.value) or not isinstance(contract, dict):
        return None
    try:
        same = as_json(effective_contract({}, document.value)) == as_json(contract)
    except (ValueError, RecursionError):  # it has no bounds
        return None
    return document if same else None


# Copier asks several times for what comes from one file.
_document = by_content(read_bytes)


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
    if document.value is not None:  # else no problem has a place in it
        found += [(document.locate(problem.path), problem) for problem in (*problems, *_of_copier(document.value))]
    return message(found, data_files(arguments)[-1]) if found else ""


def _of_copier(contract: Mapping[str, Any]) -> Iterator[Problem]:
    """Find keys that Copier takes for its own, so that no contract holds them."""
    for key in contract:
        if key.startswith("_"):
            yield Problem((key,), f"the unknown key {show(key)}", "keys of a contract")
