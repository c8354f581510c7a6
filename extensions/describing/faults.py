"""What does not fit in a system of nodes."""

from __future__ import annotations

import fnmatch
import graphlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..language import references
from ..language.contract import MISSING, Field
from ..language.references import GIVEN, Reference
from ..language.workflow import Group, NodeCall, Step
from ..text.json_data import json_value
from ..text.problems import Problem, did_you_mean, show
from .types import Literals, NoSuchMemberError, Typed, misfits

if TYPE_CHECKING:
    from ..text.problems import Path
    from .system import Call, Member, System


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit.

    Attributes:
        member: The node whose contract says it.
        problem: What it is, and where in that contract.
        between: The names of the nodes or topics at the ends of what does not fit.
    """

    member: Member
    problem: Problem
    between: tuple[str, ...]


def faults(system: System, outside: Sequence[str] = ()) -> list[Fault]:
    """Return all that does not fit.

    Args:
        system: The nodes.
        outside: Nodes and topics that belong to others, as names or patterns with `*`.
    """

    @cache
    def is_outside(name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in outside)

    found = [*_twice(system)]
    for call in system.calls:
        if not is_outside(call.call.node):
            found += _call(system, call)
    found += _answers(system)
    found += [fault for fault in _topics(system) if not is_outside(fault.between[0])]
    return [*found, *_cycles(system)]


def _twice(system: System) -> Iterator[Fault]:
    for member in system.members:
        first = system.by_name[member.name]
        if first is not member:
            problem = Problem(("name",), member.name, f"a name that {first.file} does not have")
            yield Fault(member, problem, (member.name,))


def _call(system: System, call: Call) -> Iterator[Fault]:
    """Yield what is wrong with a call: the node, the operation, or what it is given."""
    name, member = call.call.node, system.by_name.get(call.call.node)
    between = (call.caller.name, name)

    def fault(key: str, found: str, expected: str, hint: str = "", *, within: Path = ()) -> Fault:
        return Fault(call.caller, Problem((*call.path, key, *within), found, expected, hint), between)

    if member is None:
        yield fault("node", name, "a node of this system", did_you_mean(name, system.by_name))
        return
    if member.contract.package != call.package:
        yield fault("node", f"package {call.package}", f"{member.contract.package}, where {name} is")
    operation = member.operations.get(call.call.operation)
    if operation is None:
        known = member.operations
        hint = did_you_mean(call.call.operation, known) or f"it has {', '.join(known)}"
        yield fault("operation", call.call.operation, f"an operation of {name}", hint)
        return
    takes = {name: field for field in operation.input for name in (field.outside, field.name)}
    given = {takes[key].name for key in call.call.input if key in takes}
    for field in operation.input:
        if field.required and field.default is MISSING and field.name not in given:
            yield fault("input", "nothing", f"{field.outside}, which {name}.{operation.name} needs")
    values = _Values(system, call)
    for key, value in call.call.input.items():
        if key not in takes:
            hint = did_you_mean(key, takes)
            yield fault("input", "what it does not take", f"a field of {name}.{operation.name}", hint, within=(key,))
            continue
        place = Typed(member.contract, takes[key])
        for text in values.misfits(value, place, operation.name):
            yield fault("input", text, f"{place.word} of {name}.{operation.name}", within=(key,))


def _answers(system: System) -> Iterator[Fault]:
    """Yield what steps answer that does not fit into the output that a workflow makes of it."""
    first_calls = {(call.caller.name, call.operation.name): call for call in reversed(system.calls)}
    for (caller, name), call in first_calls.items():
        workflow = call.operation.workflow
        if workflow is None:
            continue
        values = _Values(system, replace(call, around={step.name: step for step in workflow.steps}, item=None))
        index = [operation.name for operation in call.caller.contract.operations].index(name)
        fields = {field.name: field for field in call.operation.output}
        for key, value in workflow.output.items():
            place = Typed(call.caller.contract, fields[key])
            for text in values.misfits(value, place, ""):
                path = ("operations", index, "workflow", "output", key)
                yield Fault(call.caller, Problem(path, text, f"{place.word} of the workflow's output"), (caller,))


class _Values:
    """The types of what a call may refer to."""

    def __init__(self, system: System, call: Call) -> None:
        self._system = system
        self._call = call

    def misfits(self, value: Any, place: Typed, operation: str) -> Iterator[str]:
        """Yield what of a value does not fit into a place; literals are judged for inputs of an operation."""
        if isinstance(value, Mapping) and place.fields is not None:
            fields = {field.outside: field for field in place.fields}
            for key, item in value.items():
                if key in fields:
                    yield from self.misfits(item, Typed(place.contract, fields[key]), "")
                else:
                    yield f"{key}, which {place.word} does not have"
            return
        if isinstance(value, list) and place.field.items:
            for item in value:
                yield from self.misfits(item, Typed(place.contract, place.field.items), "")
            return
        pieces = references.parts(value) if isinstance(value, str) else []
        if len(pieces) == 1 and isinstance(pieces[0], Reference):
            try:
                given = self.type_of(pieces[0])
            except NoSuchMemberError as error:
                yield f"{value}, but {error}"
                return
            for text in misfits(given, place) if given else ():
                yield f"{value}, {text}"
        elif operation and not _refers(value):
            literal = json_value(references.resolved(value))
            if not Literals(place.contract).fits(operation, place.field.outside, literal):
                yield show(literal)

    def type_of(self, reference: Reference) -> Typed | None:
        """Return what a reference stands for; None where nobody says.

        Raises:
            NoSuchMemberError: It leads to what is not there.
        """
        path = reference.path
        match reference.source:
            case "input":
                return self._member(self._call.caller, self._call.operation.input, path, "the input")
            case "steps" if path:
                step = self._call.around.get(str(path[0]))
                return self._of_step(step, path[1:]) if step else None
            case "item" if self._call.item:
                listed = references.parts(self._call.item)
                items = self.type_of(listed[0]) if len(listed) == 1 and isinstance(listed[0], Reference) else None
                inner = items.at((0,)) if items else None
                return inner.at(path) if inner else None
            case source if source in GIVEN:
                return Typed(self._call.caller.contract, _plain(GIVEN[source][0]))
        return None

    def _of_step(self, step: Step, path: tuple[str | int, ...]) -> Typed | None:
        if step.for_each:
            if not path or not isinstance(path[0], int):
                return None
            path = path[1:]
        if not path or not isinstance(path[0], str):
            return None
        if isinstance(step.does, NodeCall):
            member = self._system.by_name.get(step.does.node)
            operation = member.operations.get(step.does.operation) if member else None
            if member is None or operation is None:
                return None
            given = self._member(member, operation.output, path, f"{member.name}.{operation.name}")
            # What is skipped, or may fail without the run's end, may be null.
            may_lack = step.when is not None or step.on_failure == "continue"
            return replace(given, field=replace(given.field, required=False)) if given and may_lack else given
        if isinstance(step.does, Group):
            inner = {each.name: each for each in step.does.steps}
            within = _Values(self._system, replace(self._call, around={**self._call.around, **inner}))
            if step.does.output is None:
                return within._of_step(inner[path[0]], path[1:]) if path[0] in inner else None
            pieces = references.parts(step.does.output.get(path[0], ""))
            first = within.type_of(pieces[0]) if len(pieces) == 1 and isinstance(pieces[0], Reference) else None
            return first.at(path[1:]) if first else None
        return None

    @staticmethod
    def _member(member: Member, fields: Sequence[Field], path: tuple[str | int, ...], what: str) -> Typed | None:
        if not path:
            return None
        field = next((field for field in fields if path[0] in (field.name, field.outside)), None)
        if field is None:
            raise NoSuchMemberError(f"{what} has no {path[0]}")
        return Typed(member.contract, field).at(path[1:])


def _plain(kind: str) -> Field:
    return Field(kind, kind, None, None, {}, MISSING, required=True, description="")


def _refers(value: object) -> bool:
    if isinstance(value, str):
        return any(isinstance(piece, Reference) for piece in references.parts(value))
    if isinstance(value, Mapping):
        return any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _topics(system: System) -> Iterator[Fault]:
    for member in system.members:
        for path, topic in member.consumes:
            if topic not in system.publishers:
                hint = did_you_mean(topic, system.publishers)
                expected = "an event that a node of this system publishes"
                yield Fault(member, Problem(path, topic, expected, hint), (topic, member.name))
    for topic, owners in system.publishers.items():
        for member in owners[1:]:
            for path in member.places_of(topic):
                expected = f"a topic that {owners[0].name} does not own"
                yield Fault(member, Problem(path, topic, expected), (topic, member.name))


def _cycles(system: System) -> Iterator[Fault]:
    calls = {(call.caller.name, call.call.node): call for call in reversed(system.calls)}
    calls = {pair: call for pair, call in calls.items() if pair[1] in system.by_name}
    while True:
        graph: dict[str, set[str]] = {}
        for caller, called in calls:
            graph.setdefault(caller, set()).add(called)
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            # It lists a node after those that call it, and the first once more at the end.
            cycle: list[str] = list(reversed(error.args[1]))
            pair = next(pair for pair in pairwise(cycle) if pair in calls)
            call = calls.pop(pair)
            problem = Problem((*call.path, "node"), f"a cycle of calls: {' → '.join(cycle)}", "calls without a cycle")
            yield Fault(call.caller, problem, tuple(dict.fromkeys(cycle)))
        else:
            return
