"""Expressions of contracts: a small, pure subset of Python's.

An expression is parsed, judged node by node against a list of what is allowed, and built anew from what was allowed,
with the names that generated code has. Its type is worked out on the way, so that what is emitted passes mypy.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from ..text.problems import Path, Problem, show
from .functions import calls_of
from .kinds import (
    Kind,
    Part,
    Scope,
    Sure,
    WrongError,
    assignable,
    code_of,
    word_of,
)
from .loops import Loops
from .syntax import parsed, problem
from .values import facts
from .work import MOST_ROUNDS, Size

_ALWAYS_TRUE: Final = frozenset({"date", "datetime", "model", "time", "uuid"})


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that was judged.

    Attributes:
        kind: Its type.
        tree: Its code.
        enums: The enums that its code names.
        models: The models that its code makes.
        modules: What its code needs of the standard library, as pairs of module and name.
        rounds: Pairs of a factor and a power: its loops make so many rounds, for the items of a request to that power.
    """

    kind: Kind
    tree: ast.expr
    enums: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    modules: frozenset[tuple[str, str]] = frozenset()
    rounds: tuple[tuple[int, int], ...] = ()


def read(text: str, scope: Scope, expected: Kind | None = None) -> Checked:
    """Judge an expression.

    Args:
        text: The expression.
        scope: What it may name.
        expected: The type that it has to have; None for a condition, which may have any.

    Returns:
        Its type and its code.

    Raises:
        WrongError: When something in it is not allowed.
    """
    tree = parsed(text)
    judge = Judge(scope)
    try:
        part = judge.condition(tree, frozenset()) if expected is None else judge.value(tree, frozenset(), expected)
        if expected is not None:
            assignable(tree, part.kind, expected)
    except RecursionError:
        raise WrongError(None, show(text), "an expression that is nested less deeply") from None
    if scope.total and judge.used_modules:
        raise WrongError(None, show(text), "functions that always have a value, of integers and numbers")
    if judge.rounds.endless or (scope.total and judge.rounds.bounds):
        raise WrongError(
            None,
            f"{show(text)}, whose loops make too many rounds",
            f"at most {MOST_ROUNDS} rounds",
            "maxItems of an array bounds the loops over it",
        )
    used = frozenset(judge.used_enums), frozenset(judge.used_models), frozenset(judge.used_modules)
    return Checked(part.kind, part.tree, *used, judge.rounds.bounds)


def check(path: Path, text: str, scope: Scope, expected: Kind | None = None) -> Iterator[Problem]:
    """Find what is wrong with an expression.

    Args:
        path: Where it is.
        text: The expression.
        scope: What it may name.
        expected: The type that it has to have; None for a condition, which may have any.

    Yields:
        At most one problem, with its column.
    """
    try:
        read(text, scope, expected)
    except WrongError as wrong:
        yield problem(path, text, wrong)


class Judge(Loops):
    """Judges the parts of one expression. Each method returns the part's type and its code, or raises WrongError."""

    def __init__(self, scope: Scope) -> None:
        """Begin an expression that may name what is in this scope."""
        super().__init__(scope)
        self.calls = calls_of(self)

    def value(self, node: ast.expr, sure: Sure, expected: Kind | None = None) -> Part:
        """Judge a part whose value is used; `expected` is the type that would suit, if one is known."""
        match node:
            case ast.Constant():
                return self.constant(node, expected)
            case ast.Name():
                return self.name(node, sure)
            case ast.Attribute():
                return self.attribute(node, sure)
            case ast.BoolOp():
                return self.joined(node, sure)
            case ast.UnaryOp():
                return self.signed(node, sure)
            case ast.BinOp():
                return self.arithmetic(node, sure, expected)
            case ast.Compare():
                return self.comparison(node, sure)
            case ast.IfExp():
                return self.choice(node, sure, expected)
            case _:
                return self.structured(node, sure, expected)

    def looped(self, node: ast.Call, sure: Sure) -> tuple[list[Kind], ast.expr, Size]:
        """Judge a call that a loop goes over."""
        return self.calls.looped(node, sure)

    def structured(self, node: ast.expr, sure: Sure, expected: Kind | None) -> Part:
        """Judge a part that is neither a name nor a literal, nor made by an operator."""
        match node:
            case ast.Call():
                return self.calls.call(node, sure)
            case ast.Subscript():
                return self.indexed(node, sure)
            case ast.List():
                return self.listed(node, sure, expected)
            case ast.ListComp() | ast.GeneratorExp():
                return self.loop(node, sure, expected)
            case _:
                expected_words = (
                    f"fields of {self.scope.root}, literals, arithmetic, comparisons, and, or, not, if … else, "
                    "indexing, comprehensions, functions"
                )
                raise WrongError(node, word_of(node), expected_words)

    def condition(self, node: ast.expr, sure: Sure) -> Part:
        """Judge a part of which only the truth is used."""
        if isinstance(node, ast.BoolOp):
            return self.joined(node, sure, as_condition=True)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.signed(node, sure)
        part = self.value(node, sure)
        names_nothing = not any(isinstance(inner, ast.Name) for inner in ast.walk(node))
        if names_nothing and not (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
            raise WrongError(node, f"{code_of(node)}, which never changes", "a condition that names something")
        if part.kind.name == "generator":
            raise WrongError(node, "a generator", "any(…), or all(…)")
        if part.kind.name in _ALWAYS_TRUE and not part.kind.nullable:
            raise WrongError(node, f"{code_of(node)}, of type {part.kind}, which is always true", "a condition")
        return part

    def joined(self, node: ast.BoolOp, sure: Sure, *, as_condition: bool = False) -> Part:
        """Judge parts with `and` or `or` between them."""
        parts: list[Part] = []
        for value in node.values:
            parts.append(self.condition(value, sure) if as_condition else self.value(value, sure))
            true, false = facts(value)
            sure |= true if isinstance(node.op, ast.And) else false
        tree = ast.BoolOp(node.op, [part.tree for part in parts])
        if as_condition:
            return Part(Kind("boolean"), tree)
        kind = parts[0].kind
        for value, part in zip(node.values[1:], parts[1:], strict=True):
            kind = self.same(value, kind, part.kind, f"{code_of(node.values[0])} and {code_of(value)}")
        # Of `a or b` the result is b where a is None.
        nullable = parts[-1].kind.nullable if isinstance(node.op, ast.Or) else any(part.kind.nullable for part in parts)
        return Part(replace(kind, nullable=nullable), tree)

    def choice(self, node: ast.IfExp, sure: Sure, expected: Kind | None) -> Part:
        """Judge `… if … else …`."""
        if isinstance(node.test, ast.Constant):
            raise WrongError(node.test, f"if {code_of(node.test)}", "a condition that depends on something")
        test = self.condition(node.test, sure)
        true, false = facts(node.test)
        body = self.value(node.body, sure | true, expected)
        orelse = self.value(node.orelse, sure | false, expected)
        kind = self.same(node.orelse, body.kind, orelse.kind, f"{code_of(node.body)} or {code_of(node.orelse)}")
        return Part(kind, ast.IfExp(test.tree, body.tree, orelse.tree))
