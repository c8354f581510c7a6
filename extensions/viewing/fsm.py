"""What templates are handed about a state machine."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..language import expressions, fsm, names, samples
from ..language.aggregation import INTENTS
from ..language.complete import own_enum
from ..language.computation import REQUEST
from ..language.contract import Contract, Field, Operation
from ..language.filling import copied
from ..language.values import INPUT
from ..text import encode, unparsed
from . import computation
from .aggregation import _COLUMNS
from .fields import Symbol, annotation

type Own = Callable[[str, str], Symbol]
type Reference = Callable[[str, str], Symbol]


@dataclass(frozen=True, slots=True)
class TransitionView:
    """One transition.

    Attributes:
        trigger: The trigger as the contract has it.
        source: The member of the state enum.
        target: The same.
        name: ONEX's name of it.
        guard: The function that tells whether it is taken; empty for always.
        condition: Code of what that returns.
        text: The condition as the contract has it.
        later: How many transitions of the same source and trigger follow it.
        spec: The transition as the contract has it.
    """

    trigger: str
    source: str
    target: str
    name: str
    guard: str
    condition: str
    text: str
    later: int
    spec: fsm.Transition

    @property
    def code(self) -> str:
        """Code of it, in a tuple."""
        parts = [f"State.{self.source}", encode.py(self.trigger), f"State.{self.target}"]
        parts += [f"when={self.guard}"] if self.guard else []
        if self.spec.intents:
            parts.append(f"asked=({' '.join(f'{_asked(intent)},' for intent in self.spec.intents)})")
        return f"Transition({', '.join(parts)}),"


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
        column: Its type in PostgreSQL.
        backend: Where states are kept.
        place: The table or the prefix of keys.
        migration: The id of the migration that makes the tables.
        store: The class that keeps states.
        store_argument: Code of what its constructor takes.
        inputs: The inputs of the operations that the state machine implements.
        machine_imports: What the module of the machine imports of the node's own package.
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
    column: str
    backend: str
    place: str
    migration: str
    store: Symbol
    store_argument: str
    inputs: tuple[Symbol, ...]
    machine_imports: tuple[Symbol, ...]
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
    def guards(self) -> tuple[tuple[str, str], ...]:
        """The functions that tell whether transitions are taken: name, and code of what it returns."""
        return tuple(dict.fromkeys((item.guard, item.condition) for item in self.transitions if item.guard))

    @property
    def unconditional(self) -> bool:
        """Whether a transition is taken whatever the input is."""
        guarded = {(item.source, item.trigger) for item in self.transitions if item.guard}
        return any((item.source, item.trigger) not in guarded for item in self.transitions)

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
    def diagram(self) -> str:
        """The state diagram in Mermaid's language."""
        ids = {state: f"{names.snake(state)}_" for state in self.spec.states}
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state}" as {ids[state]}' for state in self.spec.states]
        lines.append(f"    [*] --> {ids[self.spec.initial]}")
        lines += [
            f"    {ids[item.source]} --> {ids[item.target]}: {item.trigger}{' (if)' if item.when else ''}"
            for item in self.spec.transitions
        ]
        lines += [f"    {ids[state]} --> [*]" for state in self.spec.terminal]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class FsmOperationView:
    """What is the state machine's in one operation: code of the trigger and of the event's id, and the imports."""

    trigger: str
    event_id: str
    uses_move: bool
    intent: Symbol | None
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
    correlated = any(event_id_code(op)[1] for op in contract.operations if op.by_state_machine)
    store_class = f"StateStore{store.backend.capitalize()}"
    moved = [op for op in contract.operations if op.by_state_machine]
    inputs = tuple(reference("model", f"{names.pascal(op.name)}Input") for op in moved)
    return FsmView(
        spec=spec,
        state=state,
        members=members,
        initial=members[spec.initial],
        transitions=_transitions(contract, spec, members, operation),
        rejects=spec.on_undefined == "reject",
        entity=spec.entity,
        entity_type=typed.code,
        column=_COLUMNS[entity.kind],
        backend=store.backend,
        place=store.place,
        migration=fsm.migration_id(store),
        store=own(f"states.store_{store.backend}", store_class),
        store_argument="" if store.backend == "memory" else f'self.adapters.{store.backend}, "{store.place}"',
        inputs=inputs,
        machine_imports=(
            *inputs,
            *((own("states.machine", "Asked"),) if spec.intents else ()),
            own("states.machine", "Machine"),
            own("states.machine", "Transition"),
        ),
        correlated=correlated,
        has_event_id=any(event_id_code(op)[0] for op in contract.operations if op.by_state_machine),
        entity_values=_entity_values(contract, operation, entity),
        answers=tuple(_answers(contract, spec)),
    )


