"""What templates are handed about an aggregation."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..language import aggregation, expressions, names, samples
from ..language.aggregation import Aggregate, Intent
from ..language.complete import event_model, window_taker
from ..language.contract import Contract, Field, Operation
from ..language.filling import copied
from ..text import encode, unparsed
from . import computation, strategies
from .fields import Symbol
from .measures import OF_VALUES, Measures, MeasureView

type Own = Callable[[str, str], Symbol]
type Reference = Callable[[str, str], Symbol]

# Events that `make bench` hands to an operation at once.
_MEASURED = 100_000
_COLUMNS = {"uuid": "uuid", "string": "text", "integer": "bigint"}
_STANDARD = {
    "Decimal": "decimal",
    "date": "datetime",
    "datetime": "datetime",
    "timedelta": "datetime",
    "time": "datetime",
    "UUID": "uuid",
}
# How many different values a number takes in the events of a benchmark.
_SPREAD = 1000
# Statements and branches that one function may have; more are split over several.
_MOST_STATEMENTS, _MOST_BRANCHES = 30, 6


type Block = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AggregateView:
    """An aggregation.

    Attributes:
        partial: The class of its partial results.
        event: The model of an event.
        window: The model of a window's figures.
        intent: The model of an intent, if there are any.
        over: Code of the events.
        key: Code of what tells an event's window and group.
        key_types: Types of its parts.
        keys: Pairs of a field of the window and the code that takes it from `key`.
        kept: Whether its figures go on from batch to batch.
        scope: Which figures these are: operations that count the same count together.
        event_id: Code of the identity of an event as text; empty where events have none.
        single: Whether a request has one event.
        whens: Pairs of the number of an intent and the code of the condition on `window` under which it is there.
        order: Code of what keys are sorted by, where that is not the keys themselves.
        order_words: What windows are sorted by, for people.
        group_words: What is counted together, for people.
        seconds: The length of a window; None without one.
        unique_by: The field that identifies an event; empty for none.
        id_type: Its type.
        measures: The measures.
        additions: What is done with an event, by function: pairs of a condition, perhaps empty, and statements.
        standard_imports: What its module imports of the standard library.
        imports: What its module imports of the node's own package.
        handler_imports: What its handler imports of that.
        intents: What others are to do.
        results: Pairs of output field and the code of its value.
        spec: The aggregation as the contract has it.
        taker: The output field that takes the windows.
        strategy: Pairs of an event's field and the code of a Hypothesis strategy for it.
        strategy_imports: What that needs imported.
        plain_keys: Code of each part of a key, as plainly as can be, for tests.
        shared: Fields in which events have to agree now and then, for tests to say something.
        fewest: How many events a request has at least.
        most: How many events it has at most.
        variations: Pairs of a field and code of its JSON value in the event `number` of many; None where no valid
            event is known.
    """

    partial: str
    event: Symbol
    window: Symbol
    intent: Symbol | None
    over: str
    key: str
    key_types: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    kept: bool
    scope: str
    event_id: str
    single: bool
    whens: Mapping[int, str]
    order: tuple[str, ...]
    order_words: str
    group_words: str
    seconds: float | None
    unique_by: str
    id_type: str
    measures: tuple[MeasureView, ...]
    additions: tuple[tuple[Block, ...], ...]
    standard_imports: tuple[Symbol, ...]
    imports: tuple[Symbol, ...]
    handler_imports: tuple[Symbol, ...]
    intents: tuple[Intent, ...]
    results: tuple[tuple[str, str], ...]
    spec: Aggregate
    taker: str
    strategy: tuple[tuple[str, str], ...]
    strategy_imports: tuple[Symbol, ...]
    plain_keys: tuple[str, ...]
    shared: tuple[str, ...]
    variations: tuple[tuple[str, str], ...] | None
    fewest: int
    most: int

    @property
    def limited(self) -> bool:
        """Whether a request takes fewer events than are measured."""
        return self.most < _MEASURED

    @property
    def plain_code(self) -> str:
        """All code of the plain reading, to see what it needs."""
        return " ".join((*(measure.plain for measure in self.measures), *self.plain_keys))

    @property
    def test_imports(self) -> tuple[Symbol, ...]:
        """What its tests import of the standard library."""
        words = set(re.findall(r"\w+", self.plain_code + " " + " ".join(code for _, code in self.strategy)))
        if "beginning" in words:
            words |= {"UTC", "datetime", "timedelta"}
        words |= {"timedelta"} if words & {"mean_of_durations", "deviation_of_durations"} else set()
        known = {**_STANDARD, "UTC": "datetime"}
        return tuple((known[word], word) for word in words - {"UUID", "Decimal"} if word in known)

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the functions after the first that an event is handed to."""
        return tuple(f"_add_{number}" for number in range(2, len(self.additions) + 1))

    @property
    def has_percentile(self) -> bool:
        """Whether one of the figures is a percentile."""
        return any(measure.function == "percentile" for measure in self.spec.measures)

    @property
    def arriving(self) -> bool:
        """Whether a figure depends on the order in which events come."""
        return any(measure.function in {"first", "last"} and not measure.by for measure in self.spec.measures)


