"""Workflows of the contract language: their typed form."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..text.specs import Specs

type OnFailure = Literal["abort", "continue", "compensate"]

DEFAULT_STEP_SECONDS = 30.0
DEFAULT_PARALLEL = 10


@dataclass(frozen=True, slots=True)
class StepRetry:
    """How often a step is tried; the first attempt counts."""

    max_attempts: int = 1
    initial_delay_ms: float = 100
    max_delay_ms: float = 10_000
    backoff_multiplier: float = 2.0


@dataclass(frozen=True, slots=True)
class NodeCall:
    """A call of another node.

    Attributes:
        node: ONEX's name of the node.
        package: Its package; empty for that of the workflow's node.
        operation: Its operation.
        input: The operation's input, with references.
    """

    node: str
    package: str
    operation: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that are one step for those around them.

    Attributes:
        steps: Its steps; none comes before one that it waits for.
        output: What it answers, with references; None for what each of its steps answered.
    """

    steps: tuple[Step, ...]
    output: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Publishing:
    """An event that carries an intent: its name."""

    event: str


@dataclass(frozen=True, slots=True)
class Route:
    """Intents that are carried out.

    Attributes:
        intents: A reference to them.
        targets: What is done about an intent, by its target.
        ignores_unknown: Whether intents for other targets are passed over.
    """

    intents: str
    targets: Mapping[str, NodeCall | Publishing]
    ignores_unknown: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """Rounds of a step, until a condition holds."""

    until: str | bool
    max_rounds: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    Attributes:
        name: Its name.
        description: What it is for, possibly empty.
        does: What it does.
        when: Where that is false, it is skipped.
        for_each: A reference to the items that it runs for, if it does.
        max_parallel: How many items are under way at once.
        repeat: Its rounds, if it has any.
        require: What has to hold for its answer.
        after: The steps that have to be over before.
        timeout_seconds: Deadline of one attempt.
        retry: How often it is tried.
        on_failure: Whether the run goes on without it, or ends, and whether what was done is undone then.
        compensate: What undoes it, if anything does.
        undoes_unknown: Whether that also runs when nobody knows if the step took effect.
        idempotent: Whether making the call twice does no harm.
    """

    name: str
    description: str
    does: NodeCall | Group | Route
    when: str | bool | None
    for_each: str | None
    max_parallel: int
    repeat: Repeat | None
    require: str | bool | None
    after: tuple[str, ...]
    timeout_seconds: float
    retry: StepRetry
    on_failure: OnFailure
    compensate: NodeCall | None
    undoes_unknown: bool
    idempotent: bool

    @property
    def inner(self) -> tuple[Step, ...]:
        """The steps in it."""
        return self.does.steps if isinstance(self.does, Group) else ()

    @property
    def every(self) -> Iterator[Step]:
        """The step, and the steps in it, at any depth."""
        yield self
        for step in self.inner:
            yield from step.every

    @property
    def calls(self) -> Iterator[NodeCall]:
        """Its calls of other nodes."""
        if isinstance(self.does, NodeCall):
            yield self.does
        elif isinstance(self.does, Route):
            yield from (target for target in self.does.targets.values() if isinstance(target, NodeCall))
        if self.compensate:
            yield self.compensate

    @property
    def longest_seconds(self) -> float:
        """The longest that it takes, for one item: all attempts, the delays between them, and all rounds."""
        rounds = self.repeat.max_rounds if self.repeat else 1
        once = sum(step.longest_seconds for step in self.inner) if self.inner else self._longest_call
        return rounds * once

    @property
    def _longest_call(self) -> float:
        delays = (
            min(self.retry.initial_delay_ms * self.retry.backoff_multiplier**index, self.retry.max_delay_ms) / 1000
            for index in range(self.retry.max_attempts - 1)
        )
        return self.retry.max_attempts * self.timeout_seconds + sum(delays)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow.

    Attributes:
        steps: Its steps; none comes before one that it waits for.
        timeout_seconds: Deadline of all steps together; None for the sum of theirs.
        output: Values of output fields, with references.
    """

    steps: tuple[Step, ...]
    timeout_seconds: float | None
    output: Mapping[str, Any]

    @property
    def longest_seconds(self) -> float:
        """The longest that a run takes, what undoes it included."""
        forward = self.timeout_seconds or sum(step.longest_seconds for step in self.steps)
        if any(step.for_each for step in self.every):
            # As many items as went through have to be undone.
            return 2 * forward if any(step.compensate for step in self.every) else forward
        return forward + sum(step.longest_seconds for step in self.steps if any(s.compensate for s in step.every))

    @property
    def every(self) -> Iterator[Step]:
        """All steps, those in groups after their group."""
        for step in self.steps:
            yield from step.every

    @property
    def events(self) -> Iterator[str]:
        """The events that intents become."""
        for step in self.every:
            if isinstance(step.does, Route):
                yield from (target.event for target in step.does.targets.values() if isinstance(target, Publishing))

    @property
    def calls(self) -> Iterator[NodeCall]:
        """The calls of other nodes, in the order of the steps."""
        for step in self.every:
            yield from step.calls


