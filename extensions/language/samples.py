"""Inputs that are valid, and inputs that are not, for documentation and tests of the generated node."""

import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..text.json_data import json_value
from ..text.problems import Problem
from . import numeric, patterns
from .contract import MISSING, Contract, Field, Model, Operation

_TEXTS = (
    "example",
    "a",
    "A",
    "0",
    "1",
    "example-1",
    "EXAMPLE",
    "2026-01-31",
    "user@example.org",
    "00000000",
    "AAA-000",
)
_SCALARS: dict[str, object] = {
    "boolean": True,
    "uuid": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
    "datetime": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:30:00",
    "duration": "PT30S",
}
FORMATTED = {
    "email": ("user@example.org", "someone@example.org", "a@b.org"),
    "uri": ("https://example.org/a", "https://example.org/", "a:b"),
    "hostname": ("host.example.org", "example.org", "a"),
    "ipv4": ("192.0.2.1", "10.0.0.1"),
    "ipv6": ("2001:db8::1", "::1"),
}
_LONGEST_TEXT = 10_000
# Of an array as JSON: nobody reads a test with a longer one.
_LONGEST_VALUE = 50_000


class _NoSampleError(Exception):
    """No value could be found that meets a field's constraints."""


def sample(contract: Contract, operation: Operation) -> dict[str, object] | None:
    """Return a valid input of an operation.

    Args:
        contract: The contract that defines the types.
        operation: One of its operations.

    Returns:
        The first example's input, else one made from the constraints, as JSON values; None where a pattern or a
        combination of constraints defeats that.
    """
    if operation.examples:
        values = json_value(operation.examples[0].input)
        return dict(values) if isinstance(values, Mapping) else None
    try:
        return {field.name: _value(contract, field) for field in operation.input if _needed(field)}
    except _NoSampleError:
        return None


def has_secrets(contract: Contract, fields: Sequence[Field]) -> bool:
    """Tell whether some field, or a field of a model in one, is secret."""
    return any(field.secret for field in _all(contract, fields, set()))


def _all(contract: Contract, fields: Sequence[Field], seen: set[str]) -> Iterator[Field]:
    for field in fields:
        yield field
        held = [field.items] if field.items else []
        held += [option(field, index) for index in range(len(field.union.models))] if field.union else []
        if field.kind == "model" and str(field.reference) not in seen:
            seen.add(str(field.reference))
            held += next(model for model in contract.models if model.name == field.reference).fields
        yield from _all(contract, held, seen)


def outside(contract: Contract, fields: Sequence[Field], values: Mapping[str, object]) -> dict[str, object]:
    """Return values as the outside world writes them.

    Args:
        contract: The contract that defines the types.
        fields: Fields of an input or a model.
        values: JSON values by field.

    Returns:
        The values by the names that fields have outside; a made-up value in the place of each secret.
    """
    found = {}
    for field in fields:
        if field.name in values:
            value = values[field.name]
            secret = field.secret and value is not None
            found[field.outside] = _value(contract, field) if secret else _outside(contract, field, value)
    return found


def _options(field: Field) -> tuple[Field, ...]:
    return tuple(option(field, index) for index in range(len(field.union.models))) if field.union else ()


def _is_option(contract: Contract, one: Field, field: Field, value: Mapping[str, object]) -> bool:
    model = next(model for model in contract.models if model.name == one.reference)
    key = field.union.discriminator if field.union else ""
    mark = next(inner for inner in model.fields if inner.name == key)
    return value.get(key) in mark.constraints["enum"]


def _outside(contract: Contract, field: Field, value: object) -> object:
    if field.union and isinstance(value, Mapping):
        field = next(one for one in _options(field) if _is_option(contract, one, field, value))
    if field.kind == "model" and isinstance(value, Mapping):
        model = next(model for model in contract.models if model.name == field.reference)
        return outside(contract, model.fields, value)
    if field.items and isinstance(value, list):
        return [_outside(contract, field.items, item) for item in value]
    if field.items and isinstance(value, Mapping):
        return {key: _outside(contract, field.items, item) for key, item in value.items()}
    return value


