"""What a contract leaves to be added: the types that follow from its state machine and aggregations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import aggregation, fsm, names
from .aggregation import Aggregate, Measure
from .contract import MISSING, Contract, EnumType, Field, Model, Operation
from .filling import copied


def complete(contract: Contract) -> Contract:
    """Return the contract with the types that follow from its state machine and aggregations.

    Args:
        contract: A contract without problems.

    Returns:
        The contract with an enum of the states, and with models of windows and intents, which outputs then hold.
    """
    enums = (*contract.enums, *((_state_enum(contract),) if contract.fsm and not own_enum(contract) else ()))
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


def own_enum(contract: Contract) -> str | None:
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
    taker = window_taker(operation)
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


def window_taker(operation: Operation) -> Field:
    """Return the output field that holds the windows."""
    own = {aggregation.INTENTS} if operation.aggregate and operation.aggregate.intents else set()
    return next(
        field
        for field in operation.output
        if field.kind == "array" and field.name not in own and not copied(operation.input, field)
    )


def _figures(contract: Contract, operation: Operation, spec: Aggregate) -> tuple[Field, ...]:
    events = {field.name: field for field in event_model(contract, operation, spec).fields}
    found = [replace(events[name], default=MISSING) for name in spec.group_by]
    if spec.window:
        found.append(_field(aggregation.WINDOW_START, "datetime", description="When the window begins, in UTC."))
    for measure in spec.measures:
        kind = aggregation.result_kind(measure.function, events[measure.field].kind if measure.field else "")
        found.append(_field(measure.name, kind, required=not is_nullable(measure, events)))
    return tuple(found)


def is_nullable(measure: Measure, events: Mapping[str, Field]) -> bool:
    """Tell whether a measure may have no value."""
    if measure.function in {"count", "sum"}:
        return False
    return bool(measure.where) or not events[measure.field].required


def event_model(contract: Contract, operation: Operation, spec: Aggregate) -> Model:
    """Return the model of the events that an aggregation takes."""
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
