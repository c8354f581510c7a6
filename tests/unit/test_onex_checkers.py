"""ONEX's checkers, led past the expressions that they do not ask for: what they find stays the same, in its order."""

import ast
import importlib
from pathlib import Path

import pytest

from extensions.validation.onex import _CHECKERS, _without_detours

SOURCE = """
class badName:
    def Process(self, a, b, c, d, e, f): ...
    async def alsoBad(self): ...

try:
    def run(): ...
except ValueError:
    class Helper: ...
else:
    with open("x") as file:
        def execute(): ...
finally:
    for item in (lambda: [1])():
        def perform(): ...
    else:
        while True:
            class Utility: ...

match 5:
    case int():
        def manage(): ...

class ModelOne(BaseModel):
    class Wrong(BaseModel):
        status: str
    owner_id: str
"""


@pytest.mark.parametrize(("file", "name"), _CHECKERS.items())
def test_checkers_find_what_they_find_by_themselves(file: str, name: str) -> None:
    checker = getattr(importlib.import_module(f"omnibase_core.validation.{file}"), name)
    led = _without_detours(checker)
    assert led is not checker
    for source in (SOURCE, *(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))):
        alone, guided = checker("some.py"), led("some.py")
        for visitor in (alone, guided):
            visitor.visit(ast.parse(source))
        assert guided.issues == alone.issues


def test_checker_of_expressions_or_with_a_way_of_its_own_is_left_alone() -> None:
    class OfCalls(ast.NodeVisitor):
        def visit_Call(self, node: ast.Call) -> None: ...

    class WithItsOwn(ast.NodeVisitor):
        def generic_visit(self, node: ast.AST) -> None: ...

    assert (_without_detours(OfCalls), _without_detours(WithItsOwn)) == (OfCalls, WithItsOwn)