def unknown(contract: Contract) -> Iterator[Problem]:
    """Ask for an example of each operation that no valid input can be worked out for.

    Args:
        contract: A contract without other problems.
    """
    for index, operation in enumerate(contract.operations):
        if operation.examples:
            continue
        for field in filter(_needed, operation.input):
            try:
                _value(contract, field)
            except _NoSampleError:
                hint = f"no value of {field.name} is found by itself that meets its constraints"
                yield Problem(("operations", index, "examples"), "nothing", "an example with an input", hint)
                break


def row(contract: Contract, operation: Operation) -> dict[str, object] | None:
    """Return a row that an operation's statement may give.

    Args:
        contract: The contract that defines the types.
        operation: One of its operations with an SQL statement.

    Returns:
        Values by column, of the row's model or of the output's fields; None where no such can be worked out.
    """
    database = operation.database
    if database is None or database.statements:
        return None
    returns = database.returns
    into = next((field for field in operation.output if field.name == returns.into), None)
    holder = into.items if into and into.kind == "array" else into
    fields = operation.output
    if holder and holder.kind == "model":
        model = next(model for model in contract.models if model.name == holder.reference)
        fields = tuple(field for field in model.fields if field.required)
    elif holder and takes_column(into):
        fields = (holder,)
    try:
        return {field.name: _value(contract, field) for field in fields}
    except _NoSampleError:
        return None


def column(contract: Contract, field: Field) -> object:
    """Return a value that a field of an output may take, as JSON has it; None where none can be worked out."""
    try:
        return _value(contract, field)
    except _NoSampleError:
        return None


def takes_column(into: Field | None) -> bool:
    """Tell whether a field takes a single column of the rows: an array of anything but models and objects."""
    return bool(into and into.items and into.items.kind not in {"model", "object"})


def output(contract: Contract, operation: Operation) -> dict[str, object] | None:
    """Return a valid output of an operation, as JSON values by field, or None where no such can be worked out."""
    try:
        return {field.name: _value(contract, field) for field in operation.output}
    except _NoSampleError:
        return None


def bad_inputs(contract: Contract, operation: Operation) -> tuple[tuple[str, str, dict[str, object]], ...]:
    """Return what makes an input invalid, as changes to the sample, which may be large.

    Args:
        contract: The contract that defines the types.
        operation: One of its operations.

    Returns:
        For each: what is wrong, as an identifier; the field that is left out, or ""; and JSON values that are other.
    """
    given = sample(contract, operation) or {}
    bad: list[tuple[str, str, dict[str, object]]] = [("unknown_field", "", {"not_a_field_of_this_operation": True})]
    for field in operation.input:
        if field.required and field.default is MISSING:
            bad.append((f"{field.name}_missing", field.name if field.name in given else "", {}))
        bad += [(f"{field.name}_{label}", "", {field.name: value}) for label, value in _bad_values(field)]
    return tuple(bad)


def edges(operation: Operation) -> tuple[dict[str, object], ...]:
    """Return what the constraints of an operation's input just allow, as changes to the sample: least, then most."""
    ends = {field.name: pair for field in operation.input if (pair := _ends(field))}
    found = ({name: pair[side] for name, pair in ends.items() if pair[side] is not None} for side in (0, 1))
    return tuple(values for values in found if values)


def defaults(operation: Operation) -> dict[str, object]:
    """Return the defaults of an operation's input that are plain values."""
    plain = (field for field in operation.input if field.kind in {"string", "integer", "number", "boolean", "enum"})
    found = {field.name: field.default for field in plain if not field.secret and "format" not in field.constraints}
    return {name: value for name, value in found.items() if value is not MISSING}


def _ends(field: Field) -> tuple[object, object] | None:
    """Return the shortest and longest text, or the least and largest number, that a field takes; None where unknown."""
    bounds = field.constraints
    if {"enum", "pattern", "format", "multipleOf"} & bounds.keys():
        return None
    if field.kind == "string":
        lengths = (bounds.get("minLength"), bounds.get("maxLength"))
        texts = ["x" * length if length and length <= _LONGEST_TEXT else None for length in lengths]
        return texts[0], texts[1]
    if field.kind not in {"integer", "number"}:
        return None
    step = 1 if field.kind == "integer" else 1e-6
    over, under = bounds.get("exclusiveMinimum"), bounds.get("exclusiveMaximum")
    least = bounds.get("minimum") if over is None else over + step
    most = bounds.get("maximum") if under is None else under - step
    ends = [end if end is not None and numeric.takes(field.kind, bounds, end) else None for end in (least, most)]
    return ends[0], ends[1]


