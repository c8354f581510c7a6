"""Aggregations of the contract language: their typed form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import filling

type Specs = Mapping[str, Any]
type Function = Literal["count", "sum", "mean", "min", "max", "percentile"]

WINDOW_START: Final = "window_start"
INTENTS: Final = "intents"
_NUMBERS: Final = ("integer", "number", "decimal", "duration")
FUNCTIONS: Final[Mapping[Function, tuple[str, ...]]] = {
    "count": (),
    "sum": _NUMBERS,
    "mean": _NUMBERS,
    "min": (*_NUMBERS, "date", "datetime"),
    "max": (*_NUMBERS, "date", "datetime"),
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
    """

    name: str
    function: Function
    field: str
    q: float | None
    where: str


@dataclass(frozen=True, slots=True)
class Window:
    """A tumbling window: the field that tells when an event happened, and its length in seconds."""

    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What others are to do: once for each window, or once for the batch. `event` is empty for none."""

    target: str
    action: str
    event: str
    each: Literal["window", "batch"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation.

    Attributes:
        over: The input field that holds the events.
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
        measures=tuple(_measure(name, measure) for name, measure in spec["measures"].items()),
        intents=tuple(
            Intent(item["target"], item["action"], item.get("event", ""), item["each"])
            for item in spec.get("intents", ())
        ),
    )


def _measure(name: str, spec: Specs) -> Measure:
    function = next(word for word in FUNCTIONS if word in spec)
    field = "" if function == "count" else spec[function]
    return Measure(name, function, field, spec.get("q"), condition_of(spec))


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
    if function == "count":
        return "integer"
    return "number" if function == "mean" and kind == "integer" else kind


def may_be_null(measure: Specs, field: Specs) -> bool:
    """Tell whether a figure may have no values to come from, for those that are nothing then.

    Args:
        measure: The measure as the contract has it.
        field: The field that the values come from, in its long form.
    """
    return not {"count", "sum"} & measure.keys() and ("where" in measure or field.get("required", True) is False)


def window_field(outputs: Mapping[str, Specs], inputs: Mapping[str, Specs]) -> list[str]:
    """Return the output fields that may take the windows: arrays that no input field fills."""
    return [
        name
        for name, field in outputs.items()
        if field.get("type") == "array" and not filling.passes(inputs, name, field)
    ]
