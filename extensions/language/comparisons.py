"""The comparisons of expressions."""

import ast

from ..text.problems import did_you_mean, show
from .arithmetic import Arithmetic
from .kinds import (
    NUMBERS,
    ORDERED,
    Kind,
    Part,
    Sure,
    WrongError,
    code_of,
)


class Comparisons(Arithmetic):
    """Judges comparisons: equality, order, and whether something is in something."""

    def comparison(self, node: ast.Compare, sure: Sure) -> Part:
        """Judge a chain of comparisons."""
        left_node, left = node.left, self.value(node.left, sure)
        trees: list[ast.expr] = []
        first = left.tree
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.In, ast.NotIn)):
                right = self.membership(left_node, left, right_node, sure)
            elif isinstance(operator, (ast.Is, ast.IsNot)):
                self.identical(left_node, left.kind, right_node)
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

    def identical(self, left_node: ast.expr, _: Kind, node: ast.expr) -> None:
        """Refuse what `is` says nothing about."""
        if not (isinstance(node, ast.Constant) and node.value is None):
            raise WrongError(node, f"is {code_of(node)}", "is None, or is not None")
        if isinstance(left_node, ast.Constant):
            raise WrongError(left_node, f"{code_of(left_node)} is …", "a field, or an earlier output")

    def membership(self, left_node: ast.expr, left: Part, node: ast.expr, sure: Sure) -> Part:
        """Judge what something is searched in."""
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
        self.searched(left_node, left, node, part)
        return part

    def searched(self, left_node: ast.expr, left: Part, node: ast.expr, part: Part) -> None:
        """Refuse a search in what holds nothing, or never holds it."""
        self.present(node, part.kind, "a search in")
        match part.kind.name:
            case "array" | "set" if part.kind.items is not None:
                # A set knows what it holds.
                self.passed_over(*[part.kind] * (part.kind.name == "array"))
                self.equal(left.kind, node, part.kind.items, left_node)
            case "string" | "object" if left.kind.name == "string":
                self.present(left_node, left.kind, "a search for")
                self.read_through(node, part.kind)
            case _:
                found = f"a search for {left.kind} in {part.kind}"
                raise WrongError(node, found, "a list of literals, an array, or text in text")

    def equal(self, left: Kind, node: ast.expr, right: Kind, left_node: ast.expr) -> None:
        """Refuse an equality that never holds, or that types forbid."""
        if "null" in {left.name, right.name}:
            raise WrongError(node, "a comparison with None by == or !=", "is None, or is not None")
        self.comparable(left, node, right, left_node)
        if left.values is not None and right.values is not None and left.values.isdisjoint(right.values):
            shown = ", ".join(map(str, sorted(left.values, key=str)))
            raise WrongError(node, f"a comparison of {code_of(left_node)} with what it never is", f"one of {shown}")

    def ordered(self, left_node: ast.expr, left: Kind, node: ast.expr, right: Kind) -> None:
        """Refuse an order of what has none."""
        self.comparable(left, node, right, left_node)
        kinds = [kind for kind in ORDERED if not (self.scope.total and kind == "datetime")]
        for side, kind in ((left_node, left), (node, right)):
            if kind.name not in kinds:
                raise WrongError(side, f"an order of values of type {kind}", f"one of {', '.join(kinds)}")
            self.present(side, kind, "an order with")

    def comparable(self, left: Kind, node: ast.expr, right: Kind, left_node: ast.expr) -> None:
        """Refuse a comparison of values of different types."""
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
