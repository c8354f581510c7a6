"""Expressions of contracts: a small, pure subset of Python's.

An expression is parsed, judged node by node against a list of what is allowed, and built anew from what was allowed,
with the names that generated code has. Its type is worked out on the way, so that what is emitted passes mypy.
"""

import ast
import builtins
import math
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from . import names
from .problems import Path, Problem, did_you_mean, show

type Specs = Mapping[str, Any]

INPUT: Final = "input"
EVENT: Final = "event"
LONGEST: Final = 2000
_LONGEST_RANGE: Final = 10_000
_DEEPEST, _MOST_LOOPS, _LONGEST_TEXT, _LONGEST_SHOWN, _LARGEST_POWER, _MOST_BITS = 40, 3, 200, 60, 16, 63
# Names of locals that would hide others, and one that reads like a number: they get an underscore at their end.
_TAKEN: Final = frozenset({*dir(builtins), "request", "ceil", "floor", "sqrt", "timedelta", "l"})


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value.

    Attributes:
        name: A type of the contract language, or `enum`, `model`, `null`, `json` (any value of JSON), or `generator`.
        reference: The enum or model.
        items: What an array or a generator holds; None for anything.
        nullable: Whether it may be None.
        values: The only values that it may have, where they are known.
    """

    name: str
    reference: str = ""
    items: "Kind | None" = None
    nullable: bool = False
    values: frozenset[object] | None = None

    def __str__(self) -> str:
        """Return the type as people write it."""
        word = self.reference or {"null": "None", "json": "any value of JSON"}.get(self.name, self.name)
        return f"{word} of {self.items}" if self.items else word


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name.

    Attributes:
        root: `input`, or `event`.
        fields: The fields of the root.
        models: Fields by model.
        enums: Values by enum.
        code: The root's name in generated code.
        known: The type and the name in generated code of what was worked out before, by name.
        later: What is worked out after it.
        optional: The fields that may be left out, by model.
        total: Whether it has to have a value for every valid root: nothing in it may fail when it is run.
    """

    root: str
    fields: Mapping[str, Kind]
    models: Mapping[str, Mapping[str, Kind]]
    enums: Mapping[str, Sequence[str]]
    code: str
    known: Mapping[str, tuple[Kind, str]] = field(default_factory=dict)
    later: Collection[str] = ()
    optional: Mapping[str, Collection[str]] = field(default_factory=dict)
    total: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that was judged.

    Attributes:
        kind: Its type.
        tree: Its code.
        enums: The enums that its code names.
        models: The models that its code makes.
        modules: What its code needs of the standard library, as pairs of module and name.
    """

    kind: Kind
    tree: ast.expr
    enums: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    modules: frozenset[tuple[str, str]] = frozenset()


class WrongError(Exception):
    """Something in an expression is not allowed: what was found at which column, and what was expected."""

    def __init__(self, node: ast.AST | None, found: str, expected: str, hint: str = "") -> None:
        """Keep what is wrong, and where."""
        super().__init__(found)
        self.node = node
        self.found = found
        self.expected = expected
        self.hint = hint


def kind_of(spec: str | Specs, enums: Collection[str], models: Collection[str]) -> Kind:
    """Return the type of a field.

    Args:
        spec: The field, in its short or its long form.
        enums: The names of the enums.
        models: The names of the models.
    """
    long: Specs = {"type": spec} if isinstance(spec, str) else spec
    word = str(long.get("type"))
    name = "enum" if word in enums else "model" if word in models else word
    values = long.get("enum")
    return Kind(
        name=name,
        reference=word if name in {"enum", "model"} else "",
        items=replace(kind_of(long["items"], enums, models), nullable=False) if long.get("items") else None,
        nullable=long.get("required", True) is False,
        values=frozenset(values) if isinstance(values, (list, tuple)) else None,
    )


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
    tree = _parsed(text)
    judge = _Judge(scope)
    try:
        part = judge.condition(tree, frozenset()) if expected is None else judge.value(tree, frozenset(), expected)
        if expected is not None:
            _assignable(tree, part.kind, expected)
    except RecursionError:
        raise WrongError(None, show(text), "an expression that is nested less deeply") from None
    if scope.total and judge.used_modules:
        raise WrongError(None, show(text), "functions that always have a value, of integers and numbers")
    used = frozenset(judge.used_enums), frozenset(judge.used_models), frozenset(judge.used_modules)
    return Checked(part.kind, part.tree, *used)


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


def _parsed(text: str) -> ast.expr:
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


_NUMBERS: Final = frozenset({"integer", "number"})
_ORDERED: Final = ("date", "datetime", "decimal", "duration", "integer", "number", "string")
_SYMBOLS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_ALWAYS_TRUE: Final = frozenset({"date", "datetime", "model", "uuid"})
_QUOTIENTS: Final = (ast.Div, ast.FloorDiv, ast.Mod)


def _arithmetic(symbol: str, left: str, right: str) -> str | None:
    """Return the type of a result, or None where there is none."""
    kinds = {left, right}
    if kinds <= _NUMBERS:
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
    **{("*", "duration", kind): "duration" for kind in _NUMBERS},
    **{("*", kind, "duration"): "duration" for kind in _NUMBERS},
    **{("/", "duration", kind): "duration" for kind in _NUMBERS},
    ("/", "duration", "duration"): "number",
    ("//", "duration", "integer"): "duration",
    ("//", "duration", "duration"): "integer",
    ("%", "duration", "duration"): "duration",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an expression: its type, and its code."""

    kind: Kind
    tree: ast.expr


