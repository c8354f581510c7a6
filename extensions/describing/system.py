"""A system of nodes, as their contracts tell of it: who calls whom, and who publishes and consumes what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..language import names
from ..language.workflow import Group, NodeCall, Route, Step
from ..viewing import topics

if TYPE_CHECKING:
    from ..language.contract import Contract, Operation
    from ..reading.source import Document
    from ..text.problems import Path


@dataclass(frozen=True)
class Member:
    """A node of the system.

    Attributes:
        file: The file of its contract, as people name it.
        document: The file, with the places of its values.
        contract: What stands in it.
    """

    file: str
    document: Document
    contract: Contract

    @cached_property
    def name(self) -> str:
        """ONEX's name of it."""
        return names.node_name(self.contract)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Its operations, by name."""
        return {operation.name: operation for operation in self.contract.operations}

    @cached_property
    def publishes(self) -> tuple[str, ...]:
        """The topics of its events and messages."""
        return topics.own(self.contract)

    @cached_property
    def consumes(self) -> tuple[tuple[Path, str], ...]:
        """The topics that it consumes, with the places that say so."""
        return tuple(
            (("subcontracts", "event_type", "consumed_events", index), topics.of_message(self.contract, event.event))
            for index, event in enumerate(self.contract.consumed_events)
        )

    def places_of(self, topic: str) -> Iterator[Path]:
        """Yield the places that say that it publishes to a topic."""
        for index, operation in enumerate(self.contract.operations):
            path = ("operations", index)
            if any(names.event_topic(self.contract, item.event) == topic for item in operation.publishes):
                yield (*path, "publishes")
            if operation.kafka and topics.of_message(self.contract, operation.kafka.topic) == topic:
                yield (*path, "kafka", "topic")
            events = operation.workflow.events if operation.workflow else ()
            if any(names.event_topic(self.contract, event) == topic for event in events):
                yield (*path, "workflow")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a step of a workflow makes.

    Attributes:
        caller: Who makes it.
        operation: The operation whose workflow it is.
        path: Its place in the caller's contract.
        step: The step's name, with what the call is for where it is not the step's own.
        call: What is called.
        around: The steps whose answers it may refer to, by name.
        item: The reference to what `item` is one of; None outside of `for_each`.
    """

    caller: Member
    operation: Operation
    path: Path
    step: str
    call: NodeCall
    around: Mapping[str, Step]
    item: str | None

    @property
    def package(self) -> str:
        """The package in which the called node is."""
        return self.call.package or self.caller.contract.package


@dataclass(frozen=True)
class System:
    """Nodes that were read together.

    Attributes:
        members: The nodes, by name.
    """

    members: tuple[Member, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Member]:
        """The nodes by ONEX's names; of several with one name, the first."""
        return {member.name: member for member in reversed(self.members)}

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls of workflows."""
        return tuple(call for member in self.members for call in _calls(member))

    @cached_property
    def publishers(self) -> Mapping[str, tuple[Member, ...]]:
        """Who publishes to each topic."""
        return self._by_topic({member.name: member.publishes for member in self.members})

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Member, ...]]:
        """Who consumes each topic."""
        return self._by_topic({member.name: [topic for _, topic in member.consumes] for member in self.members})

    def _by_topic(self, of_member: Mapping[str, Sequence[str]]) -> dict[str, tuple[Member, ...]]:
        found: dict[str, tuple[Member, ...]] = {}
        for member in self.members:
            for topic in dict.fromkeys(of_member[member.name]):
                found[topic] = (*found.get(topic, ()), member)
        return dict(sorted(found.items()))


def _calls(member: Member) -> Iterator[Call]:
    raw = member.document.value
    for index, operation in enumerate(member.contract.operations):
        if operation.workflow:
            path: Path = ("operations", index, "workflow", "steps")
            specs = raw["operations"][index]["workflow"]["steps"]
            yield from _of_steps(_Place(member, operation, path, {}, None), operation.workflow.steps, specs)


@dataclass(frozen=True, slots=True)
class _Place:
    member: Member
    operation: Operation
    path: Path
    around: Mapping[str, Step]
    item: str | None


def _of_steps(place: _Place, steps: Sequence[Step], specs: Sequence[Mapping[str, Any]]) -> Iterator[Call]:
    at = {spec["name"]: index for index, spec in enumerate(specs)}
    around = {**place.around, **{step.name: step for step in steps}}
    for step in steps:
        path = (*place.path, at[step.name])
        item = step.for_each or place.item

        def call(*where: str, to: NodeCall, path: Path = path, item: str | None = item, name: str = step.name) -> Call:
            return Call(place.member, place.operation, (*path, *where), " ".join((name, *where)), to, around, item)

        match step.does:
            case Group(steps=inner):
                inside = _Place(place.member, place.operation, (*path, "steps"), around, item)
                yield from _of_steps(inside, inner, specs[at[step.name]]["steps"])
            case Route(targets=targets):
                for name, target in targets.items():
                    if isinstance(target, NodeCall):
                        yield call("route", name, to=target)
            case NodeCall():
                yield call(to=step.does)
        if step.compensate:
            yield call("compensate", to=step.compensate)
