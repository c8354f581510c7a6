"""The map of a system as one page that needs nothing else: a picture, tables, and what does not fit."""

from __future__ import annotations

import graphlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..home import DATA
from .graph import Box, Edge, Graph, graph_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .faults import Fault
    from .system import System

WIDTH, HEIGHT, GAP, COLUMN = 250, 46, 22, 390
_MARGIN = 20
_LONGEST = 38


@dataclass(frozen=True, slots=True)
class Drawn:
    """A box at its place, in pixels."""

    box: Box
    x: int
    y: int

    @property
    def lines(self) -> tuple[str, ...]:
        """Its texts, cut where the box is too narrow."""
        return tuple(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in self.box.lines)


@dataclass(frozen=True, slots=True)
class Line:
    """A line, as the path of SVG, and where its text goes."""

    edge: Edge
    path: str
    x: int
    y: int


def page(system: System, found: Sequence[Fault]) -> str:
    """Return the page, as HTML.

    Args:
        system: The nodes.
        found: What does not fit.
    """
    graph = graph_of(system, found)
    boxes = _placed(graph)
    at = {drawn.box.name: drawn for drawn in boxes}
    environment = Environment(
        loader=FileSystemLoader(DATA), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("system.html.j2").render(
        system=system,
        faults=found,
        boxes=boxes,
        lines=[_line(edge, at) for edge in graph.edges],
        box_width=WIDTH,
        box_height=HEIGHT,
        width=max((drawn.x for drawn in boxes), default=0) + WIDTH + _MARGIN,
        height=max((drawn.y for drawn in boxes), default=0) + HEIGHT + _MARGIN,
    )


def _placed(graph: Graph) -> list[Drawn]:
    """Put each box into the column after those that lead to it, those that lead to one place near to each other."""
    columns: dict[int, list[Box]] = {}
    layers = _layers(graph)
    for box in graph.boxes:
        columns.setdefault(layers[box.name], []).append(box)
    placed: dict[str, Drawn] = {}
    for layer in sorted(columns):

        def rank(box: Box) -> tuple[float, str]:
            before = [
                placed[edge.source].y for edge in graph.edges if edge.target == box.name and edge.source in placed
            ]
            return (sum(before) / len(before) if before else 0.0, box.name)

        for row, box in enumerate(sorted(columns[layer], key=rank)):
            placed[box.name] = Drawn(box, _MARGIN + layer * COLUMN, _MARGIN + row * (HEIGHT + GAP))
    return [placed[box.name] for box in graph.boxes]


def _layers(graph: Graph) -> dict[str, int]:
    before: dict[str, set[str]] = {box.name: set() for box in graph.boxes}
    for edge in graph.edges:
        before[edge.target].add(edge.source)
        try:
            graphlib.TopologicalSorter(before).prepare()
        except graphlib.CycleError:
            # A line that closes a cycle leads back.
            before[edge.target].discard(edge.source)
    layers: dict[str, int] = {}
    for name in graphlib.TopologicalSorter(before).static_order():
        layers[name] = max((layers[other] + 1 for other in before[name]), default=0)
    return layers


def _line(edge: Edge, at: Mapping[str, Drawn]) -> Line:
    source, target = at[edge.source], at[edge.target]
    x1, y1 = source.x + WIDTH, source.y + HEIGHT // 2
    x2, y2 = target.x, target.y + HEIGHT // 2
    bend = max(40, abs(x2 - x1) // 2)
    return Line(edge, f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}", (x1 + x2) // 2, (y1 + y2) // 2 - 4)