_UNWANTED: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\ud800-\\udfff]")
type _Sure = frozenset[str]
"""The fields and names, as code of the contract, that are known not to be None."""


class _Judge:
    """Judges the parts of one expression. Each method returns the part's type and its code, or raises WrongError."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.locals: dict[str, tuple[Kind, str]] = {}
        self.loops = 0
        self.used_enums: set[str] = set()
        self.used_models: set[str] = set()
        self.used_modules: set[tuple[str, str]] = set()
        self.calls = _Calls(self)

    def value(self, node: ast.expr, sure: _Sure, expected: Kind | None = None) -> _Part:
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

    def structured(self, node: ast.expr, sure: _Sure, expected: Kind | None) -> _Part:
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
                raise WrongError(node, _word(node), expected_words)

    def condition(self, node: ast.expr, sure: _Sure) -> _Part:
        """Judge a part of which only the truth is used."""
        if isinstance(node, ast.BoolOp):
            return self.joined(node, sure, as_condition=True)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.signed(node, sure)
        part = self.value(node, sure)
        if part.kind.name == "generator":
            raise WrongError(node, "a generator", "any(…), or all(…)")
        if part.kind.name in _ALWAYS_TRUE and not part.kind.nullable:
            raise WrongError(node, f"{_source(node)}, of type {part.kind}, which is always true", "a condition")
        return part

    def constant(self, node: ast.Constant, expected: Kind | None) -> _Part:
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
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise WrongError(node, "a huge number", "a number that fits in 64 bits")
        return _Part(Kind(kind, nullable=value is None, values=frozenset({value})), ast.Constant(value))

    def member(self, node: ast.Constant, value: str, expected: Kind) -> _Part:
        values = self.scope.enums[expected.reference]
        if value not in values:
            raise WrongError(node, show(value), f"one of {', '.join(values)}", did_you_mean(value, values))
        self.used_enums.add(expected.reference)
        enum = ast.Name(f"Enum{expected.reference}")
        return _Part(Kind("enum", expected.reference), ast.Attribute(enum, names.constant(value)))

    def name(self, node: ast.Name, sure: _Sure) -> _Part:
        known = self.locals.get(node.id) or self.scope.known.get(node.id)
        if known is not None:
            kind, code = known
            return _Part(replace(kind, nullable=kind.nullable and node.id not in sure), ast.Name(code))
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

    def attribute(self, node: ast.Attribute, sure: _Sure) -> _Part:
        if isinstance(node.value, ast.Name) and node.value.id == self.scope.root and node.value.id not in self.locals:
            owner, fields, of = _Part(Kind("model"), ast.Name(self.scope.code)), self.scope.fields, self.scope.root
        else:
            owner = self.value(node.value, sure)
            if owner.kind.name != "model":
                found = f"a field of {_source(node.value)}, which is of type {owner.kind}"
                raise WrongError(node, found, "a field of a model")
            self.present(node.value, owner.kind, "a field of")
            fields, of = self.scope.models[owner.kind.reference], owner.kind.reference
        if node.attr not in fields:
            hint = did_you_mean(node.attr, fields)
            raise WrongError(node, f"the unknown field {show(node.attr)}", f"a field of {of}", hint)
        kind = fields[node.attr]
        kind = replace(kind, nullable=kind.nullable and ast.unparse(node) not in sure)
        return _Part(kind, ast.Attribute(owner.tree, node.attr))

    def present(self, node: ast.expr, kind: Kind, use: str) -> None:
        """Refuse a value that may be None where it is used as one that is not."""
        if kind.nullable:
            code = _source(node)
            guard = f"… if {code} is not None else …" if self.scope.root == INPUT else f"{code} is not None and …"
            raise WrongError(node, f"{use} {code}, which may be null", guard)

    def joined(self, node: ast.BoolOp, sure: _Sure, *, as_condition: bool = False) -> _Part:
        parts: list[_Part] = []
        for value in node.values:
            parts.append(self.condition(value, sure) if as_condition else self.value(value, sure))
            true, false = _facts(value)
            sure |= true if isinstance(node.op, ast.And) else false
        tree = ast.BoolOp(node.op, [part.tree for part in parts])
        if as_condition:
            return _Part(Kind("boolean"), tree)
        kind = parts[0].kind
        for value, part in zip(node.values[1:], parts[1:], strict=True):
            kind = self.same(value, kind, part.kind, f"{_source(node.values[0])} and {_source(value)}")
        # Of `a or b` the result is b where a is None.
        nullable = parts[-1].kind.nullable if isinstance(node.op, ast.Or) else any(part.kind.nullable for part in parts)
        return _Part(replace(kind, nullable=nullable), tree)

    def same(self, node: ast.expr, first: Kind, second: Kind, what: str) -> Kind:
        """Return the type of what may be one or the other."""
        nullable = first.nullable or second.nullable
        if "null" in {first.name, second.name}:
            return replace(second if first.name == "null" else first, nullable=True)
        kinds = {first.name, second.name}
        if len(kinds) == 1 and first.reference == second.reference and first.items == second.items:
            both = first.values is not None and second.values is not None
            values = (first.values or frozenset()) | (second.values or frozenset()) if both else None
            return replace(first, nullable=nullable, values=values)
        if kinds <= _NUMBERS:
            return Kind("number", nullable=nullable)
        raise WrongError(node, f"{what}, of the types {first} and {second}", "values of the same type")

    def signed(self, node: ast.UnaryOp, sure: _Sure) -> _Part:
        if isinstance(node.op, ast.Not):
            part = self.condition(node.operand, sure)
            return _Part(Kind("boolean"), ast.UnaryOp(node.op, part.tree))
        if isinstance(node.op, ast.Invert):
            raise WrongError(node, "~", "-, +, or not")
        part = self.value(node.operand, sure)
        self.number(node.operand, part.kind, (*_NUMBERS, "decimal", "duration"))
        values = part.kind.values
        if values and all(isinstance(value, (int, float)) for value in values):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            values = frozenset(sign * value for value in values if isinstance(value, (int, float)))
        return _Part(replace(part.kind, values=values), ast.UnaryOp(node.op, part.tree))

    def number(self, node: ast.expr, kind: Kind, kinds: Collection[str] = _NUMBERS) -> None:
        if kind.name not in kinds:
            hint = "a condition counts as `1 if … else 0`" if kind.name == "boolean" else ""
            found = f"arithmetic with {_source(node)}, of type {kind}"
            raise WrongError(node, found, _any_of(sorted(kinds)), hint)
        self.present(node, kind, "arithmetic with")

    def arithmetic(self, node: ast.BinOp, sure: _Sure, expected: Kind | None) -> _Part:
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
            return _Part(Kind(left.kind.name), ast.BinOp(left.tree, node.op, right.tree))
        tree = ast.BinOp(left.tree, node.op, right.tree)
        if symbol == "+" and left.kind.name == right.kind.name == "array" and left.kind.items == right.kind.items:
            return _Part(left.kind, tree)
        kind = _arithmetic(symbol, left.kind.name, right.kind.name)
        if kind is None:
            found = f"{_source(node.left)} {symbol} {_source(node.right)}, of the types {left.kind} and {right.kind}"
            raise WrongError(node, found, "types that go together", self.conversion(symbol, left.kind, right.kind))
        if isinstance(node.op, _QUOTIENTS):
            self.divisor(node.right, right.kind)
        if self.scope.total and kind not in {*_NUMBERS, "string"}:
            raise WrongError(node, f"arithmetic with values of type {left.kind}", _any_of(sorted(_NUMBERS)))
        return _Part(Kind(kind), tree)

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
        self.number(node.left, left, (*_NUMBERS, "decimal"))
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if right.name != "integer" or not isinstance(exponent, int) or not 0 <= exponent <= _LARGEST_POWER:
            expected = f"a whole number from 0 to {_LARGEST_POWER}, written down; sqrt(…) is a function"
            raise WrongError(node.right, f"the exponent {_source(node.right)}", expected)
        if self.scope.total and left.name != "integer":
            raise WrongError(node, "a power that may be too large", "powers of integers")

    def comparison(self, node: ast.Compare, sure: _Sure) -> _Part:
        left_node, left = node.left, self.value(node.left, sure)
        trees: list[ast.expr] = []
        first = left.tree
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                right = self.membership(left_node, left, right_node, sure)
            elif isinstance(operator, (ast.Is, ast.IsNot)):
                if not (isinstance(right_node, ast.Constant) and right_node.value is None):
                    raise WrongError(right_node, f"is {_source(right_node)}", "is None, or is not None")
                if isinstance(left_node, ast.Constant):
                    raise WrongError(left_node, f"{_source(left_node)} is …", "a field, or an earlier output")
                right = self.value(right_node, sure)
            else:
                right = self.value(right_node, sure)
                if isinstance(operator, (ast.Eq, ast.NotEq)):
                    self.equal(left.kind, right_node, right.kind, left_node)
                else:
                    self.ordered(left_node, left.kind, right_node, right.kind)
            trees.append(right.tree)
            left_node, left = right_node, right
        return _Part(Kind("boolean"), ast.Compare(first, node.ops, trees))

    def membership(self, left_node: ast.expr, left: _Part, node: ast.expr, sure: _Sure) -> _Part:
        if isinstance(node, (ast.List, ast.Tuple)):
            if not node.elts:
                raise WrongError(node, _source(node), "a list of literals")
            for item in node.elts:
                if not isinstance(item, ast.Constant):
                    raise WrongError(item, _source(item), "a literal")
                self.equal(left.kind, item, self.value(item, sure).kind, left_node)
            items: list[ast.expr] = [self.value(item, sure).tree for item in node.elts]
            return _Part(Kind("array"), type(node)(items))
        part = self.value(node, sure)
        self.present(node, part.kind, "a search in")
        match part.kind.name:
            case "array" | "set" if part.kind.items is not None:
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
            raise WrongError(node, f"a comparison of {_source(left_node)} with what it never is", f"one of {shown}")

    def ordered(self, left_node: ast.expr, left: Kind, node: ast.expr, right: Kind) -> None:
        self.comparable(left, node, right, left_node)
        kinds = [kind for kind in _ORDERED if not (self.scope.total and kind == "datetime")]
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
        if kinds <= {*_NUMBERS, "decimal"} or "json" in kinds:
            return
        if len(kinds) > 1 or left.reference != right.reference or left.items != right.items:
            found = f"a comparison of {_source(left_node)}, of type {left}, with one of type {right}"
            raise WrongError(node, found, "values of the same type")

    def choice(self, node: ast.IfExp, sure: _Sure, expected: Kind | None) -> _Part:
        if isinstance(node.test, ast.Constant):
            raise WrongError(node.test, f"if {_source(node.test)}", "a condition that depends on something")
        test = self.condition(node.test, sure)
        true, false = _facts(node.test)
        body = self.value(node.body, sure | true, expected)
        orelse = self.value(node.orelse, sure | false, expected)
        kind = self.same(node.orelse, body.kind, orelse.kind, f"{_source(node.body)} or {_source(node.orelse)}")
        return _Part(kind, ast.IfExp(test.tree, body.tree, orelse.tree))

    def indexed(self, node: ast.Subscript, sure: _Sure) -> _Part:
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
        return _Part(kind, ast.Subscript(owner.tree, index.tree))

    def sliced(self, node: ast.Subscript, owner: _Part, part: ast.Slice, sure: _Sure) -> _Part:
        if owner.kind.name == "object" or part.step is not None:
            raise WrongError(node, _source(node), "a slice of an array or of text, without a step")
        bounds: list[ast.expr | None] = []
        for bound in (part.lower, part.upper):
            if bound is None:
                bounds.append(None)
                continue
            found = self.value(bound, sure)
            self.number(bound, found.kind, ("integer",))
            bounds.append(found.tree)
        return _Part(replace(owner.kind, values=None), ast.Subscript(owner.tree, ast.Slice(bounds[0], bounds[1])))

    def listed(self, node: ast.List, sure: _Sure, expected: Kind | None) -> _Part:
        if not node.elts:
            if expected is None or expected.name != "array":
                raise WrongError(node, "an empty list", "a list with items")
            return _Part(replace(expected, nullable=False), ast.List([]))
        suited = expected.items if expected else None
        parts = [self.value(item, sure, suited) for item in node.elts]
        kind = parts[0].kind
        for item, part in zip(node.elts, parts, strict=True):
            self.present(item, part.kind, "a list with")
            kind = self.same(item, kind, part.kind, f"a list with {_source(node.elts[0])} and {_source(item)}")
        items = _plain(_Part(kind, parts[0].tree), suited)
        return _Part(Kind("array", items=items), ast.List([part.tree for part in parts]))

    def loop(self, node: ast.ListComp | ast.GeneratorExp, sure: _Sure, expected: Kind | None) -> _Part:
        before = dict(self.locals)
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
        self.locals = before
        if isinstance(node, ast.ListComp):
            self.present(node.elt, item.kind, "a list with")
            return _Part(Kind("array", items=_plain(item, suited)), ast.ListComp(item.tree, generators))
        return _Part(Kind("generator", items=item.kind), ast.GeneratorExp(item.tree, generators))

    def generator(self, node: ast.comprehension, sure: _Sure) -> tuple[ast.comprehension, _Sure]:
        if node.is_async:
            raise WrongError(node.iter, "async", "a loop as in `for line in input.lines`")
        paired = isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id in LOOPS
        if paired and isinstance(node.iter, ast.Call):
            kinds, iterated = self.calls.looped(node.iter, sure)
        else:
            part = self.value(node.iter, sure)
            self.present(node.iter, part.kind, "a loop over")
            if part.kind.name != "array":
                raise WrongError(node.iter, f"a loop over {_source(node.iter)}, of type {part.kind}", "an array")
            kinds, iterated = [part.kind.items or Kind("json", nullable=True)], part.tree
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        if len(targets) != len(kinds) or (isinstance(node.target, ast.Tuple) and len(kinds) == 1):
            wanted = "one name, as in `for line in input.lines`" if len(kinds) == 1 else f"{len(kinds)} names"
            raise WrongError(node.target, _source(node.target), wanted)
        made: list[ast.expr] = [self.variable(one, kind) for one, kind in zip(targets, kinds, strict=True)]
        target = made[0] if len(made) == 1 else ast.Tuple(made)
        tests: list[ast.expr] = []
        for test in node.ifs:
            tests.append(self.condition(test, sure).tree)
            sure |= _facts(test)[0]
        return ast.comprehension(target, iterated, tests, 0), sure

    def variable(self, node: ast.expr, kind: Kind) -> ast.Name:
        """Add the variable of a loop to the names that are known."""
        if not isinstance(node, ast.Name):
            raise WrongError(node, _source(node), "one name, as in `for line in input.lines`")
        name = node.id
        if name == self.scope.root or name in self.locals or name in self.scope.known:
            raise WrongError(node, f"the name {show(name)} a second time", "a name of its own")
        if not re.fullmatch(r"[a-z][a-z0-9_]*|_", name):
            raise WrongError(node, f"the name {show(name)}", "a name in snake_case")
        code = local_name(name, {code for _, code in (*self.locals.values(), *self.scope.known.values())})
        self.locals[name] = (kind, code)
        return ast.Name(code)


def local_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a local variable in generated code: the contract's, unless it would hide another."""
    code = f"{name}_" if name in _TAKEN else name
    while code in taken:
        code += "_"
    return code


