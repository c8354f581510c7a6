"""Computations of the contract language: their rules, and what templates are handed about them."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from . import expressions, filling, strategies, unparsed
from .classify import node_type
from .contract import MISSING, Contract, Field, Operation, spell_out
from .expressions import INPUT, Checked
from .fields import Annotation, Symbol, annotation
from .filling import copied, field_kind
from .kinds import Kind, Scope, WrongError, kind_of
from .problems import Path, Problem, did_you_mean

type Specs = Mapping[str, Any]
type Reference = Callable[[str, str], Symbol]

REQUEST: Final = "request"
CACHING: Final[Path] = ("subcontracts", "caching")
_STANDARD: Final = frozenset({"datetime", "decimal", "math", "typing", "uuid"})
# Columns by which statements of a function at the top of a module are indented.


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
    inputs, outputs = _spelled_out(operation.get("input")), _spelled_out(operation.get("output"))
    for name in spec:
        if name not in outputs and rules.clean((*place, name)):
            found = f"an expression for {name}, which is no output field"
            yield Problem((*place, name), found, "an output field", did_you_mean(name, outputs))
    yield from filling.unfilled(path, operation, filling.Filler(spec, "an expression in compute"), rules.clean)
    yield from _check_expressions(rules, place, spec, (inputs, outputs))


def _check_expressions(
    rules: Rules, place: Path, spec: Specs, sides: tuple[dict[str, Specs], dict[str, Specs]]
) -> Iterator[Problem]:
    models = {name: _kinds(rules, _spelled_out(fields)) for name, fields in rules.models.items()}
    optional = {name: _optional(_spelled_out(fields)) for name, fields in rules.models.items()}
    inputs, outputs = (_kinds(rules, side) for side in sides)
    locals_of = _Locals()
    for number, (name, value) in enumerate(spec.items()):
        if name not in outputs:
            continue
        known, later = dict(locals_of.known), list(spec)[number:]
        scope = Scope(INPUT, inputs, models, rules.enums, REQUEST, known, later, optional)
        text, kind = expressions.source(value), outputs[name]
        if rules.clean((*place, name)):
            try:
                kind = local_kind(expressions.read(text, scope, outputs[name]), outputs[name])
            except WrongError as wrong:
                yield expressions.problem((*place, name), text, wrong)
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


def _spelled_out(fields: object) -> dict[str, Specs]:
    found = fields if isinstance(fields, Mapping) else {}
    return {name: spell_out(spec) for name, spec in found.items() if isinstance(spec, (str, Mapping))}


class _Locals:
    """The outputs that were worked out so far: their types, and their names in generated code."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Kind, str]] = {}

    def add(self, name: str, kind: Kind) -> str:
        code = expressions.local_name(name, {code for _, code in self.known.values()})
        self.known[name] = (kind, code)
        return code


def local_kind(checked: Checked, declared: Kind) -> Kind:
    """Return the type of the local variable that holds an output: mypy's, or the declared one where it is annotated."""
    if is_annotated(checked, declared):
        return replace(declared, nullable=checked.kind.nullable and checked.kind.name != "null")
    return replace(checked.kind, values=None)


def is_annotated(checked: Checked, declared: Kind) -> bool:
    """Tell whether the variable that holds an output has to have its type written down."""
    built = declared.name == "array" and not isinstance(checked.tree, (ast.Name, ast.Attribute))
    return built or declared.values is not None or checked.kind.name == "null"


