"""Keys of documents: YAML 1.1 reads the key `on` as true, and contracts have a key of that name."""

from collections.abc import Mapping
from typing import Any, Final

ON: Final = "on"


def named(value: Any) -> Any:
    """Return a document in which the key true is `on`, where nothing else is called so; the same one if there is none.

    Args:
        value: Plain values; anything at all.
    """
    try:
        return _named(value) if _has_true(value) else value
    except RecursionError:
        # What has no end is told of by those who look for it.
        return value


def _has_true(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(key is True or _has_true(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_true, value))


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        free = ON not in value
        return {ON if key is True and free else key: _named(item) for key, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value