def _has_literal_type(tree: ast.expr) -> bool:
    """Tell whether values come from fields whose type is a list of values, which mypy remembers."""
    item = tree.elt if isinstance(tree, ast.GeneratorExp) else tree
    return isinstance(item, (ast.Attribute, ast.Name, ast.Subscript))


_STARTS: Final[Mapping[str, tuple[str, str, tuple[int, ...]]]] = {
    "decimal": ("decimal", "Decimal", (0,)),
    "duration": ("datetime", "timedelta", ()),
}
type _Function = Callable[["_Calls", ast.Call, list[_Part]], _Part]


class _Calls:
    """Judges calls of the functions that there are."""

    def __init__(self, judge: _Judge) -> None:
        self.judge = judge

    def call(self, node: ast.Call, sure: _Sure) -> _Part:
        if not isinstance(node.func, ast.Name):
            called = f".{node.func.attr}(…)" if isinstance(node.func, ast.Attribute) else _word(node.func)
            expected = f"functions: {', '.join(sorted(FUNCTIONS))}"
            hint = did_you_mean(node.func.attr, FUNCTIONS) if isinstance(node.func, ast.Attribute) else ""
            raise WrongError(node, f"the call {called}", expected, hint)
        name = node.func.id
        if name in self.judge.scope.models:
            return self.model(node, name, sure)
        if name in LOOPS:
            raise WrongError(node, f"{name}(…) outside of a loop", f"a loop over it, as in [… for … in {name}(…)]")
        if name not in FUNCTIONS:
            expected = f"one of {', '.join(sorted(FUNCTIONS))}"
            raise WrongError(node, f"the function {show(name)}", expected, did_you_mean(name, FUNCTIONS))
        function = FUNCTIONS[name]
        for word in node.keywords:
            if word.arg is None or word.arg not in function.keywords:
                expected = f"{' or '.join(function.keywords)} alone" if function.keywords else "arguments without names"
                raise WrongError(word, f"{word.arg or '**'} in a call of {name}", expected)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise WrongError(argument, "an argument with a star", "arguments one by one")
        if not function.least <= len(node.args) <= function.most:
            wanted = f"{function.least}" if function.least == function.most else f"{function.least} to {function.most}"
            raise WrongError(node, f"{len(node.args)} arguments of {name}", wanted)
        parts = [self.judge.value(argument, sure) for argument in node.args]
        for argument, part in zip(node.args, parts, strict=True):
            if part.kind.name == "generator" and not function.takes_generator:
                raise WrongError(argument, f"a generator in {name}(…)", "a list, as in [… for … in …]")
            if name not in {"bool", "any", "all"}:
                self.judge.present(argument, part.kind, f"{name}(…) of")
        return function.judge(self, node, parts)

    def model(self, node: ast.Call, name: str, sure: _Sure) -> _Part:
        """Judge a call that makes a model from its fields."""
        if self.judge.scope.total:
            raise WrongError(node, f"{name}(…), which may have no value", "what always has a value")
        fields = self.judge.scope.models[name]
        if node.args:
            raise WrongError(node.args[0], f"a field of {name} without its name", f"{next(iter(fields))}=…")
        words: dict[str, ast.expr] = {}
        for word in node.keywords:
            if word.arg is None or word.arg not in fields:
                found = f"the unknown field {show(word.arg or '**')}"
                raise WrongError(word, found, f"a field of {name}", did_you_mean(word.arg, fields))
            part = self.judge.value(word.value, sure, fields[word.arg])
            _assignable(word.value, part.kind, fields[word.arg])
            words[word.arg] = part.tree
        if missing := [
            field for field in fields if field not in words and field not in self.judge.scope.optional[name]
        ]:
            raise WrongError(node, f"{name}(…) without {missing[0]}", f"a value: {missing[0]} is required")
        self.judge.used_models.add(name)
        keywords = [ast.keyword(field, tree) for field, tree in words.items()]
        return _Part(Kind("model", name), ast.Call(ast.Name(f"Model{name}"), [], keywords))

    def looped(self, node: ast.Call, sure: _Sure) -> tuple[list[Kind], ast.expr]:
        """Judge a call that gives what a loop goes over: the types of the loop's variables, and the code."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        keywords: list[ast.keyword] = []
        for word in node.keywords:
            strict = word.value.value if isinstance(word.value, ast.Constant) else None
            if name != "zip" or word.arg != "strict" or not isinstance(strict, bool) or self.judge.scope.total:
                raise WrongError(word, f"{word.arg or '**'} in a call of {name}", "arguments without names")
            keywords.append(ast.keyword("strict", ast.Constant(strict)))
        least, most = LOOPS[name]
        if not least <= len(node.args) <= most:
            raise WrongError(node, f"{len(node.args)} arguments of {name}", f"{least} to {most}")
        parts = [self.judge.value(argument, sure) for argument in node.args]
        for argument, part in zip(node.args, parts, strict=True):
            self.judge.present(argument, part.kind, f"{name}(…) of")
        trees = [part.tree for part in parts]
        if name == "range":
            for argument, part in zip(node.args, parts, strict=True):
                self.judge.number(argument, part.kind, ("integer",))
                if not _is_bounded(argument):
                    expected = f"whole numbers up to {_LONGEST_RANGE}, len(…), and what is added to it"
                    raise WrongError(argument, f"range(…) of {_source(argument)}, which may be huge", expected)
            return [Kind("integer")], ast.Call(ast.Name(name), trees, [])
        if name == "zip" and not keywords:
            keywords.append(ast.keyword("strict", ast.Constant(False)))
        arrays = parts[:1] if name == "enumerate" else parts
        for argument, part in zip(node.args, arrays, strict=False):
            if part.kind.name != "array":
                raise WrongError(argument, f"{name}(…) of {_source(argument)}, of type {part.kind}", "an array")
        kinds = [part.kind.items or Kind("json", nullable=True) for part in arrays]
        if name == "enumerate":
            for argument, part in zip(node.args[1:], parts[1:], strict=True):
                self.judge.number(argument, part.kind, ("integer",))
            kinds.insert(0, Kind("integer"))
        return kinds, ast.Call(ast.Name(name), trees, keywords)

    def different(self, node: ast.Call, parts: list[_Part]) -> _Part:
        kinds = ("boolean", "date", "datetime", "decimal", "duration", "enum", "integer", "number", "string", "uuid")
        kind = self.items(node, parts[0], kinds)
        return self.made(node, Kind("set", items=replace(kind, values=None)), [parts[0].tree])

    def made(self, node: ast.Call, kind: Kind, trees: Sequence[ast.expr], code: str = "") -> _Part:
        name = code or (node.func.id if isinstance(node.func, ast.Name) else "")
        return _Part(kind, ast.Call(ast.Name(name), list(trees), []))

    def items(self, node: ast.Call, part: _Part, kinds: Collection[str]) -> Kind:
        """Return the type of what an array or a generator holds, which has to be one of some."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        # The items of a set are in no order, which sums of floats depend on.
        held = {"array", "generator", "set"} if name in {"max", "min", "sorted"} else {"array", "generator"}
        if part.kind.name not in held:
            found = f"{name}(…) of {_source(node.args[0])}, of type {part.kind}"
            raise WrongError(node.args[0], found, "an array, or a generator as in (… for … in …)")
        kind = part.kind.items or Kind("json")
        if kind.nullable:
            raise WrongError(node.args[0], f"{name}(…) of values that may be null", "if … is not None in the loop")
        if kind.name not in kinds:
            raise WrongError(node.args[0], f"{name}(…) of values of type {kind}", _any_of(kinds))
        return kind

    def sum(self, node: ast.Call, parts: list[_Part]) -> _Part:
        kind = self.items(node, parts[0], (*sorted(_NUMBERS), "boolean", "decimal", "duration"))
        trees = [parts[0].tree]
        # Without values, a sum is the 0 of its type.
        if kind.name == "number":
            trees.append(ast.Constant(0.0))
        elif kind.name == "integer" and kind.values is not None and _has_literal_type(parts[0].tree):
            trees.append(ast.Constant(0))
        elif kind.name in _STARTS:
            module, name, arguments = _STARTS[kind.name]
            self.judge.used_modules.add((module, name))
            trees.append(ast.Call(ast.Name(name), [ast.Constant(argument) for argument in arguments], []))
        return self.made(node, Kind("integer" if kind.name == "boolean" else kind.name), trees)

    def length(self, node: ast.Call, parts: list[_Part]) -> _Part:
        if parts[0].kind.name not in {"array", "string", "object", "bytes", "set"}:
            raise WrongError(node.args[0], f"len(…) of {parts[0].kind}", "an array, text, bytes, or an object")
        return self.made(node, Kind("integer"), [parts[0].tree])

    def extreme(self, node: ast.Call, parts: list[_Part]) -> _Part:
        default = next((word.value for word in node.keywords), None)
        kinds = [kind for kind in _ORDERED if not (self.judge.scope.total and kind == "datetime")]
        if len(parts) == 1:
            kind = self.items(node, parts[0], kinds)
            if default is None and self.judge.scope.total:
                raise WrongError(node, "what may be the least or most of nothing", "default=…")
        else:
            if default is not None:
                raise WrongError(node, "default with several values", "default with an array alone")
            kind = parts[0].kind
            for argument, part in zip(node.args, parts, strict=True):
                if part.kind.name not in kinds:
                    raise WrongError(argument, f"an order of values of type {part.kind}", _any_of(kinds))
                kind = self.judge.same(argument, kind, part.kind, f"{_source(node.args[0])} and {_source(argument)}")
        made = self.made(node, replace(kind, values=None), [part.tree for part in parts])
        if default is None:
            return made
        # In a loop of its own: a default is worked out outside of the generator.
        other = self.judge.value(default, frozenset())
        kind = self.judge.same(default, kind, other.kind, f"the values and {_source(default)}")
        tree = made.tree
        if isinstance(tree, ast.Call):
            tree.keywords.append(ast.keyword("default", other.tree))
        return _Part(replace(kind, values=None), tree)

    def absolute(self, node: ast.Call, parts: list[_Part]) -> _Part:
        self.judge.number(node.args[0], parts[0].kind, (*_NUMBERS, "decimal", "duration"))
        return self.made(node, Kind(parts[0].kind.name), [parts[0].tree])

    def rounded(self, node: ast.Call, parts: list[_Part]) -> _Part:
        self.judge.number(node.args[0], parts[0].kind, (*_NUMBERS, "decimal"))
        self.not_total(node, parts[0].kind)
        if len(parts) == 1:
            return self.made(node, Kind("integer"), [parts[0].tree])
        self.judge.number(node.args[1], parts[1].kind, ("integer",))
        return self.made(node, Kind(parts[0].kind.name), [part.tree for part in parts])

    def not_total(self, node: ast.Call, kind: Kind) -> None:
        if self.judge.scope.total and kind.name != "integer":
            raise WrongError(node, f"{_source(node)}, which may have no value", "what always has a value")

    def ordered(self, node: ast.Call, parts: list[_Part]) -> _Part:
        kinds = [kind for kind in _ORDERED if not (self.judge.scope.total and kind == "datetime")]
        kind = self.items(node, parts[0], kinds)
        made = self.made(node, Kind("array", items=replace(kind, values=None)), [parts[0].tree])
        for word in node.keywords:
            if not isinstance(word.value, ast.Constant) or not isinstance(word.value.value, bool):
                raise WrongError(word.value, f"reverse={_source(word.value)}", "reverse=True")
            if isinstance(made.tree, ast.Call):
                made.tree.keywords.append(ast.keyword("reverse", ast.Constant(word.value.value)))
        return made

    def truth(self, node: ast.Call, parts: list[_Part]) -> _Part:
        if parts[0].kind.name not in {"array", "generator"}:
            found = f"{_source(node.args[0])}, of type {parts[0].kind}"
            raise WrongError(node.args[0], found, "an array, or a generator as in (… for … in …)")
        return self.made(node, Kind("boolean"), [parts[0].tree])

    def whole(self, node: ast.Call, parts: list[_Part]) -> _Part:
        self.convertible(node, parts[0].kind, ("boolean", "decimal", "integer", "number", "string"))
        return self.made(node, Kind("integer"), [parts[0].tree])

    def real(self, node: ast.Call, parts: list[_Part]) -> _Part:
        self.convertible(node, parts[0].kind, ("boolean", "decimal", "integer", "number", "string"))
        return self.made(node, Kind("number"), [parts[0].tree])

    def decimal(self, node: ast.Call, parts: list[_Part]) -> _Part:
        kind = parts[0].kind
        if kind.name == "number":
            hint = "decimal('1.5') for a literal, decimal(str(…)) for a field"
            raise WrongError(node.args[0], "decimal(…) of a number, which is not exact", "text or an integer", hint)
        self.convertible(node, kind, ("decimal", "integer", "string"))
        self.judge.used_modules.add(("decimal", "Decimal"))
        return self.made(node, Kind("decimal"), [parts[0].tree], "Decimal")

    def convertible(self, node: ast.Call, kind: Kind, kinds: Collection[str]) -> None:
        if kind.name not in kinds:
            raise WrongError(node.args[0], f"{_source(node)}, of type {kind}", _any_of(kinds))
        if self.judge.scope.total and kind.name not in {"boolean", "integer"}:
            raise WrongError(node, f"{_source(node)}, which may have no value", "what always has a value")

    def text(self, node: ast.Call, parts: list[_Part]) -> _Part:
        kinds = ("boolean", "date", "datetime", "decimal", "duration", "enum", "integer", "number", "string", "uuid")
        if parts[0].kind.name not in kinds:
            raise WrongError(node.args[0], f"str(…) of {parts[0].kind}", _any_of(kinds))
        if self.judge.scope.total and parts[0].kind.name == "integer":
            raise WrongError(node, "text of an integer, which may be too long", "what always has a value")
        return self.made(node, Kind("string"), [parts[0].tree])

    def boolean(self, node: ast.Call, parts: list[_Part]) -> _Part:
        if parts[0].kind.name == "generator":
            raise WrongError(node.args[0], "a generator, which is always true", "any(…), or all(…)")
        return self.made(node, Kind("boolean"), [parts[0].tree])

    def from_math(self, node: ast.Call, parts: list[_Part]) -> _Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        kinds = _NUMBERS if name == "sqrt" else (*_NUMBERS, "decimal")
        self.judge.number(node.args[0], parts[0].kind, kinds)
        if self.judge.scope.total:
            raise WrongError(node, f"{name}(…), which may have no value", "what always has a value")
        self.judge.used_modules.add(("math", name))
        return self.made(node, Kind("number" if name == "sqrt" else "integer"), [parts[0].tree])

    def of_text(self, node: ast.Call, parts: list[_Part]) -> _Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if parts[0].kind.name != "string":
            raise WrongError(node.args[0], f"{name}(…) of {parts[0].kind}", "text")
        return _Part(Kind("string"), ast.Call(ast.Attribute(parts[0].tree, name), [], []))

    def seconds(self, node: ast.Call, parts: list[_Part]) -> _Part:
        if parts[0].kind.name != "duration":
            raise WrongError(node.args[0], f"seconds(…) of {parts[0].kind}", "a duration")
        return _Part(Kind("number"), ast.Call(ast.Attribute(parts[0].tree, "total_seconds"), [], []))


