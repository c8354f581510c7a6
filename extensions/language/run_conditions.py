"""Conditions of workflows: expressions on the input, and on what other nodes answered, which is known when it runs.

They are judged as other expressions are. What other nodes answer has no type in the contract, though, and goes with
whatever would make the rest right; a value that it can't be worked out with is a failure of the step.
"""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from ..text.problems import Path, Problem, did_you_mean, show
from . import syntax
from .arithmetic import result_of
from .bounding import bounded
from .expressions import Judge
from .kinds import NUMBERS, ORDERED, Kind, Part, Scope, Sure, WrongError, code_of, word_of
from .values import INPUT

_FUNCTIONS: Final = ("abs", "all", "any", "float", "int", "len", "max", "min", "round", "sorted", "str", "sum")
_LARGEST_INDEX: Final = 10_000
UNKNOWN: Final = Kind("unknown")
"""The type of what other nodes answer."""

_SCALARS: Final = (*(kind for kind in ORDERED if kind not in NUMBERS), "boolean")
# What a value of no known type may turn out to be: the plainest first, whose code suits all of them.
_CANDIDATES: Final = tuple(Kind(name) for name in ("integer", "number", *_SCALARS))
# Of the arguments of functions: what has an order is text to them, and an array is one of those.
_PLAIN: Final = tuple(Kind(name) for name in ("integer", "number", "string", "boolean", "decimal", "duration"))
_ARGUMENTS: Final = (*_PLAIN, *(Kind("array", items=kind) for kind in _PLAIN))
_AS_JSON: Final[Mapping[str, str]] = dict.fromkeys(
    ("bytes", "date", "datetime", "decimal", "duration", "time", "uuid"), "string"
)


@dataclass(frozen=True)
class InputTypes:
    """The types that are known where a condition is judged.

    Attributes:
        fields: Those of the input.
        models: Those of models, by field.
        enums: Values by enum.
    """

    fields: Mapping[str, Kind] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)
    enums: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def item_of(self, path: Collection[str | int]) -> Kind:
        """Return the type of the items of an array in the input, as JSON has them; UNKNOWN where there is none."""
        kind, fields = UNKNOWN, self.fields
        for word in path:
            kind = (fields.get(word) if isinstance(word, str) else kind.items) or UNKNOWN
            fields = self.models.get(kind.reference, {})
        return _in_json(kind.items, self.enums) if kind.items else UNKNOWN

    @cached_property
    def scope(self) -> Scope:
        """What expressions may name: the input, and models, those with their fields as JSON has them beside them."""
        written = {
            _json_name(name): {key: _in_json(kind, self.enums) for key, kind in fields.items()}
            for name, fields in self.models.items()
        }
        return Scope(INPUT, self.fields, {**self.models, **written}, self.enums, "known.request")


def _json_name(model: str) -> str:
    return f"{model} as JSON"


def _in_json(kind: Kind, enums: Mapping[str, Sequence[str]]) -> Kind:
    """Return the type that a value has as JSON."""
    items = _in_json(kind.items, enums) if kind.items else None
    if kind.name == "enum":
        return replace(kind, name="string", reference="", values=frozenset(enums.get(kind.reference, ())))
    reference = _json_name(kind.reference) if kind.name == "model" else kind.reference
    values = None if kind.name in _AS_JSON else kind.values
    return replace(kind, name=_AS_JSON.get(kind.name, kind.name), reference=reference, items=items, values=values)


@dataclass(frozen=True, slots=True)
class RunScope:
    """What a condition may name.

    Attributes:
        input: What is known of the input.
        steps: The steps that are over by then.
        expected: Which steps these are, in words.
        every: All steps of the workflow.
        item: The type of the item; None where there is none.
        previous: The steps of the round before; None outside of rounds.
        result: Whether there is the step's own answer.
    """

    input: InputTypes
    steps: Collection[str] = ()
    expected: str = "an earlier step, named in after"
    every: Collection[str] = ()
    item: Kind | None = None
    previous: Collection[str] | None = None
    result: bool = False

    @property
    def roots(self) -> dict[str, str]:
        """What expressions may start with, and its code."""
        found = {"input": "known.request", "steps": "known.steps"}
        found |= {"item": "known.item"} if self.item is not None else {}
        found |= {"previous": "known.previous"} if self.previous is not None else {}
        return found | ({"result": "known.result"} if self.result else {})


