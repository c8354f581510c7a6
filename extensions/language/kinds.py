"""Types of values in expressions, and what values of one type may stand for."""

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..text.specs import Specs
from .work import ANY, INPUT_BITS, Size, size_of

type Sure = frozenset[str]
"""The fields and names, as code of the contract, that are known not to be None."""

NUMBERS: Final = frozenset({"integer", "number"})
ORDERED: Final = ("date", "datetime", "decimal", "duration", "integer", "number", "string", "time")
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value.

    Attributes:
        name: A type of the contract language, or `enum`, `model`, `null`, `json` (any value of JSON), or `generator`.
        reference: The enum or model.
        items: What an array, an object or a generator holds; None for anything.
        nullable: Whether it may be None.
        values: The only values that it may have, where they are known.
        bits: Of a whole number, how many bits it may have.
        size: Of an array or a set, how many items it may have.
    """

    name: str
    reference: str = ""
    items: "Kind | None" = None
    nullable: bool = False
    values: frozenset[object] | None = None
    bits: int = field(default=INPUT_BITS, compare=False)
    size: Size = field(default=ANY, compare=False)

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
class Part:
    """A part of an expression: its type, and its code."""

    kind: Kind
    tree: ast.expr


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
    values = [long["const"]] if "const" in long else long.get("enum")
    held = long.get("items") or long.get("values")
    return Kind(
        name=name,
        reference=word if name in {"enum", "model"} else "",
        items=replace(kind_of(held, enums, models), nullable=False) if held else None,
        nullable=long.get("required", True) is False,
        values=frozenset(values) if isinstance(values, (list, tuple)) else None,
        size=size_of(long),
    )


def fits(kind: Kind, expected: Kind) -> bool:
    """Tell whether a field of one type can take the value of a field of another."""
    try:
        assignable(ast.Constant(None), kind, expected)
    except WrongError:
        return False
    return True


def assignable(node: ast.expr, kind: Kind, expected: Kind) -> None:
    """Refuse a value that a field can't hold."""
    found = f"{code_of(node)}, of type {kind}"
    if kind.name == "null" and expected.nullable:
        return
    if kind.nullable and not expected.nullable:
        raise WrongError(node, f"{code_of(node)}, which may be null", f"a value, or required: false of type {expected}")
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
        raise WrongError(node, code_of(node), f"one of {shown}, in a form in which that can be seen")


def _same_items(kind: Kind | None, expected: Kind | None) -> bool:
    if kind is None or expected is None:
        return kind is expected
    same = (kind.name, kind.reference, kind.values) == (expected.name, expected.reference, expected.values)
    return same and _same_items(kind.items, expected.items)


def item_kind(part: Part, suited: Kind | None) -> Kind:
    """Return the type of a list's items: without the values that they happen to have, unless those are asked for."""
    kind = part.kind
    if suited is None and has_literal_type(part.tree):
        return kind
    if suited is not None and suited.values is not None and kind.values is not None and kind.values <= suited.values:
        return replace(kind, values=suited.values)
    if suited is not None and (suited.name, kind.name) == ("number", "integer"):
        return Kind("number")
    return replace(kind, values=None)


def has_literal_type(tree: ast.expr) -> bool:
    """Tell whether values come from fields whose type is a list of values, which mypy remembers."""
    item = tree.elt if isinstance(tree, ast.GeneratorExp) else tree
    return isinstance(item, (ast.Attribute, ast.Name, ast.Subscript))


def code_of(node: ast.expr) -> str:
    """Return a part of an expression for an error message."""
    text = ast.unparse(node)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def any_of(kinds: Collection[str]) -> str:
    """Return what is expected where one of some types is."""
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


def word_of(node: ast.AST) -> str:
    """Return what a part of an expression is, for an error message."""
    return _WORDS.get(type(node), type(node).__name__.lower())