@dataclass(frozen=True, slots=True)
class Function:
    """A function of expressions: how it is judged, how many arguments it takes, and what it is for, for people."""

    judge: _Function
    meaning: str
    least: int = 1
    most: int = 1
    keywords: tuple[str, ...] = ()
    takes_generator: bool = False


_MANY: Final = 100
FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": Function(_Calls.absolute, "the number without its sign"),
    "all": Function(_Calls.truth, "whether all items are true", takes_generator=True),
    "any": Function(_Calls.truth, "whether any item is true", takes_generator=True),
    "bool": Function(_Calls.boolean, "whether it is neither 0, nor empty, nor None"),
    "ceil": Function(_Calls.from_math, "the next integer above"),
    "decimal": Function(_Calls.decimal, "a decimal from text or from an integer"),
    "float": Function(_Calls.real, "a number from text, a decimal or an integer"),
    "floor": Function(_Calls.from_math, "the next integer below"),
    "int": Function(_Calls.whole, "an integer from text or from a number, cut off"),
    "len": Function(_Calls.length, "how many items or characters"),
    "lower": Function(_Calls.of_text, "text in lower case"),
    "max": Function(_Calls.extreme, "the largest", 1, _MANY, ("default",), takes_generator=True),
    "min": Function(_Calls.extreme, "the smallest", 1, _MANY, ("default",), takes_generator=True),
    "round": Function(_Calls.rounded, "the nearest integer, or so many digits; halves to the even side", 1, 2),
    "set": Function(_Calls.different, "the items, each once, to be counted, sorted or searched", takes_generator=True),
    "seconds": Function(_Calls.seconds, "the seconds of a duration"),
    "sorted": Function(_Calls.ordered, "the items in order", keywords=("reverse",), takes_generator=True),
    "sqrt": Function(_Calls.from_math, "the square root"),
    "str": Function(_Calls.text, "the value as text"),
    "strip": Function(_Calls.of_text, "text without spaces around it"),
    "sum": Function(_Calls.sum, "the sum", takes_generator=True),
    "upper": Function(_Calls.of_text, "text in upper case"),
}
"""The functions that expressions may call."""
LOOPS: Final[Mapping[str, tuple[int, int]]] = {"enumerate": (1, 2), "range": (1, 2), "zip": (2, 5)}
"""The functions that loops may go over, and how many arguments they take."""


