"""What workflows give the nodes that they call, where it can be told beforehand: what tests expect."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from ..language import samples
from ..language.contract import MISSING, Contract, Field, Operation
from ..language.references import Reference, parts
from ..language.workflow import NodeCall
from .workflow import StepView

# A value of these is given to other nodes as the input has it.
_AS_IT_IS = frozenset({"string", "integer", "number", "boolean", "uuid", "enum"})


class _UnknownError(Exception):
    """A value that only the run tells."""


def given(
    contract: Contract, operation: Operation, steps: Sequence[StepView]
) -> dict[str, tuple[str, str, dict[str, object]]]:
    """Return the node, the operation and the input of calls, by the names that the calls have in tests.

    Args:
        contract: The contract.
        operation: The operation that the workflow implements.
        steps: All steps of the workflow.
    """
    single = [step for step in steps if step.call and not (step.depth or step.step.for_each or step.step.repeat)]
    answers = {step.name: step.answer for step in single}
    sample = samples.sample(contract, operation) or {}
    fields = {field.name: field for field in operation.input}
    return dict(_given(single, lambda reference: _known(reference, sample, fields, answers)))


def _given(
    steps: Sequence[StepView], known: Callable[[Reference], object]
) -> Iterator[tuple[str, tuple[str, str, dict[str, object]]]]:
    for step in steps:
        for name, call in ((step.name, step.call), (f"undo {step.name}", step.compensate)):
            if isinstance(call, NodeCall):
                try:
                    payload = {key: _value(value, known) for key, value in call.input.items()}
                except _UnknownError:
                    continue
                yield name, (call.node, call.operation, payload)


def _value(value: object, known: Callable[[Reference], object]) -> object:
    if isinstance(value, Mapping):
        return {key: _value(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, known) for item in value]
    if not isinstance(value, str):
        return value
    found = parts(value)
    if any(isinstance(part, Reference) for part in found):
        if len(found) > 1 or not isinstance(found[0], Reference):
            raise _UnknownError
        return known(found[0])
    return "".join(map(str, found))


def _known(
    reference: Reference,
    sample: Mapping[str, object],
    fields: Mapping[str, Field],
    answers: Mapping[str, Mapping[str, object]],
) -> object:
    if reference.source not in {"input", "steps"}:
        raise _UnknownError
    name, *path = reference.path
    if reference.source == "input" and not path and name in fields and _stays(fields[str(name)]):
        value = sample.get(str(name), fields[str(name)].default)
        if value is not MISSING and value is not None:
            return value
    if reference.source == "steps" and name in answers:
        value = answers[str(name)]
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                raise _UnknownError
            value = value[key]
        return value
    raise _UnknownError


def _stays(field: Field) -> bool:
    if field.secret:
        return False
    if field.kind in {"array", "object"}:
        return field.items is None or (field.kind == "array" and _stays(field.items))
    return field.kind in _AS_IT_IS
