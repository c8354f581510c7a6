"""Reads what a model answers: one method, with what it needs around it, and nothing else."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from ..asking.client import fenced
from .screen import Screen
from .stubs import Body, Stub, lines

LONGEST: Final = 40_000
"""Characters that the code of an answer may have."""

_DEEPEST = 60
_MOST_PROBLEMS = 20
_SWITCH = re.compile(
    r"#\s*(?:noqa|ruff\s*:|type\s*:|mypy\s*:|pyright\s*:|fmt\s*:|pragma\b|isort\s*:|flake8\s*:|nosec)", re.IGNORECASE
)
_EXPECTED = "imports, the method handle, and functions or constants whose names begin with one underscore"
_INDENT = 4


class AnswerError(Exception):
    """An answer that holds no body; its text says why.

    Attributes:
        problems: What is wrong, a line each.
    """

    def __init__(self, *problems: str) -> None:
        """Keep the first problems."""
        super().__init__("\n".join(problems))
        self.problems = problems[:_MOST_PROBLEMS]


def code_in(answer: str) -> str:
    """Return the code of an answer: its one block of Markdown, or all of it where there is none.

    Raises:
        AnswerError: It is empty, too long, or holds several blocks.
    """
    blocks = fenced(answer)
    if len(blocks) > 1:
        raise AnswerError(f"The answer holds {len(blocks)} blocks of code, expected one.")
    code = blocks[0] if blocks else re.sub(r"\A\s*```[^\n]*\n", "", answer)
    if not code.strip():
        raise AnswerError("The answer holds no code.")
    if len(code) > LONGEST:
        raise AnswerError(f"The code has {len(code)} characters, expected at most {LONGEST}.")
    return code


def parsed(code: str) -> ast.Module:
    """Return the syntax tree of an answer's code.

    Raises:
        AnswerError: It does not parse, is nested too deeply, or switches checks off.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise AnswerError(f"line {error.lineno}: {error.msg}: {(error.text or '').strip()[:100]}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise AnswerError(f"It is no Python: {type(error).__name__}") from None
    if _depth(tree) > _DEEPEST:
        raise AnswerError("It is nested too deeply.")
    switches = [
        f"line {token.start[0]}: the comment {token.string!r} switches a check off"
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT and _SWITCH.search(token.string)
    ]
    if switches:
        raise AnswerError(*switches)
    return tree


def _depth(tree: ast.AST) -> int:
    deepest, open_nodes = 0, [(tree, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        deepest = max(deepest, depth)
        open_nodes += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest


def body_of(code: str, stub: Stub, screen: Screen) -> Body:
    """Return the body that an answer's code has for a stub.

    Args:
        code: The code, as the formatter writes it.
        stub: The stub.
        screen: What the code may use.

    Raises:
        AnswerError: It holds anything else, has another signature, or uses what it may not.
    """
    tree = parsed(code)
    parts = _Parts(stub)
    problems = [problem for item in tree.body for problem in parts.take(item)]
    if not problems and parts.method is None:
        problems.append(f"There is no method handle, expected `{_signature(stub.method)}`")
    if problems or parts.method is None:
        raise AnswerError(*problems)
    problems += parts.compared()
    problems += screen.problems(tree)
    if problems:
        raise AnswerError(*problems)
    rows = [row.rstrip("\r\n") for row in lines(code)]
    used = {item.id for item in ast.walk(tree) if isinstance(item, ast.Name)}
    known = {
        alias.asname or alias.name
        for item in ast.parse(stub.text).body
        if isinstance(item, ast.Import | ast.ImportFrom)
        for alias in item.names
    }
    imports = [line for item in parts.imports for line in _imported(item, used - known)]
    helpers = ["\n".join(rows[_top(item) - 1 : item.end_lineno]) for item in parts.helpers]
    return Body(tuple(dict.fromkeys(imports)), tuple(helpers), tuple(_moved(rows, parts.method)))


class _Parts:
    """What an answer consists of."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.helpers: list[ast.stmt] = []
        self.method: ast.AsyncFunctionDef | None = None
        self._taken = {item.id for item in ast.walk(ast.parse(stub.text)) if isinstance(item, ast.Name)}

    def take(self, item: ast.stmt) -> Iterator[str]:
        """Sort a statement in; say what is wrong with it."""
        match item:
            case ast.Expr(ast.Constant(str())):
                pass
            case ast.Import() | ast.ImportFrom():
                self.imports.append(item)
            case ast.FunctionDef(name="handle") | ast.AsyncFunctionDef(name="handle"):
                yield from self._method(item)
            case ast.ClassDef(name=name) if name == self.stub.class_name:
                yield from self._class(item)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _is_private(name):
                self.helpers.append(item)
            case ast.Assign([ast.Name(id=name)]) | ast.AnnAssign(ast.Name(id=name)) if _is_private(name):
                self.helpers.append(item)
            case _:
                found = ast.unparse(item).splitlines()[0][:80]
                yield f"line {item.lineno}: found `{found}`, expected {_EXPECTED}"

    def _class(self, owner: ast.ClassDef) -> Iterator[str]:
        own = {ast.unparse(item) for item in _class_in(self.stub.text).body}
        for item in owner.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == "handle":
                yield from self._method(item)
            elif ast.unparse(item) not in own and not isinstance(item, ast.Expr):
                yield f"line {item.lineno}: the class gets nothing but its method handle"

    def _method(self, item: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
        if self.method is not None:
            yield f"line {item.lineno}: there is a second method handle"
        elif isinstance(item, ast.AsyncFunctionDef):
            self.method = item
        else:
            yield f"line {item.lineno}: handle is not async, expected `{_signature(self.stub.method)}`"

    def compared(self) -> Iterator[str]:
        """Say where the method is not the stub's, or is still a stub."""
        assert self.method is not None  # noqa: S101 - the caller has seen to it
        if _signature(self.method) != _signature(self.stub.method) or self.method.decorator_list:
            yield f"found `{_signature(self.method)}`, expected `{_signature(self.stub.method)}`, without decorators"
        statements = [item for item in self.method.body if not isinstance(item, ast.Pass) and not _is_constant(item)]
        returns = any(isinstance(item, ast.Return) for item in statements)
        if not returns and all(
            "NOT_IMPLEMENTED" in ast.unparse(item).upper().replace("NOTIMPL", "NOT_IMPL") for item in statements
        ):
            yield "The method handle is still to be written"
        names = {name for item in self.helpers for name in _bound(item)}
        yield from (f"the name {name} is taken" for name in sorted(names & self._taken))


def _is_constant(item: ast.stmt) -> bool:
    """Tell whether a statement is a docstring or an ellipsis, which do nothing."""
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


def _signature(method: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    kind = "async def" if isinstance(method, ast.AsyncFunctionDef) else "def"
    return f"{kind} {method.name}({ast.unparse(method.args)}){returns}"


def _class_in(text: str) -> ast.ClassDef:
    return next(item for item in ast.parse(text).body if isinstance(item, ast.ClassDef))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _bound(item: ast.stmt) -> list[str]:
    match item:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign([ast.Name(id=name)]) | ast.AnnAssign(ast.Name(id=name)):
            return [name]
        case _:
            return []


def _imported(item: ast.Import | ast.ImportFrom, used: set[str]) -> Iterator[str]:
    """Yield a statement of import for each name that is used."""
    for alias in item.names:
        if (alias.asname or alias.name).partition(".")[0] in used:
            named = alias.name if not alias.asname else f"{alias.name} as {alias.asname}"
            yield f"from {item.module} import {named}" if isinstance(item, ast.ImportFrom) else f"import {named}"


def _top(item: ast.stmt) -> int:
    marks: list[ast.expr] = getattr(item, "decorator_list", [])
    return min([item.lineno, *(mark.lineno for mark in marks)])


def _moved(rows: list[str], method: ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the lines of a method's body without its docstring, as deep as in a class; literals keep their lines."""
    first = method.body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    start = (first.end_lineno or 0) if is_text else _body_start(rows, method)
    inner = rows[start : method.end_lineno]
    while inner and not inner[0].strip():
        inner, start = inner[1:], start + 1
    shift = _INDENT - method.col_offset
    frozen = set(_inside_literals("\n".join(rows) + "\n"))
    for number, row in enumerate(inner, start + 1):
        moved = " " * shift + row if shift > 0 else row[-shift:] if shift else row
        yield row if number in frozen or not row.strip() else moved


def _body_start(rows: list[str], method: ast.AsyncFunctionDef) -> int:
    """Return the line before a body's first, so that comments above its first statement are of it."""
    start = _top(method.body[0]) - 1
    while start > method.lineno and rows[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _inside_literals(code: str) -> Iterator[int]:
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.STRING:
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif token.type == tokenize.FSTRING_START:
            starts.append(token.start[0])
        elif token.type == tokenize.FSTRING_END:
            yield from range(starts.pop() + 1, token.end[0] + 1)
