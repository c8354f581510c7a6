"""Aggregations of the contract language: their typed form, and what is wrong with one."""

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import filling
from .problems import Path, Problem, did_you_mean, show

type Specs = Mapping[str, Any]
type Function = Literal["count", "sum", "mean", "min", "max", "percentile"]

WINDOW_START: Final = "window_start"
INTENTS: Final = "intents"
_KEYS: Final = ("string", "integer", "boolean", "uuid", "datetime", "date", "duration", "decimal")
_IDS: Final = ("string", "integer", "uuid")
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


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules have to know of the rest of the contract.

    Attributes:
        enums: The names of the enums.
        models: Fields in their long form, by model.
        taken: Names that no field of a generated model may have.
        clean: Tells whether nothing at or below a path is wrong already.
        condition: Finds what is wrong with an expression on `event`, a model.
    """

    enums: frozenset[str]
    models: Mapping[str, Mapping[str, Specs]]
    taken: frozenset[str]
    clean: Callable[[Path], bool]
    condition: Callable[[Path, str, str], Iterable[Problem]]


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
    return Measure(name, function, field, spec.get("q"), _condition(spec))


def _condition(spec: Specs) -> str:
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


def check(
    path: Path, spec: Specs, inputs: Mapping[str, Specs], outputs: Mapping[str, Specs], context: Context
) -> Iterator[Problem]:
    """Find what is wrong with an aggregation that meets the schema.

    Args:
        path: Where the operation is.
        spec: Its `aggregate`.
        inputs: Its input fields in their long form.
        outputs: Its output fields in their long form.
        context: What the rules have to know of the rest of the contract.

    Yields:
        The problems.
    """
    yield from _Rules((*path, "aggregate"), spec, inputs, outputs, context).all()


class _Rules:
    def __init__(
        self,
        path: Path,
        spec: Specs,
        inputs: Mapping[str, Specs],
        outputs: Mapping[str, Specs],
        context: Context,
    ) -> None:
        self.path = path
        self.spec = spec
        self.inputs = inputs
        self.outputs = outputs
        self.context = context
        items = inputs.get(spec["over"], {}).get("items")
        model = items.get("type") if isinstance(items, Mapping) else items
        self.model = model if isinstance(model, str) else None
        self.event = context.models.get(str(self.model), {})

    def all(self) -> Iterator[Problem]:
        over = self.spec["over"]
        if over not in self.inputs:
            expected = "an input field that is an array of a model"
            yield Problem((*self.path, "over"), show(over), expected, did_you_mean(over, self.inputs))
            return
        if not self.context.clean((*self.path[:-1], "input", over)):
            return
        if self.inputs[over].get("type") != "array" or self.model not in self.context.models:
            yield Problem((*self.path, "over"), show(over), "an input field that is an array of a model")
            return
        yield from self.keys()
        yield from self.names()
        for name, measure in self.spec["measures"].items():
            yield from self.measure((*self.path, "measures", name), measure)
        yield from self.filled()

    def field(self, path: Path, name: str, kinds: Sequence[str], *, required: bool) -> Iterator[Problem]:
        """Find what keeps a word from naming a field of an event that is of some type."""
        shown = ", ".join(kinds)
        if name not in self.event:
            yield Problem(path, show(name), f"a field of {self.model}", did_you_mean(name, self.event))
            return
        field = self.event[name]
        kind = str(field.get("type"))
        if kind not in kinds and not (kind in self.context.enums and "an enum" in kinds):
            yield Problem(path, f"{name}, a field of type {kind}", f"one of type {shown}")
        elif required and field.get("required", True) is False:
            yield Problem(path, f"{name}, a field that may be null", "a required field")

    def keys(self) -> Iterator[Problem]:
        for index, name in enumerate(self.spec.get("group_by", ())):
            yield from self.field((*self.path, "group_by", index), name, (*_KEYS, "an enum"), required=False)
        if "window" in self.spec:
            by = self.spec["window"]["by"]
            yield from self.field((*self.path, "window", "by"), by, ("datetime",), required=True)
        if "unique_by" in self.spec:
            yield from self.field((*self.path, "unique_by"), self.spec["unique_by"], _IDS, required=True)

    def names(self) -> Iterator[Problem]:
        taken = dict.fromkeys(self.spec.get("group_by", ()), "a field of group_by")
        if "window" in self.spec:
            if WINDOW_START in taken:
                index = self.spec["group_by"].index(WINDOW_START)
                path = (*self.path, "group_by", index)
                yield Problem(path, WINDOW_START, "another field: that name is the start of the window")
            taken[WINDOW_START] = "the start of the window"
        for name in self.spec["measures"]:
            path = (*self.path, "measures", name)
            if name in taken:
                yield Problem(path, f"the name of {taken[name]}", "a name of its own")
            elif keyword.iskeyword(name) or name in self.context.taken:
                yield Problem(path, f"the name {show(name)}", "a name that Python and pydantic leave free")

    def measure(self, path: Path, spec: Specs) -> Iterator[Problem]:
        functions = [function for function in FUNCTIONS if function in spec]
        if len(functions) != 1:
            found = " and ".join(functions) or "no function"
            yield Problem(path, found, f"exactly one of {', '.join(FUNCTIONS)}", awaited=() if functions else (path,))
            return
        function = functions[0]
        if function == "percentile" and "q" not in spec:
            yield Problem((*path, "q"), "nothing", "a value: q is required for percentile")
        if function != "percentile" and "q" in spec:
            yield Problem((*path, "q"), f"q for {function}", "q for percentile alone")
        if function != "count":
            yield from self.field((*path, function), spec[function], FUNCTIONS[function], required=False)
        if "where" in spec:
            yield from self.context.condition((*path, "where"), _condition(spec), str(self.model))

    def filled(self) -> Iterator[Problem]:
        place = (*self.path[:-1], "output")
        free = window_field(self.outputs, self.inputs)
        for name in self.outputs:
            path = (*place, name)
            if not self.context.clean(path):
                return
            if name == INTENTS and self.spec.get("intents"):
                yield Problem(
                    path, "a field of the contract's own", "another name: the intents are added to the output"
                )
        operation = {"input": self.inputs, "output": self.outputs}
        own = {INTENTS} if self.spec.get("intents") else set()
        filler = filling.Filler({*free, *own}, "the array of the windows")
        yield from filling.unfilled(self.path[:-1], operation, filler, self.context.clean)
        candidates = [name for name in free if name != INTENTS or not self.spec.get("intents")]
        if len(candidates) != 1:
            found = f"the arrays {', '.join(candidates)}" if candidates else "no array"
            yield Problem(place, found, "exactly one array, which takes the windows")
            return
        yield from self.windows((*place, candidates[0]), self.outputs[candidates[0]])

    def windows(self, path: Path, field: Specs) -> Iterator[Problem]:
        items = field.get("items", "object")
        long: Specs = {"type": items} if isinstance(items, str) else items
        if long.get("type") == "object":
            return
        if long.get("type") not in self.context.models:
            yield Problem((*path, "items"), show(long.get("type")), "object, or a model that takes the figures")
            return
        model = str(long["type"])
        figures = dict(self.figures())
        for name, spec in self.context.models[model].items():
            if name not in figures and spec.get("required", True) is not False and "default" not in spec:
                expected = f"a field that is one of {', '.join(figures)}"
                yield Problem((*path, "items"), f"{model}, whose field {name} nothing fills", expected)
        for name, (kind, nullable) in figures.items():
            taker = self.context.models[model].get(name)
            if taker is None:
                yield Problem((*path, "items"), f"{model}, which has no field {name}", f"a field {name} of type {kind}")
            elif taker.get("type") != kind:
                found = f"{model}, whose field {name} is of type {taker.get('type')}"
                yield Problem((*path, "items"), found, f"a field {name} of type {kind}")
            elif nullable and taker.get("required", True) is not False:
                found = f"{model}, whose field {name} is never null"
                yield Problem((*path, "items"), found, f"required: false, since {name} may have no values")

    def figures(self) -> Iterator[tuple[str, tuple[str, bool]]]:
        """Give the type of each figure of a window, and whether it may be null; skip those that are wrong anyway."""
        for name in self.spec.get("group_by", ()):
            field = self.event.get(name, {})
            yield name, (str(field.get("type")), field.get("required", True) is False)
        if "window" in self.spec:
            yield WINDOW_START, ("datetime", False)
        for name, spec in self.spec["measures"].items():
            functions = [function for function in FUNCTIONS if function in spec]
            if len(functions) == 1:
                field = self.event.get(spec[functions[0]], {}) if functions[0] != "count" else {}
                kind = result_kind(functions[0], str(field.get("type")))
                yield name, (kind, may_be_null(spec, field))
