"""One page about many nodes: HTML that holds its style and its charts, and loads nothing."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Final

from .generation import KINDS, Generation

_COLOURS: Final = ("#4c78a8", "#9ecae9", "#54a24b", "#f58518", "#b279a2", "#eeca3b", "#9d9d9d")
_WIDE: Final = 480
_HIGH: Final = 18
_STYLE: Final = """\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}details{margin:.5rem 0}.key span{margin-right:1rem}
.key i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}svg{display:block;max-width:100%}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}td,th{border-color:#444}text{fill:#ddd}}"""


def page(nodes: Sequence[tuple[str, Generation]], failed: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page.

    Args:
        nodes: The nodes, each with the project that it is in.
        failed: Projects that could not be read, with the reason.
    """
    made = [each for _, each in nodes]
    total = sum(each.total.lines for each in made)
    tests, left = sum(each.tests for each in made), sum(len(each.to_write) for each in made)
    summary = f"{len(made)} nodes, {total} lines, {tests} tests, {left} files left to write."
    types = Counter(each.node_type for each in made)
    features = Counter(feature for each in made for feature in each.features)
    mixins = Counter(mixin for each in made for mixin in each.mixins)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Nodes</title>',
        f"<style>{_STYLE}</style></head><body><h1>Nodes</h1><p>{summary}</p>",
        "<h2>Lines by kind</h2>",
        _key(),
        _stacked(
            [(each.node, [each.counts[kind].lines if kind in each.counts else 0 for kind in KINDS]) for each in made]
        ),
        *(
            f"<h2>{title}</h2>{_bars(counts.most_common())}"
            for title, counts in (("Types", types), ("Features", features), ("Mixins", mixins))
            if counts
        ),
        "<h2>All of them</h2>",
        _table(nodes),
    ]
    if failed:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(why)}</td></tr>" for name, why in failed)
        parts.append(f"<h2>Not read</h2><table>{rows}</table>")
    return "\n".join([*parts, "</body></html>", ""])


def _key() -> str:
    spans = (
        f'<span><i style="background:{colour}"></i>{kind}</span>' for kind, colour in zip(KINDS, _COLOURS, strict=True)
    )
    return f'<p class="key">{"".join(spans)}</p>'


def _stacked(rows: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Return a chart of one bar for each name, in parts."""
    most = max((sum(values) for _, values in rows), default=0) or 1
    lines = []
    for index, (name, values) in enumerate(rows):
        y, x = index * (_HIGH + 6), 0.0
        lines.append(f'<text x="0" y="{y + _HIGH - 4}">{escape(name)}</text>')
        for kind, value, colour in zip(KINDS, values, _COLOURS, strict=True):
            width = value / most * _WIDE
            title = f"<title>{kind}: {value} lines</title>"
            lines.append(
                f'<rect x="{320 + x:.1f}" y="{y}" width="{width:.1f}" height="{_HIGH}" fill="{colour}">{title}</rect>'
            )
            x += width
        lines.append(f'<text x="{326 + x:.1f}" y="{y + _HIGH - 4}">{sum(values)}</text>')
    return _svg(lines, len(rows))


def _bars(rows: Sequence[tuple[str, int]]) -> str:
    """Return a chart of one bar for each name."""
    most = max((value for _, value in rows), default=0) or 1
    lines = []
    for index, (name, value) in enumerate(rows):
        y, width = index * (_HIGH + 6), value / most * _WIDE
        lines.append(f'<text x="0" y="{y + _HIGH - 4}">{escape(name)}</text>')
        lines.append(f'<rect x="320" y="{y}" width="{width:.1f}" height="{_HIGH}" fill="{_COLOURS[0]}"></rect>')
        lines.append(f'<text x="{326 + width:.1f}" y="{y + _HIGH - 4}">{value}</text>')
    return _svg(lines, len(rows))


def _svg(lines: Sequence[str], rows: int) -> str:
    high = max(rows, 1) * (_HIGH + 6)
    return f'<svg viewBox="0 0 880 {high}" width="880" height="{high}" role="img" font-size="13">{"".join(lines)}</svg>'


def _table(nodes: Sequence[tuple[str, Generation]]) -> str:
    head = "".join(f'<th class="n">{name}</th>' for name in ("files", "lines", "tests", "left to write"))
    rows = []
    for project, each in nodes:
        figures = (each.total.files, each.total.lines, each.tests, len(each.to_write))
        cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
        why = "".join(
            f"<li>{escape(str(decision['subject']))}: {escape(str(decision['choice']))} "
            f"({escape(', '.join(map(str, decision['reasons'])))})</li>"
            for decision in each.decisions
        )
        left = "".join(f"<li>{escape(path)}</li>" for path in each.to_write)
        open_ends = f"<p>Left to write:</p><ul>{left}</ul>" if left else ""
        details = f"<details><summary>{escape(each.node)}</summary><ul>{why}</ul>{open_ends}</details>"
        rows.append(f"<tr><td>{details}</td><td>{escape(project)}</td><td>{escape(each.template)}</td>{cells}</tr>")
    return f"<table><tr><th>node</th><th>project</th><th>template</th>{head}</tr>{''.join(rows)}</table>"
