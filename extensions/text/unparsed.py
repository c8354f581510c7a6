"""Writes expressions as Python: from trees alone, so that no text of a contract gets through. Ruff lays them out."""

import ast
from typing import Any, override

from . import encode


class _Encoded(ast.NodeTransformer):
    """Puts literals into the form in which generated code has them."""

    @override
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        # A name is written as it is, which is how an encoded literal gets through.
        return ast.Name(encode.py(node.value)) if isinstance(node.value, str | float) else node


def code(tree: ast.expr) -> str:
    """Return an expression as code, on one line.

    Args:
        tree: The expression, which stays as it is.
    """
    copied: Any = ast.parse(ast.unparse(tree), mode="eval").body
    return ast.unparse(_Encoded().visit(copied))


def condition(tree: ast.expr | None, further: tuple[str, ...] = ()) -> str:
    """Return a condition as code, on one line.

    Args:
        tree: The condition, if there is one.
        further: Conditions, as code, that have to hold as well.
    """
    own = [] if tree is None else [code(tree)]
    if further and own:
        own = [f"({own[0]})"]
    return " and ".join((*own, *further))
