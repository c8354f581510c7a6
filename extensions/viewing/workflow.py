"""What templates are handed about workflows: steps as code, the diagram, and what tests try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..language import names, samples
from ..language.contract import Contract, Operation
from ..language.filling import copied
from ..language.references import Reference, Resolver, parts, references
from ..language.reported import REPORTED
from ..language.workflow import NodeCall, Step, StepRetry, upstream
from ..text import encode
from ..text.encode import LINE_LENGTH, Code, width

if TYPE_CHECKING:
    pass


_SECONDS_OF_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function that makes a value of a workflow's input and of what steps answered.

    Attributes:
        name: Its name.
        what: What it returns, for its docstring.
        lines: Its statements before the value.
        code: The value, for a line that is indented by `indent`.
        uses_request: Whether it looks at the input.
        uses_answers: Whether it looks at answers.
        uses_text: Whether it makes text of values.
    """

    name: str
    what: str
    lines: tuple[str, ...]
    code: str
    uses_request: bool
    uses_answers: bool
    uses_text: bool


@dataclass(frozen=True, slots=True)
class CallView:
    """A call of another node: node and operation, and the function that makes the operation's input."""

    node: str
    operation: str
    input: FunctionView


@dataclass(frozen=True, slots=True)
class StepView:
    """A step.

    Attributes:
        name: Its name.
        description: What it is for, possibly empty.
        call: What it does.
        compensate: What undoes it, if anything does.
        arguments: Its other arguments, as pairs of name and code.
        step: The step of the contract.
        answer: A valid answer as JSON values, which tests use.
        fills: Output fields that take a whole value of its answer, each with the path there.
    """

    name: str
    description: str
    call: CallView
    compensate: CallView | None
    arguments: tuple[tuple[str, str], ...]
    step: Step
    answer: Mapping[str, object]
    fills: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def onex_type(self) -> str:
        """What ONEX calls the type of the node that it calls."""
        return f"{self.call.node.rpartition('_')[2].upper()}_GENERIC"

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
        steps: Its steps; none comes before one that it waits for.
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
    timeout_seconds: float | None
    longest_seconds: float
    output: FunctionView
    reports: bool
    reports_step: bool
    answerable: bool
    diagram: str

    @property
    def functions(self) -> tuple[FunctionView, ...]:
        """The functions that make inputs, in the order of the steps."""
        calls = (call for step in self.steps for call in (step.call, step.compensate) if call)
        return tuple(call.input for call in calls)

    @property
    def uses_text(self) -> bool:
        """Whether values become text."""
        return any(function.uses_text for function in (*self.functions, self.output))

    @property
    def uses_answered(self) -> bool:
        """Whether a function looks at an answer."""
        return any(function.uses_answers for function in (*self.functions, self.output))

    @property
    def has_retry(self) -> bool:
        """Whether a step is tried more than once."""
        return any(name == "retry" for step in self.steps for name, _ in step.arguments)

    @property
    def answers(self) -> dict[str, object]:
        """A valid answer of each step."""
        return {step.name: step.answer for step in self.steps}

    @property
    def filled(self) -> tuple[tuple[str, str], ...]:
        """Output fields that take a whole value of an answer, each with code of the value in tests."""
        fills = ((field, step.name, path) for step in self.steps for field, path in step.fills)
        return tuple((field, f'ANSWERS["{step}"]{_indexed(path)}') for field, step, path in fills if len(path) == 1)

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


@dataclass(frozen=True, slots=True)
class PeerView:
    """A node that workflows call: ONEX's name of it, and its package and name as topics have them."""

    node: str
    package: str
    name: str

    @property
    def command_topic(self) -> str:
        """Where it takes requests."""
        return f"onex.cmd.{self.package}.{self.name}-requested.v1"


def workflow_view(contract: Contract, operation: Operation) -> WorkflowView | None:
    """Return the view of an operation's workflow, or None when it has none."""
    workflow = operation.workflow
    if workflow is None:
        return None
    writer = _Writer(contract, operation)
    steps = tuple(writer.step(step) for step in workflow.steps)
    return WorkflowView(
        file=f"workflow_{operation.name}",
        steps=steps,
        timeout_seconds=workflow.timeout_seconds,
        longest_seconds=workflow.longest_seconds + _SECONDS_OF_GRACE,
        output=writer.output(),
        reports=writer.reports(),
        reports_step="failed_step" in writer.outputs and "failed_step" not in workflow.output,
        answerable=samples.output(contract, operation) is not None,
        diagram=diagram(workflow.steps),
    )