def build_workflow(spec: Specs | None, deadline: float | None) -> Workflow | None:
    """Return the typed form of a workflow without problems; None for none.

    Args:
        spec: The workflow.
        deadline: That of its operation, which holds where the workflow has none of its own.
    """
    if spec is None:
        return None
    undoes = any("compensate" in step for step in every_step(spec["steps"]))
    policy: OnFailure = spec.get("on_failure") or ("compensate" if undoes else "abort")
    return Workflow(
        steps=_steps(spec["steps"], spec.get("retry", {}), policy),
        timeout_seconds=spec.get("timeout_seconds", deadline),
        output=dict(spec.get("output", {})),
    )


def every_step(steps: Sequence[Specs]) -> Iterator[Specs]:
    """Yield steps as the contract has them, those in groups after their group."""
    for step in steps:
        yield step
        yield from every_step(step.get("steps", ()))


def in_order(steps: Sequence[Specs]) -> list[str]:
    """Return the names of steps, each after those that it waits for, else as they are written.

    Args:
        steps: Steps without cycles, and without steps to wait for that do not exist.

    Returns:
        The names.
    """
    places = {step["name"]: index for index, step in enumerate(steps)}
    sorter = graphlib.TopologicalSorter({step["name"]: step.get("after", ()) for step in steps})
    sorter.prepare()
    ordered: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
        ordered.append(ready.pop(0))
        sorter.done(ordered[-1])
    return ordered


def upstream(name: str, after: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the steps that are over before a step starts.

    Args:
        name: The step.
        after: The steps that each step waits for.

    Returns:
        Their names; in a cycle, the step itself is among them.
    """
    found: set[str] = set()
    waiting = list(after.get(name, ()))
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            waiting += after.get(step, ())
    return found


def _steps(specs: Sequence[Specs], retry: Specs, policy: OnFailure) -> tuple[Step, ...]:
    named = {step["name"]: step for step in specs}
    return tuple(_step(named[name], retry, policy) for name in in_order(specs))


def _step(spec: Specs, retry: Specs, policy: OnFailure) -> Step:
    undo = spec.get("compensate")
    return Step(
        name=spec["name"],
        description=spec.get("description", ""),
        does=_does(spec, retry, policy),
        when=spec.get("when"),
        for_each=spec.get("for_each"),
        max_parallel=spec.get("max_parallel", DEFAULT_PARALLEL),
        repeat=Repeat(**spec["repeat"]) if "repeat" in spec else None,
        require=spec.get("require"),
        after=tuple(spec.get("after", ())),
        timeout_seconds=float(spec.get("timeout_seconds", DEFAULT_STEP_SECONDS)),
        retry=StepRetry(**(spec.get("retry", retry))),
        on_failure=spec.get("on_failure", policy),
        compensate=_call(undo, spec) if undo else None,
        undoes_unknown=bool(undo and undo.get("on_unknown")),
        idempotent=spec.get("idempotent", False),
    )


def _does(spec: Specs, retry: Specs, policy: OnFailure) -> NodeCall | Group | Route:
    if "steps" in spec:
        return Group(_steps(spec["steps"], retry, policy), spec.get("output"))
    if "intents" in spec:
        targets = {
            name: Publishing(target["publish"]) if "publish" in target else _call(target, spec)
            for name, target in spec["route"].items()
        }
        return Route(spec["intents"], targets, spec.get("unknown") == "ignore")
    return _call(spec, spec)


def _call(spec: Specs, step: Specs) -> NodeCall:
    # What undoes a step is the same node's, unless it says another.
    package = spec.get("package", "" if "node" in spec and spec is not step else step.get("package", ""))
    return NodeCall(spec.get("node") or step["node"], package, spec["operation"], dict(spec.get("input", {})))
