"""The rules of computations, and of the caching of their results."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ..language import expressions, filling, syntax
from ..language.classify import node_type
from ..language.computation import CACHING, REQUEST, RESULT, Locals, local_kind, result_type
from ..language.contract import spelled_out
from ..language.kinds import Kind, Scope, WrongError, kind_of
from ..language.values import INPUT
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs

IO = ("database", "http", "kafka", "redis", "filesystem")
"""The implementations that do something outside of the node."""


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    enums: dict[str, list[str]]
    models: dict[str, Specs]
    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""


def check_compute(rules: Rules, path: Path, operation: Specs) -> Iterator[Problem]:
    """Find what is wrong with a computation beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the operation is.
        operation: The operation.

    Yields:
        The problems.
    """
    place = (*path, "compute")
    if (kind := node_type(rules.raw)) != "compute":
        yield Problem(place, f"expressions in a node of type {kind}", "a compute node")
        return
    if not rules.clean((*path, "input")) or not rules.clean((*path, "output")):
        return
    spec: Specs = operation["compute"]
    inputs, outputs = spelled_out(operation.get("input")), spelled_out(operation.get("output"))
    for name in spec:
        if name not in outputs and rules.clean((*place, name)):
            found = f"an expression for {name}, which is no output field"
            yield Problem((*place, name), found, "an output field", did_you_mean(name, outputs))
    yield from filling.unfilled(path, operation, filling.Filler(spec, "an expression in compute"), rules.clean)
    yield from _check_expressions(rules, place, spec, (inputs, outputs))


def check_then(rules: Rules, path: Path, operation: Specs, implementation: str) -> Iterator[Problem]:
    """Find what is wrong with expressions that follow an implementation beyond their schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the operation is.
        operation: The operation.
        implementation: The key of its implementation.

    Yields:
        The problems.
    """
    place, spec = (*path, "then"), operation["then"]
    if implementation not in IO:
        expected = f"one of {', '.join(IO)}, whose result they follow"
        yield Problem(place, f"expressions after {implementation or 'nothing'}", expected)
        return
    if not isinstance(spec, Mapping) or not (rules.clean((*path, "input")) and rules.clean((*path, "output"))):
        return
    inputs, outputs = spelled_out(operation.get("input")), spelled_out(operation.get("output"))
    for name in spec:
        if name == RESULT and name in outputs:
            yield Problem((*place, name), f"an expression for {name}", "another name: result is what they follow")
        elif name not in outputs and rules.clean((*place, name)):
            found = f"an expression for {name}, which is no output field"
            yield Problem((*place, name), found, "an output field", did_you_mean(name, outputs))
    made = {name: field for name, field in outputs.items() if name not in spec}
    yield from _check_expressions(
        rules, place, spec, (inputs, outputs), (result_type(str(operation.get("name"))), made)
    )


def before(operation: Specs) -> Specs:
    """Return an operation as its implementation has it: without the output that expressions work out afterwards."""
    then, outputs = operation.get("then"), operation.get("output")
    if not isinstance(then, Mapping) or not isinstance(outputs, Mapping):
        return operation
    return {**operation, "output": {name: spec for name, spec in outputs.items() if name not in then}}


def _check_expressions(
    rules: Rules,
    place: Path,
    spec: Specs,
    sides: tuple[dict[str, Specs], dict[str, Specs]],
    result: tuple[str, dict[str, Specs]] | None = None,
) -> Iterator[Problem]:
    models = {name: _kinds(rules, spelled_out(fields)) for name, fields in rules.models.items()}
    optional = {name: _optional(spelled_out(fields)) for name, fields in rules.models.items()}
    inputs, outputs = (_kinds(rules, side) for side in sides)
    locals_of = Locals()
    if result:
        models[result[0]] = _kinds(rules, result[1])
        locals_of.known[RESULT] = (Kind("model", result[0]), RESULT)
    for number, (name, value) in enumerate(spec.items()):
        if name not in outputs:
            continue
        known, later = dict(locals_of.known), list(spec)[number:]
        scope = Scope(INPUT, inputs, models, rules.enums, REQUEST, known, later, optional)
        text, kind = syntax.source(value), outputs[name]
        if rules.clean((*place, name)):
            try:
                checked = expressions.read(text, scope, outputs[name])
                kind = local_kind(checked, outputs[name])
                if result and any(power > 1 for _, power in checked.rounds):
                    found = f"loops inside of each other: {show(text)}"
                    yield Problem((*place, name), found, "one loop: it keeps other requests waiting")
            except WrongError as wrong:
                yield syntax.problem((*place, name), text, wrong)
        locals_of.add(name, kind)


def check_caching(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with the caching of results beyond its schema."""
    subcontracts = rules.raw.get("subcontracts")
    spec = subcontracts.get("caching") if isinstance(subcontracts, Mapping) else None
    if spec is not None and (kind := node_type(rules.raw)) != "compute":
        found = f"caching of results in a node of type {kind}"
        yield Problem(CACHING, found, "a compute node, whose results follow from their inputs alone")


def _kinds(rules: Rules, fields: Mapping[str, Specs]) -> dict[str, Kind]:
    return {name: kind_of(spec, rules.enums, rules.models) for name, spec in fields.items()}


def _optional(fields: Mapping[str, Specs]) -> frozenset[str]:
    return frozenset(name for name, spec in fields.items() if filling.may_be_left_out(spec))