def _is_bounded(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return isinstance(node.value, int) and abs(node.value) <= _LONGEST_RANGE
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return _is_bounded(node.left) and _is_bounded(node.right)
        case ast.UnaryOp():
            return _is_bounded(node.operand)
        case _:
            return False


def fits(kind: Kind, expected: Kind) -> bool:
    """Tell whether a field of one type can take the value of a field of another."""
    try:
        _assignable(ast.Constant(None), kind, expected)
    except WrongError:
        return False
    return True


def _assignable(node: ast.expr, kind: Kind, expected: Kind) -> None:
    """Refuse a value that a field can't hold."""
    found = f"{_source(node)}, of type {kind}"
    if kind.name == "null" and expected.nullable:
        return
    if kind.nullable and not expected.nullable:
        raise WrongError(node, f"{_source(node)}, which may be null", f"a value, or required: false of type {expected}")
    numbers = kind.name == "integer" and expected.name == "number"
    if not numbers and (kind.name, kind.reference) != (expected.name, expected.reference):
        hint = ""
        if kind.name == "number" and expected.name == "integer":
            hint = "round(…), int(…), floor(…) and ceil(…) make one"
        elif expected.name == "decimal" and kind.name in {"integer", "string"}:
            hint = "decimal(…) makes one"
        elif expected.name == "string":
            hint = "str(…) makes text"
        raise WrongError(node, found, str(expected), hint)
    if not _same_items(kind.items, expected.items):
        raise WrongError(node, found, str(expected))
    if expected.values is not None and (kind.values is None or not kind.values <= expected.values):
        shown = ", ".join(map(str, sorted(expected.values, key=str)))
        raise WrongError(node, _source(node), f"one of {shown}, in a form in which that can be seen")


def _same_items(kind: Kind | None, expected: Kind | None) -> bool:
    if kind is None or expected is None:
        return kind is expected
    same = (kind.name, kind.reference, kind.values) == (expected.name, expected.reference, expected.values)
    return same and _same_items(kind.items, expected.items)


def _plain(part: _Part, suited: Kind | None) -> Kind:
    """Return the type of a list's items: without the values that they happen to have, unless those are asked for."""
    kind = part.kind
    if suited is None and _has_literal_type(part.tree):
        return kind
    if suited is not None and suited.values is not None and kind.values is not None and kind.values <= suited.values:
        return replace(kind, values=suited.values)
    if suited is not None and (suited.name, kind.name) == ("number", "integer"):
        return Kind("number")
    return replace(kind, values=None)


def _facts(node: ast.expr) -> tuple[_Sure, _Sure]:
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


def _source(node: ast.expr) -> str:
    text = ast.unparse(node)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _any_of(kinds: Collection[str]) -> str:
    return f"one of {', '.join(kinds)}"


_WORDS: Final[Mapping[type[ast.AST], str]] = {
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment inside of an expression",
    ast.JoinedStr: "an f-string",
    ast.Dict: "a mapping",
    ast.Set: "a set",
    ast.Tuple: "a tuple",
    ast.DictComp: "a comprehension of a mapping",
    ast.SetComp: "a comprehension of a set",
    ast.Starred: "a star",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Slice: "a slice",
}


def _word(node: ast.AST) -> str:
    return _WORDS.get(type(node), type(node).__name__.lower())
