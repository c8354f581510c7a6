# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values as JSON has them, for everything that enters or leaves the node."""

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Self, overload

from pydantic import BaseModel
from pydantic_core import to_jsonable_python


def json_values(value: object) -> Any:
    """Return a value as JSON has it: models as mappings, bytes in the base64 that fields of bytes take."""
    if isinstance(value, bytes):
        # pydantic's own is another alphabet, which nothing here reads.
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(name): json_values(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_values(item) for item in value]
    return to_jsonable_python(value)


class Digits(float):
    """A number with more digits than a float has room for: decimals are made of all of them."""

    __slots__ = ("_digits",)
    _digits: str

    def __new__(cls, digits: str) -> Self:
        """Keep the digits beside the float."""
        number = super().__new__(cls, digits)
        number._digits = digits
        return number

    def __str__(self) -> str:
        """Return the digits, which is what pydantic makes decimals of."""
        return self._digits


def parsed(text: str | bytes, **how: Any) -> Any:
    """Return what JSON says, no digit of a number lost.

    Args:
        text: JSON.
        how: What `json.loads` takes beside it.

    Returns:
        The value; long fractions as `Digits`.

    Raises:
        ValueError: When it is no JSON.
        RecursionError: When it is nested too deep.
    """
    return json.loads(text, parse_float=_number, **how)


def _number(digits: str) -> float:
    # So many a float keeps, sign, point and exponent aside.
    return float(digits) if len(digits) <= sys.float_info.dig else Digits(digits)


class Null:
    """A null that is said, beside values that may be missing: in a JSON Merge Patch, it takes something away."""


@overload
def given(value: Mapping[str, object]) -> dict[str, object]: ...
@overload
def given(value: object) -> object: ...
def given(value: object) -> object:
    """Return a value without what has no value in it.

    Args:
        value: A mapping or a model; anything else stays as it is.

    Returns:
        A mapping without the members that are None, and with None for each Null; models in it are without theirs, at
        any depth. Objects that came as they are keep theirs.
    """
    if isinstance(value, Mapping):
        return {
            name: None if isinstance(item, Null) else _models_given(item)
            for name, item in value.items()
            if item is not None
        }
    return _models_given(value)


def _models_given(value: object) -> object:
    if isinstance(value, BaseModel):
        return to_jsonable_python(value, exclude_none=True)
    if isinstance(value, list):
        return [_models_given(item) for item in value]
    return value
