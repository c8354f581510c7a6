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
        return self.loop(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        """Bound a loop."""
        return self.loop(node)

    def loop[LoopT: (ast.ListComp, ast.GeneratorExp)](self, node: LoopT) -> LoopT:
        """Bound a loop by what it looks at with each item, though it comes from outside of it."""
        (over,) = node.generators
        names = {part.id for part in ast.walk(over.target) if isinstance(part, ast.Name)}
        outer = {ast.unparse(part): part for body in (*over.ifs, node.elt) for part in _outer(body, names)}
        self.generic_visit(node)
        if outer:
            over.iter = ast.Call(ast.Name("bounded"), [over.iter, *outer.values()], [])
        return node


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
