"""What templates are handed about a reducer's state machine and aggregations."""

import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from . import aggregation, computations, encode, expressions, fsm, names, samples, strategies, unparsed
from .aggregation import Aggregate, Intent, Measure
from .contract import MISSING, Contract, EnumType, Field, Model, Operation
from .expressions import EVENT
from .fields import Symbol, annotation
from .filling import copied

type Own = Callable[[str, str], Symbol]
type Reference = Callable[[str, str], Symbol]

# Events that `make bench` hands to an operation at once.
_MEASURED = 100_000
_COLUMNS = {"uuid": "uuid", "string": "text", "integer": "bigint"}
_ZEROS = {"integer": "0", "duration": "timedelta()"}
_ZERO_CODES = {"decimal": "Decimal(0)", "duration": "timedelta()"}
_MEANS = {
    "integer": ("MeanOfIntegers", "int", "Sum(0)", "integers", "float"),
    "number": ("MeanOfNumbers", "float", "ExactSum()", "floats", "float"),
    "decimal": ("MeanOfDecimals", "Decimal", "DecimalSum()", "decimals", "Decimal"),
    "duration": ("MeanOfDurations", "timedelta", "Sum(timedelta())", "durations", "timedelta"),
}
_TYPES = {
    "integer": "int",
    "number": "float",
    "decimal": "Decimal",
    "duration": "timedelta",
    "date": "date",
    "datetime": "datetime",
}
_STANDARD = {"Decimal": "decimal", "date": "datetime", "datetime": "datetime", "timedelta": "datetime", "UUID": "uuid"}
# How many different values a number takes in the events of a benchmark.
_SPREAD = 1000
# Statements and branches that one function may have; more are split over several.
_MOST_STATEMENTS, _MOST_BRANCHES = 30, 6


