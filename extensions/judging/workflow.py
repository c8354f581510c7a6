"""Rules for workflows beyond their schema: the graph of their steps, references, and what fills the output."""

import graphlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from ..language import filling, references, run_conditions
from ..language.conditions import kinds_of
from ..language.contract import spell_out, spelled_out
from ..language.kinds import Kind
from ..language.references import Reference
from ..language.reported import REPORTED
from ..language.run_conditions import UNKNOWN, InputTypes, RunScope
from ..language.workflow import every_step, upstream
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, mapping_of
from .workflow_output import Output

_CALLING = frozenset({"timeout_seconds", "retry", "idempotent"})
# The words that say how a step does what it does, by the word that says what.
_WORDS: Mapping[str, frozenset[str]] = {
    "node": frozenset({"node", "operation", "package", "input", "compensate", *_CALLING}),
    "steps": frozenset({"steps", "output"}),
    "intents": frozenset({"intents", "route", "unknown", *_CALLING}),
}


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    enums: dict[str, list[str]]
    models: dict[str, Specs]
    unions: dict[str, Specs]

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
    if "timeout_seconds" in operation and "timeout_seconds" in mapping_of(operation["workflow"]):
        found = "a deadline beside that of the workflow"
        yield Problem((*path, "timeout_seconds"), found, "workflow.timeout_seconds alone, the deadline of all steps")
    store = mapping_of(mapping_of(rules.raw.get("subcontracts")).get("state_management"))
    backend = store.get("backend")
    for name, owner in (("table", "postgres"), ("key_prefix", "redis")):
        if name in store and backend != owner:
            found = f"{name} for the backend {backend}"
            yield Problem(("subcontracts", "state_management", name), found, f"the backend {owner}")
    setting = {"postgres": "database", "redis": "redis"}.get(str(backend))
    if setting and mapping_of(rules.raw.get("integrations")).get(setting) is False:
        expected = f"another backend, since integrations.{setting} is false"
        yield Problem(("subcontracts", "state_management", "backend"), show(backend), expected)
    if not rules.clean(place) or not rules.clean((*path, "input")) or not rules.clean((*path, "output")):
        return
    yield from _Workflow(rules, place, operation).problems()


@dataclass(frozen=True, slots=True)
class _Sources:
    """What a text may refer to, and how that is said.

    Attributes:
        steps: The steps that are over by then.
        expected: Which steps these are, in words.
        item: A reference to the items, inside of steps that run for each.
        previous: The steps of the round before; None outside of rounds.
        intent: Whether there is an intent.
        present: The steps that answered, though they might have been skipped.
    """

    steps: frozenset[str] = frozenset()
    expected: str = "an earlier step, named in after"
    item: str | None = None
    previous: frozenset[str] | None = None
    intent: bool = False
    present: frozenset[str] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        """What references may start with."""
        extra = {"item": self.item is not None, "previous": self.previous is not None, "intent": self.intent}
        return ("input", "steps", *(word for word, there in extra.items() if there), *references.GIVEN)