@dataclass(frozen=True, slots=True)
class RunCondition:
    """A condition that was judged.

    Attributes:
        text: As the contract has it.
        code: A Python expression on `known`, of any type.
        modules: What that needs of the standard library, as pairs of module and name.
        present: The steps that are known to have answered where it holds.
        used: The steps that it names.
    """

    text: str
    code: str
    modules: frozenset[tuple[str, str]]
    present: frozenset[str]
    used: frozenset[str]


def read(value: object, scope: RunScope) -> RunCondition:
    """Judge a condition.

    Args:
        value: The condition as the contract has it.
        scope: What it may name.

    Returns:
        Its code.

    Raises:
        WrongError: When something in it is not allowed.
    """
    text = syntax.source(value)
    tree = syntax.parsed(text)
    judge = _Judge(scope)
    try:
        part = judge.condition(tree, frozenset())
    except RecursionError:
        raise WrongError(None, show(text), "an expression that is nested less deeply") from None
    code = ast.unparse(ast.fix_missing_locations(bounded(part.tree)))
    return RunCondition(text, code, frozenset(judge.used_modules), frozenset(_present(tree)), frozenset(judge.used))


def check(path: Path, value: object, scope: RunScope) -> Iterator[Problem]:
    """Find what is wrong with a condition.

    Args:
        path: Where it is.
        value: The condition.
        scope: What it may name.

    Yields:
        At most one problem, with its column.
    """
    try:
        read(value, scope)
    except WrongError as wrong:
        yield syntax.problem(path, syntax.source(value), wrong)


def _present(tree: ast.expr) -> Iterator[str]:
    """Yield the steps without whose answer a condition does not hold."""
    match tree:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _present(value)
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id="steps"), attr=name),
            ops=[ast.IsNot()],
            comparators=[ast.Constant(value=None)],
        ):
            yield name


def _is_open(kind: Kind | None) -> bool:
    """Tell whether a type is not known, or that of its items."""
    return kind is not None and (kind.name == "unknown" or _is_open(kind.items))


def _filled_in(kind: Kind, item: Kind) -> Kind:
    """Return a type with a known one in the place of the unknown."""
    return item if kind.name == "unknown" else replace(kind, items=_filled_in(kind.items, item)) if kind.items else kind


def _column(wrong: WrongError) -> int:
    return getattr(wrong.node, "col_offset", 0)


