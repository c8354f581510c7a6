"""Conditions of aggregations: a small, pure subset of Python's expressions, on one event.

An expression is parsed, judged node by node against a list of what is allowed, and written anew from what was allowed;
no text of a contract reaches generated code.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import encode
from .problems import Path, Problem, did_you_mean, show

type Specs = Mapping[str, Any]

EVENT: Final = "event"
_LONGEST_PART = 80
_NUMBERS = frozenset({"integer", "number"})
_ORDERED = frozenset({"integer", "number", "string", "decimal", "duration", "date"})
_ARITHMETIC: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITIES = (ast.Eq, ast.NotEq)


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a part of an expression: its type, whether it may be null, and its constant, if it is one."""

    kind: str
    nullable: bool = False
    constant: object = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields of models in their long form, the values of enums, and the model of the event."""

    models: Mapping[str, Mapping[str, Specs]]
    enums: Mapping[str, Sequence[str]]
    event: str


class _WrongError(Exception):
    """Something is not allowed."""

    def __init__(self, node: ast.AST, found: str, expected: str, hint: str = "") -> None:
        super().__init__(found)
        self.column = getattr(node, "col_offset", 0) + 1
        self.found = found
        self.expected = expected
        self.hint = hint


def check(path: Path, text: str, scope: Scope) -> Iterator[Problem]:
    """Find what is wrong with a condition.

    Args:
        path: Where it is.
        text: The condition.
        scope: What it may name.

    Yields:
        At most one problem, with its column.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = f" at column {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        yield Problem(path, show(text), f"an expression{column}")
        return
    try:
        _Judge(scope).value(tree.body, frozenset())
    except _WrongError as wrong:
        yield Problem(path, f"{wrong.found} at column {wrong.column}", wrong.expected, wrong.hint)
        return
    except RecursionError:
        yield Problem(path, show(text), "an expression that is nested less deeply")
        return
    for part in _parts(tree.body)[1]:
        if len(code := ast.unparse(part)) > _LONGEST_PART:
            expected = f"parts of at most {_LONGEST_PART} characters, joined by and, or by or"
            yield Problem(path, f"{show(code)}, which is long", expected)


def code(text: str, *, further: Sequence[str] = (), column: int, indent: int) -> str:
    """Return a condition that has no problems as Python's code, as `ruff format` leaves it.

    Args:
        text: The condition; empty for none.
        further: Conditions, as code, that have to hold as well.
        column: Where it begins, and how much else there is on its line.
        indent: Columns by which its statement is indented.

    Returns:
        The code: on one line where it fits, else in parentheses, one part a line.
    """
    word, parts = _parts(ast.parse(text.strip(), mode="eval").body) if text else ("and", [])
    written = [_written(part, word) for part in parts]
    if further and word == "or":
        written = [f"({' or '.join(written)})"] if len(written) > 1 else written
    written += further
    joint = "and" if further else word
    line = f" {joint} ".join(written)
    if column + len(line) <= encode.LINE_LENGTH or len(written) == 1:
        return line
    pad = " " * (indent + 4)
    return "(\n" + pad + f"\n{pad}{joint} ".join(written) + "\n" + " " * indent + ")"


def _parts(tree: ast.expr) -> tuple[str, list[ast.expr]]:
    if isinstance(tree, ast.BoolOp):
        return ("and" if isinstance(tree.op, ast.And) else "or"), tree.values
    return "and", [tree]


def _written(part: ast.expr, word: str) -> str:
    text = _unparsed(part)
    return f"({text})" if isinstance(part, ast.BoolOp) and word == "and" and isinstance(part.op, ast.Or) else text


