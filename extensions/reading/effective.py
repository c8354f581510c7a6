"""Which contract counts: the one in a data file, or what was answered to the questions."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from ..project import renames
from . import keys

_ESSENTIAL = ("name", "operations")
_LONGEST = 16_777_216


def is_contract(data: object) -> bool:
    """Tell whether data given to Copier is a contract of its own, rather than single answers.

    Args:
        data: What was given with `--data` and `--data-file`.

    Returns:
        Whether it has the keys without which there is no contract.
    """
    return isinstance(data, Mapping) and ("contract" in data or all(key in data for key in _ESSENTIAL))


def effective_contract(answers: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contract that counts.

    Args:
        answers: The answers to the questions, by key of the contract; None and "" stand for no answer.
        data: What was given with `--data` and `--data-file`.

    Returns:
        The data itself where it is a contract, so that a key that was removed from it is gone whatever was answered
        last time; else the answers, with the data on top.
    """
    # An update renders the old version with the recorded answers as data, Copier's own keys included.
    named = {key: value for key, value in data.items() if not str(key).startswith("_") and value is not None}
    given = renames.keys(keys.named(named))
    if is_contract(data):
        return given
    return {key: value for key, value in answers.items() if value not in (None, "")} | given


def type_of(data: Mapping[str, Any], key: str, otherwise: str) -> str:
    """Return the type of Copier's that leaves an answer as it was given.

    Args:
        data: What was given with `--data` and `--data-file`.
        key: The question.
        otherwise: The type where nothing was given: that in which a person answers, or the last answer is recorded.

    Returns:
        `str` for text, which `yaml` would parse, and `yaml` for all else, which `str` would garble.
    """
    if key not in data:
        return otherwise
    return "str" if isinstance(data[key], str) else "yaml"


def as_json(contract: Mapping[str, Any]) -> str:
    """Return the contract as JSON, dates as text, and what only YAML has as a word for it.

    Args:
        contract: A contract, which need not be valid.

    Returns:
        The JSON.

    Raises:
        ValueError: When it has no bounds: lists that hold themselves, numbers and texts of millions of characters.
        RecursionError: When it is nested too deep.
    """
    pieces: list[str] = []
    size = 0
    for piece in json.JSONEncoder(ensure_ascii=True, default=_as_text).iterencode(contract):
        pieces.append(piece)
        size += len(piece)
        if size > _LONGEST:
            raise ValueError("The contract is longer than any that is read.")
    return "".join(pieces)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else type(value).__name__


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their keys and text of several lines as a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def yaml_document(value: object) -> str:
    """Return a YAML document for the value: keys in the order in which they are, queries as blocks."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
