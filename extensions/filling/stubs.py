"""Stubs: handlers of which nothing is written but what the template wrote, found by their syntax tree."""

import ast
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..project.places import Place, file_in

MARK: Final = "TO_BE_WRITTEN"
"""The mark of tests whose handler is still to be written."""

_CODE: Final = "METHOD_NOT_IMPLEMENTED"
_RAISES: Final = ["", "        Raises:", f"            ModelOnexError: {_CODE} until this method is written."]
_OF_A_STUB: Final = frozenset({"EnumCoreErrorCode", "ModelOnexError"})


@dataclass(frozen=True, slots=True)
class Stub:
    """A handler that is still to be written.

    Attributes:
        operation: The operation, as the contract has it.
        path: The handler's file, relative to the project.
        test_path: The file of its tests; None where there is none.
        text: What the handler's file holds.
        test_text: What that of the tests holds.
        class_name: The handler's class.
    """

    operation: Mapping[str, Any]
    path: str
    test_path: str | None
    text: str
    test_text: str
    class_name: str

    @property
    def name(self) -> str:
        """The operation's name."""
        return str(self.operation["name"])

    @property
    def method(self) -> ast.AsyncFunctionDef:
        """The method that is to be written."""
        found = _stub_in(self.text)
        assert found  # noqa: S101 - it was found in this text
        return found[1]

    @property
    def is_proven(self) -> bool:
        """Whether the contract has examples, so that tests can tell right from wrong."""
        return bool(self.operation.get("examples"))


def lines(text: str) -> list[str]:
    """Return a text's lines with their ends, as syntax trees count them: form feeds and the like end none."""
    return list(io.StringIO(text, newline=""))


def stubs_in(project: Path, place: Place, contract: Mapping[str, Any], folder: str) -> Iterator[Stub | str]:
    """Find the stubs of a node.

    Args:
        project: The project's root.
        place: Where the node is in it.
        contract: The node's contract.
        folder: The folder of the node's package, relative to the project.

    Yields:
        A stub; for a custom handler that is none, because a person wrote in it or it is not there, its operation's
        name.
    """
    for operation in contract["operations"]:
        if operation.get("handler") != "custom":
            continue
        path = f"{folder}/handlers/custom/handler_{operation['name']}.py"
        test_path = f"{place.tests}/custom/test_handler_{operation['name']}.py"
        text, test_text = _text(project, path), _text(project, test_path)
        found = _stub_in(text) if text else None
        if text is None or found is None:
            yield str(operation["name"])
            continue
        yield Stub(operation, path, test_path if test_text else None, text, test_text or "", found[0].name)


def _text(project: Path, path: str) -> str | None:
    """Return a file as it is, with its line ends; None where it is no file of the project in UTF-8."""
    try:
        return file_in(project, path).read_bytes().decode()
    except (OSError, ValueError):
        return None


def _stub_in(text: str) -> tuple[ast.ClassDef, ast.AsyncFunctionDef] | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    classes = [item for item in tree.body if isinstance(item, ast.ClassDef)]
    if len(classes) != 1:
        return None
    methods = [item for item in classes[0].body if isinstance(item, ast.AsyncFunctionDef) and item.name == "handle"]
    if len(methods) != 1 or not _is_stub(methods[0], lines(text)):
        return None
    return classes[0], methods[0]


def _is_stub(method: ast.AsyncFunctionDef, rows: Sequence[str]) -> bool:
    """Tell whether a method is a docstring and the raise alone, each on lines of its own, without decorators."""
    match method.body:
        case [ast.Expr(ast.Constant(str())) as text, ast.Raise() as last] if not method.decorator_list:
            pass
        case _:
            return False
    match last:
        case ast.Raise(ast.Call(ast.Name("ModelOnexError"), [], keywords), None):
            codes = {word.arg: word.value for word in keywords}
        case _:
            return False
    match codes.get("error_code"):
        case ast.Attribute(ast.Name("EnumCoreErrorCode"), code) if code == _CODE:
            pass
        case _:
            return False
    own = method.lineno <= text.lineno - 1 and (text.end_lineno or 0) < last.lineno
    # A comment is a person's.
    between = rows[(text.end_lineno or 0) : last.lineno - 1]
    end = rows[(last.end_lineno or 0) - 1]
    alone = end.rstrip().endswith(")") and not rows[last.lineno - 1][: last.col_offset].strip()
    inside = rows[last.lineno - 1 : last.end_lineno]
    return own and alone and not any(row.strip() for row in between) and not any("#" in row for row in inside)


