"""Rules for what reducers do: state machines and aggregations, held against the rest of their contract."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ..language import conditions, fsm, names
from ..language.classify import node_type
from ..language.contract import spelled_out
from ..language.kinds import Scope
from ..language.values import INPUT
from ..text.problems import Path, Problem
from ..text.specs import Specs, list_of, mapping_of
from . import aggregation
from . import fsm as fsm_rules


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    enums: dict[str, list[str]]
    models: dict[str, Specs]
    operations: list[Specs]
    database_off: bool

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


def by_state_machine(rules: Rules, operation: Specs) -> bool:
    """Tell whether the contract's state machine says what happens in an operation."""
    return "fsm" in mapping_of(rules.raw.get("subcontracts")) and fsm.is_moved(operation)


def check_aggregate(rules: Rules, path: Path, operation: Specs, taken: frozenset[str]) -> Iterator[Problem]:
    """Find what is wrong with an aggregation beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the operation is.
        operation: The operation.
        taken: Names that no field of a generated model may have.

    Yields:
        The problems.
    """
    if (kind := node_type(rules.raw)) != "reducer":
        yield Problem((*path, "aggregate"), f"an aggregation in a node of type {kind}", "a reducer")
    elif rules.clean((*path, "aggregate")):
        models = {name: spelled_out(fields) for name, fields in rules.models.items()}
        types = conditions.Types(models, rules.enums)
        context = aggregation.Context(
            enums=frozenset(rules.enums),
            models=models,
            taken=taken,
            clean=rules.clean,
            condition=lambda place, text, event: conditions.check(place, text, types.scope(event)),
            window_condition=lambda place, text, fields: conditions.check(
                place, text, conditions.Types({**models, "": fields}, rules.enums).scope("", aggregation.WINDOW)
            ),
        )
        inputs, outputs = spelled_out(operation.get("input")), spelled_out(operation.get("output"))
        yield from aggregation.check(path, operation["aggregate"], inputs, outputs, context)


def check_state_machine(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with the contract's state machine, and with where its state is kept, beyond their schema.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    subcontracts = mapping_of(rules.raw.get("subcontracts"))
    spec, store = subcontracts.get("fsm"), subcontracts.get("state_management")
    workflows = any("workflow" in operation for operation in rules.operations)
    aggregates = any("aggregate" in operation for operation in rules.operations)
    if spec is None and store is not None and not workflows and not aggregates:
        expected = "subcontracts.fsm, an aggregation or a workflow, whose state it keeps"
        yield Problem(fsm.STORE_PATH, "a place for state", expected)
    sound = isinstance(store, Mapping) and rules.clean(fsm.STORE_PATH)
    if spec is None and aggregates and sound and isinstance(store, Mapping):
        yield from fsm_rules.check_store(store, _context(rules), fsm.default_windows(str(rules.raw.get("name"))))
    if not isinstance(spec, Mapping) or not rules.clean(fsm.PATH):
        return
    if (kind := node_type(rules.raw)) != "reducer":
        yield Problem(fsm.PATH, f"a state machine in a node of type {kind}", "a reducer")
        return
    sides = [
        fsm_rules.Side(("operations", index), spelled_out(operation.get("input")), spelled_out(operation.get("output")))
        for index, operation in enumerate(rules.operations)
        if by_state_machine(rules, operation)
    ]
    yield from fsm_rules.check(spec, store if sound else None, sides, _context(rules))


def _context(rules: Rules) -> fsm_rules.Context:
    integrations = mapping_of(rules.raw.get("integrations"))
    migrations = mapping_of(integrations.get("database")).get("migrations")
    return fsm_rules.Context(
        name=str(rules.raw.get("name")),
        enums=rules.enums,
        clean=rules.clean,
        unfit=rules.value,
        condition=lambda place, text, inputs: conditions.check(place, text, _input_scope(rules, inputs)),
        off=tuple(name for name, setting in integrations.items() if setting is False),
        migrations=[mapping_of(migration).get("id") for migration in migrations or ()],
    )


def _input_scope(rules: Rules, inputs: Mapping[str, Specs]) -> Scope:
    models = {name: spelled_out(fields) for name, fields in rules.models.items()}
    return conditions.Types({**models, "": inputs}, rules.enums).scope("", INPUT)


def generated_types(rules: Rules) -> Iterator[tuple[Path, str, str]]:
    """Give the types that follow from state machines and aggregations.

    Args:
        rules: The rules for the whole contract.

    Yields:
        What it follows from, the module of the type, and what it is, for people.
    """
    for index, operation in enumerate(rules.operations):
        name = operation.get("name")
        spec = operation.get("aggregate")
        if isinstance(name, str) and isinstance(spec, Mapping):
            place = ("operations", index, "name")
            arrays = [field for field in spelled_out(operation.get("output")).values() if "items" in field]
            if not any(item in rules.models for field in arrays for item in _types(field)):
                yield place, f"model_{name}_window", f"the windows of {name}"
            if spec.get("intents"):
                yield place, f"model_{name}_intent", f"the intents of {name}"
    moved = [spelled_out(op.get("output")) for op in rules.operations if by_state_machine(rules, op)]
    machine = mapping_of(mapping_of(rules.raw.get("subcontracts")).get("fsm"))
    asking = any(mapping_of(item).get("intents") for item in list_of(machine.get("transitions")))
    for index, operation in enumerate(rules.operations):
        if asking and by_state_machine(rules, operation) and isinstance(operation.get("name"), str):
            name = operation["name"]
            yield ("operations", index, "name"), f"model_{name}_intent", f"the intents of {name}"
    own = any(outputs.get(name, {}).get("type") in rules.enums for outputs in moved for name in fsm.STATES)
    if moved and not own:
        enum = fsm.state_enum_name(str(rules.raw.get("name")))
        yield fsm.PATH, f"enum_{names.snake(enum)}", "the states of the state machine"


def _types(field: Specs) -> Iterator[str]:
    items = field["items"]
    yield str(items.get("type") if isinstance(items, Mapping) else items)
