"""The text of an expression, its tree, and where in the text something is."""

import ast
import warnings
from typing import Final

from ..text.problems import Path, Problem, show
from .kinds import (
    WrongError,
)

LONGEST: Final = 2000
_DEEPEST: Final = 40


def source(value: object) -> str:
    """Return the text of an expression; YAML reads bare numbers, true and false as what they are."""
    return value if isinstance(value, str) else repr(value)


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
