"""JSON Schema, read as Python reads values where the two differ."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError, validators


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    # In JSON Schema `$` is the end of the text; Python's also matches before a line end, which no name may have.
    exact = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and not re.search(exact, instance):
        yield ValidationError(f"does not match {pattern}")


# To JSON Schema 5.0 is an integer, too; a parameter that takes integers refuses it.
_TYPES: Final = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
ExactValidator: Final[Any] = validators.extend(  # type: ignore[no-untyped-call] # untyped there
    Draft202012Validator, {"pattern": _pattern}, type_checker=_TYPES
)
"""Validates by draft 2020-12, with `integer` and `$` as Python has them."""


def joined(documents: Mapping[str, Any], name: str) -> Any:
    """Put what references name in their places, once, so that no validation looks them up again.

    Args:
        documents: Schemas by the names that references to them have; they are changed.
        name: Of the document that is wanted.

    Returns:
        The document. Where its references go in a circle, so do its objects.
    """
    seen: set[int] = set()
    waiting = [(documents[name], name)]
    while waiting:
        part, at = waiting.pop()
        if id(part) in seen or not isinstance(part, dict | list):
            continue
        seen.add(id(part))
        waiting += [(value, at) for value in (part.values() if isinstance(part, dict) else part)]
        if isinstance(part, dict) and "$ref" in part:
            document, _, pointer = part.pop("$ref").partition("#")
            home = document or at
            target = documents[home]
            for step in filter(None, pointer.split("/")):
                target = target[step]
            part["allOf"] = [*part.get("allOf", ()), target]
            waiting.append((target, home))
    return documents[name]
