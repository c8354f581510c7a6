"""What expressions are made of: literals, names and fields."""

import ast
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from ..text.problems import did_you_mean, show
from . import names, spelled
from .kinds import (
    NUMBERS,
    Kind,
    Part,
    Scope,
    Sure,
    WrongError,
    any_of,
    code_of,
)
from .work import ANY, INPUT_BITS, ONE, Rounds

INPUT: Final = "input"
EVENT: Final = "event"
_LONGEST_TEXT, _LITERAL_BITS = 200, 63
_UNWANTED: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\ud800-\\udfff]")


class Values(ABC):
    """Judges literals, names and fields. Each method returns the part's type and its code, or raises WrongError."""

    def __init__(self, scope: Scope) -> None:
        """Begin an expression that may name what is in this scope."""
        self.scope = scope
        # Whether it runs in a process of its own, which its deadline ends: conditions run where all else does.
        self.apart = not scope.total
        self.locals: dict[str, tuple[Kind, str]] = {}
        self.loops = 0
        self.rounds = Rounds()
        self.around = ONE
        # Variables of loops whose items, all together, are counted already.
        self.counted: set[str] = set()
        self.used_enums: set[str] = set()
        self.used_models: set[str] = set()
        self.used_modules: set[tuple[str, str]] = set()

    @abstractmethod
    def value(self, node: ast.expr, sure: Sure, expected: Kind | None = None) -> Part:
        """Judge a part whose value is used; `expected` is the type that would suit, if one is known."""

    @abstractmethod
    def condition(self, node: ast.expr, sure: Sure) -> Part:
        """Judge a part of which only the truth is used."""

    def constant(self, node: ast.Constant, expected: Kind | None) -> Part:
        """Judge a literal."""
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
        if isinstance(value, str) and (found := next(spelled.references(value), None)):
            expected_words = "a name outside of quotes, such as input.name: text is not filled in"
            raise WrongError(node, show(found), expected_words, "meant as it stands: '$' + '{…}'")
        if isinstance(value, float) and not math.isfinite(value):
            raise WrongError(node, "a number without end", "a finite number")
        if isinstance(value, int) and value.bit_length() > _LITERAL_BITS:
            raise WrongError(node, "a huge number", "a number that fits in 64 bits")
        bits = value.bit_length() if isinstance(value, int) else INPUT_BITS
        return Part(Kind(kind, nullable=value is None, values=frozenset({value}), bits=bits), ast.Constant(value))

    def member(self, node: ast.Constant, value: str, expected: Kind) -> Part:
        """Judge a literal where a value of an enum is wanted."""
        values = self.scope.enums[expected.reference]
        if value not in values:
            raise WrongError(node, show(value), f"one of {', '.join(values)}", did_you_mean(value, values))
        self.used_enums.add(expected.reference)
        enum = ast.Name(names.enum_class(expected.reference))
        return Part(Kind("enum", expected.reference), ast.Attribute(enum, names.members(values)[value]))

    def name(self, node: ast.Name, sure: Sure) -> Part:
        """Judge a name."""
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
        """Return a name that there is, for messages."""
        return f"{self.scope.root}.{next(iter(self.scope.fields), 'name')}"

    def attribute(self, node: ast.Attribute, sure: Sure) -> Part:
        """Judge a field."""
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

    def called(self, function: Callable[[list[Part]], Part], parts: list[Part]) -> Part:
        """Judge a call of a function, given how it is judged for arguments whose types are known."""
        return function(parts)

    def as_array(self, part: Part) -> Part:
        """Return what a loop goes over, as far as its type is known."""
        return part

    def present(self, node: ast.expr, kind: Kind, use: str) -> None:
        """Refuse a value that may be None where it is used as one that is not."""
        if kind.nullable:
            code = code_of(node)
            guard = f"… if {code} is not None else …" if self.scope.root == INPUT else f"{code} is not None and …"
            raise WrongError(node, f"{use} {code}, which may be null", guard)

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

    def number(self, node: ast.expr, kind: Kind, kinds: Collection[str] = NUMBERS) -> None:
        """Refuse what there is no arithmetic with."""
        if kind.name not in kinds:
            hint = "a condition counts as `1 if … else 0`" if kind.name == "boolean" else ""
            found = f"arithmetic with {code_of(node)}, of type {kind}"
            raise WrongError(node, found, any_of(sorted(kinds)), hint)
        self.present(node, kind, "arithmetic with")

    def passed_over(self, *kinds: Kind) -> None:
        """Note that all items of values, of arrays, are looked at, once in each round of the loops around."""
        for kind in kinds:
            if kind.name in {"array", "set"}:
                self.rounds.note(self.around.times(kind.size))

    def read_through(self, node: ast.expr, kind: Kind) -> None:
        """Note a text that is read in each round of the loops around, though it comes from outside of them.

        It matters not where a deadline ends what takes too long.
        """
        outside = not any(isinstance(part, ast.Name) and part.id in self.locals for part in ast.walk(node))
        if not self.apart and outside and kind.name in {"string", "object"} and not isinstance(node, ast.Constant):
            self.rounds.note(self.around.times(ANY))


def facts(node: ast.expr) -> tuple[Sure, Sure]:
    """Return what is not None where a condition is true, and where it is false."""
    match node:
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return frozenset({ast.unparse(left)}), frozenset()
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return frozenset(), frozenset({ast.unparse(left)})
        case ast.Attribute() | ast.Name():
            return frozenset({ast.unparse(node)}), frozenset()
        case ast.UnaryOp(op=ast.Not()):
            return facts(node.operand)[::-1]
        case ast.BoolOp():
            found = [facts(value) for value in node.values]
            if isinstance(node.op, ast.And):
                return frozenset().union(*(true for true, _ in found)), frozenset()
            return frozenset(), frozenset().union(*(false for _, false in found))
        case _:
            return frozenset(), frozenset()
