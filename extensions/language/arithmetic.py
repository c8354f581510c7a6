"""The arithmetic of expressions."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .kinds import (
    NUMBERS,
    Kind,
    Part,
    Sure,
    WrongError,
    any_of,
    code_of,
)
from .values import Values
from .work import MOST_BITS, MOST_LOOP_BITS

_LARGEST_POWER: Final = 16
_SYMBOLS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_QUOTIENTS: Final = (ast.Div, ast.FloorDiv, ast.Mod)
_RESULTS: Final[Mapping[tuple[str, str, str], str]] = {
    ("+", "string", "string"): "string",
    ("+", "duration", "duration"): "duration",
    ("-", "duration", "duration"): "duration",
    ("+", "datetime", "duration"): "datetime",
    ("+", "duration", "datetime"): "datetime",
    ("-", "datetime", "duration"): "datetime",
    ("-", "datetime", "datetime"): "duration",
    ("+", "date", "duration"): "date",
    ("+", "duration", "date"): "date",
    ("-", "date", "duration"): "date",
    ("-", "date", "date"): "duration",
    **{("*", "duration", kind): "duration" for kind in NUMBERS},
    **{("*", kind, "duration"): "duration" for kind in NUMBERS},
    **{("/", "duration", kind): "duration" for kind in NUMBERS},
    ("/", "duration", "duration"): "number",
    ("//", "duration", "integer"): "duration",
    ("//", "duration", "duration"): "integer",
    ("%", "duration", "duration"): "duration",
}


class Arithmetic(Values):
    """Judges signs, and operators between two values."""

    def signed(self, node: ast.UnaryOp, sure: Sure) -> Part:
        """Judge a sign, or `not`."""
        if isinstance(node.op, ast.Not):
            part = self.condition(node.operand, sure)
            return Part(Kind("boolean"), ast.UnaryOp(node.op, part.tree))
        if isinstance(node.op, ast.Invert):
            raise WrongError(node, "~", "-, +, or not")
        part = self.value(node.operand, sure)
        self.number(node.operand, part.kind, (*NUMBERS, "decimal", "duration"))
        values = part.kind.values
        if values and all(isinstance(value, (int, float)) for value in values):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            values = frozenset(sign * value for value in values if isinstance(value, (int, float)))
        return Part(replace(part.kind, values=values), ast.UnaryOp(node.op, part.tree))

    def arithmetic(self, node: ast.BinOp, sure: Sure, expected: Kind | None) -> Part:
        """Judge an operator with its two sides."""
        symbol = _SYMBOLS.get(type(node.op))
        if symbol is None:
            raise WrongError(node, "another operator", f"one of {', '.join(_SYMBOLS.values())}")
        suited = expected if expected is not None and expected.name == "array" else None
        left, right = self.value(node.left, sure, suited), self.value(node.right, sure, suited)
        for side, part in ((node.left, left), (node.right, right)):
            if part.kind.name in {"boolean", "null", "json", "generator"}:
                self.number(side, part.kind)
            self.present(side, part.kind, "arithmetic with")
        if isinstance(node.op, ast.Pow):
            self.power(node, left.kind, right.kind)
            exponent = next(iter(right.kind.values or ()), 1)
            bits = self.bounded(node, left.kind.bits * max(1, exponent if isinstance(exponent, int) else 1))
            return Part(Kind(left.kind.name, bits=bits), ast.BinOp(left.tree, node.op, right.tree))
        tree = ast.BinOp(left.tree, node.op, right.tree)
        if symbol == "+" and left.kind.name == right.kind.name == "array" and left.kind.items == right.kind.items:
            self.passed_over(left.kind, right.kind)
            return Part(replace(left.kind, size=left.kind.size.plus(right.kind.size)), tree)
        kind = self.result(symbol, left.kind, right.kind)
        if kind is None:
            found = f"{code_of(node.left)} {symbol} {code_of(node.right)}, of the types {left.kind} and {right.kind}"
            raise WrongError(node, found, "types that go together", self.conversion(symbol, left.kind, right.kind))
        if isinstance(node.op, _QUOTIENTS):
            self.divisor(node.right, right.kind)
        if kind.name == "string":
            self.read_through(node.left, left.kind)
            self.read_through(node.right, right.kind)
        if self.scope.total and kind.name not in {*NUMBERS, "string"}:
            raise WrongError(node, f"arithmetic with values of type {left.kind}", any_of(sorted(NUMBERS)))
        if kind.name == "integer":
            kind = replace(kind, bits=self.bounded(node, _bits(node.op, left.kind.bits, right.kind.bits)))
        return Part(kind, tree)

    def result(self, symbol: str, left: Kind, right: Kind) -> Kind | None:
        """Return the type of a result; None for types that do not go together."""
        name = result_of(symbol, left.name, right.name)
        return Kind(name) if name else None

    def bounded(self, node: ast.BinOp, bits: int) -> int:
        """Refuse whole numbers that may become so long that arithmetic with them takes its time."""
        most = MOST_BITS if self.apart or not self.loops else MOST_LOOP_BITS
        if bits > most:
            found = f"{code_of(node)}, which may have {bits} bits"
            raise WrongError(node, found, f"at most {most} bits", "% or // on the way keeps numbers short")
        return bits

    def conversion(self, symbol: str, left: Kind, right: Kind) -> str:
        """Return what makes two types go together, in words."""
        kinds = {left.name, right.name}
        if "string" in kinds and symbol == "+":
            return "str(…) makes text of a number, int(…), float(…) and decimal(…) a number of text"
        if kinds == {"decimal", "number"}:
            return "decimal('1.5') is a decimal, float(…) makes a number of one"
        return ""

    def divisor(self, node: ast.expr, kind: Kind) -> None:
        """Refuse a divisor that may be 0."""
        values = kind.values
        if values is not None and not all(values):
            raise WrongError(node, "a division by what may be 0", "a number other than 0")
        if self.scope.total and values is None:
            raise WrongError(node, "a division by what may be 0", "a number other than 0")

    def power(self, node: ast.BinOp, left: Kind, right: Kind) -> None:
        """Refuse powers that may be too large."""
        self.number(node.left, left, (*NUMBERS, "decimal"))
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if right.name != "integer" or not isinstance(exponent, int) or not 0 <= exponent <= _LARGEST_POWER:
            expected = f"a whole number from 0 to {_LARGEST_POWER}, written down; sqrt(…) is a function"
            raise WrongError(node.right, f"the exponent {code_of(node.right)}", expected)
        if self.scope.total and left.name != "integer":
            raise WrongError(node, "a power that may be too large", "powers of integers")


def result_of(symbol: str, left: str, right: str) -> str | None:
    """Return the type of a result, or None where there is none."""
    kinds = {left, right}
    if kinds <= NUMBERS:
        whole = kinds == {"integer"} and symbol != "/"
        return "integer" if whole else "number"
    if "decimal" in kinds and kinds <= {"decimal", "integer"}:
        return "decimal"
    return _RESULTS.get((symbol, left, right))


def _bits(operator: ast.operator, left: int, right: int) -> int:
    """Return how many bits the result of arithmetic with whole numbers may have."""
    match operator:
        case ast.Mult():
            return left + right
        case ast.FloorDiv():
            return left + 1
        case ast.Mod():
            return right
        case _:
            return max(left, right) + 1