@dataclass(frozen=True, slots=True)
class TransitionView:
    """One transition: members of the state enum, and the trigger as the contract has it."""

    trigger: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class FsmView:
    """The state machine.

    Attributes:
        spec: The state machine as the contract has it.
        state: The enum of the states.
        members: The members of the states, by state.
        initial: The initial state's member of it.
        transitions: The transitions, in the order of the contract.
        rejects: Whether a trigger without a transition is an error.
        entity: The input field that tells whose state it is.
        entity_type: Its type as code.
        entity_imports: What that type needs imported.
        column: Its type in PostgreSQL.
        backend: Where states are kept.
        place: The table or the prefix of keys.
        migration: The id of the migration that makes the tables.
        store: The class that keeps states.
        store_argument: Code of what its constructor takes.
        entities_imports: What the module that moves entities imports of the node's own package.
        store_imports: What the store imports of the node's own package.
        correlated: Whether an event may be without an id of its own.
        has_event_id: Whether an event may bring one.
        entity_values: Code of different valid values of the entity's field; one, where no more are known, or none.
        answers: For operations that a valid input is known for: member of the operation enum, input and answer.
    """

    spec: fsm.Fsm
    members: Mapping[str, str]
    state: Symbol
    initial: str
    transitions: tuple[TransitionView, ...]
    rejects: bool
    entity: str
    entity_type: str
    entity_imports: tuple[Symbol, ...]
    column: str
    backend: str
    place: str
    migration: str
    store: Symbol
    store_argument: str
    entities_imports: tuple[Symbol, ...]
    store_imports: tuple[Symbol, ...]
    correlated: bool
    has_event_id: bool
    entity_values: tuple[str, ...]
    answers: tuple[tuple[str, dict[str, object], dict[str, object]], ...]

    @property
    def pydantic_test_names(self) -> tuple[str, ...]:
        """What the tests of states import of pydantic."""
        names_of = {"JsonValue": self.answers, "SecretStr": self.backend != "memory"}
        return tuple(name for name, wanted in names_of.items() if wanted)

    @property
    def states(self) -> tuple[tuple[str, str, str, bool], ...]:
        """Member, name, meaning and whether it is terminal, of each state."""
        return tuple(
            (self.members[name], name, text or f"The state {name}.", name in self.spec.terminal)
            for name, text in self.spec.states.items()
        )

    @property
    def undefined(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a state's member and a trigger that no transition is defined for."""
        defined = {(transition.source, transition.trigger) for transition in self.spec.transitions}
        return tuple(
            (self.members[state], trigger)
            for state in self.spec.states
            for trigger in self.spec.triggers
            if (state, trigger) not in defined
        )

    @property
    def named_transitions(self) -> tuple[tuple[str, fsm.Transition], ...]:
        """ONEX's transitions, which have names of their own."""
        found: dict[str, fsm.Transition] = {}
        for item in self.spec.transitions:
            name = names.snake(f"{item.trigger}_from_{item.source}")
            number = next(n for n in itertools.count(1) if (name if n == 1 else f"{name}_{n}") not in found)
            found[name if number == 1 else f"{name}_{number}"] = item
        return tuple(found.items())

    @property
    def diagram(self) -> str:
        """The state diagram in Mermaid's language."""
        ids = {state: f"{names.snake(state)}_" for state in self.spec.states}
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state}" as {ids[state]}' for state in self.spec.states]
        lines.append(f"    [*] --> {ids[self.spec.initial]}")
        lines += [f"    {ids[item.source]} --> {ids[item.target]}: {item.trigger}" for item in self.spec.transitions]
        lines += [f"    {ids[state]} --> [*]" for state in self.spec.terminal]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class FsmOperationView:
    """What is the state machine's in one operation: code of the trigger and of the event's id, and the imports."""

    trigger: str
    event_id: str
    uses_move: bool
    imports: tuple[Symbol, ...]
    results: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measure.

    Attributes:
        name: Its name.
        accumulator: Code that makes its partial result.
        value: Code of its figure, from `totals`.
        plain: Code of the same figure from all events of a `group`, as plainly as can be, for tests.
        condition: Code of the condition on `event` under which one counts, to be returned; empty for always.
    """

    name: str
    accumulator: str
    value: str
    plain: str
    condition: str


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
        if "mean_of_numbers" in words:
            words.add("Fraction")
        words |= {"Decimal"} if "mean_of_decimals" in words else set()
        words |= {"timedelta"} if "mean_of_durations" in words else set()
        known = _STANDARD | {"UTC": "datetime", "Fraction": "fractions"}
        return tuple((known[word], word) for word in words - {"UUID"} if word in known)

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the functions after the first that an event is handed to."""
        return tuple(f"_add_{number}" for number in range(2, len(self.additions) + 1))

    @property
    def has_percentile(self) -> bool:
        """Whether one of the figures is a percentile."""
        return any(measure.function == "percentile" for measure in self.spec.measures)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the classes of partial results that it uses, those inside of others included."""
        words = {word for measure in self.measures for word in re.findall(r"^\w+", measure.accumulator)}
        inner = {
            word for name, _, start, _, _ in _MEANS.values() if name in words for word in re.findall(r"^\w+", start)
        }
        return tuple(sorted(words | inner))


def complete(contract: Contract) -> Contract:
    """Return the contract with the types that follow from its state machine and aggregations.

    Args:
        contract: A contract without problems.

    Returns:
        The contract with an enum of the states, and with models of windows and intents, which outputs then hold.
    """
    enums = (*contract.enums, *((_state_enum(contract),) if contract.fsm and not _own_enum(contract) else ()))
    models = list(contract.models)
    operations = []
    for operation in contract.operations:
        made = operation
        if operation.aggregate:
            new, made = _with_windows(contract, operation, operation.aggregate)
            models += new
        operations.append(made)
    return replace(contract, enums=enums, models=tuple(models), operations=tuple(operations))


def _state_enum(contract: Contract) -> EnumType:
    states = tuple(contract.fsm.states) if contract.fsm else ()
    return EnumType(fsm.state_enum_name(contract.name), states, f"The states of the state machine of {contract.name}.")


def _own_enum(contract: Contract) -> str | None:
    """Return the enum of the contract that outputs hold states in, if there is one."""
    fields = (
        field
        for operation in contract.operations
        if operation.by_state_machine
        for field in operation.output
        if field.name in fsm.STATES and field.kind == "enum"
    )
    return next((field.reference for field in fields), None)


def _field(name: str, kind: str, **values: Any) -> Field:
    defaults: dict[str, Any] = {
        "reference": None,
        "items": None,
        "constraints": {},
        "default": MISSING,
        "required": True,
        "description": "",
    }
    return Field(name=name, kind=kind, **(defaults | values))


def _array(name: str, model: str, description: str) -> Field:
    return _field(name, "array", items=_field("item", "model", reference=model), description=description)


def _with_windows(contract: Contract, operation: Operation, spec: Aggregate) -> tuple[list[Model], Operation]:
    stem = names.pascal(operation.name)
    models = []
    taker = _window_taker(operation)
    window = taker.items.reference if taker.items and taker.items.kind == "model" else None
    output = list(operation.output)
    if window is None:
        window = f"{stem}Window"
        words = "group" if spec.window is None else "window"
        models.append(
            Model(window, _figures(contract, operation, spec), f"The figures of {operation.name} for one {words}.")
        )
        typed = replace(taker, items=_field("item", "model", reference=window))
        output = [typed if field is taker else field for field in output]
    if spec.intents:
        models.append(_intent_model(operation, spec, stem, str(window)))
        intents = _array(aggregation.INTENTS, f"{stem}Intent", "What others are to do; nothing of it is done here.")
        # Examples in contracts leave them out, since the template adds them.
        output.append(replace(intents, default=[]))
    return models, replace(operation, output=tuple(output))


def _window_taker(operation: Operation) -> Field:
    own = {aggregation.INTENTS} if operation.aggregate and operation.aggregate.intents else set()
    return next(
        field
        for field in operation.output
        if field.kind == "array" and field.name not in own and not copied(operation.input, field)
    )


def _figures(contract: Contract, operation: Operation, spec: Aggregate) -> tuple[Field, ...]:
    events = {field.name: field for field in _event_model(contract, operation, spec).fields}
    found = [replace(events[name], default=MISSING) for name in spec.group_by]
    if spec.window:
        found.append(_field(aggregation.WINDOW_START, "datetime", description="When the window begins, in UTC."))
    for measure in spec.measures:
        kind = aggregation.result_kind(measure.function, events[measure.field].kind if measure.field else "")
        found.append(_field(measure.name, kind, required=not _may_be_null(measure, events)))
    return tuple(found)


def _may_be_null(measure: Measure, events: Mapping[str, Field]) -> bool:
    if measure.function in {"count", "sum"}:
        return False
    return bool(measure.where) or not events[measure.field].required


def _event_model(contract: Contract, operation: Operation, spec: Aggregate) -> Model:
    over = next(field for field in operation.input if field.name == spec.over)
    reference = over.items.reference if over.items else None
    return next(model for model in contract.models if model.name == reference)


def _intent_model(operation: Operation, spec: Aggregate, stem: str, window: str) -> Model:
    def words(values: Sequence[str]) -> dict[str, Any]:
        return {"constraints": {"enum": list(dict.fromkeys(values))}}

    events = [intent.event for intent in spec.intents if intent.event]
    fields = [
        _field("target", "string", **words([intent.target for intent in spec.intents]), description="Who is to do it."),
        _field(
            "action", "string", **words([intent.action for intent in spec.intents]), description="What is to be done."
        ),
    ]
    if events:
        everywhere = len(events) == len(spec.intents)
        fields.append(
            _field("event", "string", **words(events), required=everywhere, description="What is to be published.")
        )
    fields.append(_array("windows", window, "The figures that it is about."))
    return Model(f"{stem}Intent", tuple(fields), f"What others are to do with the figures of {operation.name}.")


def fsm_view(contract: Contract, own: Own, reference: Reference) -> FsmView | None:
    """Return what templates are handed about the state machine.

    Args:
        contract: The contract, completed.
        own: Gives the symbol of something in the node's package.
        reference: Gives the symbol of an enum or model from its kind and name.

    Returns:
        The view; None when the contract has no state machine.
    """
    spec, store = contract.fsm, contract.state_store
    if spec is None or store is None:
        return None
    states = _own_enum(contract) or fsm.state_enum_name(contract.name)
    state = reference("enum", states)
    members = names.members(next(enum.values for enum in contract.enums if enum.name == states))
    operation = next(op for op in contract.operations if op.by_state_machine)
    entity = next(field for field in operation.input if field.name == spec.entity)
    typed = annotation(replace(entity, constraints={}), reference, entity.name)
    moves = own("state.move", "Entity"), own("state.move", "Move")
    correlated = any(event_id_code(op)[1] for op in contract.operations if op.by_state_machine)
    store_class = f"StateStore{store.backend.capitalize()}"
    machine = own("state.state_machine", "INITIAL_STATE")
    store_imports = {
        "memory": (state, machine, *moves, own("state.move", "Snapshot")),
        "postgres": (
            state,
            machine,
            *moves,
            own("state.move", "Snapshot"),
            own("adapters.adapter_postgres", "AdapterPostgres"),
        ),
        "redis": (state, machine, *moves, own("state.move", "Snapshot"), own("adapters.adapter_redis", "AdapterRedis")),
    }[store.backend]
    return FsmView(
        spec=spec,
        state=state,
        members=members,
        initial=members[spec.initial],
        transitions=tuple(
            TransitionView(item.trigger, members[item.source], members[item.target]) for item in spec.transitions
        ),
        rejects=spec.on_undefined == "reject",
        entity=spec.entity,
        entity_type=typed.code,
        entity_imports=tuple(typed.symbols),
        column=_COLUMNS[entity.kind],
        backend=store.backend,
        place=store.place,
        migration=fsm.migration_id(store),
        store=own(f"state.store_{store.backend}", store_class),
        store_argument="" if store.backend == "memory" else f"self.adapters.{store.backend}",
        entities_imports=(
            *moves,
            own("state.move", "StateStore"),
            own("state.state_machine", "TRANSITIONS"),
            *((own("correlation", "CORRELATION_ID"),) if correlated else ()),
        ),
        store_imports=store_imports,
        correlated=correlated,
        has_event_id=any(event_id_code(op)[0] for op in contract.operations if op.by_state_machine),
        entity_values=_entity_values(contract, operation, entity),
        answers=tuple(_answers(contract, spec)),
    )


def _entity_values(contract: Contract, operation: Operation, entity: Field) -> tuple[str, ...]:
    sample = samples.sample(contract, operation) or {}
    values = samples.different_values(entity) or tuple(sample[name] for name in [entity.name] if name in sample)
    if entity.kind == "uuid":
        return tuple(f"UUID({encode.py(value)})" for value in values)
    return tuple(encode.py(value) for value in values)


def _answers(contract: Contract, spec: fsm.Fsm) -> Iterator[tuple[str, dict[str, object], dict[str, object]]]:
    for operation in contract.operations:
        payload = samples.sample(contract, operation) if operation.by_state_machine else None
        taken = next(field for field in operation.input if field.name == spec.trigger) if payload else None
        first = [
            item
            for item in spec.transitions
            if taken and item.source == spec.initial and samples.takes(contract, taken, item.trigger)
        ]
        if payload is None or not first:
            continue
        values: dict[str, object] = {
            "previous_state": spec.initial,
            "state": first[0].target,
            "changed": first[0].target != spec.initial,
            spec.entity: payload[spec.entity],
        }
        outputs = {field.name for field in operation.output}
        expected = {name: value for name, value in values.items() if name in outputs}
        yield names.constant(operation.name), payload | {spec.trigger: first[0].trigger}, expected


def event_id_code(operation: Operation) -> tuple[str, bool]:
    """Return the code of the event's id in an operation of the state machine, and whether it may be made up."""
    field = next((field for field in operation.input if field.name == fsm.EVENT_ID), None)
    if field is None:
        return "", True
    value = f"request.{fsm.EVENT_ID}"
    return (value if field.kind == "string" else f"str({value})"), not field.required