@dataclass(frozen=True, slots=True)
class Body:
    """What a stub is filled with.

    Attributes:
        imports: Statements of import, a line each.
        helpers: Functions and constants, each a whole text, for the module.
        rows: The lines of the method's body, indented as they stand in a class.
    """

    imports: tuple[str, ...]
    helpers: tuple[str, ...]
    rows: tuple[str, ...]


def filled(stub: Stub, body: Body) -> tuple[str, tuple[int, int]]:
    """Return the handler's file with a body in the stub's place; all other lines are as they are.

    Args:
        stub: The stub.
        body: What takes its place. Imports of the stub that nothing uses any more are left out.

    Returns:
        The text, and the first and the last line of the body, from 1.
    """
    text = stub.text
    tree = ast.parse(text)
    rows = lines(text)
    end = "\r\n" if rows and rows[0].endswith("\r\n") else "\n"
    method = stub.method
    docstring, last = method.body
    changes: list[tuple[int, int, list[str]]] = [(last.lineno - 1, last.end_lineno or 0, list(body.rows))]
    start = (docstring.end_lineno or 0) - 1 - len(_RAISES)
    if [row.rstrip("\r\n") for row in rows[start : start + len(_RAISES)]] == _RAISES:
        changes.append((start, start + len(_RAISES), []))
    imports = [item for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom)]
    used = _names("\n".join((*body.helpers, "class X:", "    async def x(self):", *body.rows)))
    after = max((item.end_lineno or 0 for item in imports), default=1)
    gone: list[int] = []
    for item in imports:
        bound = {alias.asname or alias.name for alias in item.names}
        if bound <= _OF_A_STUB and not bound & used and len(_uses(tree, bound)) == len(_uses(method, bound)):
            gone += range(item.lineno - 1, item.end_lineno or 0)
    # A group of which nothing is left leaves no second blank line.
    gone += [
        row
        for row in range(1, after)
        if row - 1 in gone and not rows[row].strip() and not _above(rows, row, gone).strip()
    ]
    changes += [(row, row + 1, []) for row in gone]
    changes.append((after, after, list(body.imports)))
    owner = next(item for item in tree.body if isinstance(item, ast.ClassDef))
    top = min([owner.lineno, *(item.lineno for item in owner.decorator_list)]) - 1
    helpers = [row for helper in body.helpers for row in (*(line.rstrip("\r\n") for line in lines(helper)), "", "")]
    changes.append((top, top, helpers))
    for first, past, new in sorted(changes, reverse=True):
        rows[first:past] = [row + end for row in new]
    whole = "".join(rows)
    found = next(
        item
        for item in ast.walk(ast.parse(whole))
        if isinstance(item, ast.AsyncFunctionDef) and item.name == "handle" and item.col_offset
    )
    return whole, ((found.body[0].end_lineno or 0) + 1, found.end_lineno or 0)


def _above(rows: Sequence[str], row: int, gone: Sequence[int]) -> str:
    """Return the row above that stays."""
    return next((rows[above] for above in range(row - 1, -1, -1) if above not in gone), "")


def _names(code: str) -> set[str]:
    return {item.id for item in ast.walk(ast.parse(code)) if isinstance(item, ast.Name)}


def _uses(tree: ast.AST, names: set[str]) -> list[ast.Name]:
    return [item for item in ast.walk(tree) if isinstance(item, ast.Name) and item.id in names]


def unmarked(text: str) -> str:
    """Return the tests of a handler without the mark that it is still to be written; all other lines are as they are.

    Args:
        text: The tests.

    Returns:
        The tests; the import of what the mark names is left out where nothing else uses it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return text
    rows = lines(text)
    gone: list[ast.stmt | ast.expr] = []
    for item in tree.body:
        match item:
            case ast.Assign([ast.Name(id=name)]) if name == MARK:
                gone.append(item)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                gone += [mark for mark in item.decorator_list if isinstance(mark, ast.Name) and mark.id == MARK]
    if not any(isinstance(item, ast.Assign) for item in gone):
        return text
    left = {"ModelOnexError"}
    inside = [use for item in gone for use in _uses(item, left)]
    if len(_uses(tree, left)) == len(inside):
        gone += [
            item
            for item in tree.body
            if isinstance(item, ast.ImportFrom) and [alias.name for alias in item.names] == ["ModelOnexError"]
        ]
    for part in sorted(gone, key=lambda part: -part.lineno):
        start, end = part.lineno - 1, part.end_lineno or 0
        while (
            isinstance(part, ast.Assign)
            and start
            and not rows[start - 1].strip()
            and not "".join(rows[end:])[:1].strip()
        ):
            start -= 1
        del rows[start:end]
    return "".join(rows)