class _Judge(Judge):
    def __init__(self, scope: RunScope) -> None:
        super().__init__(scope.input.scope)
        self.run = scope
        self.apart = False
        self.used: set[str] = set()

    def value(self, node: ast.expr, sure: Sure, expected: Kind | None = None) -> Part:
        if (chain := _chain(node)) is not None:
            return self.named(node, *chain, sure)
        return super().value(node, sure, expected)

    def structured(self, node: ast.expr, sure: Sure, expected: Kind | None) -> Part:
        match node:
            case ast.Call():
                self.plain(node)
            case ast.ListComp(generators=[first, *others]) | ast.GeneratorExp(generators=[first, *others]):
                if self.loops or others or not isinstance(first.target, ast.Name):
                    raise WrongError(node, "loops in loops, or several names", "one name for the items of one array")
            case ast.List():
                pass
            case _:
                words = "names, literals, arithmetic, comparisons, and, or, not, if … else, functions, loops"
                raise WrongError(node, word_of(node), words)
        return super().structured(node, sure, expected)

    def plain(self, node: ast.Call) -> None:
        """Refuse a call of what conditions have no use for."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            hint = did_you_mean(name, _FUNCTIONS) if name else ""
            raise WrongError(node, f"a call of {code_of(node.func)}", f"one of {', '.join(_FUNCTIONS)}", hint)
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise WrongError(node, "arguments by name, or with a star", "plain arguments")

    def variable(self, node: ast.expr, kind: Kind) -> ast.Name:
        if isinstance(node, ast.Name) and (node.id in self.run.roots or node.id in _FUNCTIONS):
            raise WrongError(node, f"the name {show(node.id)}, which is taken", "another name")
        return super().variable(node, kind)

    def present(self, node: ast.expr, kind: Kind, use: str) -> None:
        if kind.nullable:
            code = code_of(node)
            raise WrongError(node, f"{use} {code}, which may be null", f"{code} is not None and …")

    def identical(self, left_node: ast.expr, kind: Kind, node: ast.expr) -> None:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
            super().identical(left_node, kind, node)
        elif kind.name not in {"unknown", "boolean"}:
            self.comparable(kind, node, Kind("boolean"), left_node)

    def searched(self, left_node: ast.expr, left: Part, node: ast.expr, part: Part) -> None:
        if part.kind.name == "unknown":
            return
        if left.kind.name == "unknown" and part.kind.name in {"string", "object"}:
            left = replace(left, kind=Kind("string"))
        super().searched(left_node, left, node, part)

    def comparable(self, left: Kind, node: ast.expr, right: Kind, left_node: ast.expr) -> None:
        unknown = "unknown" in {left.name, right.name}
        if unknown or (left.name == right.name and (_is_open(left) or _is_open(right))):
            return
        super().comparable(left, node, right, left_node)

    def ordered(self, left_node: ast.expr, left: Kind, node: ast.expr, right: Kind) -> None:
        sides = [(side, kind) for side, kind in ((left_node, left), (node, right)) if kind.name != "unknown"]
        if sides:
            super().ordered(*sides[0], *sides[-1])

    def number(self, node: ast.expr, kind: Kind, kinds: Collection[str] = NUMBERS) -> None:
        if kind.name != "unknown":
            super().number(node, kind, kinds)

    def result(self, symbol: str, left: Kind, right: Kind) -> Kind | None:
        if symbol == "+" and left.name == right.name == "array" and (_is_open(left) or _is_open(right)):
            return Kind("array", items=UNKNOWN)
        if "unknown" not in {left.name, right.name}:
            return super().result(symbol, left, right)
        if symbol == "+" and "array" in {left.name, right.name}:
            return Kind("array", items=UNKNOWN)
        pairs = (
            (
                candidate.name if left.name == "unknown" else left.name,
                other.name if right.name == "unknown" else right.name,
            )
            for candidate in _CANDIDATES
            for other in _CANDIDATES
        )
        return UNKNOWN if any(result_of(symbol, *pair) for pair in pairs) else None

    def same(self, node: ast.expr, first: Kind, second: Kind, what: str) -> Kind:
        if "unknown" in {first.name, second.name}:
            return UNKNOWN
        if first.name == second.name and (_is_open(first) or _is_open(second)):
            return replace(first, items=UNKNOWN, nullable=first.nullable or second.nullable)
        return super().same(node, first, second, what)

    def as_array(self, part: Part) -> Part:
        if part.kind.name == "unknown" or (part.kind.name == "array" and part.kind.items is None):
            return replace(part, kind=replace(part.kind, name="array", items=UNKNOWN))
        return part

    def called(self, function: Callable[[list[Part]], Part], parts: list[Part]) -> Part:
        """Judge a call: with arguments of unknown types, it is right if some types make it right."""
        if not any(_is_open(part.kind) for part in parts):
            return function(parts)
        before = set(self.used_modules)
        found: list[Part] = []
        wrong: list[WrongError] = []
        for kind in _ARGUMENTS:
            try:
                found.append(function([replace(part, kind=_filled_in(part.kind, kind)) for part in parts]))
            except WrongError as error:
                wrong.append(error)
        if not found:
            raise max(wrong, key=_column)
        # The code for the plainest type needs nothing of the standard library.
        self.used_modules = before
        kinds = {part.kind for part in found}
        if len(kinds) > 1:
            names = {kind.name for kind in kinds}
            kinds = {Kind(names.pop(), items=UNKNOWN) if len(names) == 1 and kinds.pop().items else UNKNOWN}
        return replace(found[0], kind=kinds.pop())

    def named(self, node: ast.expr, root: str, path: tuple[str | int, ...], sure: Sure) -> Part:
        """Judge what a name leads to."""
        known = self.locals.get(root)
        kind, start = known or self.started(node, root, path)
        if known is None and root == INPUT:
            kind = self.inside(node, kind, path[1:], f"{root}.{path[0]}")
        else:
            kind = self.inside(node, kind, path, root)
        if kind.nullable and ast.unparse(node) in sure:
            kind = replace(kind, nullable=False)
        if known is not None and not path:
            return Part(kind, ast.Name(start))
        owner = ast.parse(start, mode="eval").body
        return Part(kind, ast.Call(ast.Name("value_at"), [owner, *(ast.Constant(key) for key in path)], []))

    def inside(self, node: ast.expr, kind: Kind, path: tuple[str | int, ...], owner: str) -> Kind:
        """Return the type of what a path leads to."""
        for key in path:
            held = kind.items or UNKNOWN
            match kind.name, key:
                case "unknown", _:
                    return UNKNOWN
                case "model", str():
                    fields = self.scope.models[kind.reference]
                    if key not in fields:
                        hint = did_you_mean(key, fields)
                        raise WrongError(node, code_of(node), f"a field of {kind.reference}", hint)
                    held = fields[key]
                case ("array", int()) | ("object", str()):
                    pass
                case _:
                    what = f"an item of {owner}" if isinstance(key, int) else f"a field of {owner}"
                    expected = "an array" if isinstance(key, int) else "a field of a model"
                    raise WrongError(node, f"{what}, which is of type {kind}", expected)
            kind = replace(held, nullable=held.nullable or kind.nullable)
            owner = f"{owner}[{key}]" if isinstance(key, int) else f"{owner}.{key}"
        return kind

    def started(self, node: ast.expr, root: str, path: tuple[str | int, ...]) -> tuple[Kind, str]:
        """Return the type and the code of what a name starts with: for the input, the type of the field."""
        run = self.run
        if root not in run.roots:
            expected = ", ".join(run.roots)
            hint = did_you_mean(root, run.roots)
            if not hint and root in self.scope.fields:
                hint = f"did you mean 'input.{root}'?"
            raise WrongError(node, f"the name {show(root)}", f"what is known here: {expected}", hint)
        if root in {INPUT, "steps", "previous"} and not path:
            raise WrongError(node, f"{root} as a whole", f"something in it, such as {root}.name")
        name = str(path[0]) if path else ""
        code = run.roots[root]
        if root == INPUT:
            if name not in self.scope.fields:
                hint = did_you_mean(name, self.scope.fields)
                expected = f"an input field of this operation{f' ({hint})' if hint else ''}"
                raise WrongError(node, code_of(node), expected)
            return self.scope.fields[name], code
        if root == "steps":
            self.used.add(name)
            if name not in run.every:
                hint = did_you_mean(name, run.every)
                raise WrongError(node, code_of(node), "a step that there is", hint)
            if name not in run.steps:
                raise WrongError(node, code_of(node), run.expected)
        if root == "previous" and name not in (run.previous or ()):
            hint = did_you_mean(name, run.previous or ())
            raise WrongError(node, code_of(node), f"a step of the round: {', '.join(run.previous or ())}", hint)
        return (run.item or UNKNOWN) if root == "item" else UNKNOWN, code


def _chain(node: ast.expr) -> tuple[str, tuple[str | int, ...]] | None:
    """Return the name that a chain of fields and indices starts with, and what follows; None for something else."""
    path: list[str | int] = []
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                path.append(attr)
                node = value
            case ast.Subscript(value=value, slice=ast.Constant(value=int() | str() as key)):
                if isinstance(key, int) and key > _LARGEST_INDEX:
                    raise WrongError(node, f"the index {key}", f"at most {_LARGEST_INDEX}")
                path.append(key)
                node = value
            case ast.Name(id=name):
                return name, tuple(reversed(path))
            case _:
                return None


def used_steps(value: object) -> Mapping[str, frozenset[str]]:
    """Return the steps that a condition names, and those that answered where it holds, whatever else is wrong."""
    try:
        tree = syntax.parsed(syntax.source(value))
    except WrongError:
        return {"used": frozenset(), "present": frozenset()}
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "steps"
    }
    return {"used": frozenset(used), "present": frozenset(_present(tree))}


def satisfied_by(value: object, items: int) -> Iterator[tuple[str, tuple[str | int, ...], object]]:
    """Yield values with which a condition holds, as far as that is easy to see.

    Args:
        value: The condition, which has no problems.
        items: How many items arrays have.

    Yields:
        What the name of a value starts with, what follows, and the value.
    """
    yield from _satisfied(syntax.parsed(syntax.source(value)), items)


def _satisfied(tree: ast.expr, items: int) -> Iterator[tuple[str, tuple[str | int, ...], object]]:
    match tree:
        case ast.BoolOp(op=ast.And(), values=values):
            for part in values:
                yield from _satisfied(part, items)
        case ast.UnaryOp(op=ast.Not(), operand=operand) if (chain := _chain(operand)) is not None:
            yield (*chain, False)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if (chain := _chain(left)) is not None:
            match operator, right:
                case ast.Eq() | ast.GtE() | ast.LtE(), ast.Constant(value=value):
                    yield (*chain, value)
                case ast.Gt(), ast.Constant(value=int() | float() as least):
                    yield (*chain, least + 1)
                case ast.Lt(), ast.Constant(value=int() | float() as most):
                    yield (*chain, most - 1)
                case ast.Eq(), ast.Call(func=ast.Name(id="len")):
                    yield (*chain, items)
        case _ if (chain := _chain(tree)) is not None:
            yield (*chain, True)