def _transitions(
    contract: Contract, spec: fsm.Fsm, members: Mapping[str, str], operation: Operation
) -> tuple[TransitionView, ...]:
    scope = computation.scope_of(contract, INPUT, operation.input, REQUEST, total=True)
    found: dict[str, TransitionView] = {}
    guards: dict[str, str] = {}
    ways = [(item.source, item.trigger) for item in spec.transitions]
    for index, item in enumerate(spec.transitions):
        stem = names.snake(f"{item.trigger}_from_{item.source}")
        number = next(n for n in itertools.count(1) if (stem if n == 1 else f"{stem}_{n}") not in found)
        name = stem if number == 1 else f"{stem}_{number}"
        # Several sources of one transition share its condition.
        guard = guards.setdefault(item.when, f"_when_{len(guards) + 1}") if item.when else ""
        condition = unparsed.condition(expressions.read(item.when, scope).tree) if item.when else ""
        source, target = members[item.source], members[item.target]
        later = ways[index + 1 :].count(ways[index])
        found[name] = TransitionView(item.trigger, source, target, name, guard, condition, item.when, later, item)
    return tuple(found.values())


def _asked(intent: fsm.Asked) -> str:
    words = [encode.py(intent.target), encode.py(intent.action), str(intent.priority)]
    return f"Asked({', '.join(words + ([encode.py(intent.event)] if intent.event else []))})"


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
        guarded = {item.trigger for item in spec.transitions if item.source == spec.initial and item.when}
        first = [
            item
            for item in spec.transitions
            if taken and item.source == spec.initial and item.trigger not in guarded
            if samples.takes(contract, taken, item.trigger)
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
            code = f"move.{field.name}"
            made = reference("enum", str(field.reference))[1] if field.kind == "enum" else ""
            results.append((field.name, f"{made}({code})" if made else code))
        elif field.name == "changed":
            results.append((field.name, "move.changed"))
        elif field.name == INTENTS and spec.intents:
            made = reference("model", f"{names.pascal(operation.name)}Intent")[1]
            asked = "self._entities.asked(move, request)"
            results.append((field.name, f"[{made}.model_validate(item) for item in {asked}]"))
        elif copied(operation.input, field):
            results.append((field.name, f"request.{field.name}"))
    made = names.pascal(operation.name)
    imports = [own("states.entities", "Entities"), *((own("states.entities", "delivery_id"),) if made_up else ())]
    imports += [reference("model", f"{made}Input"), reference("model", f"{made}Output")]
    imports.append(own("state.state_machine", "Moving"))
    enums = (field.reference for field in operation.output if field.name in fsm.STATES and field.kind == "enum")
    imports += [reference("enum", str(name)) for name in dict.fromkeys(enums)]
    intent = reference("model", f"{made}Intent") if spec.intents else None
    imports += [intent] if intent else []
    uses_move = any(re.search(r"\bmove\b", code) for _, code in results)
    return FsmOperationView(trigger, event_id, uses_move, intent, tuple(imports), tuple(results))
