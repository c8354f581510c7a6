"""Makes a contract meet the schema by taking out or replacing what does not, so that all else can be judged as well."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import ValidationError

from ..language import names
from ..reading.schema import bundle
from ..text.problems import Path, Problem, nearest

_ROUNDS = 60
_WORD = re.compile(r"[A-Za-z0-9_]+")
# The parts of a contract that stand for themselves, by the length of their paths.
_UNITS = {"operations": 2, "models": 2, "enums": 2, "subcontracts": 2, "integrations": 2}


# What holds parts under names that the contract chooses.
_NAMED = frozenset(
    {"input", "output", "fields", "enums", "models", "compute", "measures", "states", "headers", "env"}
    | {"apis", "form", "multipart"}
)


class _GivenUpError(Exception):
    """Too little is left."""


@dataclass
class Repaired:
    """A contract that meets the schema, and what was changed in it.

    Attributes:
        contract: The contract; None where there is nothing left to judge.
        changes: Where something was taken out or replaced, and the words that stood there.
        moved: The places of items in the contract's own lists, by the path of a list here.
    """

    contract: dict[str, Any] | None
    changes: dict[Path, frozenset[str]] = field(default_factory=dict)
    moved: dict[Path, list[int]] = field(default_factory=dict)

    def own_path(self, path: Path) -> Path:
        """Return where something is in the contract as it was written."""
        found: list[str | int] = []
        for number, part in enumerate(path):
            places = self.moved.get(path[:number])
            found.append(places[part] if places and isinstance(part, int) and part < len(places) else part)
        return tuple(found)

    def follows(self, problem: Problem) -> bool:
        """Tell whether a problem may be there for a change alone.

        Args:
            problem: A problem of the contract, its path as it was written.

        Returns:
            Whether it is about what was changed, or about something that is missing where something was taken out.
        """
        told = _words(problem.found) | _words(list(problem.path[1:]))
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
            needed: list[str] = list(schema["required"])
            for key in (key for key in needed if key not in value):
                made = _placeholder(key, path)
                if made is None:
                    _take_out(found, path)
                    break
                _at(found.contract, path)[key] = made
                found.changes.setdefault((*found.own_path(path), key), frozenset())
        case _ if "propertyNames" in error.absolute_schema_path:
            _take_out(found, (*path, value))
        case "enum" if path and (choices := [item for item in schema["enum"] if isinstance(item, str)]):
            _replace(found, path, nearest(str(value), choices) or choices[0])
        case "minItems" | "minProperties" if path:
            _take_out(found, path)
        case "maxItems" | "maxProperties" | "uniqueItems" if path:
            _take_out(found, (*path, _last(value)))
        case _:
            if isinstance(value, str) and (made := names.snake(value)) not in {"", value}:
                _replace(found, path, made)
            elif path:
                _take_out(found, path)


def _last(value: Any) -> str | int:
    return len(value) - 1 if isinstance(value, list) else list(value)[-1]


def _placeholder(key: str, path: Path) -> object:
    if key in {"operations", "steps", "transitions", "states"}:
        return []
    number = next((part for part in reversed(path) if isinstance(part, int)), 0)
    return f"unnamed_{number}" if key in {"name", "package"} else None  # for what can't be made up


def _replace(found: Repaired, path: Path, value: object) -> None:
    *above, key = path
    holder = _at(found.contract, tuple(above))
    found.changes[found.own_path(path)] = _words(holder[key])
    holder[key] = value


def _take_out(found: Repaired, path: Path) -> None:
    if not path:
        raise _GivenUpError
    *above, key = path
    holder = _at(found.contract, tuple(above))
    own = found.own_path(path)
    is_name = len(path) > 1 and path[-2] in _NAMED
    found.changes[own] = found.changes.get(own, frozenset()) | _words(holder[key]) | _words(key if is_name else ())
    del holder[key]
    if isinstance(holder, list):
        places = found.moved.setdefault(tuple(above), list(range(len(holder) + 1)))
        del places[int(key)]


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


def _words(value: object) -> frozenset[str]:
    """Return the words in a value, at any depth."""
    if isinstance(value, Mapping):
        own = [key for key in value if key not in _keys()]
        return frozenset(word for item in (*own, *value.values()) for word in _words(item))
    if isinstance(value, (list, tuple)):
        return frozenset(word for item in value for word in _words(item))
    return frozenset(_WORD.findall(value)) if isinstance(value, str) else frozenset()
