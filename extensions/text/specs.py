"""Parts of a contract as they were read, which nobody has held against the schema yet."""

from collections.abc import Mapping
from typing import Any

type Specs = Mapping[str, Any]
"""What a part of a contract says, by key."""


def mapping_of(value: object) -> Specs:
    """Return a value, or an empty mapping where it is none."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[Any]:
    """Return a value, or an empty list where it is none."""
    return value if isinstance(value, list) else []
