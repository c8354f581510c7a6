"""The map of a system as boxes and lines between them, for whatever draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .faults import Fault
    from .system import System

type EdgeKind = Literal["calls", "publishes", "consumes"]


@dataclass(frozen=True, slots=True)
class Box:
    """A node or an event.

    Attributes:
        name: ONEX's name of the node, or the topic.
        kind: The node's type, `topic`, or `absent` for a node that is not among those read.
        lines: What it is called, and what it is.
    """

    name: str
    kind: str
    lines: tuple[str, ...]

    @property
    def is_topic(self) -> bool:
        """Whether it is an event."""
        return self.kind == "topic"


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two boxes.

    Attributes:
        source: Who calls or publishes, or the topic that is consumed.
        target: Who is called or consumes, or the topic that is published to.
        kind: What the line stands for.
        label: The operations; empty where the boxes say all.
        is_bad: Whether something at it does not fit.
    """

    source: str
    target: str
    kind: EdgeKind
    label: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Boxes and the lines between them, in a fixed order."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def graph_of(system: System, found: Sequence[Fault]) -> Graph:
    """Return the map of a system: topics are there where somebody consumes them.

    Args:
        system: The nodes.
        found: What does not fit.
    """
    bad = {pair for fault in found for pair in _pairs(fault)}
    boxes = [
        Box(name, member.contract.node_type, (name, f"{member.contract.package} {member.contract.version}"))
        for name, member in sorted(system.by_name.items())
    ]
    called: dict[tuple[str, str], list[str]] = {}
    for call in system.calls:
        called.setdefault((call.caller.name, call.call.node), []).append(call.call.operation)
    absent = sorted({name for _, name in called if name not in system.by_name})
    boxes += [Box(name, "absent", (name, "not among these nodes")) for name in absent]
    boxes += [Box(topic, "topic", (topic,)) for topic in system.consumers]
    edges = [
        Edge(caller, name, "calls", ", ".join(dict.fromkeys(operations)), (caller, name) in bad)
        for (caller, name), operations in sorted(called.items())
    ]
    for topic, consumers in system.consumers.items():
        publishers = system.publishers.get(topic, ())
        edges += [Edge(one.name, topic, "publishes", "", (one.name, topic) in bad) for one in publishers]
        edges += [Edge(topic, one.name, "consumes", "", (topic, one.name) in bad) for one in consumers]
    return Graph(tuple(boxes), tuple(edges))


def _pairs(fault: Fault) -> set[tuple[str, str]]:
    names = fault.between
    return {(one, other) for one in names for other in names if one != other}
