"""What HTTP APIs answer: the places that JSONPaths lead to, and an answer that fills all that is extracted from it."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from . import samples
from .contract import Contract, Field, Operation
from .integrations import Http, Pages

if TYPE_CHECKING:
    from jsonpath import JSONPath

type Keys = tuple[str | int, ...]
# The value of a type that says more about it is one of the others, too, if any value is.
_SAYS_LITTLE: Final = ("object", "string", "number", "decimal")


@lru_cache(maxsize=1000)
def keys_of(path: str) -> Keys | None:
    """Return the keys and indices of a JSONPath to exactly one place, or None for any other."""
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths

    query = jsonpath.compile(path)
    if not isinstance(query, jsonpath.JSONPath) or not query.singular_query():
        return None
    return _keys(query)


@lru_cache(maxsize=1000)
def first_of(path: str) -> Keys | None:
    """Return the keys and indices of the first place that a JSONPath leads to, or None where that is not to be told."""
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths

    query = jsonpath.compile(path)
    return _keys(query) if isinstance(query, jsonpath.JSONPath) else None


def takes_many(path: str) -> bool:
    """Tell whether a JSONPath leads to many places and chooses none of them: by `[*]`, a slice, or several names."""
    import jsonpath  # noqa: PLC0415  # takes a fifth of the time to import all of this, and few contracts have paths
    from jsonpath.selectors import Filter, SliceSelector, WildcardSelector  # noqa: PLC0415  # with it

    query = jsonpath.compile(path)
    segments = query.segments if isinstance(query, jsonpath.JSONPath) else ()
    selectors = [segment.selectors for segment in segments]
    if any(isinstance(one, Filter) for each in selectors for one in each):
        return False
    return any(len(each) > 1 or isinstance(each[0], (WildcardSelector, SliceSelector)) for each in selectors)


def _keys(query: "JSONPath") -> Keys | None:
    """Return the keys of a path whose every segment names one, or all of an array, which stand for its first item."""
    from jsonpath.segments import JSONPathChildSegment  # noqa: PLC0415  # as above
    from jsonpath.selectors import NameSelector, WildcardSelector  # noqa: PLC0415  # as above

    keys: list[str | int] = []
    for segment in query.segments:
        if len(segment.selectors) > 1 or not isinstance(segment, JSONPathChildSegment):
            return None
        selector: Any = segment.selectors[0]
        key = selector.name if isinstance(selector, NameSelector) else getattr(selector, "index", None)
        key = 0 if isinstance(selector, WildcardSelector) else key
        if not isinstance(key, (str, int)) or (isinstance(key, int) and key < 0):
            return None
        keys.append(key)
    return tuple(keys)


def answer(contract: Contract, operation: Operation) -> object:
    """Return the body of an answer that makes an operation succeed, and from which all outputs are filled.

    Args:
        contract: The contract that defines the types.
        operation: One of its operations, of any kind.

    Returns:
        The body as JSON values, or as bytes where it is text or bytes; an empty mapping where nothing is taken of it,
        and None where it is not known what fills all paths.
    """
    spec = operation.http
    if spec is None or not spec.takes_body:
        return {}
    values = samples.output(contract, operation)
    if spec.pages:
        return _page(spec.pages, operation, values)
    paths = json_paths(spec)
    if not paths:
        return _plain(spec, values or {})
    places = {name: keys for name, path in paths.items() if (keys := keys_of(path)) is not None}
    if values is None or len(places) < len(paths):
        return None
    return together(
        [(field, places[field.name], values[field.name]) for field in operation.output if field.name in places]
    )


def together(placed: Sequence[tuple[Field, Keys, object]]) -> object:
    """Return a document in which each field's value is at its place, as far as places and values allow it together."""
    found: object = None
    for _, keys, value in sorted(placed, key=lambda one: _says(one[0])):
        found = _put(found, keys, value)
    return found


def json_paths(spec: Http) -> dict[str, str]:
    """Return the JSONPaths into the answer of a request, by output field."""
    return {name: taken.where for name, taken in spec.extract.items() if taken.of == "json"}


def _plain(spec: Http, values: Mapping[str, object]) -> bytes:
    """Return a body that is text or bytes."""
    for name, taken in spec.extract.items():
        value = values.get(name)
        if isinstance(value, str) and taken.of in {"text", "bytes"}:
            return value.encode() if taken.of == "text" else b64decode(value)
    return b""


def _page(pages: Pages, operation: Operation, values: Mapping[str, object] | None) -> object:
    """Return a page after which there is no other; of pages with numbers, that is an empty one."""
    keys, ends_empty = keys_of(pages.items), not (pages.link or pages.cursor)
    field = next(field for field in operation.output if field.name == pages.into)
    if keys is None or values is None or (ends_empty and field.constraints.get("minItems")):
        return None
    return _put(None, keys, [] if ends_empty else values.get(pages.into))


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
        return _merged(value, document)
    key, *rest = keys
    if isinstance(key, int):
        items = list(document) if isinstance(document, list) else []
        items += [None] * (key + 1 - len(items))
        items[key] = _put(items[key], rest, value)
        return items
    mapping: Mapping[str, object] = document if isinstance(document, dict) else {}
    return {**mapping, key: _put(mapping.get(key), rest, value)}


def _merged(value: object, inside: object) -> object:
    """Return a value with what is inside of it already."""
    if isinstance(value, dict) and isinstance(inside, dict):
        return {**value, **inside}
    if isinstance(value, list) and isinstance(inside, list):
        pairs = zip_longest(value, inside)
        return [_merged(own, other) if own is not None else other for own, other in pairs]
    return value