def peers(contract: Contract) -> tuple[PeerView, ...]:
    """Return the nodes that the contract's workflows call, by name, each once."""
    found: dict[str, PeerView] = {}
    for operation in contract.operations:
        for call in operation.workflow.calls if operation.workflow else ():
            name = call.node.removeprefix("node_").rpartition("_")[0]
            found[call.node] = PeerView(call.node, names.kebab(call.package or contract.package), names.kebab(name))
    return tuple(found[name] for name in sorted(found))


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


def diagram(steps: Sequence[Step]) -> str:
    """Return the graph of steps for Mermaid, whose words are names and so need no quotes."""
    lines = ["flowchart TD"]
    # A prefix, since Mermaid reads some words, such as end, as its own.
    lines += [f'    step_{step.name}["{step.name}<br/>{step.call.node}.{step.call.operation}"]' for step in steps]
    lines += [f"    step_{before} --> step_{step.name}" for step in steps for before in step.after]
    for step in steps:
        if step.compensate:
            undo = step.compensate
            lines.append(f'    undo_{step.name}(["{undo.node}.{undo.operation}"])')
            lines.append(f"    step_{step.name} -. undone by .-> undo_{step.name}")
    return "\n".join(lines)


class _Writer:
    def __init__(self, contract: Contract, operation: Operation) -> None:
        self.contract = contract
        self.operation = operation
        self.outputs = {field.name: field for field in operation.output}
        self.workflow: Any = operation.workflow

    def step(self, step: Step) -> StepView:
        return StepView(
            name=step.name,
            description=step.description,
            call=self.call(step.call, f"input_of_{step.name}", f"the input of the step {step.name}"),
            compensate=self.call(step.compensate, f"undoing_{step.name}", f"the input of what undoes {step.name}")
            if step.compensate
            else None,
            arguments=tuple(self.arguments(step)),
            step=step,
            answer=self.answer(step),
            fills=tuple(self.fills(step)),
        )

    def call(self, call: NodeCall, name: str, what: str) -> CallView:
        return CallView(call.node, call.operation, self.function(name, what, call.input))

    def arguments(self, step: Step) -> Iterator[tuple[str, str]]:
        if step.after:
            yield "after", _tuple(step.after)
        yield "timeout_seconds", encode.py(step.timeout_seconds)
        if step.retry.max_attempts > 1:
            yield "retry", _retry(step.retry)
        if step.idempotent:
            yield "idempotent", "True"
        yield "on_failure", encode.py(step.on_failure)
        if step.undoes_unknown:
            yield "undoes_unknown", "True"
        if needed := self.needed(step):
            yield "needed", _tuple(needed)
        if fills := self.fills(step):
            yield "fills", _tuple(fills)

    def needed(self, step: Step) -> list[tuple[str, ...]]:
        """Return the paths in a step's answer that inputs of calls refer to."""
        texts = (call.input for call in self.workflow.calls)
        return sorted({path for text in texts for name, path in _answers(text) if name == step.name})

    def fills(self, step: Step) -> list[tuple[str, tuple[str, ...]]]:
        """Return the output fields that take a whole value of a step's answer, each with the path there."""
        found = (
            (field, path)
            for field, value in self.workflow.output.items()
            for name, path in _whole(value)
            if name == step.name
        )
        return list(found)

    def answer(self, step: Step) -> dict[str, object]:
        """Return an answer that has all that others refer to."""
        values = samples.output(self.contract, self.operation) or {}
        answer: dict[str, object] = {}
        wanted: list[tuple[tuple[str, ...], object]] = [(path, 1) for path in self.needed(step)]
        in_texts = {path for name, path in _answers(self.workflow.output) if name == step.name}
        wanted += [(path, "text") for path in sorted(in_texts)]
        wanted += [(path, values.get(field, 1)) for field, path in self.fills(step)]
        for path, value in wanted:
            place = answer
            for key in path[:-1]:
                inner = place.get(key)
                if not isinstance(inner, dict):
                    inner = place[key] = {}
                place = inner
            if not isinstance(place.get(path[-1]), dict):
                place[path[-1]] = value
        return answer

    def output(self) -> FunctionView:
        values: dict[str, object] = {}
        for name, field in self.outputs.items():
            if name in self.workflow.output:
                values[name] = self.workflow.output[name]
            elif name == "status":
                values[name] = Code("run.status")
            elif name in REPORTED:
                always = name == "failed_step" and field.required
                values[name] = Code(f'run.{name} or ""' if always else f"run.{name}")
            elif copied(self.operation.input, field):
                values[name] = Code(f"request.{name}")
        return self.function("output_of", "what the operation answers about a run", values)

    def reports(self) -> bool:
        """Tell whether the output can say that a run failed, whichever step did."""
        return "status" in self.outputs and not any(
            self.outputs[name].required and any(reference.source == "steps" for reference in references(value))
            for name, value in self.workflow.output.items()
        )

    def function(self, name: str, what: str, value: Mapping[str, Any]) -> FunctionView:
        variables: dict[tuple[str, tuple[str, ...]], str] = {}
        for step, path in _answers(value):
            base = "_".join((step, *path))
            taken = set(variables.values())
            free = base
            while free in taken:
                free = f"{free}_"
            variables.setdefault((step, path), free)
        resolver = _StepResolver(self.operation.input, self.contract.models, _no_setting, variables)
        code = encode.py_block(resolver.value(value), 4)
        return FunctionView(
            name=name,
            what=what,
            lines=tuple(_assignment(variable, step, path) for (step, path), variable in variables.items()),
            code=code,
            uses_request="request." in code,
            uses_answers=bool(variables),
            uses_text="text(" in code,
        )


