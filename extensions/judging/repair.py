"""Makes a contract meet the schema by taking out or replacing what does not, so that all else can be judged as well."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

from jsonschema import ValidationError

from ..language import names, patterns
from ..reading.schema import bundle
from ..text.problems import Path, Problem, nearest

_ROUNDS = 60
_WORD = re.compile(r"[A-Za-z0-9_]+")
_DEEPEST = 6
# Texts that stand for ones that nobody wrote.
_MADE_UP = re.compile(r"\b(unnamed[_-]\d+|Unnamed\d+)")
_AMONG_OTHERS = re.compile(rf", {_MADE_UP.pattern}|{_MADE_UP.pattern}, ")
_ALONE = re.compile(rf"(?<!^one of) {_MADE_UP.pattern}$")
# The parts of a contract that stand for themselves, by the length of their paths.
_UNITS = {"operations": 2, "models": 2, "enums": 2, "subcontracts": 2, "integrations": 2}


# What holds parts under names that the contract chooses.
_NAMED = frozenset(
    {"input", "output", "fields", "enums", "models", "compute", "measures", "states", "headers", "env"}
    | {"apis", "form", "multipart"}
)
# The keys whose text is a name by which other places know a part.
_NAMES = frozenset({"name", "id"})
# What lists values that other places name.
_LISTS = frozenset({"values", "states"})


class _GivenUpError(Exception):
    """Too little is left."""


@dataclass
class Repaired:
    """A contract that meets the schema, and what was changed in it.

    Attributes:
        contract: The contract; None where there is nothing left to judge.
        changes: Where something was taken out or replaced, and the words of the names that are gone or made up.
        made: Where something stands that nobody wrote.
        moved: The contract's own places of items and names of keys that are others here, by the path of what has them.
    """

    contract: dict[str, Any] | None
    changes: dict[Path, frozenset[str]] = field(default_factory=dict)
    made: set[Path] = field(default_factory=set)
    moved: dict[Path, dict[str | int, str | int]] = field(default_factory=dict)

    def own_path(self, path: Path) -> Path:
        """Return where something is in the contract as it was written."""
        found: list[str | int] = []
        for number, part in enumerate(path):
            found.append(self.moved.get(path[:number], {}).get(part, part))
        return tuple(found)

    def as_written(self, problem: Problem) -> Problem:
        """Return a problem as it is in the contract as it was written.

        Args:
            problem: A problem of the changed contract.

        Returns:
            The problem at its own place; names that were made up are not among those that may be meant.
        """
        path, expected = self.own_path(problem.path), problem.expected
        if expected.startswith("one of"):
            expected = _ALONE.sub(", none of which has a name", _AMONG_OTHERS.sub("", expected))
        return replace(problem, path=path, expected=expected)

    def follows(self, problem: Problem) -> bool:
        """Tell whether a problem may be there for a change alone.

        Args:
            problem: A problem of the contract, as it was written.

        Returns:
            Whether it is about what was changed, or about something that is missing where something was taken out.
        """
        if any(problem.path[:length] in self.made for length in range(len(problem.path) + 1)):
            return True
        # An operation that nobody wrote may be any.
        whole = any(path[0] == "operations" and len(path) <= _UNITS["operations"] for path in self.made)
        if (whole and problem.path[:1] == ("subcontracts",)) or _MADE_UP.search(
            f"{problem.found} {problem.expected} {problem.hint}"
        ):
            return True
        told = _words(problem.found)
        for path, gone in self.changes.items():
            if any(place[: len(path)] == path or path[: len(place)] == place for place in problem.awaited):
                return True
            shared = _unit(path) == _unit(problem.path) or path[:1] in {("models",), ("enums",)}
            if shared and told & gone:
                return True
        return False


def repair(raw: Mapping[str, Any], validator: Any) -> Repaired:
    """Make a contract meet the schema.

    Args:
        raw: A contract that nothing but the schema was held against.
        validator: The schema's.

    Returns:
        The contract and what was changed; at most as much as is needed.
    """
    found = Repaired(_copy(raw))
    for _ in range(_ROUNDS):
        errors = [inner for error in validator.iter_errors(found.contract) for inner in _innermost(error)]
        if not errors:
            return found
        # From the end, so that items that are taken out move nothing that is still to be changed.
        done: list[Path] = []
        for error in sorted(errors, key=lambda error: _order(tuple(error.absolute_path)), reverse=True):
            path: Path = tuple(error.absolute_path)
            if not any(other[: len(path)] == path for other in done):
                done.append(path)
                try:
                    _change(found, path, error)
                except _GivenUpError:
                    return Repaired(None)
    return Repaired(None)


def _order(path: Path) -> list[tuple[int, int, str]]:
    return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in path]


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    if error.validator in {"if", "$ref"} and error.context:
        for inner in error.context:
            yield from _innermost(inner)
    else:
        yield error


def _change(found: Repaired, path: Path, error: ValidationError) -> None:
    schema: Any = error.schema
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            for key in set(value) - set(schema.get("properties", {})):
                _take_out(found, (*path, key))
        case "required":
            _fill(found, path, value, schema)
        case _ if "propertyNames" in error.absolute_schema_path:
            _rename(found, path, value, schema.get("pattern", ""))
        case "enum" if path and (choices := [item for item in schema["enum"] if isinstance(item, str)]):
            _replace(found, path, nearest(str(value), choices) or choices[0])
        case "uniqueItems" if path:
            _take_out(found, (*path, _twin(value)))
        case "maxItems" | "maxProperties" if path:
            _take_out(found, (*path, _last(value)))
        case _:
            if isinstance(value, str) and (made := names.snake(value)) not in {"", value}:
                _replace(found, path, made)
            elif path:
                _take_out(found, path)


def _last(value: Any) -> str | int:
    return len(value) - 1 if isinstance(value, list) else list(value)[-1]


def _twin(value: list[Any]) -> int:
    return next(index for index, item in enumerate(value) if item in value[:index])


def _neutral(schema: Any, number: int, depth: int = 0) -> Any:
    """Return a value that meets a schema and says as little as can be.

    Args:
        schema: One of the contract language's, its references resolved.
        number: Tells names that are made up apart.
        depth: How many values it is inside of.

    Returns:
        The value; None where none can be made up.
    """
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    rules = _joined(schema)
    if choices := [item for item in rules.get("enum", ()) if isinstance(item, str)]:
        return choices[0]
    kinds = rules.get("type", [])
    match kinds if isinstance(kinds, str) else next(iter(kinds), None):
        case "string":
            return _text(rules, number)
        case "integer" | "number":
            return rules.get("minimum", rules.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
        case "array":
            items = [_neutral(rules.get("items", {}), index, depth + 1) for index in range(rules.get("minItems", 0))]
            return None if None in items else items
        case "object" if not rules.get("minProperties"):
            made = {
                key: _neutral(rules.get("properties", {}).get(key), number, depth + 1)
                for key in rules.get("required", ())
            }
            return None if None in made.values() else made
    return None


def _joined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with what it says by the schemas that it refers to."""
    joined: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        joined |= _joined(part)
    return {**joined, **schema}


