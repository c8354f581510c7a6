"""Aggregations of the contract language: their typed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ..text.specs import Specs
from . import filling
from .syntax import source

type Function = Literal["count", "sum", "mean", "stddev", "min", "max", "distinct", "first", "last", "percentile"]

WINDOW_START: Final = "window_start"
INTENTS: Final = "intents"
USUAL_PRIORITY: Final = 5
_NUMBERS: Final = ("integer", "number", "decimal", "duration")
_SCALARS: Final = (
    *(*_NUMBERS, "string", "boolean", "uuid", "datetime", "date", "time"),
    "an enum",
)
ORDERS: Final = ("integer", "datetime", "date")
"""The types of the fields that events are ordered by."""
FUNCTIONS: Final[Mapping[Function, tuple[str, ...]]] = {
    "count": (),
    "sum": _NUMBERS,
    "mean": _NUMBERS,
    "min": (*_NUMBERS, "date", "datetime"),
    "max": (*_NUMBERS, "date", "datetime"),
    "stddev": _NUMBERS,
    "distinct": _SCALARS,
    "first": _SCALARS,
    "last": _SCALARS,
    "percentile": _NUMBERS,
}
"""The functions, and the types of the fields that they are for."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a window.

    Attributes:
        name: Its name.
        function: What is done with the values.
        field: The field that the values come from; empty for a count.
        q: Of 100 values, for a percentile.
        where: The condition on `event` under which one counts; empty for always.
        by: The field that events are ordered by, for the first and the last; empty for the order in which they come.
    """

    name: str
    function: Function
    field: str
    q: float | None
    where: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A tumbling window: the field that tells when an event happened, and its length in seconds."""

    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What others are to do: once for each window, or once for the batch.

    Attributes:
        target: Who is to do it.
        action: What is to be done.
        event: The event that is to be published; empty for none.
        each: How often.
        when: The condition on `window` under which it is asked for; empty for always.
        priority: 0 to 9; the highest is the most urgent.
    """

    target: str
    action: str
    event: str
    each: Literal["window", "batch"]
    when: str = ""
    priority: int = USUAL_PRIORITY


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation.

    Attributes:
        over: The input field that holds the events, or a single one.
        group_by: Fields by which they are grouped.
        window: The window of time, if any.
        unique_by: The field that identifies an event; empty for none.
        measures: The figures.
        intents: What others are to do with them.
    """

    over: str
    group_by: tuple[str, ...]
    window: Window | None
    unique_by: str
    measures: tuple[Measure, ...]
    intents: tuple[Intent, ...]


def build_aggregate(spec: Specs | None) -> Aggregate | None:
    """Return the typed aggregation of a contract without problems, if the operation has one."""
    if spec is None:
        return None
    window = spec.get("window")
    return Aggregate(
        over=spec["over"],
        group_by=tuple(spec.get("group_by", ())),
        window=Window(window["by"], window["seconds"]) if window else None,
        unique_by=spec.get("unique_by", ""),
        measures=tuple(
            _measure(name, measure, window["by"] if window else "") for name, measure in spec["measures"].items()
        ),
        intents=tuple(
            Intent(
                target=item["target"],
                action=item["action"],
                event=item.get("event", ""),
                each=item["each"],
                when=source(item["when"]) if "when" in item else "",
                priority=item.get("priority", USUAL_PRIORITY),
            )
            for item in spec.get("intents", ())
        ),
    )


def _measure(name: str, spec: Specs, by: str) -> Measure:
    function = next(word for word in FUNCTIONS if word in spec)
    field = "" if function == "count" else spec[function]
    order = spec.get("by", by) if function in {"first", "last"} else ""
    return Measure(name, function, field, spec.get("q"), condition_of(spec), order)


def condition_of(spec: Specs) -> str:
    """Return the condition of a measure or an intent as text; empty for none."""
    # YAML reads a bare true or false as a boolean; as an expression it is the same.
    return str(spec["where"]) if "where" in spec else ""


def result_kind(function: Function, kind: str) -> str:
    """Return the type of a figure.

    Args:
        function: What is done with the values.
        kind: Their type; empty for a count.

    Returns:
        A type of the contract language.
    """
    if function in {"count", "distinct"}:
        return "integer"
    return "number" if function in {"mean", "stddev"} and kind == "integer" else kind


def may_be_null(measure: Specs, field: Specs) -> bool:
    """Tell whether a figure may have no values to come from, for those that are nothing then.

    Args:
        measure: The measure as the contract has it.
        field: The field that the values come from, in its long form.
    """
    return not {"count", "sum", "distinct"} & measure.keys() and (
        "where" in measure or field.get("required", True) is False
    )


def takes_intents(field: Specs) -> bool:
    """Tell whether an output field, in its long form, is one that intents can be put into: an array of anything."""
    items = field.get("items", "object")
    held = items.get("type") if isinstance(items, Mapping) else items
    return field.get("type") == "array" and held == "object"


def window_field(outputs: Mapping[str, Specs], inputs: Mapping[str, Specs]) -> list[str]:
    """Return the output fields that may take the windows: arrays that no input field fills."""
    return [
        name
        for name, field in outputs.items()
        if field.get("type") == "array" and not filling.passes(inputs, name, field)
    ]
