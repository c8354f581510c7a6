# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values in answers of the HTTP API."""

import json
from typing import Any

from jsonpath import CompoundJSONPath, JSONPath
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import JsonValue

type Path = JSONPath | CompoundJSONPath
type Document = dict[str, Any] | list[Any] | str


def first(path: Path, answer: JsonValue) -> Any:
    """Return the value at a path.

    Args:
        path: Where it is.
        answer: The answer.

    Returns:
        The value.

    Raises:
        ModelOnexError: CONTRACT_VIOLATION when there is nothing.
    """
    match = path.match(_document(answer))
    if match is None:
        raise ModelOnexError(
            message=f"The answer has nothing at {path}.",
            error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
            integration="http",
        )
    return match.value


def first_or_none(path: Path, answer: JsonValue) -> Any:
    """Return the value at a path, or None when there is nothing, or no answer."""
    match = None if answer is None else path.match(_document(answer))
    return None if match is None else match.value


def every(path: Path, answer: JsonValue) -> list[Any]:
    """Return all values that a path leads to."""
    return path.findall(_document(answer))


def every_or_none(path: Path, answer: JsonValue) -> list[Any] | None:
    """Return all values that a path leads to, or None when there is no answer."""
    return None if answer is None else path.findall(_document(answer))


def _document(answer: JsonValue) -> Document:
    """Return an answer as what paths are looked up in, which takes a text for JSON that is not yet read."""
    return answer if isinstance(answer, (dict, list)) else json.dumps(answer)
