"""Conditions of workflows: expressions on the input, and on what other nodes answered, which is known when it runs.

What other nodes answer has no type in the contract. So a condition is judged by what it names, and a value that it
can't be worked out with is a failure of the step.
"""

import ast
import builtins
import keyword
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..text.problems import Path, Problem, did_you_mean, show
from . import syntax
from .kinds import WrongError, code_of, word_of

_FUNCTIONS: Final = ("abs", "all", "any", "float", "int", "len", "max", "min", "round", "sorted", "str", "sum")
_OPERATORS: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_TAKEN: Final = frozenset({*dir(builtins), "known", "value_at"})
_LONGEST_TEXT, _MOST_BITS, _LARGEST_INDEX = 200, 63, 10_000


@dataclass(frozen=True, slots=True)
class RunScope:
    """What a condition may name.

    Attributes:
        input: Tells what is wrong with a name in the input; None for nothing.
        steps: The steps that are over by then.
        expected: Which steps these are, in words.
        every: All steps of the workflow.
        item: Whether there is an item.
        previous: The steps of the round before; None outside of rounds.
        result: Whether there is the step's own answer.
    """

    input: Callable[[str], str | None]
    steps: Collection[str] = ()
    expected: str = "an earlier step, named in after"
    every: Collection[str] = ()
    item: bool = False
    previous: Collection[str] | None = None
    result: bool = False

    @property
    def roots(self) -> dict[str, str]:
        """What expressions may start with, and its code."""
        found = {"input": "known.request", "steps": "known.steps"}
        found |= {"item": "known.item"} if self.item else {}
        found |= {"previous": "known.previous"} if self.previous is not None else {}
        return found | ({"result": "known.result"} if self.result else {})


@dataclass(frozen=True, slots=True)
class RunCondition:
    """A condition that was judged.

    Attributes:
        text: As the contract has it.
        code: A Python expression on `known`, of any type.
        present: The steps that are known to have answered where it holds.
        used: The steps that it names.
    """

    text: str
    code: str
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
    writer = _Writer(scope)
    code = ast.unparse(ast.fix_missing_locations(writer.value(tree)))
    return RunCondition(text, code, frozenset(_present(tree)), frozenset(writer.used))


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