def _text(rules: Mapping[str, Any], number: int) -> str | None:
    pattern = rules.get("pattern", "")
    for made in (f"unnamed_{number}", f"Unnamed{number}", f"https://unnamed-{number}.example"):
        if re.search(pattern, made):
            return made
    return patterns.example(pattern, rules.get("minLength", 0), rules.get("maxLength", len(pattern)))


def _replace(found: Repaired, path: Path, value: object) -> None:
    *above, key = path
    holder = _at(found.contract, tuple(above))
    own = found.own_path(path)
    if _is_name(path):  # the old one is gone, and nobody wrote the new one
        found.changes[own] = found.changes.get(own, frozenset()) | _words(holder[key]) | _words(value)
    else:
        found.changes.setdefault(own, frozenset())
    holder[key] = value


def _fill(found: Repaired, path: Path, value: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Put something into the places of required keys that are missing; else take out what misses them."""
    number = next((part for part in reversed(path) if isinstance(part, int)), 0)
    for key in (key for key in schema["required"] if key not in value):
        made = _neutral(schema.get("properties", {}).get(key), number)
        if made is None:
            _take_out(found, path)
            return
        _at(found.contract, path)[key] = made
        own = (*found.own_path(path), key)
        owner = next((part for above, part in reversed([*pairwise(path)]) if above in _NAMED), "")
        # A field of which nobody knows the type is as good as gone; so is what would refer to steps that nobody wrote.
        gone = _words({"type": owner, "steps": key}.get(key))
        found.changes[own] = found.changes.get(own, frozenset()) | _words(made) | gone
        found.made.add(own)


def _rename(found: Repaired, path: Path, old: str, pattern: str) -> None:
    """Give a key a name that it may have; where that is taken, take it out."""
    forms = (names.snake(old), names.pascal(names.snake(old)))
    new = next((form for form in forms if re.search(pattern, form)), old)
    if new in _at(found.contract, path):
        _take_out(found, (*path, old))
        return
    holder = _at(found.contract, path)
    own = (*found.own_path(path), old)
    found.changes[own] = found.changes.get(own, frozenset()) | _words(old) | _words(new)
    items = {new if key == old else key: item for key, item in holder.items()}
    holder.clear()
    holder.update(items)
    below = len(path) + 1
    found.moved = {
        (*path, new, *place[below:]) if place[:below] == (*path, old) else place: places
        for place, places in found.moved.items()
    }
    found.moved.setdefault(path, {})[new] = old


def _take_out(found: Repaired, path: Path) -> None:
    if not path:
        raise _GivenUpError
    *above, key = path
    holder = _at(found.contract, tuple(above))
    own = found.own_path(path)
    gone = frozenset(_names(holder[key], key, is_name=_is_name(path)))
    if len(path) > 1 and path[-2] in _NAMED:
        gone |= _words(key)
    if isinstance(holder, list) and holder.count(_at(holder, (key,))) > 1:
        gone = frozenset()  # the same stands there still
    found.changes[own] = found.changes.get(own, frozenset()) | gone
    if path[0] == "operations" and len(path) == _UNITS["operations"]:
        holder[key] = {"name": f"unnamed_{key}", "handler": "custom"}  # its author's, which refers to nothing
        found.made.add(own)
        return
    del holder[key]
    if isinstance(holder, list):
        before = found.moved.get(tuple(above), {})
        places = [index for index in range(len(holder) + 1) if index != key]
        found.moved[tuple(above)] = {index: before.get(place, place) for index, place in enumerate(places)}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _unit(path: Path) -> Path:
    return path[: _UNITS.get(str(path[0]), 1)] if path else ()


@cache
def _keys() -> frozenset[str]:
    """Return the keys of the language."""
    found: set[str] = set()
    waiting: list[object] = [bundle()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            properties = part.get("properties")
            found |= properties.keys() if isinstance(properties, Mapping) else set()
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return frozenset(found)


def _is_name(path: Path) -> bool:
    """Tell whether other places may know what stands here by its text."""
    last, above = path[-1], path[-2] if len(path) > 1 else ""
    return last in _NAMES or (isinstance(last, int) and (path[0] == "enums" or above in _LISTS))


def _names(value: object, key: str | int, *, is_name: bool) -> Iterator[str]:
    """Yield the words of names in a value by which other places may know its parts, at any depth."""
    if isinstance(value, Mapping):
        for below, item in value.items():
            if key in _NAMED or below not in _keys():
                yield from _words(below)
            yield from _names(item, below, is_name=below in _NAMES or below in _LISTS)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item, key, is_name=key in _LISTS)
    elif is_name:
        yield from _words(value)


def _words(value: object) -> frozenset[str]:
    """Return the words in a value, at any depth."""
    if isinstance(value, Mapping):
        return frozenset(word for item in value.values() for word in _words(item))
    if isinstance(value, (list, tuple)):
        return frozenset(word for item in value for word in _words(item))
    return frozenset(_WORD.findall(value)) if isinstance(value, str) else frozenset()