def model(contract: Contract, made: Model) -> dict[str, object] | None:
    """Return a valid value of a model, every field included, as JSON values; None where no such can be worked out."""
    try:
        return {field.name: _value(contract, field) for field in made.fields}
    except _NoSampleError:
        return None


def different_values(field: Field) -> tuple[object, ...]:
    """Return some valid values of a field of text, whole numbers or UUIDs.

    Args:
        field: The field.

    Returns:
        Up to three values that differ, as JSON values; none where a pattern or a combination of constraints defeats
        that.
    """
    bounds = field.constraints
    if values := bounds.get("enum"):
        return tuple(values[:3])
    if field.kind == "uuid":
        first = str(_SCALARS["uuid"])
        return (first, *(f"{first[:-1]}{digit}" for digit in "34"))
    try:
        value = _text(field) if field.kind == "string" else _number(field)
    except _NoSampleError:
        return ()
    if isinstance(value, str):
        free = not {"pattern", "format"} & bounds.keys()
        more = [value[:-1] + letter for letter in "xyz" if value and free]
    else:
        step = bounds.get("multipleOf", 1)
        around = (value + step, value + 2 * step, value - step)
        more = [number for number in around if numeric.takes(field.kind, bounds, number)]
    return tuple(dict.fromkeys((value, *more)))[:3]


def takes(contract: Contract, field: Field, text: str) -> bool:
    """Tell whether a field of text or of an enum takes a value.

    Args:
        contract: The contract that defines the enums.
        field: The field.
        text: The value.
    """
    bounds = field.constraints
    if field.kind == "enum":
        return text in next(enum for enum in contract.enums if enum.name == field.reference).values
    fits = "format" not in bounds and bounds.get("minLength", 0) <= len(text) <= bounds.get("maxLength", len(text))
    return fits and text in bounds.get("enum", (text,)) and patterns.matches(bounds.get("pattern", ""), text)


def _needed(field: Field) -> bool:
    return field.required and field.default is MISSING


def _value(contract: Contract, field: Field, around: frozenset[str] = frozenset()) -> object:
    if values := field.constraints.get("enum"):
        return values[0]
    match field.kind:
        case "string":
            return _text(field)
        case "bytes":
            return b64encode(_data(field)).decode()
        case "integer" | "number" | "decimal":
            return _number(field)
        case "enum":
            return next(enum for enum in contract.enums if enum.name == field.reference).values[0]
        case "model":
            model = next(model for model in contract.models if model.name == field.reference)
            around |= {model.name}
            return {inner.name: _value(contract, inner, around) for inner in model.fields if _needed(inner)}
        case "array" | "object":
            return _held(contract, field, around)
        case "union":
            ending = next((one for one in _options(field) if one.reference not in around), None)
            if ending is None:
                raise _NoSampleError
            return _value(contract, ending, around)
        case _:
            return _SCALARS[field.kind]


def option(field: Field, index: int = 0) -> Field:
    """Return one of the models that a field of a union may hold, as a field."""
    assert field.union is not None  # noqa: S101 - the caller looked
    return replace(field, kind="model", reference=field.union.models[index], union=None)


def _held(contract: Contract, field: Field, around: frozenset[str]) -> object:
    if field.kind == "object":
        count = field.constraints.get("minProperties", 0)
        held = _value(contract, field.items, around) if field.items and count else "value"
        return {f"key_{i}": held for i in range(count)}
    count = field.constraints.get("minItems", 0)
    if not count and field.items and field.items.reference in around:
        return []
    count = max(count, 1)
    if count > 1 and field.constraints.get("uniqueItems"):
        return _different(field.items, count)
    item = _value(contract, field.items, around) if field.items else "example"
    if count * len(json.dumps(item)) > _LONGEST_VALUE:
        raise _NoSampleError
    return [item] * count