def fsm_operation_view(contract: Contract, operation: Operation, own: Own, reference: Reference) -> FsmOperationView:
    """Return what templates are handed about an operation that the state machine implements.

    Args:
        contract: The contract, completed.
        operation: The operation.
        own: Gives the symbol of something in the node's package.
        reference: Gives the symbol of an enum or model from its kind and name.
    """
    spec = contract.fsm
    if spec is None:
        raise ValueError("The contract has no state machine.")
    inputs = {field.name: field for field in operation.input}
    trigger = f"request.{spec.trigger}" + (".value" if inputs[spec.trigger].kind == "enum" else "")
    event_id, made_up = event_id_code(operation)
    if made_up:
        other = f"delivery_id({trigger})"
        event_id = f"{other} if request.{fsm.EVENT_ID} is None else {event_id}" if event_id else other
    results = []
    for field in operation.output:
        if field.name in {"previous_state", "state"}:
            results.append((field.name, f"move.{field.name}" + ("" if field.kind == "enum" else ".value")))
        elif field.name == "changed":
            results.append((field.name, "move.changed"))
        elif copied(operation.input, field):
            results.append((field.name, f"request.{field.name}"))
    made = names.pascal(operation.name)
    imports = [own("state.entities", "Entities"), *((own("state.entities", "delivery_id"),) if made_up else ())]
    imports += [reference("model", f"{made}Input"), reference("model", f"{made}Output")]
    uses_move = any(code.startswith("move.") for _, code in results)
    return FsmOperationView(trigger, event_id, uses_move, tuple(imports), tuple(results))


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
        self.model = _event_model(contract, operation, self.spec)
        self.events = {field.name: field for field in self.model.fields}
        self.stem = names.pascal(operation.name)
        self.scope = computations.scope_of(contract, EVENT, self.model.fields, EVENT, total=True)

    def view(self) -> AggregateView:
        spec = self.spec
        taker = _window_taker(self.operation)
        window = self.reference("model", str(taker.items.reference if taker.items else ""))
        intent = self.reference("model", f"{self.stem}Intent") if spec.intents else None
        event = self.reference("model", self.model.name)
        over = next(field for field in self.operation.input if field.name == spec.over)
        parts = self.key_parts()
        strategy = strategies.model_strategy(self.contract, self.model, self.reference, 8)
        id_type = self.type_of(self.events[spec.unique_by]) if spec.unique_by else ""
        measures = tuple(self.measure(measure) for measure in spec.measures)
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
        enums = [
            self.reference("enum", str(self.events[name].reference))
            for name in spec.group_by
            if self.events[name].kind == "enum"
        ]
        return AggregateView(
            partial=partial,
            event=event,
            window=window,
            intent=intent,
            over=f"request.{spec.over}" + ("" if over.required else " or []"),
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
                *(self.own("aggregations.measures", name) for name in numbers),
                *(self.own("aggregations.moments", name) for name in helpers),
            ),
            handler_imports=(
                self.own(module, partial),
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
            fewest=over.constraints.get("minItems", 0),
            most=over.constraints.get("maxItems", sys.maxsize),
        )

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

    def type_of(self, field: Field) -> str:
        return annotation(replace(field, constraints={}), self.reference, field.name).code

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
            kind = self.type_of(field) + ("" if field.required else " | None")
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

    def measure(self, measure: Measure) -> MeasureView:
        value = f"totals.{measure.name}.value()"
        if _may_be_null(measure, self.events):
            value = f"None if totals.{measure.name}.empty else {value}"
        condition = self.condition(measure)
        return MeasureView(measure.name, self.accumulator(measure), value, self.plain(measure), condition)

    def plain(self, measure: Measure) -> str:
        field = self.events.get(measure.field)
        condition = f" if counts_in_{measure.name}(event)" if self.condition(measure) else ""
        value = f"event.{measure.field}" if field else "event"
        if field and field.kind == "datetime":
            value = f"in_utc({value})"
        values = f"[{value} for event in group{condition}]"
        kind = field.kind if field else ""
        match measure.function:
            case "count":
                return f"len({values})" if condition else "len(group)"
            case "sum" if kind == "number":
                return f"float(sum(map(Fraction, {values})))"
            case "sum" if kind in _ZERO_CODES:
                return f"sum({values}, {_ZERO_CODES[kind]})"
            case "sum":
                return f"sum({values})"
            case "mean":
                return f"mean_of_{kind}s({values})"
            case "percentile":
                numerator, denominator = _part(measure)
                return f"percentile({values}, {numerator}, {denominator})"
            case _:
                return f"{measure.function}({values}, default=None)"

    def accumulator(self, measure: Measure) -> str:
        if measure.function == "count":
            return "Count()"
        kind = self.events[measure.field].kind
        if measure.function == "sum":
            return {"number": "ExactSum()", "decimal": "DecimalSum()"}.get(kind) or f"Sum({_ZEROS[kind]})"
        if measure.function == "mean":
            return f"{_MEANS[kind][0]}()"
        if measure.function == "percentile":
            numerator, denominator = _part(measure)
            return f"Percentile[{_TYPES[kind]}]({numerator}, {denominator})"
        return f"{'Smallest' if measure.function == 'min' else 'Largest'}[{_TYPES[kind]}]()"

    def condition(self, measure: Measure) -> str:
        """Return the code of the condition under which an event counts; empty for always."""
        field = self.events.get(measure.field)
        nullable = [f"event.{measure.field} is not None"] if field and not field.required else []
        if not measure.where and not nullable:
            return ""
        tree = expressions.read(measure.where, self.scope).tree if measure.where else None
        return unparsed.condition(tree, tuple(nullable))

    def additions(self) -> tuple[tuple[Block, ...], ...]:
        blocks: dict[str, list[str]] = {}
        for measure in self.spec.measures:
            field = self.events.get(measure.field)
            value = f"event.{measure.field}" if field else ""
            if field and field.kind == "datetime":
                value = f"in_utc({value})"
            blocks.setdefault(self.condition(measure), []).append(f"known.{measure.name}.add({value})")
        return tuple(_functions(blocks))

    def results(self, taker: Field) -> tuple[tuple[str, str], ...]:
        windows = "windows" if self.spec.intents else "partial.windows()"
        found = []
        for field in self.operation.output:
            if field.name == taker.name:
                found.append((field.name, windows))
            elif field.name == aggregation.INTENTS and self.spec.intents:
                found.append((field.name, "_intents(windows)"))
            elif copied(self.operation.input, field):
                found.append((field.name, f"request.{field.name}"))
        return tuple(found)


