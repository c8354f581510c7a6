"""Workflows of the contract language: their typed form."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

type Specs = Mapping[str, Any]
type OnFailure = Literal["abort", "continue", "compensate"]

DEFAULT_STEP_SECONDS = 30.0


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
class Step:
    """A step.

    Attributes:
        name: Its name.
        description: What it is for, possibly empty.
        call: What it does.
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
    call: NodeCall
    after: tuple[str, ...]
    timeout_seconds: float
    retry: StepRetry
    on_failure: OnFailure
    compensate: NodeCall | None
    undoes_unknown: bool
    idempotent: bool

    @property
    def longest_seconds(self) -> float:
        """The longest that all attempts and the delays between them take."""
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
        return forward + sum(step.longest_seconds for step in self.steps if step.compensate)

    @property
    def calls(self) -> Iterator[NodeCall]:
        """The calls of other nodes, in the order of the steps."""
        for step in self.steps:
            yield step.call
            if step.compensate:
                yield step.compensate


def build_workflow(spec: Specs | None, deadline: float | None) -> Workflow | None:
    """Return the typed form of a workflow without problems; None for none.

    Args:
        spec: The workflow.
        deadline: That of its operation, which holds where the workflow has none of its own.
    """
    if spec is None:
        return None
    steps = {step["name"]: step for step in spec["steps"]}
    undoes = any("compensate" in step for step in steps.values())
    policy: OnFailure = spec.get("on_failure") or ("compensate" if undoes else "abort")
    return Workflow(
        steps=tuple(_step(steps[name], spec.get("retry", {}), policy) for name in in_order(spec["steps"])),
        timeout_seconds=spec.get("timeout_seconds", deadline),
        output=dict(spec.get("output", {})),
    )


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


def _step(spec: Specs, retry: Specs, policy: OnFailure) -> Step:
    undo = spec.get("compensate")
    return Step(
        name=spec["name"],
        description=spec.get("description", ""),
        call=_call(spec, spec),
        after=tuple(spec.get("after", ())),
        timeout_seconds=float(spec.get("timeout_seconds", DEFAULT_STEP_SECONDS)),
        retry=StepRetry(**(spec.get("retry", retry))),
        on_failure=spec.get("on_failure", policy),
        compensate=_call(undo, spec) if undo else None,
        undoes_unknown=bool(undo and undo.get("on_unknown")),
        idempotent=spec.get("idempotent", False),
    )


def _call(spec: Specs, step: Specs) -> NodeCall:
    # What undoes a step is the same node's, unless it says another.
    package = spec.get("package", "" if "node" in spec and spec is not step else step.get("package", ""))
    return NodeCall(spec.get("node", step["node"]), package, spec["operation"], dict(spec.get("input", {})))
