"""Writes expressions as `ruff format` leaves them: from trees alone, so that no text of a contract gets through."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from . import encode

_OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not ",
    ast.USub: "-",
    ast.UAdd: "+",
}
_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(10)
_BINARY: Final[dict[type[ast.operator], int]] = {
    ast.Add: _SUM,
    ast.Sub: _SUM,
    ast.Mult: _PRODUCT,
    ast.Div: _PRODUCT,
    ast.FloorDiv: _PRODUCT,
    ast.Mod: _PRODUCT,
    ast.Pow: _POWER,
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A place for a line break; on one line it is this text."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class _Group:
    """Parts that are on one line together, or broken together."""

    parts: "tuple[_Doc, ...]"


@dataclass(frozen=True, slots=True)
class _Block:
    """Parts inside of brackets, indented where they are broken; a comma ends them there if they are several."""

    opening: str
    parts: "tuple[_Doc, ...]"
    closing: str
    comma: bool


type _Doc = str | _Line | _Group | _Block


def assignment(target: str, value: ast.expr, indent: int) -> str:
    """Return an assignment.

    Args:
        target: What is assigned to, perhaps with an annotation.
        value: What is assigned.
        indent: Columns by which the statement is indented.

    Returns:
        The statement, without the indent of its first line.
    """
    head = f"{target} = "
    doc = _doc(value)
    line = head + _flat(doc)
    if indent + encode.width(line) <= encode.LINE_LENGTH:
        return line
    if _has_own_brackets(value):
        return _printed((head, *_parts(doc)), indent)
    if _splits_at_its_ends(value):
        text = _printed((head, *_without_lines(doc)), indent)
        if all(encode.width(part) <= encode.LINE_LENGTH for part in _with_indent(text, indent)):
            return text
    return _printed((head, _Block("(", (_Group(_parts(doc)),), ")", comma=False)), indent)


def argument(value: str, indent: int, name: str = "") -> str:
    """Return an argument that is on a line of its own.

    Args:
        value: What is passed, as code on one line.
        indent: Columns by which the line is indented.
        name: The keyword, if there is one.

    Returns:
        The argument without the indent of its first line, and without the comma after it.
    """
    head = f"{name}=" * bool(name)
    if indent + encode.width(f"{head}{value},") <= encode.LINE_LENGTH:
        return f"{head}{value}"
    return _printed((_Group((head, _doc(ast.parse(value, mode="eval").body))), ","), indent)[:-1]


def one_line(value: ast.expr) -> str:
    """Return an expression on one line."""
    return _flat(_doc(value))


def operands(tree: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return what joins the parts of a condition, `and` or `or`, and the parts."""
    if isinstance(tree, ast.BoolOp):
        return ("and" if isinstance(tree.op, ast.And) else "or"), tree.values
    return "and", [tree]


def condition(tree: ast.expr | None, *, further: Sequence[str] = (), column: int, indent: int) -> str:
    """Return a condition.

    Args:
        tree: The condition, if there is one.
        further: Conditions, as code, that have to hold as well.
        column: Where it begins, and how much else there is on its line.
        indent: Columns by which its statement is indented.

    Returns:
        The code: on one line where it fits, else in parentheses, one part a line.
    """
    word, parts = operands(tree) if tree is not None else ("and", [])
    written = [_flat(_operand(part, _NOT if len(parts) > 1 else _CONDITIONAL)) for part in parts]
    if further and word == "or":
        written = [f"({' or '.join(written)})"] if len(written) > 1 else written
    written += further
    joint = "and" if further else word
    line = f" {joint} ".join(written)
    if column + encode.width(line) <= encode.LINE_LENGTH or len(written) == 1:
        return line
    pad = " " * (indent + 4)
    return "(\n" + pad + f"\n{pad}{joint} ".join(written) + "\n" + " " * indent + ")"


def _with_indent(text: str, indent: int) -> Iterator[str]:
    first, *others = text.split("\n")
    yield " " * indent + first
    yield from others