def aggregate_view(contract: Contract, operation: Operation, own: Own, reference: Reference) -> AggregateView:
    """Return what templates are handed about an operation that aggregates.

    Args:
        contract: The contract, completed.
        operation: The operation.
        own: Gives the symbol of something in the node's package.
        reference: Gives the symbol of an enum or model from its kind and name.
    """
    return _Aggregation(contract, operation, own, reference).view()


class _Aggregation:
    def __init__(self, contract: Contract, operation: Operation, own: Own, reference: Reference) -> None:
        if operation.aggregate is None:
            raise ValueError("The operation aggregates nothing.")
        self.contract = contract
        self.operation = operation
        self.spec = operation.aggregate
        self.own = own
        self.reference = reference
        self.model = event_model(contract, operation, self.spec)
        self.events = {field.name: field for field in self.model.fields}
        self.stem = names.pascal(operation.name)
        self.measures = Measures(contract, self.model, reference)

    def view(self) -> AggregateView:
        spec = self.spec
        taker = window_taker(self.operation)
        window = self.reference("model", str(taker.items.reference if taker.items else ""))
        intent = self.reference("model", f"{self.stem}Intent") if spec.intents else None
        event = self.reference("model", self.model.name)
        over = next(field for field in self.operation.input if field.name == spec.over)
        parts = self.key_parts()
        strategy = strategies.model_strategy(self.contract, self.model, self.reference, 8)
        id_type = self.measures.type_of(self.events[spec.unique_by]) if spec.unique_by else ""
        measures = tuple(self.measures.view(measure) for measure in spec.measures)
        words = [*(["window_start"] if spec.window else []), *spec.group_by]
        code = " ".join(
            [*(kind for _, kind, _ in parts), id_type, *(measure.accumulator for measure in measures)]
            + (["timedelta"] if spec.window else [])
        )
        used = set(re.findall(r"\w+", code))
        module = f"aggregations.aggregation_{self.operation.name}"
        partial = names.class_name(f"{self.stem}Partial")
        helpers = {"window_start", "in_utc"} & set(
            re.findall(r"\w+", " ".join(part for part, _, _ in parts) + self.adds())
        )
        numbers = {re.split(r"\W", measure.accumulator)[0] for measure in measures}
        held = [m.field for m in spec.measures if m.function in {"first", "last", "distinct"}]
        enums = [
            self.reference("enum", str(self.events[name].reference))
            for name in (*spec.group_by, *held)
            if self.events[name].kind == "enum"
        ]
        return AggregateView(
            partial=partial,
            event=event,
            window=window,
            intent=intent,
            over=self.over(over),
            kept=self.contract.figure_store is not None,
            scope=self.scope(),
            event_id=self.event_id(),
            single=over.kind == "model",
            whens=self.whens(window),
            key=f"({', '.join(part for part, _, _ in parts)}{',' if len(parts) == 1 else ''})",
            key_types=tuple(kind for _, kind, _ in parts),
            keys=tuple((name, f"key[{index}]") for index, name in enumerate(words)),
            order=self.order(parts),
            order_words=" and ".join(words) or "nothing, as there is at most one",
            group_words=" and ".join((*(["window"] if spec.window else []), *(["group"] if spec.group_by else [])))
            or "batch",
            seconds=spec.window.seconds if spec.window else None,
            unique_by=spec.unique_by,
            id_type=id_type,
            measures=measures,
            additions=self.additions(),
            standard_imports=(
                *((_STANDARD[word], word) for word in used if word in _STANDARD),
                *((("typing", "Any"),) if self.order(parts) else ()),
            ),
            imports=(
                event,
                window,
                *enums,
                *([self.own("aggregations.keeping", "Folding")] if self.contract.figure_store else []),
                *(self.own(f"aggregations.{'values' if name in OF_VALUES else 'measures'}", name) for name in numbers),
                *(self.own("aggregations.moments", name) for name in helpers),
            ),
            handler_imports=(
                self.own(module, "FOLDING" if self.contract.figure_store else partial),
                *(
                    [
                        self.own(module, "Key"),
                        self.own(module, "Totals"),
                        self.own("aggregations.figure_store", "FigureStore"),
                        self.own("aggregations.keeping", "KeptFigures"),
                        event,
                        window,
                    ]
                    if self.contract.figure_store
                    else []
                ),
                *(self.reference("model", f"{self.stem}{side}") for side in ("Input", "Output")),
                *((intent, window) if intent else ()),
            ),
            intents=spec.intents,
            results=self.results(taker),
            spec=spec,
            taker=taker.name,
            strategy=strategy,
            strategy_imports=self.strategy_imports(" ".join(code for _, code in strategy)),
            plain_keys=tuple(self.plain_key(part) for part, _, _ in parts),
            shared=tuple(
                dict.fromkeys(
                    [
                        *([spec.window.by] if spec.window else []),
                        *spec.group_by,
                        *([spec.unique_by] if spec.unique_by else []),
                    ]
                )
            ),
            variations=self.variations(),
            fewest=1 if over.kind == "model" else over.constraints.get("minItems", 0),
            most=over.constraints.get("maxItems", sys.maxsize),
        )

    def scope(self) -> str:
        def counted(operation: Operation, spec: Aggregate) -> tuple[object, ...]:
            model = event_model(self.contract, operation, spec).name
            return model, spec.group_by, spec.window, spec.unique_by, spec.measures

        own = counted(self.operation, self.spec)
        return next(op.name for op in self.contract.operations if op.aggregate and counted(op, op.aggregate) == own)

    def event_id(self) -> str:
        if not self.spec.unique_by:
            return ""
        code = f"event.{self.spec.unique_by}"
        return code if self.events[self.spec.unique_by].kind == "string" else f"str({code})"

    def over(self, field: Field) -> str:
        code = f"request.{self.spec.over}"
        if field.kind == "model":
            return f"[{code}]" if field.required else f"[] if {code} is None else [{code}]"
        return code if field.required else f"{code} or []"

    def whens(self, window: Symbol) -> dict[int, str]:
        model = next(model for model in self.contract.models if self.reference("model", model.name) == window)
        scope = computation.scope_of(self.contract, "window", model.fields, "window", total=True)
        return {
            number: unparsed.condition(expressions.read(intent.when, scope).tree)
            for number, intent in enumerate(self.spec.intents)
            if intent.when
        }

    def plain_key(self, part: str) -> str:
        if self.spec.window and part.startswith("window_start("):
            return f"beginning(event.{self.spec.window.by})"
        return part

    def strategy_imports(self, code: str) -> tuple[Symbol, ...]:
        return tuple(strategies.symbols_in(code, self.contract, self.reference))

    def variations(self) -> tuple[tuple[str, str], ...] | None:
        event = samples.model(self.contract, self.model)
        if event is None:
            return None
        return tuple((name, self.variation(self.events[name], value)) for name, value in event.items())

    def variation(self, field: Field, value: object) -> str:
        """Return code of a field's JSON value in the event `number` of many."""
        spec, limits = self.spec, field.constraints
        if spec.window and field.name == spec.window.by:
            return f"(MOMENT + timedelta(seconds=number % 60 * {spec.window.seconds!r})).isoformat()"
        if field.name == spec.unique_by:
            unique = {"uuid": "str(UUID(int=number))", "integer": "number", "string": 'f"{number:036}"'}[field.kind]
            return unique if not limits else encode.py(value)
        if field.kind == "enum":
            values = next(enum for enum in self.contract.enums if enum.name == field.reference).values
            return f"{encode.py(list(values))}[number % {len(values)}]"
        if literals := limits.get("enum"):
            return f"{encode.py(list(literals))}[number % {len(literals)}]"
        if field.kind == "boolean":
            return "number % 10 > 0"
        if field.kind == "string" and not limits:
            return 'f"{number % 5}"'
        if field.kind in {"integer", "number"} and "multipleOf" not in limits:
            low, high = (
                limits.get("minimum", limits.get("exclusiveMinimum", 0)),
                limits.get("maximum", limits.get("exclusiveMaximum")),
            )
            if high is None or high - low > _SPREAD + 1:
                first = int(-(-low // 1)) + ("exclusiveMinimum" in limits)
                return f"{first} + number % {_SPREAD}" if first else f"number % {_SPREAD}"
        return encode.py(value)

    def adds(self) -> str:
        return " ".join(statement for function in self.additions() for _, block in function for statement in block)

    def key_parts(self) -> list[tuple[str, str, bool]]:
        """Return the code, the type, and whether it may be null, of each part of a key."""
        parts = []
        if self.spec.window:
            parts.append((f"window_start(event.{self.spec.window.by}, WINDOW)", "datetime", False))
        for name in self.spec.group_by:
            field = self.events[name]
            code = f"event.{name}"
            if field.kind == "datetime":
                code = f"in_utc({code})" + ("" if field.required else f" if {code} is not None else None")
            kind = self.measures.type_of(field) + ("" if field.required else " | None")
            parts.append((code, kind, not field.required))
        return parts

    def order(self, parts: Sequence[tuple[str, str, bool]]) -> tuple[str, ...]:
        """Return code of what keys are sorted by, part by part; empty where it is the keys themselves."""
        if not any(nullable for _, _, nullable in parts):
            return ()
        code = []
        for index, (_, kind, nullable) in enumerate(parts):
            value = f"key[{index}]"
            zero = {"str | None": '""', "int | None": "0", "bool | None": "False"}.get(kind)
            text = f"{value} or {zero}" if zero else f"str({value})"
            code += [f"{value} is not None", text] if nullable else [value]
        return tuple(code)

    def additions(self) -> tuple[tuple[Block, ...], ...]:
        blocks: dict[str, list[str]] = {}
        for measure in self.spec.measures:
            field = self.events.get(measure.field)
            value = f"event.{measure.field}" if field else ""
            if field and field.kind == "datetime":
                value = f"in_utc({value})"
            if measure.by:
                value = f"{self.measures.rank(measure)}, {value}"
            blocks.setdefault(self.measures.condition(measure), []).append(f"known.{measure.name}.add({value})")
        return tuple(_functions(blocks))

    def results(self, taker: Field) -> tuple[tuple[str, str], ...]:
        named = self.spec.intents or self.contract.figure_store
        windows = "windows" if named else "partial.windows()"
        found = []
        for field in self.operation.output:
            if field.name == taker.name:
                found.append((field.name, windows))
            elif field.name == aggregation.INTENTS and self.spec.intents:
                found.append((field.name, "_intents(windows)"))
            elif copied(self.operation.input, field):
                found.append((field.name, f"request.{field.name}"))
        return tuple(found)


def _functions(blocks: Mapping[str, Sequence[str]]) -> list[tuple[Block, ...]]:
    """Spread blocks over functions, none of which has too many statements or branches."""
    functions: list[list[Block]] = [[]]
    statements = branches = 0
    for condition, lines in blocks.items():
        for start in range(0, len(lines), _MOST_STATEMENTS):
            part = tuple(lines[start : start + _MOST_STATEMENTS])
            full = statements + len(part) > _MOST_STATEMENTS or branches + bool(condition) > _MOST_BRANCHES
            if functions[-1] and full:
                functions.append([])
                statements = branches = 0
            functions[-1].append((condition, part))
            statements += len(part)
            branches += bool(condition)
    return [tuple(function) for function in functions]
