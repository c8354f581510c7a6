"""The operation extract_stubs. This file is yours: an update never touches it."""

import ast
from collections.abc import Sequence
from typing import Final

from omninode_codegen.functions import Function, comments_below, functions, parsed, rows_of
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_extract_stubs_input import (
    ModelExtractStubsInput,
)
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_extract_stubs_output import (
    ModelExtractStubsOutput,
)
from omninode_codegen.nodes.node_codegen_stub_extractor_effect.models.model_method_stub import ModelMethodStub

_EMPTY: Final = (ast.Pass, ast.Raise, ast.Expr)


class HandlerExtractStubs:
    """Parse one file and list its stubs, with signatures, docstrings and line numbers."""

    async def handle(self, request: ModelExtractStubsInput) -> ModelExtractStubsOutput:
        """Run extract_stubs.

        Args:
            request: The operation's input, already validated.

        Returns:
            The stubs in the order of the file.

        Raises:
            ModelOnexError: VALIDATION_ERROR where the file is no Python.
        """
        content = request.node_file_content
        tree = parsed(content)
        rows = rows_of(content)
        found = [
            stub
            for owner, function in functions(tree)
            if (stub := _stub(owner, function, rows, request.extraction_patterns))
        ]
        return ModelExtractStubsOutput(stubs=found, total_stubs_found=len(found))


def _stub(
    owner: str | None, function: Function, rows: Sequence[str], patterns: Sequence[str]
) -> ModelMethodStub | None:
    """Return a function as a stub; None where it does anything, or nothing marks it."""
    docstring = ast.get_docstring(function)
    body = function.body[1:] if docstring is not None else function.body
    if not all(_is_empty(statement) for statement in body):
        return None
    # What a docstring says marks nothing.
    start = (function.body[0].end_lineno or 0) if docstring is not None else function.lineno
    end = (function.end_lineno or function.lineno) + comments_below(rows, function)
    # A body may stand behind the colon.
    written = "".join(rows[min(start, body[0].lineno - 1 if body else start) : end])
    marker = next((pattern for pattern in patterns if pattern in written), None)
    if marker is None:
        return None
    returns = ast.unparse(function.returns) if function.returns else None
    kind = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    return ModelMethodStub(
        method_name=function.name,
        class_name=owner,
        signature=f"{kind} {function.name}({ast.unparse(function.args)}){f' -> {returns}' if returns else ''}",
        docstring=docstring,
        line_start=function.lineno,
        line_end=end,
        indentation=function.col_offset,
        is_async=kind == "async def",
        return_type=returns,
        marker=marker,
    )


def _is_empty(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and statement.value.value is ...
    return isinstance(statement, _EMPTY)
