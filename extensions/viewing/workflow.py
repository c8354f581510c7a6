"""What templates are handed about workflows: steps as code, the diagram, and what tests try."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..language import samples
from ..language.contract import Contract, Operation
from ..language.workflow import NodeCall, Route, Step, upstream
from ..text import encode
from .fields import Symbol
from .workflow_code import ITEMS, FunctionView, Writer
from .workflow_diagram import diagram

_SECONDS_OF_GRACE = 5.0
_LOOKS = ("bounded", "factor_of", "value_at")


@dataclass(frozen=True, slots=True)
class StepView:
    """A step.

    Attributes:
        name: Its name.
        description: What it is for, possibly empty.
        depth: How many groups it is in.
        path: Its name after those of the groups that it is in, with dots between them.
        step: The step of the contract.
        answer: A valid answer as JSON values, which tests use.
        fills: Output fields that take a whole value of its answer, each with the path there.
    """

    name: str
    description: str
    depth: int
    path: str
    step: Step
    answer: Mapping[str, object]
    fills: tuple[tuple[str, tuple[str | int, ...]], ...]

    @property
    def call(self) -> NodeCall | None:
        """The call that it makes; None for a group, and for intents."""
        return self.step.does if isinstance(self.step.does, NodeCall) else None

    @property
    def compensate(self) -> NodeCall | None:
        """What undoes it, if anything does."""
        return self.step.compensate

    @property
    def after(self) -> tuple[str, ...]:
        """The paths of the steps beside it that it waits for."""
        around = self.path.removesuffix(self.name)
        return tuple(f"{around}{name}" for name in self.step.after)

    @property
    def what(self) -> str:
        """What it does, for people, as Markdown."""
        does = self.step.does
        if isinstance(does, NodeCall):
            return f"`{does.node}`: `{does.operation}`"
        if isinstance(does, Route):
            return "intents for " + ", ".join(encode.markdown_code(target) for target in does.targets)
        return "the steps " + ", ".join(f"`{step.name}`" for step in does.steps)

    @property
    def words(self) -> tuple[tuple[str, str], ...]:
        """What the contract says of conditions, items and rounds: pairs of words for people, and its text."""
        step, rounds = self.step, self.step.repeat
        said = (
            ("skipped unless", step.when),
            ("for each of", step.for_each),
            (f"again, at most {rounds.max_rounds} rounds, until" if rounds else "", rounds and rounds.until),
            ("failed unless", step.require),
        )
        return tuple((words, str(text)) for words, text in said if text is not None)

    @property
    def onex_type(self) -> str:
        """What ONEX calls the type of the node that it calls."""
        does = self.step.does
        node = does.node if isinstance(does, NodeCall) else "orchestrator"
        return f"{node.rpartition('_')[2].upper()}_GENERIC"

    @property
    def failure(self) -> str:
        """What its failure leads to, for people."""
        return {
            "abort": "the run ends",
            "continue": "the run goes on without it",
            "compensate": "the run ends, and what was done is undone",
        }[self.step.on_failure]


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A workflow.

    Attributes:
        file: The module.
        steps: All its steps, those in groups after their group; none comes before one that it waits for.
        functions: The functions that make inputs, items and outputs of groups, and tell whether conditions hold.
        code: Its own steps as a Python tuple.
        symbols: The classes that this code names.
        standard_imports: What it imports of the standard library.
        timeout_seconds: Deadline of all steps together; None for the sum of theirs.
        longest_seconds: The longest that a run takes, what undoes it included.
        output: The function that makes the values of output fields.
        reports: Whether the output can say that a run failed; else that is an error.
        reports_step: Whether the output names the step that failed.
        answerable: Whether valid answers are known.
        diagram: The steps for Mermaid.
    """

    file: str
    steps: tuple[StepView, ...]
    functions: tuple[FunctionView, ...]
    code: str
    symbols: tuple[str, ...]
    standard_imports: tuple[Symbol, ...]
    timeout_seconds: float | None
    longest_seconds: float
    output: FunctionView
    reports: bool
    reports_step: bool
    answerable: bool
    diagram: str

    @property
    def items(self) -> int:
        """How many items tests give a step that runs for each."""
        return ITEMS

    @property
    def plain(self) -> bool:
        """Whether each step is one call, once, in each run."""
        return all(view.call and not view.words for view in self.steps)

    @property
    def uses_text(self) -> bool:
        """Whether values become text."""
        return any(function.uses_text for function in (*self.functions, self.output))

    @property
    def uses(self) -> tuple[str, ...]:
        """The functions of the runtime that functions of the workflow look at values with, sorted."""
        functions = (*self.functions, self.output)
        texts = [text for made in functions for text in (*made.lines, made.code)]
        return tuple(name for name in _LOOKS if any(re.search(rf"\b{name}\(", text) for text in texts))

    @property
    def answers(self) -> dict[str, object]:
        """A valid answer of each step that makes a call."""
        return {step.name: step.answer for step in self.steps if step.call}

    @property
    def filled(self) -> tuple[tuple[str, str], ...]:
        """Output fields that take a whole value of an answer, each with code of the value in tests."""
        fills = ((field, step.name, path) for step in self.steps for field, path in step.fills)
        return tuple((field, f'ANSWERS["{step}"]["{path[0]}"]') for field, step, path in fills if len(path) == 1)

    @property
    def refused_compensations(self) -> tuple[tuple[str, str], ...]:
        """For each step that something undoes, one after or beside it whose failure leads to that, if there is one."""
        after = {step.name: step.step.after for step in self.steps}
        found: dict[str, str] = {}
        for undone in self.undone:
            for step in self.steps:
                before = upstream(undone.name, after) | {undone.name}
                if step.step.on_failure == "compensate" and step.name not in before:
                    found.setdefault(undone.name, step.name)
        return tuple((failing, undone) for undone, failing in found.items())

    @property
    def undone(self) -> tuple[StepView, ...]:
        """The steps that something undoes."""
        return tuple(step for step in self.steps if step.compensate)


