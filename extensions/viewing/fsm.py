"""What templates are handed about a state machine."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..language import fsm, names, samples
from ..language.complete import own_enum
from ..language.contract import Contract, Field, Operation
from ..language.filling import copied
from ..text import encode
from .aggregation import _COLUMNS
from .fields import Symbol, annotation

type Own = Callable[[str, str], Symbol]
type Reference = Callable[[str, str], Symbol]


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
    states = own_enum(contract) or fsm.state_enum_name(contract.name)
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
