"""Functions of a file of Python: what finds stubs and what fills them in look at the same lines."""

import ast
import io
from collections.abc import Iterator, Sequence

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

type Function = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(content: str) -> ast.Module:
    """Return the syntax tree of a file.

    Args:
        content: The file.

    Raises:
        ModelOnexError: VALIDATION_ERROR where it is no Python.
    """
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ModelOnexError(
            message=f"The file is no Python: {error}", error_code=EnumCoreErrorCode.VALIDATION_ERROR
        ) from None


def rows_of(content: str) -> list[str]:
    """Return the lines of a file with their ends, as syntax trees count them: a form feed ends none."""
    return list(io.StringIO(content, newline=""))


def functions(tree: ast.AST, owner: str | None = None) -> Iterator[tuple[str | None, Function]]:
    """Yield functions with the class that they are of, in the order of the file.

    Args:
        tree: What they are in.
        owner: The class that this is in.
    """
    for item in ast.iter_child_nodes(tree):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, item
            yield from functions(item)
        elif isinstance(item, ast.ClassDef):
            yield from functions(item, f"{owner}.{item.name}" if owner else item.name)
        else:
            yield from functions(item, owner)


def comments_below(rows: Sequence[str], function: Function) -> int:
    """Return how many lines of comments end a body: no syntax tree has them.

    Args:
        rows: The lines of the file.
        function: The function.
    """
    count = 0
    for row in rows[function.end_lineno or 0 :]:
        text = row.lstrip()
        if not text.startswith("#") or len(row) - len(text) <= function.col_offset:
            break
        count += 1
    return count