def workflow_view(contract: Contract, operation: Operation) -> WorkflowView | None:
    """Return the view of an operation's workflow, or None when it has none."""
    workflow = operation.workflow
    if workflow is None:
        return None
    writer = Writer(contract, operation)
    code = writer.steps(workflow.steps)
    steps = tuple(_step_views(writer, workflow.steps))
    return WorkflowView(
        file=f"workflow_{operation.name}",
        steps=steps,
        functions=tuple(writer.functions),
        code=code,
        symbols=tuple(sorted(writer.symbols)),
        standard_imports=(("collections", "ChainMap"), *sorted(writer.modules)),
        timeout_seconds=workflow.timeout_seconds,
        longest_seconds=workflow.longest_seconds + _SECONDS_OF_GRACE,
        output=writer.output(),
        reports=writer.reports(),
        reports_step="failed_step" in writer.outputs and "failed_step" not in workflow.output,
        answerable=samples.output(contract, operation) is not None,
        diagram=diagram(workflow.steps),
    )


def _step_views(writer: Writer, steps: Sequence[Step], around: tuple[str, ...] = ()) -> Iterator[StepView]:
    for step in steps:
        yield StepView(
            name=step.name,
            description=step.description,
            depth=len(around),
            path=".".join((*around, step.name)),
            step=step,
            answer=writer.answer(step),
            fills=tuple(writer.fills(step)),
        )
        yield from _step_views(writer, step.inner, (*around, step.name))


def migrations(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return the migrations that follow from where runs are kept: pairs of id and SQL."""
    store = contract.run_store
    if store is None or store.backend != "postgres":
        return ()
    return ((f"0000_{store.place}", _TABLE.format(place=store.place)),)


_TABLE = """\
CREATE TABLE "{place}" (
    run_id uuid PRIMARY KEY,
    operation text NOT NULL,
    state jsonb NOT NULL,
    finished boolean NOT NULL,
    token uuid,
    lease_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX "{place}_unfinished" ON "{place}" (lease_until) WHERE NOT finished;
"""
