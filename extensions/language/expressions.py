"""Expressions of contracts: a small, pure subset of Python's.

An expression is parsed, judged node by node against a list of what is allowed, and built anew from what was allowed,
with the names that generated code has. Its type is worked out on the way, so that what is emitted passes mypy.
"""

import ast
import builtins
import math
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..text.problems import Path, Problem, did_you_mean, show
from . import names
from .functions import LOOPS, calls_of
from .kinds import (
    NUMBERS,
    ORDERED,
    Kind,
    Part,
    Scope,
    Sure,
    WrongError,
    any_of,
    assignable,
    code_of,
    item_kind,
    word_of,
)
from .work import INPUT_BITS, MOST_BITS, MOST_ROUNDS, ONE, Rounds, Size

type Specs = Mapping[str, Any]

INPUT: Final = "input"
EVENT: Final = "event"
LONGEST: Final = 2000
_DEEPEST, _MOST_LOOPS, _LONGEST_TEXT, _LARGEST_POWER, _LITERAL_BITS = 40, 3, 200, 16, 63
# Names of locals that would hide others, and one that reads like a number: they get an underscore at their end.
_TAKEN: Final = frozenset(
    {
        *dir(builtins),
        "request",
        "ceil",
        "floor",
        "sqrt",
        "timedelta",
        "l",
        "date",
        "datetime",
        "math",
        "sha256",
        "sha512",
    }
)


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


def source(value: object) -> str:
    """Return the text of an expression; YAML reads bare numbers, true and false as what they are."""
    return value if isinstance(value, str) else repr(value)


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
    judge = _Judge(scope)
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


def problem(path: Path, text: str, wrong: WrongError) -> Problem:
    """Return what is wrong with an expression as a problem of its contract, with its column."""
    return Problem(path, f"{wrong.found}{_place(text, wrong.node)}", wrong.expected, wrong.hint)


def parsed(text: str) -> ast.expr:
    """Return the tree of an expression, whatever it holds; WrongError for what is none."""
    if len(text) > LONGEST:
        raise WrongError(None, show(text), f"an expression of at most {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_prepared(text)[0], mode="eval").body
    except SyntaxError as error:
        place = ast.Constant(None, lineno=error.lineno or 1, col_offset=max((error.offset or 1) - 1, 0))
        where = _place(text, place, in_bytes=False) if error.offset else ""
        raise WrongError(None, show(text), f"an expression{where}") from None
    except (ValueError, RecursionError, MemoryError):
        raise WrongError(None, show(text), "an expression") from None
    _bounded(tree, text)
    return tree


def _prepared(text: str) -> tuple[str, int]:
    """Return what is parsed, and how many characters the first column is off; several lines need parentheses."""
    stripped = text.strip()
    off = len(text) - len(text.lstrip())
    return (f"({stripped}\n)", off - 1) if "\n" in stripped else (stripped, off)


def _place(text: str, node: ast.AST | None, *, in_bytes: bool = True) -> str:
    if node is None or not hasattr(node, "lineno"):
        return ""
    code, off = _prepared(text)
    lines = code.split("\n")
    number = min(max(node.lineno, 1), len(lines))
    line = lines[number - 1]
    offset = getattr(node, "col_offset", 0)
    column = len(line.encode()[:offset].decode(errors="ignore")) if in_bytes else offset
    column += 1 + (off if number == 1 else 0)
    return f" at column {column}" if len(lines) == 1 else f" at line {number}, column {max(column, 1)}"


def _bounded(tree: ast.expr, text: str) -> None:
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            raise WrongError(None, show(text), "an expression that is nested less deeply")
        # Chains of `a + b + c` are deep in the tree, and flat to read.
        chained = isinstance(node, ast.BinOp)
        for child in ast.iter_child_nodes(node):
            flat = chained and isinstance(child, ast.BinOp) and child is getattr(node, "left", None)
            waiting.append((child, depth if flat else depth + 1))


_SYMBOLS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_ALWAYS_TRUE: Final = frozenset({"date", "datetime", "model", "time", "uuid"})
_QUOTIENTS: Final = (ast.Div, ast.FloorDiv, ast.Mod)


def _arithmetic(symbol: str, left: str, right: str) -> str | None:
    """Return the type of a result, or None where there is none."""
    kinds = {left, right}
    if kinds <= NUMBERS:
        whole = kinds == {"integer"} and symbol != "/"
        return "integer" if whole else "number"
    if "decimal" in kinds and kinds <= {"decimal", "integer"}:
        return "decimal"
    return _RESULTS.get((symbol, left, right))


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


_UNWANTED: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\ud800-\\udfff]")


