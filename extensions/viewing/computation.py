"""What templates are handed about computations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..language import expressions
from ..language.computation import REQUEST, RESULT, Locals, is_annotated, local_kind, result_type
from ..language.contract import MISSING, Contract, Field, Operation
from ..language.filling import copied, field_kind
from ..language.kinds import Kind, Scope
from ..language.values import INPUT
from ..text import unparsed
from . import strategies
from .fields import Annotation, Symbol, annotation

type Reference = Callable[[str, str], Symbol]
_STANDARD: Final = frozenset({"datetime", "decimal", "hashlib", "math", "typing", "uuid"})


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
        handler_imports: What its handler imports of that, or the node's where the expressions follow a result.
        result: The type of the result that they follow; None where they are all of the operation.
        expressions: Pairs of output field and expression, as the contract has them.
        strategy: Pairs of an input field and the code of a Hypothesis strategy for it.
        strategy_imports: What that imports of the node's own package.
        strategy_standard: What that imports of the standard library.
        rounds: Pairs of a factor and a power, by which the rounds of loops grow with the items of a request.
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
    rounds: tuple[tuple[int, int], ...]
    result: Symbol | None = None


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
    if operation.then:
        return _Builder(contract, operation, around).following(operation.then)
    if operation.compute is None:
        return None
    return _Builder(contract, operation, around).view(operation.compute)


class _Builder:
    def __init__(self, contract: Contract, operation: Operation, around: Surroundings) -> None:
        self.contract = contract
        self.operation = operation
        self.around = around
        self.scope = scope_of(contract, INPUT, operation.input, REQUEST)
        self.locals = Locals()
        self.symbols: set[Symbol] = set()
        self.rounds: set[tuple[int, int]] = set()
        self.outputs = {field.name: field for field in operation.output}

    def following(self, then: Mapping[str, str]) -> ComputationView:
        """Return the view of expressions that follow the result of an implementation."""
        name = self.operation.name
        result = self.around.reference("model", result_type(name))
        self.locals.known[RESULT] = (Kind("model", result_type(name)), RESULT)
        view = replace(self.view(then), function=f"after_{name}", result=result)
        own = self.around.own(f"computations.{view.module}", view.function)
        followed = self.around.own("computations.following", "followed")
        made = tuple((field.name, f"{RESULT}.{field.name}") for field in self.operation.made)
        worked_out = tuple((field, code) for field, code in view.results if field in then)
        return replace(
            view, imports=(*view.imports, result), handler_imports=(own, followed), results=(*made, *worked_out)
        )

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
            rounds=tuple(sorted(self.rounds)),
        )

    def statement(self, name: str, text: str) -> str:
        """Return the assignment of an output to a local variable."""
        field = self.outputs[name]
        declared = field_kind(field)
        checked = expressions.read(text, replace(self.scope, known=dict(self.locals.known)), declared)
        self.symbols |= checked.modules
        self.rounds |= set(checked.rounds)
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
