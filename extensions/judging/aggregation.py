"""The rules of aggregations."""

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..language import filling
from ..language.aggregation import (
    FUNCTIONS,
    INTENTS,
    ORDERS,
    WINDOW_START,
    condition_of,
    may_be_null,
    result_kind,
    takes_intents,
    window_field,
)
from ..language.syntax import source
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs

_KEYS: Final = ("string", "integer", "boolean", "uuid", "datetime", "date", "time", "duration", "decimal")
_IDS: Final = ("string", "integer", "uuid")
_EVENTS: Final = "an input field that is an array of a model, or a model"
WINDOW: Final = "window"
"""What conditions of intents start with."""
_ORDERED: Final = ("first", "last")


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules have to know of the rest of the contract.

    Attributes:
        enums: The names of the enums.
        models: Fields in their long form, by model.
        taken: Names that no field of a generated model may have.
        clean: Tells whether nothing at or below a path is wrong already.
        condition: Finds what is wrong with an expression on `event`, a model.
        window_condition: Finds what is wrong with an expression on `window`, some fields.
    """

    enums: frozenset[str]
    models: Mapping[str, Mapping[str, Specs]]
    taken: frozenset[str]
    clean: Callable[[Path], bool]
    condition: Callable[[Path, str, str], Iterable[Problem]]
    window_condition: Callable[[Path, str, Mapping[str, Specs]], Iterable[Problem]]


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
        over = inputs.get(spec["over"], {})
        items = over.get("items") if over.get("type") == "array" else over.get("type")
        model = items.get("type") if isinstance(items, Mapping) else items
        self.model = model if isinstance(model, str) else None
        self.event = context.models.get(str(self.model), {})

    def all(self) -> Iterator[Problem]:
        over = self.spec["over"]
        if over not in self.inputs:
            yield Problem((*self.path, "over"), show(over), _EVENTS, did_you_mean(over, self.inputs))
            return
        if not self.context.clean((*self.path[:-1], "input", over)):
            return
        if self.model not in self.context.models:
            yield Problem((*self.path, "over"), show(over), _EVENTS)
            return
        yield from self.keys()
        yield from self.names()
        for name, measure in self.spec["measures"].items():
            yield from self.measure((*self.path, "measures", name), measure)
        yield from self.intents()
        yield from self.filled()

    def intents(self) -> Iterator[Problem]:
        fields: dict[str, Specs] = {
            name: {"type": kind, "required": not nullable} for name, (kind, nullable) in self.figures()
        }
        for index, intent in enumerate(self.spec.get("intents", ())):
            path = (*self.path, "intents", index, "when")
            if "when" in intent and intent["each"] != "window":
                yield Problem(
                    path, f"a condition on an intent for each {intent['each']}", "each: window, whose figures it is on"
                )
            elif "when" in intent and self.context.clean((*self.path, "measures")):
                yield from self.context.window_condition(path, source(intent["when"]), fields)

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
        if "by" in spec and function not in _ORDERED:
            yield Problem((*path, "by"), f"by for {function}", "by for first and last alone")
        elif "by" in spec:
            yield from self.field((*path, "by"), spec["by"], ORDERS, required=True)
        if "where" in spec:
            yield from self.context.condition((*path, "where"), condition_of(spec), str(self.model))

    def filled(self) -> Iterator[Problem]:
        place = (*self.path[:-1], "output")
        free = window_field(self.outputs, self.inputs)
        for name in self.outputs:
            path = (*place, name)
            if not self.context.clean(path):
                return
            if name == INTENTS and self.spec.get("intents") and not takes_intents(self.outputs[name]):
                expected = "an array of object, which takes the intents, or no such field: they are added to the output"
                yield Problem(path, f"a field of type {self.outputs[name].get('type')}", expected)
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