def _different(items: Field | None, count: int) -> list[object]:
    """Return as many items that differ, or raise _NoSampleError."""
    if items is None:
        return [f"example-{number}" for number in range(count)]
    found = list(different_values(items)) if items.kind in {"string", "integer", "uuid"} else []
    if len(found) < count:
        raise _NoSampleError
    return found[:count]


def _data(field: Field) -> bytes:
    shortest = field.constraints.get("minLength", 0)
    return b"example".ljust(shortest, b"x")[: field.constraints.get("maxLength")]


def text(name: str, constraints: Mapping[str, Any]) -> str | None:
    """Return a text that a field takes.

    Args:
        name: Of the field.
        constraints: Its bounds.

    Returns:
        The text, the same for the same arguments; None where none is found.
    """
    shortest = constraints.get("minLength", 0)
    longest = constraints.get("maxLength", max(shortest, 200))
    pattern = constraints.get("pattern")
    if form := constraints.get("format"):
        fitting = (text for text in FORMATTED[form] if shortest <= len(text) <= longest)
        return next((text for text in fitting if pattern is None or patterns.matches(pattern, text)), None)
    for word in (name.replace("_", "-"), *_TEXTS):
        candidate = word.ljust(shortest, "x")[:longest]
        if pattern is None or patterns.matches(pattern, candidate):
            return candidate
    return patterns.plainest(pattern, shortest, longest) if pattern else None


def _text(field: Field) -> str:
    found = text(field.name, field.constraints)
    if found is None:
        raise _NoSampleError
    return found


def _number(field: Field) -> int | float | str:
    for candidate in numeric.numbers(field.kind, field.constraints):
        value = _written(candidate) if field.kind == "decimal" or isinstance(candidate, Decimal) else candidate
        if field.kind == "integer" and not isinstance(value, int):
            continue
        if numeric.takes(field.kind, field.constraints, value):
            return value
    raise _NoSampleError


def _written(number: float | Decimal) -> str:
    """Return a number as decimals are written, without an exponent."""
    return f"{Decimal(number):f}"


def _beyond(field: Field, bound: float, sign: int) -> float:
    """Return a number beyond a bound; what is added to a large float may be lost."""
    near = bound + sign
    return near if not numeric.takes(field.kind, field.constraints, near) else bound + sign * abs(bound)


def _bad_values(field: Field) -> list[tuple[str, object]]:
    bounds = field.constraints
    found: list[tuple[str, object]] = []
    if field.kind in {"integer", "number"}:
        found += [("not_a_number", "not a number")]
        found += [("not_finite", math.inf)] if field.kind == "number" else []
        found += [("too_small", _beyond(field, bounds["minimum"], -1))] if "minimum" in bounds else []
        found += [("too_small", bounds["exclusiveMinimum"])] if "exclusiveMinimum" in bounds else []
        found += [("too_large", _beyond(field, bounds["maximum"], 1))] if "maximum" in bounds else []
        found += [("too_large", bounds["exclusiveMaximum"])] if "exclusiveMaximum" in bounds else []
    elif field.kind == "string" and "enum" not in bounds:
        found += [("not_a_string", ["not", "a", "string"])]
        found += [(f"not_of_format_{bounds['format']}", ".. not ..")] if "format" in bounds else []
        found += [("too_short", "x" * (bounds["minLength"] - 1))] if bounds.get("minLength", 0) > 0 else []
        if bounds.get("maxLength", _LONGEST_TEXT) < _LONGEST_TEXT:
            found += [("too_long", "x" * (bounds["maxLength"] + 1))]
    elif field.kind in {"uuid", "datetime", "date", "time", "duration", "enum"} or "enum" in bounds:
        found += [(f"not_a_valid_{field.kind}", "not a valid value")]
        found += [("without_offset", "2026-01-31T12:00:00")] if bounds.get("format") == "offset" else []
    elif field.kind == "array" and bounds.get("uniqueItems") and bounds.get("maxItems", 2) > 1:
        found += [("not_unique", ["a", "a"])]
    return found