class _Judge:
    """Judges the parts of one expression. Each method returns the part's type and its code, or raises WrongError."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.locals: dict[str, tuple[Kind, str]] = {}
        self.loops = 0
        self.rounds = Rounds()
        self.around = ONE
        # Variables of loops whose items, all together, are counted already.
        self.counted: set[str] = set()
        self.used_enums: set[str] = set()
        self.used_models: set[str] = set()
        self.used_modules: set[tuple[str, str]] = set()
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

    def structured(self, node: ast.expr, sure: Sure, expected: Kind | None) -> Part:
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
        if part.kind.name == "generator":
            raise WrongError(node, "a generator", "any(…), or all(…)")
        if part.kind.name in _ALWAYS_TRUE and not part.kind.nullable:
            raise WrongError(node, f"{code_of(node)}, of type {part.kind}, which is always true", "a condition")
        return part

    def constant(self, node: ast.Constant, expected: Kind | None) -> Part:
        value = node.value
        if isinstance(value, str) and expected is not None and expected.name == "enum":
            return self.member(node, value, expected)
        kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        kind = kinds.get(type(value))
        if kind is None:
            raise WrongError(node, "a literal of another type", "text, numbers, True, False or None")
        if isinstance(value, str) and len(value) > _LONGEST_TEXT:
            raise WrongError(node, show(value), f"text of at most {_LONGEST_TEXT} characters")
        if isinstance(value, str) and _UNWANTED.search(value):
            raise WrongError(node, show(value), "text without control characters and lone surrogates")
        if isinstance(value, float) and not math.isfinite(value):
            raise WrongError(node, "a number without end", "a finite number")
        if isinstance(value, int) and value.bit_length() > _LITERAL_BITS:
            raise WrongError(node, "a huge number", "a number that fits in 64 bits")
        bits = value.bit_length() if isinstance(value, int) else INPUT_BITS
        return Part(Kind(kind, nullable=value is None, values=frozenset({value}), bits=bits), ast.Constant(value))

    def member(self, node: ast.Constant, value: str, expected: Kind) -> Part:
        values = self.scope.enums[expected.reference]
        if value not in values:
            raise WrongError(node, show(value), f"one of {', '.join(values)}", did_you_mean(value, values))
        self.used_enums.add(expected.reference)
        enum = ast.Name(names.enum_class(expected.reference))
        return Part(Kind("enum", expected.reference), ast.Attribute(enum, names.members(values)[value]))

    def name(self, node: ast.Name, sure: Sure) -> Part:
        known = self.locals.get(node.id) or self.scope.known.get(node.id)
        if known is not None:
            kind, code = known
            return Part(replace(kind, nullable=kind.nullable and node.id not in sure), ast.Name(code))
        root = self.scope.root
        if node.id in self.scope.later:
            raise WrongError(node, f"{node.id}, which is worked out later", "what is worked out before it")
        if node.id == root:
            raise WrongError(node, f"{root} as a whole", f"a field of it, such as {self.some()}")
        if node.id in self.scope.fields:
            hint = f"did you mean '{root}.{node.id}'?"
        else:
            hint = did_you_mean(
                node.id, [*self.locals, *self.scope.known, *(f"{root}.{name}" for name in self.scope.fields), root]
            )
        if not hint and node.id.isidentifier() and not self.locals:
            hint = "text is written in quotes of its own, as in \"'text'\""
        expected = f"fields of {root}, such as {self.some()}" + (", or earlier outputs" if root == INPUT else "")
        raise WrongError(node, f"the name {show(node.id)}", expected, hint)

    def some(self) -> str:
        return f"{self.scope.root}.{next(iter(self.scope.fields), 'name')}"

    def attribute(self, node: ast.Attribute, sure: Sure) -> Part:
        if isinstance(node.value, ast.Name) and node.value.id == self.scope.root and node.value.id not in self.locals:
            owner, fields, of = Part(Kind("model"), ast.Name(self.scope.code)), self.scope.fields, self.scope.root
        else:
            owner = self.value(node.value, sure)
            if owner.kind.name != "model":
                found = f"a field of {code_of(node.value)}, which is of type {owner.kind}"
                raise WrongError(node, found, "a field of a model")
            self.present(node.value, owner.kind, "a field of")
            fields, of = self.scope.models[owner.kind.reference], owner.kind.reference
        if node.attr not in fields:
            hint = did_you_mean(node.attr, fields)
            raise WrongError(node, f"the unknown field {show(node.attr)}", f"a field of {of}", hint)
        kind = fields[node.attr]
        kind = replace(kind, nullable=kind.nullable and ast.unparse(node) not in sure)
        return Part(kind, ast.Attribute(owner.tree, node.attr))

    def present(self, node: ast.expr, kind: Kind, use: str) -> None:
        """Refuse a value that may be None where it is used as one that is not."""
        if kind.nullable:
            code = code_of(node)
            guard = f"… if {code} is not None else …" if self.scope.root == INPUT else f"{code} is not None and …"
            raise WrongError(node, f"{use} {code}, which may be null", guard)

    def joined(self, node: ast.BoolOp, sure: Sure, *, as_condition: bool = False) -> Part:
        parts: list[Part] = []
        for value in node.values:
            parts.append(self.condition(value, sure) if as_condition else self.value(value, sure))
            true, false = _facts(value)
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

    def same(self, node: ast.expr, first: Kind, second: Kind, what: str) -> Kind:
        """Return the type of what may be one or the other."""
        nullable = first.nullable or second.nullable
        if "null" in {first.name, second.name}:
            return replace(second if first.name == "null" else first, nullable=True)
        kinds = {first.name, second.name}
        if len(kinds) == 1 and first.reference == second.reference and first.items == second.items:
            both = first.values is not None and second.values is not None
            values = (first.values or frozenset()) | (second.values or frozenset()) if both else None
            larger = first.size if first.size.degree > second.size.degree else second.size.plus(first.size)
            bits = max(first.bits, second.bits)
            return replace(first, nullable=nullable, values=values, bits=bits, size=larger)
        if kinds <= NUMBERS:
            return Kind("number", nullable=nullable)
        raise WrongError(node, f"{what}, of the types {first} and {second}", "values of the same type")

    def signed(self, node: ast.UnaryOp, sure: Sure) -> Part:
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

    def number(self, node: ast.expr, kind: Kind, kinds: Collection[str] = NUMBERS) -> None:
        if kind.name not in kinds:
            hint = "a condition counts as `1 if … else 0`" if kind.name == "boolean" else ""
            found = f"arithmetic with {code_of(node)}, of type {kind}"
            raise WrongError(node, found, any_of(sorted(kinds)), hint)
        self.present(node, kind, "arithmetic with")

    def arithmetic(self, node: ast.BinOp, sure: Sure, expected: Kind | None) -> Part:
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
        kind = _arithmetic(symbol, left.kind.name, right.kind.name)
        if kind is None:
            found = f"{code_of(node.left)} {symbol} {code_of(node.right)}, of the types {left.kind} and {right.kind}"
            raise WrongError(node, found, "types that go together", self.conversion(symbol, left.kind, right.kind))
        if isinstance(node.op, _QUOTIENTS):
            self.divisor(node.right, right.kind)
        if self.scope.total and kind not in {*NUMBERS, "string"}:
            raise WrongError(node, f"arithmetic with values of type {left.kind}", any_of(sorted(NUMBERS)))
        bits = self.bounded(node, _bits(node.op, left.kind.bits, right.kind.bits)) if kind == "integer" else INPUT_BITS
        return Part(Kind(kind, bits=bits), tree)

    def bounded(self, node: ast.BinOp, bits: int) -> int:
        """Refuse whole numbers that may become so long that arithmetic with them takes its time."""
        if bits > MOST_BITS:
            found = f"{code_of(node)}, which may have {bits} bits"
            raise WrongError(node, found, f"at most {MOST_BITS} bits", "% or // on the way keeps numbers short")
        return bits

    def passed_over(self, *kinds: Kind) -> None:
        """Note that all items of values, of arrays, are looked at, once in each round of the loops around."""
        for kind in kinds:
            if kind.name in {"array", "set"}:
                self.rounds.note(self.around.times(kind.size))

    def conversion(self, symbol: str, left: Kind, right: Kind) -> str:
        kinds = {left.name, right.name}
        if "string" in kinds and symbol == "+":
            return "str(…) makes text of a number, int(…), float(…) and decimal(…) a number of text"
        if kinds == {"decimal", "number"}:
            return "decimal('1.5') is a decimal, float(…) makes a number of one"
        return ""

    def divisor(self, node: ast.expr, kind: Kind) -> None:
        values = kind.values
        if values is not None and not all(values):
            raise WrongError(node, "a division by what may be 0", "a number other than 0")
        if self.scope.total and values is None:
            raise WrongError(node, "a division by what may be 0", "a number other than 0")

    def power(self, node: ast.BinOp, left: Kind, right: Kind) -> None:
        self.number(node.left, left, (*NUMBERS, "decimal"))
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if right.name != "integer" or not isinstance(exponent, int) or not 0 <= exponent <= _LARGEST_POWER:
            expected = f"a whole number from 0 to {_LARGEST_POWER}, written down; sqrt(…) is a function"
            raise WrongError(node.right, f"the exponent {code_of(node.right)}", expected)
        if self.scope.total and left.name != "integer":
            raise WrongError(node, "a power that may be too large", "powers of integers")

    def comparison(self, node: ast.Compare, sure: Sure) -> Part:
        left_node, left = node.left, self.value(node.left, sure)
        trees: list[ast.expr] = []
        first = left.tree
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                right = self.membership(left_node, left, right_node, sure)
            elif isinstance(operator, (ast.Is, ast.IsNot)):
                if not (isinstance(right_node, ast.Constant) and right_node.value is None):
                    raise WrongError(right_node, f"is {code_of(right_node)}", "is None, or is not None")
                if isinstance(left_node, ast.Constant):
                    raise WrongError(left_node, f"{code_of(left_node)} is …", "a field, or an earlier output")
                right = self.value(right_node, sure)
            else:
                right = self.value(right_node, sure)
                if isinstance(operator, (ast.Eq, ast.NotEq)):
                    self.equal(left.kind, right_node, right.kind, left_node)
                else:
                    self.ordered(left_node, left.kind, right_node, right.kind)
            trees.append(right.tree)
            left_node, left = right_node, right
        return Part(Kind("boolean"), ast.Compare(first, node.ops, trees))

    def membership(self, left_node: ast.expr, left: Part, node: ast.expr, sure: Sure) -> Part:
        if isinstance(node, (ast.List, ast.Tuple)):
            if not node.elts:
                raise WrongError(node, code_of(node), "a list of literals")
            for item in node.elts:
                if not isinstance(item, ast.Constant):
                    raise WrongError(item, code_of(item), "a literal")
                self.equal(left.kind, item, self.value(item, sure).kind, left_node)
            items: list[ast.expr] = [self.value(item, sure).tree for item in node.elts]
            return Part(Kind("array"), type(node)(items))
        part = self.value(node, sure)
        self.present(node, part.kind, "a search in")
        match part.kind.name:
            case "array" | "set" if part.kind.items is not None:
                # A set knows what it holds.
                self.passed_over(*[part.kind] * (part.kind.name == "array"))
                self.equal(left.kind, node, part.kind.items, left_node)
            case "string" | "object" if left.kind.name == "string":
                self.present(left_node, left.kind, "a search for")
            case _:
                found = f"a search for {left.kind} in {part.kind}"
                raise WrongError(node, found, "a list of literals, an array, or text in text")
        return part

    def equal(self, left: Kind, node: ast.expr, right: Kind, left_node: ast.expr) -> None:
        if "null" in {left.name, right.name}:
            raise WrongError(node, "a comparison with None by == or !=", "is None, or is not None")
        self.comparable(left, node, right, left_node)
        if left.values is not None and right.values is not None and left.values.isdisjoint(right.values):
            shown = ", ".join(map(str, sorted(left.values, key=str)))
            raise WrongError(node, f"a comparison of {code_of(left_node)} with what it never is", f"one of {shown}")

    def ordered(self, left_node: ast.expr, left: Kind, node: ast.expr, right: Kind) -> None:
        self.comparable(left, node, right, left_node)
        kinds = [kind for kind in ORDERED if not (self.scope.total and kind == "datetime")]
        for side, kind in ((left_node, left), (node, right)):
            if kind.name not in kinds:
                raise WrongError(side, f"an order of values of type {kind}", f"one of {', '.join(kinds)}")
            self.present(side, kind, "an order with")

    def comparable(self, left: Kind, node: ast.expr, right: Kind, left_node: ast.expr) -> None:
        for kind, other in ((left, right), (right, left)):
            known = self.scope.enums.get(kind.reference) if kind.name == "enum" else kind.values
            literal = other.values if other.name in {"string", "integer"} else None
            if literal is not None and len(literal) == 1 and known and (kind.name == "enum" or len(known) > 1):
                (constant,) = literal
                if kind.name in {"enum", other.name} and constant not in known:
                    shown = [str(value) for value in (known if kind.name == "enum" else sorted(known, key=str))]
                    raise WrongError(node, show(constant), f"one of {', '.join(shown)}", did_you_mean(constant, shown))
            if kind.name == "enum" and other.name == "string":
                return
        kinds = {left.name, right.name}
        plain = "json" in kinds and kinds <= {"json", *NUMBERS, "boolean", "string"}
        if kinds <= {*NUMBERS, "decimal"} or plain:
            return
        if len(kinds) > 1 or left.reference != right.reference or left.items != right.items:
            found = f"a comparison of {code_of(left_node)}, of type {left}, with one of type {right}"
            raise WrongError(node, found, "values of the same type")

    def choice(self, node: ast.IfExp, sure: Sure, expected: Kind | None) -> Part:
        if isinstance(node.test, ast.Constant):
            raise WrongError(node.test, f"if {code_of(node.test)}", "a condition that depends on something")
        test = self.condition(node.test, sure)
        true, false = _facts(node.test)
        body = self.value(node.body, sure | true, expected)
        orelse = self.value(node.orelse, sure | false, expected)
        kind = self.same(node.orelse, body.kind, orelse.kind, f"{code_of(node.body)} or {code_of(node.orelse)}")
        return Part(kind, ast.IfExp(test.tree, body.tree, orelse.tree))

    def indexed(self, node: ast.Subscript, sure: Sure) -> Part:
        owner = self.value(node.value, sure)
        self.present(node.value, owner.kind, "indexing")
        if owner.kind.name not in {"array", "string", "object"}:
            raise WrongError(node, f"indexing of {owner.kind}", "an array, text, or an object")
        if isinstance(node.slice, ast.Slice):
            return self.sliced(node, owner, node.slice, sure)
        if self.scope.total:
            raise WrongError(node, "indexing, which may find nothing", "a slice, or no indexing")
        index = self.value(node.slice, sure)
        self.present(node.slice, index.kind, "indexing by")
        wanted = "string" if owner.kind.name == "object" else "integer"
        if index.kind.name != wanted:
            raise WrongError(node.slice, f"an index of type {index.kind}", wanted)
        kind = Kind("string") if owner.kind.name == "string" else owner.kind.items or Kind("json", nullable=True)
        return Part(kind, ast.Subscript(owner.tree, index.tree))

    def sliced(self, node: ast.Subscript, owner: Part, part: ast.Slice, sure: Sure) -> Part:
        if owner.kind.name == "object" or part.step is not None:
            raise WrongError(node, code_of(node), "a slice of an array or of text, without a step")
        bounds: list[ast.expr | None] = []
        for bound in (part.lower, part.upper):
            if bound is None:
                bounds.append(None)
                continue
            found = self.value(bound, sure)
            self.number(bound, found.kind, ("integer",))
            bounds.append(found.tree)
        self.passed_over(owner.kind)
        return Part(replace(owner.kind, values=None), ast.Subscript(owner.tree, ast.Slice(bounds[0], bounds[1])))

    def listed(self, node: ast.List, sure: Sure, expected: Kind | None) -> Part:
        if not node.elts:
            if expected is None or expected.name != "array":
                raise WrongError(node, "an empty list", "a list with items")
            return Part(replace(expected, nullable=False, size=Size(0)), ast.List([]))
        suited = expected.items if expected else None
        parts = [self.value(item, sure, suited) for item in node.elts]
        kind = parts[0].kind
        for item, part in zip(node.elts, parts, strict=True):
            self.present(item, part.kind, "a list with")
            kind = self.same(item, kind, part.kind, f"a list with {code_of(node.elts[0])} and {code_of(item)}")
        items = item_kind(Part(kind, parts[0].tree), suited)
        return Part(Kind("array", items=items, size=Size(len(parts))), ast.List([part.tree for part in parts]))

    def loop(self, node: ast.ListComp | ast.GeneratorExp, sure: Sure, expected: Kind | None) -> Part:
        before, around, counted = dict(self.locals), self.around, set(self.counted)
        self.loops += len(node.generators)
        if self.loops > _MOST_LOOPS:
            raise WrongError(node, f"{self.loops} loops inside of each other", f"at most {_MOST_LOOPS}")
        generators: list[ast.comprehension] = []
        for generator in node.generators:
            made, sure = self.generator(generator, sure)
            generators.append(made)
        suited = expected.items if expected and expected.name == "array" else None
        item = self.value(node.elt, sure, suited)
        if item.kind.name == "generator":
            raise WrongError(node.elt, "a generator in a generator", "values")
        self.loops -= len(node.generators)
        size = self.size_within(around)
        self.locals, self.around, self.counted = before, around, counted
        if isinstance(node, ast.ListComp):
            self.present(node.elt, item.kind, "a list with")
            kind = Kind("array", items=item_kind(item, suited), size=size)
            return Part(kind, ast.ListComp(item.tree, generators))
        return Part(Kind("generator", items=item.kind, size=size), ast.GeneratorExp(item.tree, generators))

    def size_within(self, around: Size) -> Size:
        """Return how many items a loop gives in one round of those around it."""
        return Size(self.around.factor // max(1, around.factor), self.around.degree - around.degree)

    def goes_over(self, node: ast.expr, size: Size) -> bool:
        """Note the rounds of a loop, and tell whether all items of all its rounds were counted before."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        # The arrays in the items of an array hold, all together, no more than the request does.
        known = isinstance(root, ast.Name) and root is not node and root.id in self.counted
        if known and isinstance(root, ast.Name):
            self.counted.discard(root.id)
        self.around = self.around.times(ONE if known else size)
        self.rounds.note(self.around)
        return known or size.degree > 0

    def generator(self, node: ast.comprehension, sure: Sure) -> tuple[ast.comprehension, Sure]:
        if node.is_async:
            raise WrongError(node.iter, "async", "a loop as in `for line in input.lines`")
        paired = isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id in LOOPS
        if paired and isinstance(node.iter, ast.Call):
            kinds, iterated, size = self.calls.looped(node.iter, sure)
        else:
            part = self.value(node.iter, sure)
            self.present(node.iter, part.kind, "a loop over")
            if part.kind.name != "array":
                raise WrongError(node.iter, f"a loop over {code_of(node.iter)}, of type {part.kind}", "an array")
            kinds, iterated = [part.kind.items or Kind("json", nullable=True)], part.tree
            size = part.kind.size
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        if len(targets) != len(kinds) or (isinstance(node.target, ast.Tuple) and len(kinds) == 1):
            wanted = "one name, as in `for line in input.lines`" if len(kinds) == 1 else f"{len(kinds)} names"
            raise WrongError(node.target, code_of(node.target), wanted)
        known = self.goes_over(node.iter, size)
        made: list[ast.expr] = [self.variable(one, kind) for one, kind in zip(targets, kinds, strict=True)]
        if known:
            self.counted |= {target.id for target in targets if isinstance(target, ast.Name)}
        target = made[0] if len(made) == 1 else ast.Tuple(made)
        tests: list[ast.expr] = []
        for test in node.ifs:
            tests.append(self.condition(test, sure).tree)
            sure |= _facts(test)[0]
        return ast.comprehension(target, iterated, tests, 0), sure

    def variable(self, node: ast.expr, kind: Kind) -> ast.Name:
        """Add the variable of a loop to the names that are known."""
        if not isinstance(node, ast.Name):
            raise WrongError(node, code_of(node), "one name, as in `for line in input.lines`")
        name = node.id
        if name == self.scope.root or name in self.locals or name in self.scope.known:
            raise WrongError(node, f"the name {show(name)} a second time", "a name of its own")
        if not re.fullmatch(r"[a-z][a-z0-9_]*|_", name):
            raise WrongError(node, f"the name {show(name)}", "a name in snake_case")
        code = local_name(name, {code for _, code in (*self.locals.values(), *self.scope.known.values())})
        self.locals[name] = (kind, code)
        return ast.Name(code)


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


def local_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a local variable in generated code: the contract's, unless it would hide another."""
    code = f"{name}_" if name in _TAKEN else name
    while code in taken:
        code += "_"
    return code


def _facts(node: ast.expr) -> tuple[Sure, Sure]:
    """Return what is not None where a condition is true, and where it is false."""
    match node:
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return frozenset({ast.unparse(left)}), frozenset()
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return frozenset(), frozenset({ast.unparse(left)})
        case ast.Attribute() | ast.Name():
            return frozenset({ast.unparse(node)}), frozenset()
        case ast.UnaryOp(op=ast.Not()):
            return _facts(node.operand)[::-1]
        case ast.BoolOp():
            found = [_facts(value) for value in node.values]
            if isinstance(node.op, ast.And):
                return frozenset().union(*(true for true, _ in found)), frozenset()
            return frozenset(), frozenset().union(*(false for _, false in found))
        case _:
            return frozenset(), frozenset()