def _has_own_brackets(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _has_own_brackets(node.operand) or _level(node.operand) < _level(node)
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return True
    return isinstance(node, (ast.Call, ast.List, ast.ListComp, ast.Constant, ast.Name))


def _splits_at_its_ends(node: ast.expr) -> bool:
    """Tell whether the formatter would rather break the brackets at an end than add some around all."""
    chain = node.operand if isinstance(node, ast.UnaryOp) else node
    if not isinstance(chain, (ast.BinOp, ast.Compare, ast.BoolOp)):
        return False
    operators = sum(isinstance(part, _Line) for part in _chain(chain))
    return operators == 1 and (isinstance(_first(_doc(node)), _Block) or _ends_in_brackets(chain))


def _first(doc: _Doc) -> _Doc:
    return _first(doc.parts[0]) if isinstance(doc, _Group) else doc


def _ends_in_brackets(node: ast.expr) -> bool:
    match node:
        case ast.BinOp():
            last, least = node.right, _level(node) + (0 if isinstance(node.op, ast.Pow) else 1)
        case ast.Compare():
            last, least = node.comparators[-1], _SUM
        case ast.BoolOp():
            last, least = node.values[-1], _NOT
        case ast.UnaryOp():
            last, least = node.operand, _level(node)
        case _:
            return isinstance(node, (ast.Call, ast.List, ast.ListComp))
    return _level(last) < least or _ends_in_brackets(last)


def _flattened(node: ast.expr) -> Iterator[ast.expr | str]:
    match node:
        case ast.BinOp():
            yield from (node.left, _OPERATORS[type(node.op)], node.right)
        case ast.Compare():
            yield node.left
            for operator, right in zip(node.ops, node.comparators, strict=True):
                yield from (_OPERATORS[type(operator)], right)
        case ast.BoolOp():
            yield node.values[0]
            for value in node.values[1:]:
                yield from (_OPERATORS[type(node.op)], value)


def _level(node: ast.expr) -> int:
    match node:
        case ast.IfExp():
            return _CONDITIONAL
        case ast.BoolOp():
            return _OR if isinstance(node.op, ast.Or) else _AND
        case ast.UnaryOp():
            return _NOT if isinstance(node.op, ast.Not) else _SIGN
        case ast.Compare():
            return _COMPARISON
        case ast.BinOp():
            return _BINARY[type(node.op)]
        case ast.Constant() if isinstance(node.value, (int, float)) and node.value < 0:
            return _SIGN
        case _:
            return _ATOM


def _doc(node: ast.expr) -> _Doc:
    match node:
        case ast.Constant():
            return encode.py(node.value)
        case ast.Name():
            return node.id
        case ast.Attribute():
            return _Group((_operand(node.value, _ATOM), f".{node.attr}"))
        case ast.UnaryOp():
            # The formatter puts parentheses around a power here.
            power = isinstance(node.operand, ast.BinOp) and isinstance(node.operand.op, ast.Pow)
            return _Group((_OPERATORS[type(node.op)], _operand(node.operand, _ATOM if power else _level(node))))
        case ast.IfExp():
            return _Group(tuple(_choices(node)))
        case ast.BinOp() | ast.Compare() | ast.BoolOp():
            return _Group(tuple(_chain(node)))
        case _:
            return _bracketed(node)


def _bracketed(node: ast.expr) -> _Doc:
    match node:
        case ast.Call(args=[ast.GeneratorExp() as generator], keywords=[]):
            return _Group((_doc(node.func), _Block("(", (_comprehension(generator),), ")", comma=False)))
        case ast.Call():
            arguments = [_doc(argument) for argument in node.args]
            arguments += [_Group((f"{word.arg}=", _doc(word.value))) for word in node.keywords]
            return _Group((_doc(node.func), _Block("(", tuple(_listed(arguments)), ")", comma=bool(arguments))))
        case ast.GeneratorExp():
            return _Block("(", (_comprehension(node),), ")", comma=False)
        case ast.ListComp():
            return _Block("[", (_comprehension(node),), "]", comma=False)
        case ast.List():
            return _Block("[", tuple(_listed([_doc(item) for item in node.elts])), "]", comma=bool(node.elts))
        case ast.Tuple():
            single = len(node.elts) == 1
            parts = tuple(_listed([_doc(item) for item in node.elts]))
            return _Block("(", (*parts, ",") if single else parts, ")", comma=not single)
        case ast.Subscript():
            return _Group((_operand(node.value, _ATOM), _Block("[", (_index(node.slice),), "]", comma=False)))
        case _:
            raise TypeError(type(node).__name__)


def _index(node: ast.expr) -> _Doc:
    if not isinstance(node, ast.Slice):
        return _doc(node)
    bounds = [node.lower, node.upper]
    simple = all(bound is None or isinstance(bound, (ast.Constant, ast.Name)) for bound in bounds)
    texts = ["" if bound is None else _flat(_doc(bound)) for bound in bounds]
    if simple:
        return ":".join(texts)
    return f"{texts[0]} :{' ' if texts[1] else ''}{texts[1]}" if texts[0] else f": {texts[1]}"


def _listed(docs: Sequence[_Doc]) -> Iterator[_Doc]:
    for number, doc in enumerate(docs):
        if number:
            yield ","
            yield _Line()
        yield _Group(_parts(doc))


def _comprehension(node: ast.GeneratorExp | ast.ListComp) -> _Doc:
    return _Group(tuple(_comprehended(node)))


def _comprehended(node: ast.GeneratorExp | ast.ListComp) -> Iterator[_Doc]:
    yield _Group(_parts(_operand(node.elt, _CONDITIONAL)))
    for generator in node.generators:
        yield _Line()
        target = generator.target
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        yield f"for {', '.join(map(one_line, targets))} in "
        yield _operand(generator.iter, _OR)
        for condition in generator.ifs:
            yield _Line()
            yield "if "
            yield _operand(condition, _OR)


def _choices(node: ast.IfExp) -> Iterator[_Doc]:
    yield _operand(node.body, _OR)
    yield _Line()
    yield "if "
    yield _operand(node.test, _OR)
    yield _Line()
    yield "else "
    if isinstance(node.orelse, ast.IfExp):
        yield from _choices(node.orelse)
    else:
        yield _doc(node.orelse)


def _chain(node: ast.expr) -> Iterator[_Doc]:
    """Give operands and operators of one level; what binds more tightly is a group of its own."""
    level = _level(node)
    match node:
        case ast.BinOp(op=ast.Pow()):
            gap = "" if _is_simple(node.left) and _is_simple(node.right) and _level(node.left) == _ATOM else " "
            yield _operand(node.left, _ATOM)
            yield _Line(gap)
            yield f"**{gap}"
            yield _operand(node.right, _SIGN)
        case ast.BinOp():
            if _level(node.left) == level:
                yield from _chain(node.left)
            else:
                yield _operand(node.left, level)
            yield _Line()
            yield f"{_OPERATORS[type(node.op)]} "
            yield _operand(node.right, level + 1)
        case ast.Compare() | ast.BoolOp():
            # `and` inside of `or` has parentheses for those who do not know which binds more tightly.
            least = _SUM if isinstance(node, ast.Compare) else _NOT
            for part in _flattened(node):
                if isinstance(part, str):
                    yield _Line()
                    yield f"{part} "
                else:
                    yield _operand(part, least)


def _is_simple(node: ast.expr) -> bool:
    match node:
        case ast.Name():
            return True
        case ast.Constant():
            return node.value is None or (isinstance(node.value, (int, float)) and node.value >= 0)
        case ast.Attribute():
            return _is_simple(node.value) and not isinstance(node.value, ast.Constant)
        case ast.UnaryOp(op=ast.USub()):
            return _is_simple(node.operand)
        case _:
            return False


def _operand(node: ast.expr, least: int) -> _Doc:
    """Return a part, in parentheses where it binds less tightly than that."""
    doc = _doc(node)
    return _Block("(", (_Group(_parts(doc)),), ")", comma=False) if _level(node) < least else doc


def _parts(doc: _Doc) -> tuple[_Doc, ...]:
    return doc.parts if isinstance(doc, _Group) else (doc,)


def _without_lines(doc: _Doc) -> Iterator[_Doc]:
    """Give the parts of a chain whose operators stay on the line."""
    for part in _parts(doc):
        if isinstance(part, _Line):
            yield part.flat
        elif isinstance(part, _Group):
            yield from _without_lines(part)
        else:
            yield part


def _flat(doc: _Doc) -> str:
    match doc:
        case str():
            return doc
        case _Line():
            return doc.flat
        case _Group():
            return "".join(_flat(part) for part in doc.parts)
        case _Block():
            return doc.opening + "".join(_flat(part) for part in doc.parts) + doc.closing


type _Piece = tuple[int, bool, _Doc]


def _printed(docs: Sequence[_Doc], indent: int) -> str:
    """Print parts, groups broken where they do not fit in what is left of their line."""
    # What is still to be printed, the next last: indent, whether it is broken, and the part.
    waiting: list[_Piece] = [(indent, True, doc) for doc in reversed(docs)]
    text, column = "", indent
    while waiting:
        depth, broken, doc = waiting.pop()
        match doc:
            case str():
                text, column = text + doc, column + encode.width(doc)
            case _Line() if broken:
                text, column = f"{text}\n{' ' * depth}", depth
            case _Line():
                text, column = text + doc.flat, column + len(doc.flat)
            case _Group():
                fits = not broken or _fits([(depth, False, doc)], waiting, encode.LINE_LENGTH - column)
                waiting += [(depth, not fits, part) for part in reversed(doc.parts)]
            case _Block():
                fits = not broken or _fits([(depth, False, doc)], waiting, encode.LINE_LENGTH - column)
                waiting += _opened(doc, depth, broken=not fits)
    return text


def _opened(doc: _Block, depth: int, *, broken: bool) -> list[_Piece]:
    if not broken:
        return [(depth, False, part) for part in reversed((doc.opening, *doc.parts, doc.closing))]
    inner = depth + 4
    pieces: list[_Piece] = [(depth, True, doc.opening), (inner, True, _Line(""))]
    pieces += [(inner, True, part) for part in doc.parts]
    pieces += [(inner, True, ",")] if doc.comma else []
    pieces += [(depth, True, _Line("")), (depth, True, doc.closing)]
    return pieces[::-1]


def _fits(first: list[_Piece], rest: Sequence[_Piece], room: int) -> bool:
    """Tell whether a part, and what follows it up to the next line break, fits in so many columns."""
    waiting, following = first, len(rest)
    while room >= 0:
        if not waiting:
            if not following:
                return True
            following -= 1
            waiting = [rest[following]]
        depth, broken, doc = waiting.pop()
        match doc:
            case str():
                room -= encode.width(doc)
            case _Line() if broken:
                return True
            case _Line():
                room -= len(doc.flat)
            case _Group():
                waiting += [(depth, broken, part) for part in reversed(doc.parts)]
            case _Block() if broken:
                return room >= len(doc.opening)
            case _Block():
                waiting += [(depth, False, part) for part in reversed((doc.opening, *doc.parts, doc.closing))]
    return False
