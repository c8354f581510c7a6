"""The operation inject_code. This file is yours: an update never touches it."""

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from typing import Final

from omninode_codegen.functions import Function, comments_below, functions, parsed, rows_of
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_inject_code_input import (
    ModelInjectCodeInput,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_inject_code_output import (
    ModelInjectCodeOutput,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_injection_failure import (
    ModelInjectionFailure,
)
from omninode_codegen.nodes.node_codegen_code_injector_effect.models.model_validated_implementation import (
    ModelValidatedImplementation,
)

type _Change = tuple[int, int, list[str]]
_INDENT: Final = "    "


class HandlerInjectCode:
    """Replace the bodies of the named stubs in one file."""

    async def handle(self, request: ModelInjectCodeInput) -> ModelInjectCodeOutput:
        """Run inject_code.

        Args:
            request: The operation's input, already validated.

        Returns:
            The file with the bodies that fit; those that do not are named, and nothing of them is put in.

        Raises:
            ModelOnexError: VALIDATION_ERROR where the file is no Python.
        """
        content = request.original_content
        tree = parsed(content)
        rows = rows_of(content)
        end = "\r\n" if rows and rows[0].endswith("\r\n") else "\n"
        changes: list[_Change] = []
        imports: list[str] = []
        failures: list[ModelInjectionFailure] = []
        taken: set[int] = set()
        for wanted in request.implementations:
            try:
                function = _method(tree, wanted, taken)
                change, needed = _change(function, wanted, rows, end), _imports(wanted.imports)
            except UnfitError as error:
                failures.append(ModelInjectionFailure(method_name=wanted.method_name, reason=str(error)))
            else:
                changes.append(change)
                imports += needed
                taken.add(function.lineno)
        injected = len(changes)
        if new := [line for line in dict.fromkeys(imports) if line not in _imported(tree)]:
            place = _after_imports(tree)
            changes.append((place, place, [f"{line}{end}" for line in new]))
        # From below, so that lines above keep their numbers.
        for first, past, written in sorted(changes, reverse=True):
            if first and not rows[first - 1].endswith("\n"):
                rows[first - 1] += end
            rows[first:past] = written
        return ModelInjectCodeOutput(updated_content="".join(rows), injected_count=injected, failures=failures)


class UnfitError(Exception):
    """An implementation that can't be put in; its text says why."""


def _method(tree: ast.Module, wanted: ModelValidatedImplementation, taken: set[int]) -> Function:
    """Return the one method that an implementation is for."""
    found = [
        function
        for owner, function in functions(tree)
        if function.name == wanted.method_name and wanted.class_name in {None, owner}
    ]
    # A function of the module is what is meant where no class is named, whatever methods are called.
    if wanted.class_name is None and len(found) > 1:
        found = [function for function in found if function in tree.body] or found
    if not found:
        raise UnfitError("There is no such method.")
    if len(found) > 1:
        raise UnfitError(f"There are {len(found)} methods of this name: name the class.")
    if found[0].lineno in taken:
        raise UnfitError("There is an implementation of it already.")
    return found[0]


def _change(function: Function, wanted: ModelValidatedImplementation, rows: Sequence[str], end: str) -> _Change:
    """Return what becomes of a method's lines: its decorators, signature and docstring stay."""
    first = function.body[0]
    start = _end_of_signature(function, rows)
    replaced: ast.stmt | None = first
    if ast.get_docstring(function, clean=False) is not None:
        if first.lineno == start:
            raise UnfitError("Its docstring stands beside its signature.")
        start = first.end_lineno or start
        replaced = function.body[1] if len(function.body) > 1 else None
    past = max(start, function.end_lineno or start) + comments_below(rows, function)
    written = [f"{line}{end}" for line in _indented(wanted.body, " " * function.col_offset + _INDENT)]
    if replaced is not None and replaced.lineno == start:
        # It stands behind the colon, or behind the docstring.
        head = rows[start - 1].encode()[: replaced.col_offset].decode().rstrip().rstrip(";")
        return start - 1, past, [f"{head}{end}", *written]
    return start, past, written


def _end_of_signature(function: Function, rows: Sequence[str]) -> int:
    """Return the line of the colon that ends a signature."""
    depth = 0
    tokens = tokenize.generate_tokens(iter(rows[function.lineno - 1 :]).__next__)
    for token in tokens:
        if token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and not depth:
            return function.lineno - 1 + token.start[0]
    raise UnfitError("It has no body.")


def _indented(body: str, depth: str) -> list[str]:
    """Return a body's lines, as deep as its method; those inside of literals stay as they are.

    Raises:
        UnfitError: It is no statements.
    """
    text = body if body.endswith("\n") else f"{body}\n"
    try:
        if not ast.parse(text).body:
            raise UnfitError("The body holds no statement.")
        inside = {number for first, last in _literals(text) for number in range(first + 1, last + 1)}
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise UnfitError(f"The body is no statements: {error}") from None
    rows = [row.rstrip("\r\n") for row in io.StringIO(text, newline="")]
    return [
        row if number in inside else f"{depth}{row}" if row.strip() else "" for number, row in enumerate(rows, start=1)
    ]


def _literals(text: str) -> Iterator[tuple[int, int]]:
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            yield token.start[0], token.end[0]
        elif token.type == tokenize.FSTRING_START:
            starts.append(token.start[0])
        elif token.type == tokenize.FSTRING_END:
            yield starts.pop(), token.end[0]


def _imports(lines: Sequence[str]) -> list[str]:
    """Return statements of import, each on a line of its own, as they are written.

    Raises:
        UnfitError: One is something else.
    """
    found: list[str] = []
    for line in lines:
        try:
            statements = ast.parse(line).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            statements = []
        if not statements or not all(isinstance(item, ast.Import | ast.ImportFrom) for item in statements):
            raise UnfitError(f"{line!r} is no import.")
        found += [ast.unparse(item) for item in statements]
    return found


def _imported(tree: ast.Module) -> set[str]:
    return {ast.unparse(item) for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom)}


def _after_imports(tree: ast.Module) -> int:
    """Return the line after which imports go: the last one, the docstring, or none."""
    lines = [item.end_lineno or 0 for item in tree.body if isinstance(item, ast.Import | ast.ImportFrom)]
    if not lines and ast.get_docstring(tree, clean=False) is not None:
        lines = [tree.body[0].end_lineno or 0]
    return max(lines, default=0)