def _part(measure: Measure) -> tuple[int, int]:
    numerator, denominator = Decimal(str(measure.q)).as_integer_ratio()
    return numerator, 100 * denominator


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


@dataclass(frozen=True, slots=True)
class Aggregations:
    """What a node's aggregations have in common: what the modules that they share have to hold."""

    views: tuple[AggregateView, ...]

    @property
    def classes(self) -> frozenset[str]:
        """The classes of partial results that they use."""
        return frozenset(name for view in self.views for name in view.numbers)

    @property
    def means(self) -> tuple[tuple[str, str, str, str, str], ...]:
        """The classes of means among them: name, type of a value, start, words for values, type of the mean."""
        return tuple(mean for mean in _MEANS.values() if mean[0] in self.classes)

    @property
    def mergeable(self) -> bool:
        """Whether partial results of single figures are ever put together."""
        return any(not view.unique_by for view in self.views)

    @property
    def intend(self) -> bool:
        """Whether they return intents."""
        return any(view.intents for view in self.views)

    @property
    def conditional(self) -> bool:
        """Whether a figure counts some events only."""
        return any(measure.where for view in self.views for measure in view.spec.measures)

    @property
    def may_be_empty(self) -> bool:
        """Whether a figure may be without values."""
        return any(".empty" in measure.value for view in self.views for measure in view.measures)

    @property
    def helpers(self) -> frozenset[str]:
        """The functions about moments that they use."""
        return frozenset(name for view in self.views for _, name in view.imports) & {"window_start", "in_utc"}

    @property
    def sums(self) -> tuple[str, ...]:
        """The types whose sums are exact by themselves."""
        return ("int", "timedelta") if "Sum" in self.classes else ()

    @property
    def extremes(self) -> tuple[str, ...]:
        """The types that smallest and largest values are taken of."""
        return _at_least_two(self._held(r"(?:Smallest|Largest)\[(\w+)\]"))

    @property
    def percentiles(self) -> tuple[str, ...]:
        """The types that percentiles are taken of."""
        return _at_least_two(self._held(r"Percentile\[(\w+)\]"))

    @property
    def standard_imports(self) -> tuple[Symbol, ...]:
        """What the module of partial results imports of the standard library."""
        words = {*self.sums, *self.extremes, *self.percentiles}
        words |= {word for mean in self.means for word in (mean[1], mean[4])}
        symbols = [(_STANDARD[word], word) for word in words if word in _STANDARD]
        if "DecimalSum" in self.classes:
            symbols += [("decimal", name) for name in ("Context", "Decimal", "Inexact", "InvalidOperation", "Overflow")]
        return tuple(symbols)

    def _held(self, pattern: str) -> list[str]:
        code = (measure.accumulator for view in self.views for measure in view.measures)
        return sorted({match[1] for text in code if (match := re.match(pattern, text))})


def _at_least_two(types: Sequence[str]) -> tuple[str, ...]:
    # A constrained type variable needs two types.
    return tuple(types) if len(types) != 1 else (types[0], "int" if types[0] == "float" else "float")


def migrations(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return the migrations that follow from where state is kept: pairs of id and SQL."""
    spec, store = contract.fsm, contract.state_store
    if spec is None or store is None or store.backend != "postgres":
        return ()
    operation = next(op for op in contract.operations if op.by_state_machine)
    column = _COLUMNS[next(field for field in operation.input if field.name == spec.entity).kind]
    return ((fsm.migration_id(store), _TABLES.format(place=store.place, column=column)),)


_TABLES = """\
CREATE TABLE "{place}" (
    entity {column} PRIMARY KEY,
    state text NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE "{place}_events" (
    entity {column} NOT NULL REFERENCES "{place}" ON DELETE CASCADE,
    event_id text NOT NULL,
    trigger text NOT NULL,
    previous_state text NOT NULL,
    state text NOT NULL,
    version bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, event_id)
);
"""
