"""The map of a system as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .graph import graph_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .faults import Fault
    from .system import System

_ARROWS = {"calls": "-->", "publishes": "-.->", "consumes": "-.->"}


def mermaid(system: System, found: Sequence[Fault]) -> str:
    """Return the diagram: nodes by their type, events as rounded boxes, and what does not fit in red.

    Args:
        system: The nodes.
        found: What does not fit.
    """
    return "\n".join(_lines(system, found)) + "\n"


def _lines(system: System, found: Sequence[Fault]) -> Iterator[str]:
    graph = graph_of(system, found)
    identities = {box.name: f"n{index}" for index, box in enumerate(graph.boxes)}
    yield "flowchart LR"
    for box in graph.boxes:
        opening, closing = ("([", "])") if box.is_topic else ("[", "]")
        # Mermaid reads markup in labels; quotes and entities keep text as it is.
        label = "<br/>".join(_label(line) for line in box.lines)
        yield f'    {identities[box.name]}{opening}"{label}"{closing}:::{box.kind}'
    for edge in graph.edges:
        label = f'|"{_label(edge.label)}"|' if edge.label else ""
        yield f"    {identities[edge.source]} {_ARROWS[edge.kind]}{label} {identities[edge.target]}"
    bad = [str(index) for index, edge in enumerate(graph.edges) if edge.is_bad]
    if bad:
        yield f"    linkStyle {','.join(bad)} stroke:#b3261e,stroke-width:2px"
    yield "    classDef orchestrator fill:#e8def8,stroke:#6750a4,color:#1d192b"
    yield "    classDef reducer fill:#d7f0dd,stroke:#2e7d4f,color:#12291b"
    yield "    classDef compute fill:#dbe9ff,stroke:#2f5fb3,color:#10203d"
    yield "    classDef effect fill:#ffe6cc,stroke:#b5651d,color:#3b2108"
    yield "    classDef topic fill:#f2f2f2,stroke:#666666,color:#222222"
    yield "    classDef absent fill:#fde7e9,stroke:#b3261e,color:#410e0b,stroke-dasharray:4 3"


def _label(text: str) -> str:
    return "".join(c if c.isalnum() or c in " _-.→," else f"#{ord(c)};" for c in text)
