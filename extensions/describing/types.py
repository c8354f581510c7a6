"""Whether a value of one contract's type fits into a place of another's, by what types are, not by their names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from ..language.contract import MISSING, Field
from ..text.problems import show
from ..viewing.json_types import Types, side

if TYPE_CHECKING:
    from ..language.contract import Contract

# What is text in JSON.
_TEXTS = frozenset({"string", "uuid", "datetime", "date", "time", "duration", "bytes", "decimal", "enum"})
_NUMBERS = frozenset({"integer", "number", "decimal"})
_ANYTHING = frozenset({"object", "union"})


class NoSuchMemberError(Exception):
    """A reference leads to what its type does not have."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A field, and the contract that its names are from."""

    contract: Contract
    field: Field

    @property
    def word(self) -> str:
        """The type as people write it."""
        field = self.field
        if field.kind == "array" and field.items:
            return f"an array of {replace(self, field=field.items).word.removeprefix('a ').removeprefix('an ')}"
        word = field.reference or field.kind
        return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """The fields of the model that it names; None for what is no model."""
        if self.field.kind != "model":
            return None
        return next(model.fields for model in self.contract.models if model.name == self.field.reference)

    @property
    def values(self) -> Collection[Any] | None:
        """The values that it may have, where they are listed."""
        if self.field.kind == "enum":
            return next(enum.values for enum in self.contract.enums if enum.name == self.field.reference)
        constraints = self.field.constraints
        return (constraints["const"],) if "const" in constraints else constraints.get("enum")

    def at(self, path: Sequence[str | int]) -> Typed | None:
        """Return the type of a member, at any depth; None where nothing says what is there.

        Raises:
            NoSuchMemberError: It has no such member.
        """
        found: Typed = self
        for part in path:
            field = found.field
            if isinstance(part, int) or field.kind == "array":
                inner = field.items if field.kind == "array" and isinstance(part, int) else None
            elif (fields := found.fields) is not None:
                inner = next((each for each in fields if part in (each.name, each.outside)), None)
                if inner is None:
                    raise NoSuchMemberError(f"{found.word} has no field {part}")
            else:
                inner = None
            if inner is None:
                return None
            null = not (field.required and inner.required)
            found = Typed(found.contract, replace(inner, required=not null))
        return found


def misfits(given: Typed, place: Typed, open_pairs: frozenset[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Yield why values of a type do not fit into a place; nothing where all do, or nobody can say.

    Limits of numbers and lengths are not compared: a value may still be refused.

    Args:
        given: The type of the value.
        place: The type of the place.
        open_pairs: Pairs of models that are compared already.
    """
    if not given.field.required and place.field.required:
        yield "what may be null"
    yield from _value_misfits(given, place, open_pairs)


def _value_misfits(given: Typed, place: Typed, open_pairs: frozenset[tuple[str, str]]) -> Iterator[str]:
    kinds = given.field.kind, place.field.kind
    if given.field.kind in _ANYTHING or (place.field.kind in _ANYTHING and given.field.kind in {"model", *_ANYTHING}):
        return
    if not _kinds_fit(*kinds):
        yield given.word
        return
    if (allowed := place.values) is not None:
        values = given.values
        if values is None:
            yield f"{given.word} of any value"
        elif odd := [value for value in values if value not in allowed]:
            yield f"{given.word} that may be {', '.join(map(show, odd))}"
    if given.fields is not None and place.fields is not None:
        pair = (str(given.field.reference), str(place.field.reference))
        if pair not in open_pairs:
            yield from _model_misfits(given, place, open_pairs | {pair})
    if given.field.items and place.field.items:
        items = Typed(given.contract, given.field.items), Typed(place.contract, place.field.items)
        for text in misfits(*items, open_pairs):
            yield f"an array of {text.removeprefix('a ').removeprefix('an ')}"


def _kinds_fit(given: str, place: str) -> bool:
    if given == place or (given in _NUMBERS and place == "decimal") or (given, place) == ("integer", "number"):
        return True
    return (place == "string" and given in _TEXTS) or (given, place) == ("string", "enum")


def _model_misfits(given: Typed, place: Typed, open_pairs: frozenset[tuple[str, str]]) -> Iterator[str]:
    has = {field.outside: field for field in given.fields or ()}
    takes = {field.outside: field for field in place.fields or ()}
    for name, field in takes.items():
        if name in has:
            for text in misfits(Typed(given.contract, has[name]), Typed(place.contract, field), open_pairs):
                yield f"{given.word} whose {name} is {text}"
        elif field.required and field.default is MISSING:
            yield f"{given.word} without {name}"
    for name in has.keys() - takes.keys():
        yield f"{given.word} with {name}, which is not taken"


class Literals:
    """Judges values that stand in a contract against the inputs of another's operations."""

    def __init__(self, contract: Contract) -> None:
        """Make the types of the contract."""
        self._types = Types(contract)

    def fits(self, operation: str, field: str, value: Any) -> bool:
        """Tell whether an input field takes a value.

        Args:
            operation: The operation.
            field: The field's name outside.
            value: A value of JSON without references.
        """
        name = side(operation, "Input")
        schema = {"components": {"schemas": self._types.schemas}, **self._types.schemas[name]["properties"][field]}
        return Draft202012Validator(schema).is_valid(value)
