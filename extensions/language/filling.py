"""What an output field takes from the input: the one rule, for judging contracts and for generating code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..text.problems import Path, Problem
from ..text.specs import Specs
from .kinds import Kind, fits, kind_of

if TYPE_CHECKING:
    from .contract import Field


# Limits that are kept only where both fields have the same.
_SAME: Final = ("pattern", "format", "multipleOf", "uniqueItems", "const", "enum")
# Bounds: whether values are below, and the keys of the same bound, reached and not.
_BOUNDS: Final[Mapping[str, tuple[bool, str, str]]] = {
    "maximum": (True, "maximum", "exclusiveMaximum"),
    "exclusiveMaximum": (True, "maximum", "exclusiveMaximum"),
    "minimum": (False, "minimum", "exclusiveMinimum"),
    "exclusiveMinimum": (False, "minimum", "exclusiveMinimum"),
    **{f"max{what}": (True, f"max{what}", "") for what in ("Length", "Items", "Properties")},
    **{f"min{what}": (False, f"min{what}", "") for what in ("Length", "Items", "Properties")},
}

# What tells which outputs an operation fills.
_FILLING = (
    *(("database", "returns"), ("database", "query"), ("workflow", "output")),
    *(("http", "extract"), ("http", "method"), ("http", "pages")),
    *(("redis", "returns"), ("redis", "command"), ("filesystem", "returns"), ("filesystem", "action")),
    *(("compute",), ("aggregate",)),
)


@dataclass(frozen=True, slots=True)
class Filler:
    """What an implementation puts into output fields.

    Attributes:
        names: The fields that it fills by name.
        how: How that is said in the contract; empty where it says nothing.
        takes: Tells of a field in its long form whether the implementation fills it for its type.
    """

    names: Collection[object]
    how: str
    takes: Callable[[Specs], bool] = lambda _: False


def filler(filled: Collection[object], how: str, *, silent: bool) -> Filler:
    """Return what fills some fields; an implementation that returns nothing fills boolean ones, by its success.

    Args:
        filled: The fields that it fills by name.
        how: How that is said in the contract; empty where it says nothing.
        silent: Whether the implementation returns nothing.
    """
    return Filler(filled, how, lambda spec: silent and spec.get("type") == "boolean")


def field_kind(field: Field) -> Kind:
    """Return the type of a field of a contract without problems."""
    values = field.constraints.get("enum")
    return Kind(
        name=field.kind,
        reference=field.reference or "",
        items=replace(field_kind(field.items), nullable=False) if field.items else None,
        nullable=not field.required,
        values=frozenset(values) if values else None,
    )


def copied(inputs: Sequence[Field], field: Field) -> bool:
    """Tell whether an output field that nothing else fills takes the input's value.

    Args:
        inputs: The operation's input fields.
        field: One of its output fields.

    Returns:
        Whether there is an input field of the same name whose every value the output field can hold: kind, enum or
        model, items, and null included.
    """
    return any(
        other.name == field.name
        and fits(field_kind(other), field_kind(field))
        and keeps(_limits(other), _limits(field))
        for other in inputs
    )


def passes(inputs: Specs, name: str, spec: str | Specs) -> bool:
    """Tell the same as `copied` of a contract that is still to be judged.

    Args:
        inputs: The operation's input fields as the contract has them.
        name: The output field's name.
        spec: The output field as the contract has it.
    """
    given = inputs.get(name)
    # What a name of an enum or a model stands for does not matter: two types are the same when their names are.
    if not isinstance(given, (str, Mapping)):
        return False
    return fits(kind_of(given, (), ()), kind_of(spec, (), ())) and keeps(_spelled_out(given), _spelled_out(spec))


def _spelled_out(spec: object) -> Specs:
    return spec if isinstance(spec, Mapping) else {"type": spec}


def _limits(field: Field) -> Specs:
    return {**field.constraints, **({"items": _limits(field.items)} if field.items else {})}


def keeps(own: Specs, wanted: Specs) -> bool:
    """Tell whether every value that keeps the limits of one field keeps those of another of the same type.

    Args:
        own: The field that has the value, in its long form.
        wanted: The field that takes it.
    """
    if any(key in own for key in ("enum", "const")):
        # What else is said of such a field, its values meet.
        return "const" not in wanted or own.get("const") == wanted["const"]
    if any(key in wanted and wanted[key] != own.get(key) for key in _SAME):
        return False
    held, other = own.get("items"), wanted.get("items")
    inside = isinstance(held, (str, Mapping)) and isinstance(other, (str, Mapping))
    if inside and not keeps(_spelled_out(held), _spelled_out(other)):
        return False
    return all(_bounded(own, wanted, key) for key in _BOUNDS if key in wanted)


def _bounded(own: Specs, wanted: Specs, key: str) -> bool:
    """Tell whether a bound of one field is kept by what another says, as far as numbers show it."""
    below, reaching, excluding = _BOUNDS[key]
    limit, sign = wanted[key], 1 if below else -1
    inner = [sign * own[name] for name in (reaching, excluding) if isinstance(own.get(name), (int, float))]
    strict = key == excluding and own.get(reaching) == limit and excluding not in own
    return isinstance(limit, (int, float)) and any(bound <= sign * limit for bound in inner) and not strict


def may_be_left_out(spec: object) -> bool:
    """Tell whether a field as the contract has it does without a value."""
    return isinstance(spec, Mapping) and (spec.get("required", True) is False or "default" in spec)


def may_be_null(spec: object) -> bool:
    """Tell whether a field as the contract has it takes null."""
    return isinstance(spec, Mapping) and spec.get("required", True) is False


def unfilled(path: Path, operation: Specs, filler: Filler, clean: Callable[[Path], bool]) -> Iterator[Problem]:
    """Find output fields that nothing fills.

    Args:
        path: Where the operation is.
        operation: The operation.
        filler: What its implementation fills.
        clean: Tells whether nothing at or below a path is wrong already.

    Yields:
        The problems.
    """
    inputs, outputs = operation.get("input"), operation.get("output")
    inputs = inputs if isinstance(inputs, Mapping) else {}
    for name, spec in outputs.items() if isinstance(outputs, Mapping) else ():
        if name in filler.names or may_be_left_out(spec) or not isinstance(spec, (str, Mapping)):
            continue
        place = (*path, "output", name)
        long: Specs = {"type": spec} if isinstance(spec, str) else spec
        if not clean(place) or filler.takes(long) or passes(inputs, name, spec):
            continue
        ways = f"{filler.how}, or " if filler.how else ""
        yield Problem(
            place,
            "an output field that nothing fills",
            f"something that fills it: {ways}an input field of the same name and type",
            _difference(inputs, name, spec) if clean((*path, "input", name)) else "",
            awaited=((*path, "input", name), *((*path, *place) for place in _FILLING)),
        )


def _difference(inputs: Specs, name: str, spec: str | Specs) -> str:
    given = inputs.get(name)
    if not isinstance(given, (str, Mapping)):
        return ""
    own, wanted = kind_of(given, (), ()), kind_of(spec, (), ())
    if str(own) != str(wanted):
        return f"the input field {name} is of type {own}, not {wanted}"
    null = own.nullable and not wanted.nullable
    return f"the input field {name} may {'be null' if null else 'have other values'}"