class _Workflow:
    def __init__(self, rules: Rules, path: Path, operation: Specs) -> None:
        self.rules = rules
        self.path = path
        self.operation = operation
        self.spec: Specs = operation["workflow"]
        self.steps: list[Specs] = list(self.spec["steps"])
        self.every = list(every_step(self.steps))
        self.names = {step["name"] for step in self.every}
        self.skipped = {step["name"] for step in self.every if "when" in step}
        self.inputs = spelled_out(operation.get("input"))
        self.outputs = spelled_out(operation.get("output"))

    def problems(self) -> Iterator[Problem]:
        yield from self.unique()
        yield from self.delays()
        yield from self.deadline()
        yield from self.graph((*self.path, "steps"), self.steps, _Sources())
        yield from self.output()

    def unique(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for place, step in _placed((*self.path, "steps"), self.steps):
            if step["name"] in seen:
                yield Problem((*place, "name"), f"{show(step['name'])} a second time", "a name of its own")
            seen.add(step["name"])

    def deadline(self) -> Iterator[Problem]:
        if self.spec.get("timeout_seconds") or self.operation.get("timeout_seconds"):
            return
        for place, step in _placed((*self.path, "steps"), self.steps):
            if "for_each" in step:
                found = "items, nobody knows how many, in a workflow without a deadline"
                yield Problem((*place, "for_each"), found, "workflow.timeout_seconds, the deadline of all steps")

    def graph(self, path: Path, steps: Sequence[Specs], around: _Sources) -> Iterator[Problem]:
        names = {step["name"] for step in steps}
        for index, step in enumerate(steps):
            place, name = (*path, index), step["name"]
            for number, other in enumerate(step.get("after", ())):
                if other == name:
                    yield Problem((*place, "after", number), f"{show(other)}, the step itself", "another step")
                elif other not in names:
                    expected = f"one of the steps {', '.join(sorted(names - {name}))}" if names - {name} else "none"
                    hint = did_you_mean(other, names)
                    if other in self.names:
                        hint = f"{other} is not beside {name}, and a group waits as a whole"
                    yield Problem((*place, "after", number), show(other), expected, hint)
        after = {step["name"]: [name for name in step.get("after", ()) if name in names] for step in steps}
        try:
            others = {name: [other for other in after if other != name] for name, after in after.items()}
            graphlib.TopologicalSorter(others).prepare()
        except graphlib.CycleError as error:
            cycle = error.args[1]
            index = next(index for index, step in enumerate(steps) if step["name"] in cycle)
            # The sorter lists each step before the one that waits for it.
            found = f"a cycle: {' after '.join(reversed(cycle))}"
            yield Problem((*path, index, "after"), found, "steps that do not wait for each other")
        for index, step in enumerate(steps):
            before = around.steps | upstream(step["name"], after)
            yield from self.step((*path, index), step, replace(around, steps=before))

    def delays(self) -> Iterator[Problem]:
        policies = [((*self.path, "retry"), self.spec.get("retry"))]
        placed = _placed((*self.path, "steps"), self.steps)
        policies += [((*place, "retry"), step.get("retry")) for place, step in placed]
        for place, policy in policies:
            first, longest = (
                mapping_of(policy).get("initial_delay_ms", 100),
                mapping_of(policy).get("max_delay_ms", 10_000),
            )
            if first > longest:
                yield Problem(
                    (*place, "max_delay_ms"), show(longest), f"at least initial_delay_ms, which is {show(first)}"
                )

    def step(self, path: Path, step: Specs, before: _Sources) -> Iterator[Problem]:
        yield from _shape(path, step)
        if "when" in step:
            yield from run_conditions.check((*path, "when"), step["when"], self.scope(before))
            sure = run_conditions.used_steps(step["when"])["present"]
            before = replace(before, present=before.present | sure)
        inside = before
        if "for_each" in step:
            yield from self.array((*path, "for_each"), step["for_each"], before)
            inside = replace(inside, item=step["for_each"])
        round_of = frozenset(inner["name"] for inner in step.get("steps", ())) or frozenset({step["name"]})
        if "repeat" in step:
            inside = replace(inside, previous=round_of)
            seen = replace(inside, steps=inside.steps | round_of, expected="a step of the round, or an earlier one")
            until = step["repeat"]["until"]
            yield from run_conditions.check((*path, "repeat", "until"), until, self.scope(seen, result=True))
        if "require" in step:
            seen = replace(inside, steps=inside.steps | round_of) if "repeat" not in step else before
            yield from run_conditions.check((*path, "require"), step["require"], self.scope(seen, result=True))
        yield from self.does(path, step, inside)

    def does(self, path: Path, step: Specs, inside: _Sources) -> Iterator[Problem]:
        name = step["name"]
        yield from self.texts((*path, "input"), step.get("input"), inside)
        if undo := step.get("compensate"):
            own = replace(inside, steps=inside.steps | {name}, expected=f"{name} or an earlier step, named in after")
            if undo.get("on_unknown"):
                own = replace(inside, expected=f"{inside.expected}: with on_unknown, {name} has no answer")
            yield from self.texts((*path, "compensate", "input"), undo.get("input"), own)
        yield from self.graph((*path, "steps"), step.get("steps", ()), inside)
        if "steps" in step:
            names = frozenset(inner["name"] for inner in step["steps"])
            seen = replace(inside, steps=inside.steps | names, expected="a step of the group, or an earlier one")
            # What a group answers is looked at by others, who take null for what was skipped.
            yield from self.texts((*path, "output"), step.get("output"), replace(seen, present=frozenset(self.names)))
        if "intents" in step:
            yield from self.array((*path, "intents"), step["intents"], inside)
            for target, done in step.get("route", {}).items():
                yield from self.texts(
                    (*path, "route", target, "input"), done.get("input"), replace(inside, intent=True)
                )

    def scope(self, sources: _Sources, *, result: bool = False) -> RunScope:
        return RunScope(
            self.types,
            sources.steps,
            sources.expected,
            self.names,
            item=self.item_kind(sources.item),
            previous=sources.previous,
            result=result,
        )

    def array(self, path: Path, text: str, sources: _Sources) -> Iterator[Problem]:
        """Find what keeps a text from being one reference to an array."""
        found = list(self.texts(path, text, sources))
        yield from found
        pieces = references.parts(text)
        if not found and (len(pieces) != 1 or not isinstance(pieces[0], Reference)):
            yield Problem(path, show(text), "one reference to an array, such as ${steps.name.field}")
        elif not found and isinstance(reference := pieces[0], Reference):
            kind = self.kind_of(reference.name) if reference.source == "input" else "array"
            if reference.source in references.GIVEN:
                kind = references.GIVEN[reference.source][0]
            if kind != "array":
                yield Problem(path, f"{show(text)}, which is of type {kind}", "a reference to an array")

    def item_kind(self, text: str | None) -> Kind | None:
        """Return the type of the items of an array, as JSON has them; None for no array."""
        if text is None:
            return None
        pieces = references.parts(text)
        reference = pieces[0] if len(pieces) == 1 and isinstance(pieces[0], Reference) else None
        return self.types.item_of(reference.path) if reference and reference.source == "input" else UNKNOWN

    @cached_property
    def types(self) -> InputTypes:
        """The types that conditions may rely on."""
        rules = self.rules
        models = {
            name: kinds_of(spelled_out(fields), rules.enums, rules.models) for name, fields in rules.models.items()
        }
        return InputTypes(kinds_of(self.inputs, rules.enums, rules.models), models, rules.enums)

    def item_of(self, text: str) -> str:
        """Return the type of the items of an array; empty where it is not known."""
        pieces = references.parts(text)
        reference = pieces[0] if pieces and isinstance(pieces[0], Reference) else None
        if reference is None or reference.source != "input" or self.input_field(reference.name):
            return ""
        items = references.spec_at(reference.name, self.inputs, self.rules.models).get("items", "object")
        return str(spell_out(items).get("type"))

    def texts(self, path: Path, value: object, sources: _Sources) -> Iterator[Problem]:
        yield from references.problems(path, value, sources.words, self.input_field)
        for place, text in references.texts(path, value):
            for part in references.parts(text):
                if not isinstance(part, Reference):
                    continue
                if part.source == "steps":
                    yield from self.step_reference(place, part, sources)
                elif part.source == "previous" and sources.previous is not None:
                    yield from _previous(place, part, sources.previous)
                elif part.source == "item" and sources.item and (kind := self.item_of(sources.item)):
                    yield from self.item_field(place, part, kind)

    def item_field(self, path: Path, reference: Reference, kind: str) -> Iterator[Problem]:
        first = next(iter(reference.path), None)
        if not isinstance(first, str) or kind == "object" or kind in self.rules.unions:
            return
        shown = show(f"${{item.{reference.name}}}")
        fields = self.rules.models.get(kind)
        if fields is None:
            yield Problem(path, shown, f"${{item}}: items of type {kind} have no fields")
        elif first not in fields:
            yield Problem(path, shown, f"a field of {kind}", did_you_mean(first, fields))

    def step_reference(self, path: Path, reference: Reference, sources: _Sources) -> Iterator[Problem]:
        step, *field = reference.path or ("",)
        name = str(step)
        shown = show(f"${{steps.{reference.name}}}")
        if name not in self.names:
            if name:
                yield Problem(path, shown, "a reference to a step that there is", did_you_mean(name, self.names))
        elif name not in sources.steps:
            yield Problem(path, shown, f"a reference to {sources.expected}")
        elif not field and not self.whole(name):
            yield Problem(path, shown, f"a field of its answer, as in ${{steps.{name}.field}}")
        elif (
            field
            and isinstance(field[0], str)
            and any("for_each" in each for each in self.every if each["name"] == name)
        ):
            expected = f"one of its answers, which are an array, as in ${{steps.{name}[0].{field[0]}}}"
            yield Problem(path, shown, expected)
        elif name in self.skipped and name not in sources.present:
            found = f"{shown}, which is null where {name} is skipped"
            yield Problem(path, found, f"a step with when: steps.{name} is not None, or an output that may be null")

    def whole(self, name: str) -> bool:
        """Tell whether a step's answer is of use as a whole: an array, or what the contract itself makes of a group."""
        step = next(step for step in self.every if step["name"] == name)
        return "for_each" in step or "steps" in step or "intents" in step

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
        path, output = (*self.path, "output"), mapping_of(self.spec.get("output"))
        own = frozenset(step["name"] for step in self.steps)
        fields = Output(self.rules, self.inputs, self.answered)
        for name, value in output.items():
            if name not in self.outputs:
                yield Problem((*path, name), show(name), "an output field", did_you_mean(name, self.outputs))
                continue
            may_be_null = self.outputs[name].get("required", True) is False
            seen = _Sources(own, "a step that is in no group", present=own if may_be_null else frozenset())
            found = list(self.texts((*path, name), value, seen))
            yield from found
            if not found:
                yield from fields.problems((*path, name), value, self.outputs[name])
        yield from self.reported(output)
        yield from self.unfilled(output)

    def answered(self, reference: Reference) -> Specs:
        """Return what is known of the type of what a step answered: a step for each item answers an array."""
        step, *field = reference.path
        repeated = any("for_each" in each for each in self.every if each["name"] == step)
        return {"type": "array"} if repeated and not field else {}

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
            undoes = any("compensate" in step for step in self.every)
            wanted = ("completed", "failed", *(("compensated",) if undoes else ()))
            if missing := [value for value in wanted if value not in allowed]:
                found = f"values without {' and '.join(missing)}"
                yield Problem((*place, "status"), found, f"all that a run may end with: {', '.join(wanted)}")

    def unfilled(self, output: Specs) -> Iterator[Problem]:
        filler = filling.Filler({*output, "status", *REPORTED}, "workflow.output")
        yield from filling.unfilled(self.path[:-1], self.operation, filler, self.rules.clean)


def _shape(path: Path, step: Specs) -> Iterator[Problem]:
    """Find words of a step that do not go together."""
    kinds = [key for key in ("node", "steps", "intents") if key in step]
    if len(kinds) != 1:
        found = f"{' and '.join(kinds)} in one step" if kinds else "a step that does nothing"
        yield Problem(path, found, "node and operation, steps, or intents and route: one of them")
        return
    needs = {"node": "operation", "intents": "route"}.get(kinds[0])
    if needs and needs not in step:
        yield Problem((*path, needs), "nothing", f"{needs}, since there is {kinds[0]}")
    allowed = _WORDS[kinds[0]]
    for key in step:
        owners = [kind for kind, words in _WORDS.items() if key in words]
        if owners and key not in allowed:
            yield Problem((*path, key), f"{key} in a step with {kinds[0]}", f"a step with {' or '.join(owners)}")
    if "max_parallel" in step and "for_each" not in step:
        yield Problem((*path, "max_parallel"), "max_parallel of a step that runs once", "for_each")
    for target, done in step.get("route", {}).items():
        place = (*path, "route", target)
        if ("publish" in done) == ("node" in done):
            yield Problem(place, "both" if "publish" in done else "neither", "either node and operation, or publish")
        elif "node" in done and "operation" not in done:
            yield Problem((*place, "operation"), "nothing", "operation, since there is node")
        elif "publish" in done and (extra := [key for key in done if key != "publish"]):
            yield Problem(
                (*place, extra[0]), f"{extra[0]} of an event", "publish alone: the event is the intent itself"
            )


def _previous(path: Path, reference: Reference, names: Collection[str]) -> Iterator[Problem]:
    first = next(iter(reference.path), None)
    if first is not None and first not in names:
        shown = show(f"${{previous.{reference.name}}}")
        expected = f"a step of the round: {', '.join(sorted(names))}"
        yield Problem(path, shown, expected, did_you_mean(str(first), names))


def _placed(path: Path, steps: Sequence[Specs]) -> Iterator[tuple[Path, Specs]]:
    for index, step in enumerate(steps):
        yield (*path, index), step
        yield from _placed((*path, index, "steps"), step.get("steps", ()))
