"""Steps of workflows as Python, and the functions that they ask: inputs, items, outputs of groups, conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..language import names, run_conditions, samples
from ..language.contract import Contract, Operation
from ..language.filling import copied
from ..language.references import Reference, Resolver, parts, references
from ..language.reported import REPORTED
from ..language.run_conditions import UNKNOWN, InputTypes, RunScope
from ..language.values import INPUT
from ..language.workflow import Group, NodeCall, Publishing, Route, Step, StepRetry
from ..text import encode
from ..text.encode import Code
from . import topics
from .computation import scope_of
from .fields import Symbol

type Path = tuple[str | int, ...]

_OF_VALUES = frozenset({"steps", "item", "previous", "intent"})
# How many items tests give a step that runs for each.
ITEMS = 2


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function that makes a value of a workflow's input and of what steps answered.

    Attributes:
        name: Its name.
        what: What it returns, for its docstring.
        lines: Its statements before the value.
        code: The value, for a line that is indented by `indent`.
        uses_request: Whether it looks at the input.
        uses_known: Whether it looks at anything that is known of the run.
        uses_text: Whether it makes text of values.
        returns: The type of what it returns.
    """

    name: str
    what: str
    lines: tuple[str, ...]
    code: str
    uses_request: bool
    uses_known: bool
    uses_text: bool
    returns: str = "dict[str, object]"