@dataclass(slots=True)
class _Writer:
    scope: RunScope
    locals: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def value(self, node: ast.expr) -> ast.expr:
        if (chain := _chain(node)) is not None:
            return self.named(node, *chain)
        match node:
            case ast.Constant():
                return _constant(node)
            case ast.BoolOp(op, values):
                return ast.BoolOp(op, [self.value(value) for value in values])
            case ast.UnaryOp(op=ast.Not() | ast.USub() as op, operand=operand):
                return ast.UnaryOp(op, self.value(operand))
            case ast.BinOp(left, op, right):
                if not isinstance(op, _OPERATORS):
                    raise WrongError(node, "another operator", "one of +, -, *, /, //, %")
                return ast.BinOp(self.value(left), op, self.value(right))
            case ast.Compare():
                return self.comparison(node)
            case ast.IfExp(test, body, orelse):
                return ast.IfExp(self.value(test), self.value(body), self.value(orelse))
            case _:
                return self.structured(node)

    def structured(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Call():
                return self.call(node)
            case ast.List(elts):
                return ast.List([self.value(item) for item in elts])
            case ast.ListComp(elt, generators):
                return self.loop(node, ast.ListComp, elt, generators)
            case ast.GeneratorExp(elt, generators):
                return self.loop(node, ast.GeneratorExp, elt, generators)
            case _:
                expected = "names, literals, arithmetic, comparisons, and, or, not, if … else, functions, loops"
                raise WrongError(node, word_of(node), expected)

    def comparison(self, node: ast.Compare) -> ast.expr:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.Is, ast.IsNot)) and not (
                isinstance(right, ast.Constant) and (right.value is None or isinstance(right.value, bool))
            ):
                raise WrongError(right, f"is {code_of(right)}", "is None, or is not None", "== compares values")
        return ast.Compare(self.value(node.left), node.ops, [self.value(right) for right in node.comparators])

    def call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            hint = did_you_mean(name, _FUNCTIONS) if name else ""
            raise WrongError(node, f"a call of {code_of(node.func)}", f"one of {', '.join(_FUNCTIONS)}", hint)
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise WrongError(node, "arguments by name, or with a star", "plain arguments")
        return ast.Call(ast.Name(name), [self.value(argument) for argument in node.args], [])

    def loop(
        self,
        node: ast.expr,
        made: type[ast.ListComp] | type[ast.GeneratorExp],
        item: ast.expr,
        generators: list[ast.comprehension],
    ) -> ast.expr:
        first = generators[0]
        if len(generators) > 1 or first.is_async or not isinstance(first.target, ast.Name):
            raise WrongError(node, "loops in loops, or several names", "one name for the items of one array")
        name = first.target.id
        if name in self.scope.roots or name in self.locals or name in _FUNCTIONS or name.startswith("_"):
            raise WrongError(first.target, f"the name {show(name)}, which is taken", "another name")
        over = self.value(first.iter)
        self.locals[name] = f"{name}_" if name in _TAKEN or keyword.issoftkeyword(name) else name
        inner = ast.comprehension(
            target=ast.Name(self.locals[name], ast.Store()),
            iter=over,
            ifs=[self.value(test) for test in first.ifs],
            is_async=0,
        )
        loop = made(self.value(item), [inner])
        del self.locals[name]
        return loop

    def named(self, node: ast.expr, root: str, path: tuple[str | int, ...]) -> ast.expr:
        """Return the code of what a name leads to."""
        start = self.locals.get(root) or self.started(node, root, path)
        if not path:
            return ast.Name(start)
        owner = ast.parse(start, mode="eval").body
        return ast.Call(ast.Name("value_at"), [owner, *(ast.Constant(key) for key in path)], [])

    def started(self, node: ast.expr, root: str, path: tuple[str | int, ...]) -> str:
        scope = self.scope
        if root not in scope.roots:
            expected = ", ".join(name for name in scope.roots)
            hint = did_you_mean(root, scope.roots)
            if not hint and scope.input(root) is None:
                hint = f"did you mean 'input.{root}'?"
            raise WrongError(node, f"the name {show(root)}", f"what is known here: {expected}", hint)
        if root in {"input", "steps", "previous"} and not path:
            raise WrongError(node, f"{root} as a whole", f"something in it, such as {root}.name")
        name = str(path[0]) if path else ""
        words = ".".join(key for key in path if isinstance(key, str))
        if root == "input" and (wrong := scope.input(words)):
            raise WrongError(node, f"{code_of(node)}", wrong)
        if root == "steps":
            self.used.add(name)
            if name not in scope.every:
                hint = did_you_mean(name, scope.every)
                raise WrongError(node, code_of(node), "a step that there is", hint)
            if name not in scope.steps:
                raise WrongError(node, code_of(node), scope.expected)
        if root == "previous" and name not in (scope.previous or ()):
            hint = did_you_mean(name, scope.previous or ())
            raise WrongError(node, code_of(node), f"a step of the round: {', '.join(scope.previous or ())}", hint)
        return scope.roots[root]


def _constant(node: ast.Constant) -> ast.expr:
    value = node.value
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise WrongError(node, "a literal of another type", "text, numbers, True, False or None")
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or not value.isprintable()):
        raise WrongError(node, show(value), f"printable text of at most {_LONGEST_TEXT} characters")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise WrongError(node, "a huge number", "a number that fits in 64 bits")
    if isinstance(value, float) and value in {float("inf"), float("-inf")}:
        raise WrongError(node, "a number without end", "a finite number")
    return ast.Constant(value)


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
