"""The arrays of expressions: indexing, lists and loops over them."""

import ast
import builtins
import re
from abc import abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from ..text.problems import show
from .comparisons import Comparisons
from .functions import LOOPS
from .kinds import (
    Kind,
    Part,
    Sure,
    WrongError,
    code_of,
    item_kind,
)
from .values import facts
from .work import ONE, Size

_MOST_LOOPS: Final = 3
# Names of locals that would hide others, and one that reads like a number: they get an underscore at their end.
_TAKEN: Final = frozenset(
    {
        *dir(builtins),
        "request",
        "known",
        "bounded",
        "factor_of",
        "value_at",
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


class Loops(Comparisons):
    """Judges indexing, lists, and loops over arrays."""

    @abstractmethod
    def looped(self, node: ast.Call, sure: Sure) -> tuple[list[Kind], ast.expr, Size]:
        """Judge a call that a loop goes over: the types of the loop's variables, the code, and the size."""

    def indexed(self, node: ast.Subscript, sure: Sure) -> Part:
        """Judge an index."""
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
        """Judge a slice."""
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
        """Judge a list."""
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
        """Judge a comprehension."""
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
        """Judge one `for … in …`, and add its variables."""
        if node.is_async:
            raise WrongError(node.iter, "async", "a loop as in `for line in input.lines`")
        paired = isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id in LOOPS
        if paired and isinstance(node.iter, ast.Call):
            kinds, iterated, size = self.looped(node.iter, sure)
        else:
            part = self.as_array(self.value(node.iter, sure))
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
            sure |= facts(test)[0]
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


def local_name(name: str, taken: Collection[str]) -> str:
    """Return the name of a local variable in generated code: the contract's, unless it would hide another."""
    code = f"{name}_" if name in _TAKEN else name
    while code in taken:
        code += "_"
    return code