class Writer:
    """Writes the steps of one workflow.

    Attributes:
        functions: The functions that its code names, in the order in which it does.
        symbols: The classes that its code names.
        modules: What its code needs of the standard library.
        types: The types that conditions may rely on.
    """

    def __init__(self, contract: Contract, operation: Operation) -> None:
        """Keep the workflow.

        Args:
            contract: The contract.
            operation: The operation that the workflow implements.
        """
        self.contract = contract
        self.operation = operation
        self.outputs = {field.name: field for field in operation.output}
        self.workflow: Any = operation.workflow
        self.every: tuple[Step, ...] = tuple(operation.workflow.every) if operation.workflow else ()
        self.functions: list[FunctionView] = []
        self.symbols: set[str] = {"Workflow"}
        self.modules: set[Symbol] = set()
        scope = scope_of(contract, INPUT, operation.input, "request")
        self.types = InputTypes(scope.fields, scope.models, scope.enums)

    def steps(self, steps: Sequence[Step]) -> str:
        """Return steps as a Python tuple."""
        return f"({''.join(f'{self._step(step)},' for step in steps)})"

    def _step(self, step: Step) -> str:
        self.symbols.add("Step")
        arguments = {"name": encode.py(step.name), "does": self._does(step)}
        if step.after:
            arguments["after"] = encode.py(step.after)
        if step.when is not None:
            arguments["when"] = self._condition(f"when_{step.name}", f"whether {step.name} is not skipped", step.when)
        if step.for_each is not None:
            self.symbols.add("Each")
            items = self._value(f"items_of_{step.name}", f"what {step.name} runs for", step.for_each)
            arguments["each"] = f"Each({items}, {step.max_parallel})"
        if step.repeat is not None:
            self.symbols.add("Repeat")
            what = f"whether {step.name} needs no other round"
            until = self._condition(f"until_{step.name}", what, step.repeat.until)
            arguments["repeat"] = f"Repeat({until}, {step.repeat.max_rounds})"
        if step.require is not None:
            what = f"whether {step.name} answered what is asked for"
            arguments["require"] = self._condition(f"require_{step.name}", what, step.require)
        arguments |= self._calling(step)
        if needed := self.needed(step):
            arguments["needed"] = encode.py(tuple(needed))
        if fills := self.fills(step):
            arguments["fills"] = encode.py(tuple(fills))
        return f"Step({', '.join(f'{name}={code}' for name, code in arguments.items())})"

    def _calling(self, step: Step) -> Iterator[tuple[str, str]]:
        if not isinstance(step.does, Group):
            yield "timeout_seconds", encode.py(step.timeout_seconds)
            if step.retry.max_attempts > 1:
                self.symbols.add("Retry")
                yield "retry", _retry(step.retry)
            if step.idempotent:
                yield "idempotent", "True"
        yield "on_failure", encode.py(step.on_failure)
        if step.compensate:
            what = f"the input of what undoes {step.name}"
            yield "compensate", self._call(step.compensate, f"undoing_{step.name}", what)
        if step.undoes_unknown:
            yield "undoes_unknown", "True"

    def _does(self, step: Step) -> str:
        match step.does:
            case NodeCall() as call:
                return self._call(call, f"input_of_{step.name}", f"the input of the step {step.name}")
            case Group(steps, output):
                self.symbols.add("Group")
                inner = self.steps(steps)
                if output is None:
                    return f"Group({inner})"
                return f"Group({inner}, {self._named(f'output_of_{step.name}', f'what {step.name} answers', output)})"
            case Route(intents, targets, ignores):
                self.symbols.add("Route")
                found = self._value(f"intents_of_{step.name}", f"what {step.name} carries out", intents)
                shown = (
                    f"{encode.py(target)}: {self._target(done, f'carrying_out_{index}_of_{step.name}')}"
                    for index, (target, done) in enumerate(targets.items())
                )
                return f"Route({found}, {{{', '.join(shown)}}}{', ignores_unknown=True' if ignores else ''})"

    def _target(self, done: NodeCall | Publishing, name: str) -> str:
        if isinstance(done, Publishing):
            self.symbols.add("Publishing")
            topic = topics.key(names.event_topic(self.contract, done.event), topics.published(self.contract))
            return f"Publishing(topic_of({encode.py(topic)}))"
        return self._call(done, name, "the input of what carries out an intent")

    def _call(self, call: NodeCall, name: str, what: str) -> str:
        self.symbols.add("Call")
        return f"Call({encode.py(call.node)}, {encode.py(call.operation)}, {self._named(name, what, call.input)})"

    def _named(self, name: str, what: str, value: Mapping[str, Any]) -> str:
        self.functions.append(self.function(name, what, value))
        return name

    def _value(self, name: str, what: str, text: str) -> str:
        self.functions.append(self.function(name, what, text, "object"))
        return name

    def _condition(self, name: str, what: str, value: str | bool) -> str:
        self.symbols.add("Condition")
        every = [step.name for step in self.every]
        scope = RunScope(self.types, every, "", every, item=UNKNOWN, previous=every, result=True)
        made = run_conditions.read(value, scope)
        self.modules |= made.modules
        code = f"bool({made.code})"
        self.functions.append(FunctionView(name, what, (), code, False, "known." in code, False, "bool"))
        return f"Condition({encode.py(made.text)}, {name})"

    def needed(self, step: Step) -> list[Path]:
        """Return the paths in the answer of a call that others refer to; a step for each item has an array of them."""
        if not isinstance(step.does, NodeCall) or step.for_each is not None:
            return []
        texts: list[object] = []
        for other in self.every:
            texts += [call.input for call in other.calls]
            texts += [other.for_each] if other.for_each else []
            texts += [other.does.output] if isinstance(other.does, Group) and other.does.output else []
            texts += [other.does.intents] if isinstance(other.does, Route) else []
        found = {path for text in texts for source, path in _values(text) if source == "steps" and path[0] == step.name}
        return sorted((path[1:] for path in found if path[1:]), key=lambda path: [str(key) for key in path])

    def fills(self, step: Step) -> list[tuple[str, Path]]:
        """Return the output fields that take a whole value of a call's answer, each with the path there."""
        if not isinstance(step.does, NodeCall) or step.for_each is not None:
            return []
        found = (
            (field, path[1:])
            for field, value in self.workflow.output.items()
            for source, path in _whole(value)
            if source == "steps" and path[0] == step.name and path[1:]
        )
        return list(found)

    def answer(self, step: Step) -> dict[str, object]:
        """Return an answer that has all that others refer to."""
        values = samples.output(self.contract, self.operation) or {}
        answer: dict[str, object] = {}
        wanted: list[tuple[Path, object]] = [(path, 1) for path in self.needed(step)]
        wanted += [(path[1:], self._items(other)) for other, path in self._arrays() if path[0] == step.name]
        in_texts = {
            path for source, path in _values(self.workflow.output) if source == "steps" and path[0] == step.name
        }
        wanted += [(path[1:], "text") for path in sorted(in_texts, key=str)]
        wanted += [(path, values.get(field, 1)) for field, path in self.fills(step)]
        wanted += self._asked(step)
        for path, value in wanted:
            _put(answer, path, value)
        return answer

    def _asked(self, step: Step) -> Iterator[tuple[Path, object]]:
        """Yield what a step has to answer so that conditions hold."""
        for other in self.every:
            own = [other.require, other.repeat.until if other.repeat else None]
            for condition in (other.when, *own):
                for root, path, value in run_conditions.satisfied_by(condition, ITEMS) if condition is not None else ():
                    if root == "steps" and path[0] == step.name and path[1:]:
                        yield path[1:], value
                    elif root == "result" and other is step and condition in own and path:
                        yield path, value

    def _arrays(self) -> Iterator[tuple[Step, Path]]:
        for step in self.every:
            for text in (step.for_each, step.does.intents if isinstance(step.does, Route) else None):
                yield from ((step, path) for source, path in _whole(text) if source == "steps" and path[1:])

    def _items(self, step: Step) -> list[object]:
        if isinstance(step.does, Route):
            found: list[object] = [{"target": target, "payload": {}} for target in [*step.does.targets] * ITEMS]
            return found[:ITEMS]
        item: dict[str, object] = {}
        for inner in step.every:
            texts: list[object] = [call.input for call in inner.calls]
            texts += [inner.does.output] if isinstance(inner.does, Group) else []
            for source, path in _values(texts):
                if source == "item" and path:
                    _put(item, path, 1)
        return [item] * ITEMS

    def output(self) -> FunctionView:
        """Return the function that makes the values of output fields."""
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

    def function(self, name: str, what: str, value: object, returns: str = "dict[str, object]") -> FunctionView:
        """Return the function that makes a value with references."""
        variables: dict[tuple[str, Path], str] = {}
        for source, path in _values(value):
            base = "_".join(map(str, path if source == "steps" else (source, *path)))
            # These have other uses in the function.
            free = f"{base}_" if base in _TAKEN else base
            while free in variables.values() and (source, path) not in variables:
                free = f"{free}_"
            variables.setdefault((source, path), free)
        resolver = _RunResolver(self.operation.input, self.contract.models, _no_setting, variables)
        made = resolver.value(value)
        code = encode.py(made)
        lines = tuple(_assignment(variable, *key) for key, variable in variables.items())
        if len(lines) == 1 and lines[0].startswith(f"{code} = "):
            code, lines = lines[0].removeprefix(f"{code} = "), ()
        return FunctionView(
            name=name,
            what=what,
            lines=lines,
            code=_numbered(code),
            uses_request="request." in code,
            uses_known=bool(variables) or "known." in code,
            uses_text="text(" in code,
            returns=returns,
        )


