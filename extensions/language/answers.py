"""What HTTP APIs answer: the places that JSONPaths lead to, and an answer that fills all that is extracted from it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from . import samples
from .contract import Contract, Field, Operation

type Keys = tuple[str | int, ...]
# The value of a type that says more about it is one of the others, too, if any value is.
_SAYS_LITTLE: Final = ("object", "string", "number", "decimal")


@lru_cache(maxsize=1000)
def keys_of(path: str) -> Keys | None:
    """Return the keys and indices of a JSONPath to exactly one place, or None for any other."""
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths
    from jsonpath.selectors import NameSelector  # noqa: PLC0415  # with it

    query = jsonpath.compile(path)
    if not isinstance(query, jsonpath.JSONPath) or not query.singular_query():
        return None
    keys: list[str | int] = []
    for segment in query.segments:
        selector: Any = segment.selectors[0]
        key = selector.name if isinstance(selector, NameSelector) else getattr(selector, "index", None)
        if not isinstance(key, (str, int)) or (isinstance(key, int) and key < 0):
            return None
        keys.append(key)
    return tuple(keys)


def answer(contract: Contract, operation: Operation) -> object:
    """Return an answer as JSON values from which all outputs are extracted that are sampled.

    Args:
        contract: The contract that defines the types.
        operation: One of its operations, of any kind.

    Returns:
        The answer; an empty mapping where nothing is extracted, and None where it is not known what fills all paths.
    """
    spec = operation.http
    if spec is None or not spec.extract:
        return {}
    values = samples.output(contract, operation)
    found: object = None
    fields = sorted((field for field in operation.output if field.name in spec.extract), key=_says)
    for field in fields:
        keys = keys_of(spec.extract[field.name])
        if values is None or field.name not in values:
            continue
        if keys is None:
            return None
        found = _put(found, keys, values[field.name])
    return found


def at(document: object, keys: Keys) -> object:
    """Return the value at a place of a document; None where there is none."""
    for key in keys:
        if isinstance(key, int):
            document = document[key] if isinstance(document, list) and key < len(document) else None
        else:
            document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _says(field: Field) -> tuple[int, int]:
    """Return how much a type says about its values."""
    kind = _SAYS_LITTLE.index(field.kind) if field.kind in _SAYS_LITTLE else len(_SAYS_LITTLE)
    return kind, len(field.constraints)


def _put(document: object, keys: Sequence[str | int], value: object) -> object:
    if not keys:
        # What is inside of it may be there already.
        return {**value, **document} if isinstance(value, dict) and isinstance(document, dict) else value
    key, *rest = keys
    if isinstance(key, int):
        items = list(document) if isinstance(document, list) else []
        items += [None] * (key + 1 - len(items))
        items[key] = _put(items[key], rest, value)
        return items
    mapping: Mapping[str, object] = document if isinstance(document, dict) else {}
    return {**mapping, key: _put(mapping.get(key), rest, value)}