@dataclass(frozen=True, slots=True)
class ComputationView:
    """The expressions of an operation.

    Attributes:
        module: Its module below `computations`.
        function: The function that works the output out.
        input: The input type.
        output: The output type.
        statements: An assignment for each expression, in order, as code.
        results: Pairs of output field and the code of its value.
        standard_imports: What its module imports of the standard library.
        third_imports: What its module imports of others.
        imports: What its module imports of the node's own package.
        handler_imports: What its handler imports of that.
        expressions: Pairs of output field and expression, as the contract has them.
        strategy: Pairs of an input field and the code of a Hypothesis strategy for it.
        strategy_imports: What that imports of the node's own package.
        strategy_standard: What that imports of the standard library.
    """

    module: str
    function: str
    statements: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    standard_imports: tuple[Symbol, ...]
    third_imports: tuple[Symbol, ...]
    imports: tuple[Symbol, ...]
    handler_imports: tuple[Symbol, ...]
    expressions: tuple[tuple[str, str], ...]
    strategy: tuple[tuple[str, str], ...]
    strategy_imports: tuple[Symbol, ...]
    strategy_standard: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the view of a computation needs: symbols of the node's package, of types, and of the operation's sides."""

    own: Callable[[str, str], Symbol]
    reference: Reference
    input: Symbol
    output: Symbol


def scope_of(contract: Contract, root: str, fields: Sequence[Field], code: str, *, total: bool = False) -> Scope:
    """Return what an expression of a contract without problems may name.

    Args:
        contract: The contract.
        root: `input` or `event`.
        fields: The fields of that.
        code: Its name in generated code.
        total: Whether the expression has to have a value always.
    """
    models = {model.name: {field.name: field_kind(field) for field in model.fields} for model in contract.models}
    enums = {enum.name: enum.values for enum in contract.enums}
    optional = {
        model.name: frozenset(
            field.name for field in model.fields if not field.required or field.default is not MISSING
        )
        for model in contract.models
    }
    kinds = {field.name: field_kind(field) for field in fields}
    return Scope(root, kinds, models, enums, code, optional=optional, total=total)


def computation_view(contract: Contract, operation: Operation, around: Surroundings) -> ComputationView | None:
    """Return what templates are handed about an operation's expressions.

    Args:
        contract: The contract.
        operation: One of its operations.
        around: Gives symbols.

    Returns:
        The view; None where something else implements the operation.
    """
    if operation.compute is None:
        return None
    return _Builder(contract, operation, around).view(operation.compute)


class _Builder:
    def __init__(self, contract: Contract, operation: Operation, around: Surroundings) -> None:
        self.contract = contract
        self.operation = operation
        self.around = around
        self.scope = scope_of(contract, INPUT, operation.input, REQUEST)
        self.locals = _Locals()
        self.symbols: set[Symbol] = set()
        self.outputs = {field.name: field for field in operation.output}

    def view(self, compute: Mapping[str, str]) -> ComputationView:
        name = self.operation.name
        module, function = f"computation_{name}", f"compute_{name}"
        statements = tuple(self.statement(field, text) for field, text in compute.items())
        strategy = tuple(
            (field.name, strategies.strategy(self.contract, field, self.around.reference).code(5 + len(field.name), 4))
            for field in self.operation.input
        )
        code = " ".join(text for _, text in strategy)
        own = self.around.own(f"computations.{module}", function)
        mine = own[0].partition(".computations.")[0] + "."
        return ComputationView(
            module=module,
            function=function,
            statements=statements,
            results=tuple(self.results(compute)),
            standard_imports=tuple(symbol for symbol in self.symbols if symbol[0] in _STANDARD),
            third_imports=tuple(symbol for symbol in self.symbols if symbol[0] == "pydantic"),
            imports=(
                self.around.input,
                self.around.output,
                *(symbol for symbol in self.symbols if symbol[0].startswith(mine)),
            ),
            handler_imports=(
                own,
                self.around.own("computations.outcome", "NO_RESULT"),
                self.around.own("computations.outcome", "refusal"),
                self.around.input,
                self.around.output,
            ),
            expressions=tuple(compute.items()),
            strategy=strategy,
            strategy_imports=tuple(strategies.symbols_in(code, self.contract, self.around.reference)),
            strategy_standard=strategies.standard_in(code),
        )

    def statement(self, name: str, text: str) -> str:
        """Return the assignment of an output to a local variable."""
        field = self.outputs[name]
        declared = field_kind(field)
        checked = expressions.read(text, replace(self.scope, known=dict(self.locals.known)), declared)
        self.symbols |= checked.modules
        self.symbols |= {self.around.reference("enum", enum) for enum in checked.enums}
        self.symbols |= {self.around.reference("model", model) for model in checked.models}
        target = self.locals.add(name, local_kind(checked, declared))
        if is_annotated(checked, declared):
            target = f"{target}: {self.annotated(field)}"
        return f"{target} = {unparsed.code(checked.tree)}"

    def annotated(self, field: Field) -> str:
        made: Annotation = annotation(_bare(field), self.around.reference, field.name)
        # A long list of values has a name in the output's module.
        self.symbols |= {(self.around.output[0], made.alias[0])} if made.alias else made.symbols
        return made.code if field.required else f"{made.code} | None"

    def results(self, compute: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for field in self.operation.output:
            if field.name in compute:
                yield field.name, self.locals.known[field.name][1]
            elif copied(self.operation.input, field):
                yield field.name, f"{REQUEST}.{field.name}"


def _bare(field: Field) -> Field:
    """Return a field without constraints but its values, which alone are part of its type."""
    values = {key: value for key, value in field.constraints.items() if key == "enum"}
    items = _bare(field.items) if field.items else None
    return replace(field, constraints=values, items=items, default=MISSING)
