"""Bounds around what may take long in conditions of workflows, most of whose types are known only when they run."""

import ast
from collections.abc import Collection, Iterator


def bounded(code: ast.expr) -> ast.expr:
    """Return a condition's code, as it was judged, with the runtime's bounds around its loops and factors."""
    made: ast.expr = _Bounding().visit(code)
    return made


class _Bounding(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Let no text be repeated, or be taken for a format."""
        self.generic_visit(node)
        if isinstance(node.op, (ast.Mult, ast.Mod)):
            node.left, node.right = _factor(node.left), _factor(node.right)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.ListComp:
        """Bound a loop."""
        outer = _looked_at(node)
        self.generic_visit(node)
        _bound(node.generators[0], outer)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        """Bound a loop."""
        outer = _looked_at(node)
        self.generic_visit(node)
        _bound(node.generators[0], outer)
        return node


def _looked_at(node: ast.ListComp | ast.GeneratorExp) -> list[ast.expr]:
    """Return what a loop looks at with each item, though it comes from outside of it, each once."""
    (loop,) = node.generators
    names = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    return list({ast.unparse(part): part for body in (*loop.ifs, node.elt) for part in _outer(body, names)}.values())


def _bound(loop: ast.comprehension, outer: list[ast.expr]) -> None:
    if outer:
        loop.iter = ast.Call(ast.Name("bounded"), [loop.iter, *outer], [])


def _factor(node: ast.expr) -> ast.expr:
    return node if isinstance(node, ast.Constant) else ast.Call(ast.Name("factor_of"), [node], [])


def _outer(node: ast.AST, names: Collection[str]) -> Iterator[ast.expr]:
    """Yield what code looks at that is not in the variables of its loop."""
    match node:
        case ast.Call(func=ast.Name(id="value_at"), args=[owner, *_]):
            if not (isinstance(owner, ast.Name) and owner.id in names):
                yield node
        case ast.Attribute(value=ast.Name(id="known")):
            yield node
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _outer(part, names)
