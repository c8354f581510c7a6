# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Values as JSON has them, for everything that leaves the node."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, overload

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


@overload
def given(value: Mapping[str, object]) -> dict[str, object]: ...
@overload
def given(value: object) -> object: ...
def given(value: object) -> object:
    """Return a value without what has no value in it.

    Args:
        value: A mapping or a model; anything else stays as it is.

    Returns:
        A mapping without the members that are None; models in it are without theirs, at any depth. Objects that came
        as they are keep theirs.
    """
    if isinstance(value, Mapping):
        return {name: _models_given(item) for name, item in value.items() if item is not None}
    return _models_given(value)


def _models_given(value: object) -> object:
    if isinstance(value, BaseModel):
        return to_jsonable_python(value, exclude_none=True)
    if isinstance(value, list):
        return [_models_given(item) for item in value]
    return value