_TAKEN = frozenset({"bounded", "factor_of", "known", "request", "run", "text", "value_at"})
_UUID = "known.uuid()"


def _numbered(code: str) -> str:
    """Give each new identifier a place of its own, so that no two are the same."""
    first, *rest = code.split(_UUID)
    return first + "".join(f'known.uuid("{index}"){piece}' for index, piece in enumerate(rest))


def _no_setting(_reference: Reference) -> str:
    raise AssertionError("the rules let workflows refer to nothing outside of the run")


@dataclass(frozen=True, slots=True)
class _RunResolver(Resolver):
    """Resolves references to what is known of the run by variables."""

    variables: Mapping[tuple[str, Path], str]

    def whole(self, reference: Reference) -> str:
        """Return the code of a reference's value, which keeps its type."""
        if reference.source in _OF_VALUES:
            return self.variables[reference.source, reference.path]
        if reference.source == "uuid":
            return _UUID
        if reference.source in {"now", "correlation_id"}:
            return f"known.{reference.source}"
        return Resolver.whole(self, reference)

    def _shown(self, reference: Reference, wrap: str) -> tuple[str, str]:
        if reference.source != "input":
            return f"{wrap}({self.whole(reference)})", "string"
        return Resolver._shown(self, reference, wrap)  # noqa: SLF001  # its own part


def _values(value: object) -> Iterator[tuple[str, Path]]:
    yield from ((found.source, found.path) for found in references(value) if found.source in _OF_VALUES)


def _whole(value: object) -> Iterator[tuple[str, Path]]:
    pieces = parts(value) if isinstance(value, str) else []
    if len(pieces) == 1 and isinstance(pieces[0], Reference) and pieces[0].source in _OF_VALUES:
        yield pieces[0].source, pieces[0].path


def _put(place: dict[str, object], path: Path, value: object) -> None:
    """Put a value where a path leads, and leave what is there already."""
    key, *rest = path
    if not isinstance(key, str):
        return
    if not rest:
        if not isinstance(place.get(key), (dict, list)):
            place[key] = value
    elif isinstance(rest[0], int):
        listed = place.get(key)
        if not isinstance(listed, list):
            listed = place[key] = []
        listed += [{} for _ in range(rest[0] + 1 - len(listed))]
        if len(rest) == 1:
            listed[rest[0]] = listed[rest[0]] or value
        elif isinstance(listed[rest[0]], dict):
            _put(listed[rest[0]], tuple(rest[1:]), value)
    else:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        _put(inner, tuple(rest), value)


def _assignment(variable: str, source: str, path: Path) -> str:
    arguments = [f"known.{source}", *(encode.py(key) for key in path)]
    return f"{variable} = value_at({', '.join(arguments)})" if path else f"{variable} = {arguments[0]}"


def _retry(retry: StepRetry) -> str:
    arguments = {
        "max_attempts": retry.max_attempts,
        "initial_delay_seconds": retry.initial_delay_ms / 1000,
        "max_delay_seconds": retry.max_delay_ms / 1000,
        "backoff_multiplier": float(retry.backoff_multiplier),
    }
    return f"Retry({', '.join(f'{name}={encode.py(value)}' for name, value in arguments.items())})"
