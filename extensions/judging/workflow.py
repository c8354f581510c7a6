"""Rules for workflows beyond their schema: the graph of their steps, references, and what fills the output."""

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..language import filling, references
from ..language.contract import spell_out
from ..language.references import Reference
from ..language.reported import REPORTED
from ..language.workflow import upstream
from ..text.problems import Path, Problem, did_you_mean, show

type Specs = Mapping[str, Any]
_NO_TEXT = frozenset({"integer", "number", "boolean", "array", "object"})
_SAME = {"integer": ("integer", "number", "decimal"), "number": ("number", "decimal")}


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    enums: dict[str, list[str]]
    models: dict[str, Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


def check_workflow(rules: Rules, path: Path, operation: Specs) -> Iterator[Problem]:
    """Find what is wrong with a workflow beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the operation is.
        operation: The operation.

    Yields:
        The problems.
    """
    place = (*path, "workflow")
    if (kind := rules.raw.get("node_type", "effect")) != "orchestrator":
        yield Problem(place, f"a workflow in a node of type {kind}", "an orchestrator")
        return
    if "retry" in operation:
        yield Problem((*path, "retry"), "a policy beside a workflow", "workflow.retry, which its steps follow")
    if "timeout_seconds" in operation and "timeout_seconds" in _mapping(operation["workflow"]):
        found = "a deadline beside that of the workflow"
        yield Problem((*path, "timeout_seconds"), found, "workflow.timeout_seconds alone, the deadline of all steps")
    store = _mapping(_mapping(rules.raw.get("subcontracts")).get("state_management"))
    backend = store.get("backend")
    for name, owner in (("table", "postgres"), ("key_prefix", "redis")):
        if name in store and backend != owner:
            found = f"{name} for the backend {backend}"
            yield Problem(("subcontracts", "state_management", name), found, f"the backend {owner}")
    setting = {"postgres": "database", "redis": "redis"}.get(str(backend))
    if setting and _mapping(rules.raw.get("integrations")).get(setting) is False:
        expected = f"another backend, since integrations.{setting} is false"
        yield Problem(("subcontracts", "state_management", "backend"), show(backend), expected)
    if not rules.clean(place) or not rules.clean((*path, "input")) or not rules.clean((*path, "output")):
        return
    yield from _Workflow(rules, place, operation).problems()


@dataclass(frozen=True, slots=True)
class _Sources:
    """The steps that a text may refer to, and how that is said."""

    steps: frozenset[str]
    expected: str


class _Workflow:
    def __init__(self, rules: Rules, path: Path, operation: Specs) -> None:
        self.rules = rules
        self.path = path
        self.operation = operation
        self.spec: Specs = operation["workflow"]
        self.steps: list[Specs] = list(self.spec["steps"])
        self.names = {step["name"] for step in self.steps}
        self.inputs = _spelled_out(operation.get("input"))
        self.outputs = _spelled_out(operation.get("output"))
        self.after = {
            step["name"]: [name for name in step.get("after", ()) if name in self.names] for step in self.steps
        }

    def problems(self) -> Iterator[Problem]:
        yield from self.graph()
        yield from self.delays()
        for index, step in enumerate(self.steps):
            yield from self.step((*self.path, "steps", index), step)
        yield from self.output()

    def graph(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, step in enumerate(self.steps):
            place, name = (*self.path, "steps", index), step["name"]
            if name in seen:
                yield Problem((*place, "name"), f"{show(name)} a second time", "a name of its own")
            seen.add(name)
            for number, other in enumerate(step.get("after", ())):
                if other == name:
                    yield Problem((*place, "after", number), f"{show(other)}, the step itself", "another step")
                elif other not in self.names:
                    expected = (
                        f"one of the steps {', '.join(sorted(self.names - {name}))}" if self.names - {name} else "none"
                    )
                    yield Problem((*place, "after", number), show(other), expected, did_you_mean(other, self.names))
        try:
            others = {name: [other for other in after if other != name] for name, after in self.after.items()}
            graphlib.TopologicalSorter(others).prepare()
        except graphlib.CycleError as error:
            cycle = error.args[1]
            index = next(index for index, step in enumerate(self.steps) if step["name"] in cycle)
            # The sorter lists each step before the one that waits for it.
            found = f"a cycle: {' after '.join(reversed(cycle))}"
            yield Problem((*self.path, "steps", index, "after"), found, "steps that do not wait for each other")

    def delays(self) -> Iterator[Problem]:
        policies = [((*self.path, "retry"), self.spec.get("retry"))]
        policies += [
            ((*self.path, "steps", index, "retry"), step.get("retry")) for index, step in enumerate(self.steps)
        ]
        for place, policy in policies:
            first, longest = _mapping(policy).get("initial_delay_ms", 100), _mapping(policy).get("max_delay_ms", 10_000)
            if first > longest:
                yield Problem(
                    (*place, "max_delay_ms"), show(longest), f"at least initial_delay_ms, which is {show(first)}"
                )

    def step(self, path: Path, step: Specs) -> Iterator[Problem]:
        name = step["name"]
        before = frozenset(upstream(name, self.after))
        yield from self.texts((*path, "input"), step.get("input"), _Sources(before, "an earlier step, named in after"))
        if undo := step.get("compensate"):
            sources = _Sources(before | {name}, f"{name} or an earlier step, named in after")
            if undo.get("on_unknown"):
                sources = _Sources(before, f"an earlier step, named in after: with on_unknown, {name} has no answer")
            yield from self.texts((*path, "compensate", "input"), undo.get("input"), sources)

    def texts(self, path: Path, value: object, sources: _Sources) -> Iterator[Problem]:
        yield from references.problems(path, value, ("input", "steps"), self.input_field)
        for place, text in references.texts(path, value):
            for part in references.parts(text):
                if isinstance(part, Reference) and part.source == "steps":
                    yield from self.step_reference(place, part, sources)

    def step_reference(self, path: Path, reference: Reference, sources: _Sources) -> Iterator[Problem]:
        step, _, field = reference.name.partition(".")
        shown = show(f"${{steps.{reference.name}}}")
        if step not in self.names:
            if step:
                yield Problem(path, shown, "a reference to a step that there is", did_you_mean(step, self.names))
        elif step not in sources.steps:
            yield Problem(path, shown, f"a reference to {sources.expected}")
        elif not field:
            yield Problem(path, shown, f"a field of its answer, as in ${{steps.{step}.field}}")

    def input_field(self, name: str) -> str | None:
        fields: Specs = self.inputs
        words = name.split(".")
        for index, word in enumerate(words):
            if word not in fields:
                hint = did_you_mean(word, fields)
                return f"an input field of this operation{f' ({hint})' if hint else ''}"
            kind = spell_out(fields[word]).get("type")
            if index + 1 < len(words) and kind not in self.rules.models:
                return f"a field of a model: {word} has no fields"
            fields = self.rules.models.get(str(kind), {})
        return None

    def kind_of(self, name: str) -> object:
        fields: Specs = self.inputs
        kind: object = None
        for word in name.split("."):
            kind = spell_out(fields[word]).get("type")
            fields = self.rules.models.get(str(kind), {})
        return kind

    def output(self) -> Iterator[Problem]:
        path, output = (*self.path, "output"), _mapping(self.spec.get("output"))
        every = _Sources(frozenset(self.names), "a step")
        for name, value in output.items():
            if name not in self.outputs:
                yield Problem((*path, name), show(name), "an output field", did_you_mean(name, self.outputs))
                continue
            found = list(self.texts((*path, name), value, every))
            yield from found
            if not found:
                yield from self.literal((*path, name), value, self.outputs[name])
            whole = references.parts(value) if isinstance(value, str) else []
            if not found and len(whole) == 1 and isinstance(whole[0], Reference) and whole[0].source == "input":
                given, wanted = self.kind_of(whole[0].name), self.outputs[name].get("type")
                if wanted not in _SAME.get(str(given), (given,)):
                    yield Problem(
                        (*path, name), f"{show(value)}, which is of type {given}", f"a value of type {wanted}"
                    )
        yield from self.reported(output)
        yield from self.unfilled(output)

    def literal(self, path: Path, value: object, spec: Specs) -> Iterator[Problem]:
        """Find what keeps a literal, or text around references, from filling an output field."""
        pieces = references.parts(value) if isinstance(value, str) else []
        referred = list(references.references(value))
        kind = str(spec.get("type"))
        if not referred:
            yield from self.rules.value(path, references.resolved(value), spec)
        elif len(pieces) > 1 and (kind in _NO_TEXT or kind in self.rules.models):
            yield Problem(path, f"{show(value)}, which is text", f"a value of type {kind}")
        elif not isinstance(value, str) and kind not in {"object", "array"} and kind not in self.rules.models:
            yield Problem(path, show(value), f"a value of type {kind}")

    def reported(self, output: Specs) -> Iterator[Problem]:
        place = (*self.path[:-1], "output")
        for name, (expected, fits) in REPORTED.items():
            if name in self.outputs and name not in output and not fits(self.outputs[name]):
                yield Problem((*place, name), show(self.outputs[name].get("type")), expected)
        if "status" not in self.outputs or "status" in output:
            return
        spec = self.outputs["status"]
        kind = spec.get("type")
        allowed = self.rules.enums.get(str(kind), spec.get("enum"))
        if kind != "string" and kind not in self.rules.enums:
            yield Problem((*place, "status"), show(kind), "text or an enum that takes the run's status")
        elif allowed is not None:
            undoes = any("compensate" in step for step in self.steps)
            wanted = ("completed", "failed", *(("compensated",) if undoes else ()))
            if missing := [value for value in wanted if value not in allowed]:
                found = f"values without {' and '.join(missing)}"
                yield Problem((*place, "status"), found, f"all that a run may end with: {', '.join(wanted)}")

    def unfilled(self, output: Specs) -> Iterator[Problem]:
        filler = filling.Filler({*output, "status", *REPORTED}, "workflow.output")
        yield from filling.unfilled(self.path[:-1], self.operation, filler, self.rules.clean)


def _mapping(value: object) -> Specs:
    return value if isinstance(value, Mapping) else {}


def _spelled_out(fields: object) -> dict[str, Specs]:
    return {name: spell_out(spec) for name, spec in _mapping(fields).items() if isinstance(spec, (str, Mapping))}
