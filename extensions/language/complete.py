"""What a contract leaves to be added: the types that follow from its state machine and aggregations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import aggregation, fsm, names
from .aggregation import Aggregate, Measure
from .computation import result_type
from .contract import MISSING, Contract, EnumType, Field, Model, Operation
from .filling import copied


def complete(contract: Contract) -> Contract:
    """Return the contract with the types that follow from its state machine, its aggregations and its results.

    Args:
        contract: A contract without problems.

    Returns:
        The contract with an enum of the states, with models of windows and intents, which outputs then hold, and with
        those of results that expressions follow.
    """
    enums = (*contract.enums, *((_state_enum(contract),) if contract.fsm and not own_enum(contract) else ()))
    models = list(contract.models)
    operations = []
    for operation in contract.operations:
        made = operation
        if operation.aggregate:
            new, made = _with_windows(contract, operation, operation.aggregate)
            models += new
        elif operation.by_state_machine and contract.fsm and contract.fsm.intents:
            intent = _transition_intent(operation, contract.fsm)
            models.append(intent)
            made = replace(operation, output=_with_intents(operation.output, intent.name))
        elif operation.then:
            words = f"What {operation.name} has before expressions follow it."
            models.append(Model(result_type(operation.name), _inside(operation.made), words))
        operations.append(made)
    return replace(contract, enums=enums, models=tuple(models), operations=tuple(operations))


def _inside(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return fields under the names that they have inside of the node."""
    return tuple(replace(field, alias="") for field in fields)


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
        output = list(_with_intents(output, f"{stem}Intent"))
    return models, replace(operation, output=tuple(output))


def _with_intents(output: Sequence[Field], model: str) -> tuple[Field, ...]:
    intents = _array(aggregation.INTENTS, model, "What others are to do; nothing of it is done here.")
    # Examples in contracts may leave them out.
    intents = replace(intents, default=[])
    if all(field.name != intents.name for field in output):
        return (*output, intents)
    return tuple(intents if field.name == intents.name else field for field in output)


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
        nullable = is_nullable(measure, events)
        if measure.function in {"first", "last"}:
            same = replace(events[measure.field], name=measure.name, default=MISSING, alias="", description="")
            found.append(replace(same, required=not nullable))
        else:
            found.append(_field(measure.name, kind, required=not nullable))
    return tuple(found)


def is_nullable(measure: Measure, events: Mapping[str, Field]) -> bool:
    """Tell whether a measure may have no value."""
    if measure.function in {"count", "sum", "distinct"}:
        return False
    return bool(measure.where) or not events[measure.field].required


def event_model(contract: Contract, operation: Operation, spec: Aggregate) -> Model:
    """Return the model of the events that an aggregation takes."""
    over = next(field for field in operation.input if field.name == spec.over)
    reference = over.items.reference if over.items else over.reference
    return next(model for model in contract.models if model.name == reference)


def _intent_model(operation: Operation, spec: Aggregate, stem: str, window: str) -> Model:
    fields = (*_intent_fields(spec.intents), _array("windows", window, "The figures that it is about."))
    return Model(f"{stem}Intent", fields, f"What others are to do with the figures of {operation.name}.")


def _transition_intent(operation: Operation, spec: fsm.Fsm) -> Model:
    payload = _field(
        "payload", "object", description="The operation's input, with previous_state and state, without what is secret."
    )
    stem = names.pascal(operation.name)
    fields = (*_intent_fields(spec.intents), payload)
    return Model(f"{stem}Intent", fields, f"What others are to do after a transition of {operation.name}.")


def _intent_fields(intents: Sequence[aggregation.Intent] | Sequence[fsm.Asked]) -> tuple[Field, ...]:
    def words(value_of: Callable[[Any], str]) -> dict[str, Any]:
        return {"constraints": {"enum": list(dict.fromkeys(filter(None, map(value_of, intents))))}}

    fields = [
        _field("target", "string", **words(lambda item: item.target), description="Who is to do it."),
        _field("action", "string", **words(lambda item: item.action), description="What is to be done."),
    ]
    if any(item.event for item in intents):
        everywhere = all(item.event for item in intents)
        event = words(lambda item: item.event)
        fields.append(_field("event", "string", **event, required=everywhere, description="What is to be published."))
    bounds = {"minimum": 0, "maximum": 9}
    urgent = "How urgent it is, the highest first."
    fields.append(
        _field("priority", "integer", constraints=bounds, default=aggregation.USUAL_PRIORITY, description=urgent)
    )
    return tuple(fields)