def _no_setting(_reference: Reference) -> str:
    raise AssertionError("the rules let workflows refer to the input and to steps alone")


@dataclass(frozen=True, slots=True)
class _StepResolver(Resolver):
    """Resolves references to steps by variables."""

    variables: Mapping[tuple[str, tuple[str, ...]], str]

    def whole(self, reference: Reference) -> str:
        """Return the code of a reference's value, which keeps its type."""
        if reference.source == "steps":
            return self.variables[_place(reference)]
        return Resolver.whole(self, reference)

    def _shown(self, reference: Reference, wrap: str) -> tuple[str, str]:
        if reference.source == "steps":
            return f"{wrap}({self.whole(reference)})", "string"
        return Resolver._shown(self, reference, wrap)  # noqa: SLF001  # its own part


def _place(reference: Reference) -> tuple[str, tuple[str, ...]]:
    step, *path = reference.name.split(".")
    return step, tuple(path)


def _answers(value: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (_place(reference) for reference in references(value) if reference.source == "steps")


def _indexed(path: Sequence[str]) -> str:
    return "".join(f"[{encode.py(key)}]" for key in path)


def _whole(value: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    pieces = parts(value) if isinstance(value, str) else []
    if len(pieces) == 1 and isinstance(pieces[0], Reference) and pieces[0].source == "steps":
        yield _place(pieces[0])


def _assignment(variable: str, step: str, path: Sequence[str]) -> str:
    arguments = ["answers", encode.py(step), *(encode.py(key) for key in path)]
    line = f"{variable} = answered({', '.join(arguments)})"
    if width(line) + 4 <= LINE_LENGTH:
        return line
    return f"{variable} = answered(\n" + "".join(f"        {argument},\n" for argument in arguments) + "    )"


def _tuple(values: Sequence[object]) -> str:
    line = encode.py(tuple(values))
    if width(line) <= LINE_LENGTH - 40:
        return line
    return "(\n" + "".join(f"                {encode.py(value)},\n" for value in values) + "            )"


def _retry(retry: StepRetry) -> str:
    arguments = {
        "max_attempts": retry.max_attempts,
        "initial_delay_seconds": retry.initial_delay_ms / 1000,
        "max_delay_seconds": retry.max_delay_ms / 1000,
        "backoff_multiplier": float(retry.backoff_multiplier),
    }
    return (
        "Retry(\n"
        + "".join(f"                {name}={encode.py(value)},\n" for name, value in arguments.items())
        + "            )"
    )