def _unparsed(node: ast.expr) -> str:
    """Write an expression that was judged, its texts with the quotes that the formatter prefers."""
    texts: list[str] = []

    class Texts(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.expr:
            if not isinstance(node.value, str):
                return node
            texts.append(encode.py_string(node.value))
            # Fields are in lower case, so that no expression has this name in it.
            return ast.Name(f"TEXT_{len(texts) - 1}_", ast.Load())

    copy = ast.parse(ast.unparse(node), mode="eval").body
    plain = ast.unparse(Texts().visit(copy))
    return re.sub(r"\bTEXT_(\d+)_\b", lambda match: texts[int(match[1])], plain)


class _Judge:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def value(self, node: ast.expr, sure: frozenset[str]) -> Value:
        """Return what is known of a part; `sure` holds the fields that are known not to be null there."""
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Attribute():
                return self.attribute(node, sure)
            case ast.BoolOp():
                return self.joined(node, sure)
            case ast.UnaryOp(op=ast.Not()):
                self.value(node.operand, sure)
                return Value("boolean")
            case ast.UnaryOp(op=ast.USub()):
                return self.number(node.operand, self.value(node.operand, sure))
            case ast.BinOp():
                return self.arithmetic(node, sure)
            case ast.Compare():
                return self.comparison(node, sure)
            case ast.Name():
                hint = did_you_mean(node.id, [EVENT, *(f"{EVENT}.{name}" for name in self.fields(self.scope.event))])
                raise _WrongError(node, f"the name {show(node.id)}", f"fields of {EVENT}, such as {self.some()}", hint)
            case _:
                expected = "fields of event, literals, comparisons, arithmetic, and, or, not"
                raise _WrongError(node, f"{type(node).__name__.lower()}", expected)

    def fields(self, model: str) -> Mapping[str, Specs]:
        return self.scope.models.get(model, {})

    def some(self) -> str:
        return f"{EVENT}.{next(iter(self.fields(self.scope.event)), 'name')}"

    def constant(self, node: ast.Constant) -> Value:
        kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        kind = kinds.get(type(node.value))
        if kind is None:
            raise _WrongError(node, "a literal of another type", "text, numbers, True, False or None")
        return Value(kind, node.value is None, node.value)

    def attribute(self, node: ast.Attribute, sure: frozenset[str]) -> Value:
        if isinstance(node.value, ast.Name) and node.value.id == EVENT:
            model = self.scope.event
        else:
            owner = self.value(node.value, sure)
            model = owner.kind
            if model not in self.scope.models:
                raise _WrongError(node, f"a field of a value of type {owner.kind}", "a field of a model")
            if owner.nullable:
                raise _WrongError(
                    node, f"a field of {ast.unparse(node.value)}, which may be null", self.guarded(node.value)
                )
        fields = self.fields(model)
        if node.attr not in fields:
            hint = did_you_mean(node.attr, fields)
            raise _WrongError(node, f"the unknown field {show(node.attr)}", f"a field of {model}", hint)
        spec = fields[node.attr]
        nullable = spec.get("required", True) is False and ast.unparse(node) not in sure
        return Value(str(spec.get("type")), nullable)

    def guarded(self, node: ast.expr) -> str:
        return f"{ast.unparse(node)} is not None and …"

    def joined(self, node: ast.BoolOp, sure: frozenset[str]) -> Value:
        for part in node.values:
            self.value(part, sure)
            if isinstance(node.op, ast.And):
                sure |= _not_null(part)
        return Value("boolean")

    def number(self, node: ast.expr, value: Value) -> Value:
        if value.kind not in _NUMBERS:
            raise _WrongError(node, f"arithmetic with a value of type {value.kind}", "integer or number")
        if value.nullable:
            raise _WrongError(node, f"arithmetic with {ast.unparse(node)}, which may be null", self.guarded(node))
        return value

    def arithmetic(self, node: ast.BinOp, sure: frozenset[str]) -> Value:
        if type(node.op) not in _ARITHMETIC:
            raise _WrongError(node, "another operator", f"one of {', '.join(_ARITHMETIC.values())}")
        sides = [self.number(side, self.value(side, sure)) for side in (node.left, node.right)]
        if isinstance(node.op, (ast.Div, ast.Mod)) and not sides[1].constant:
            raise _WrongError(node.right, "a division by what may be 0", "a number other than 0")
        whole = all(side.kind == "integer" for side in sides) and not isinstance(node.op, ast.Div)
        return Value("integer" if whole else "number")

    def comparison(self, node: ast.Compare, sure: frozenset[str]) -> Value:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                self.membership(left, right, sure)
            elif isinstance(operator, (ast.Is, ast.IsNot)):
                self.value(left, sure)
                if not (isinstance(right, ast.Constant) and right.value is None):
                    raise _WrongError(right, f"is {ast.unparse(right)}", "is None, or is not None")
            elif isinstance(operator, _EQUALITIES):
                self.equal(left, right, sure)
            elif isinstance(operator, _ORDERS):
                self.ordered(left, right, sure)
            left = right
        return Value("boolean")

    def membership(self, left: ast.expr, right: ast.expr, sure: frozenset[str]) -> None:
        if not isinstance(right, (ast.List, ast.Tuple)) or not right.elts:
            raise _WrongError(right, ast.unparse(right), "a list of literals")
        for item in right.elts:
            if not isinstance(item, ast.Constant):
                raise _WrongError(item, ast.unparse(item), "a literal")
            self.equal(left, item, sure)

    def equal(self, left: ast.expr, right: ast.expr, sure: frozenset[str]) -> None:
        first, second = self.value(left, sure), self.value(right, sure)
        if "null" in {first.kind, second.kind}:
            raise _WrongError(right, "a comparison with None by == or !=", "is None, or is not None")
        self.comparable(left, first, right, second)

    def ordered(self, left: ast.expr, right: ast.expr, sure: frozenset[str]) -> None:
        first, second = self.value(left, sure), self.value(right, sure)
        self.comparable(left, first, right, second)
        for node, value in ((left, first), (right, second)):
            if value.kind not in _ORDERED:
                raise _WrongError(
                    node, f"an order of values of type {value.kind}", f"one of {', '.join(sorted(_ORDERED))}"
                )
            if value.nullable:
                raise _WrongError(node, f"an order with {ast.unparse(node)}, which may be null", self.guarded(node))

    def comparable(self, left: ast.expr, first: Value, right: ast.expr, second: Value) -> None:
        for value, other in ((first, second), (second, first)):
            if value.kind in self.scope.enums and other.kind == "string":
                values = self.scope.enums[value.kind]
                if other.constant is not None and other.constant not in values:
                    hint = did_you_mean(other.constant, values)
                    raise _WrongError(right, show(other.constant), f"one of {', '.join(values)}", hint)
                return
        kinds = {first.kind, second.kind}
        if len(kinds) > 1 and not kinds <= _NUMBERS and kinds != {"decimal", "integer"}:
            found = f"a comparison of {ast.unparse(left)}, of type {first.kind}, with one of type {second.kind}"
            raise _WrongError(right, found, "values of the same type")


def _not_null(part: ast.expr) -> frozenset[str]:
    match part:
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return frozenset({ast.unparse(left)})
        case ast.Attribute():
            return frozenset({ast.unparse(part)})
        case _:
            return frozenset()
