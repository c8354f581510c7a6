"""The diagram of a workflow's steps, for Mermaid."""

from collections.abc import Iterator, Sequence

from ..language.workflow import Group, NodeCall, Publishing, Route, Step


def diagram(steps: Sequence[Step]) -> str:
    """Return the graph of steps for Mermaid.

    Words in it are names, and so need no quotes. A group is a box around its steps; what is said of items, rounds and
    conditions stands in the step, or in the title of the box.
    """
    return "\n".join(["flowchart TD", *_lines(steps, "    ")])


def _lines(steps: Sequence[Step], indent: str) -> Iterator[str]:
    for step in steps:
        if isinstance(step.does, Group):
            # A prefix, since Mermaid reads some words, such as end, as its own.
            yield f'{indent}subgraph step_{step.name}["{_titled(step, step.name)}"]'
            yield from _lines(step.does.steps, f"{indent}    ")
            yield f"{indent}end"
        else:
            yield f'{indent}step_{step.name}["{_titled(step, step.name)}"]'
    yield from (f"{indent}step_{before} --> step_{step.name}" for step in steps for before in step.after)
    for step in steps:
        if isinstance(step.does, Route):
            yield from _targets(step, step.does, indent)
        if step.compensate:
            undo = step.compensate
            yield f'{indent}undo_{step.name}(["{undo.node}.{undo.operation}"])'
            yield f"{indent}step_{step.name} -. undone by .-> undo_{step.name}"


def _titled(step: Step, name: str) -> str:
    lines = [name]
    if isinstance(step.does, NodeCall):
        lines.append(f"{step.does.node}.{step.does.operation}")
    elif isinstance(step.does, Route):
        lines.append("intents, highest priority first")
    if step.when is not None:
        lines.append("only under a condition")
    if step.for_each is not None:
        lines.append(f"for each item, {step.max_parallel} at once")
    if step.repeat is not None:
        lines.append(f"at most {step.repeat.max_rounds} rounds")
    if step.require is not None:
        lines.append("its answer is checked")
    return "<br/>".join(lines)


def _targets(step: Step, route: Route, indent: str) -> Iterator[str]:
    for index, done in enumerate(route.targets.values()):
        what = done.event if isinstance(done, Publishing) else f"{done.node}.{done.operation}"
        yield f'{indent}target_{index}_{step.name}["{what}"]'
        yield f"{indent}step_{step.name} --> target_{index}_{step.name}"
