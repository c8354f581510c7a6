# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Fields whose values are secret, and values without them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, JsonValue, RootModel

from ..json_values import json_values

SECRET: dict[str, JsonValue] = {"x-secret": True}
"""What marks a field in its model, and in the document of the API."""


def public(value: object) -> Any:
    """Return a value as JSON has it, without the fields that are secret, at any depth.

    Args:
        value: A model, or anything that holds some.
    """
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {
            field.serialization_alias or name: public(getattr(value, name))
            for name, field in fields.items()
            if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-secret"))
        }
    if isinstance(value, Mapping):
        return {str(key): public(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [public(item) for item in value]
    return json_values(value)


def published(event: BaseModel) -> BaseModel:
    """Return an event as others see it, without the fields that are secret.

    Args:
        event: What was asked for, and what came of it.
    """
    return RootModel[dict[str, JsonValue]](public(event))
