"""The operation validate_code. This file is yours: an update never touches it."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from omninode_codegen.nodes.node_codegen_code_validator_effect.models.enum_validation_level import EnumValidationLevel
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.enum_validation_rule import EnumValidationRule
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validate_code_input import (
    ModelValidateCodeInput,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validate_code_output import (
    ModelValidateCodeOutput,
)
from omninode_codegen.nodes.node_codegen_code_validator_effect.models.model_validation_issue import (
    ModelValidationIssue,
)

_LONGEST: Final = 40_000
_DEEPEST: Final = 60
_ALL: Final[frozenset[str]] = frozenset()
_SWITCH: Final = re.compile(
    r"#\s*(?:noqa|ruff\s*:|type\s*:|mypy\s*:|pyright\s*:|fmt\s*:|pragma\b|isort\s*:|flake8\s*:|nosec)", re.IGNORECASE
)
# What computes. Those that name members offer these alone.
_MODULES: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("ast", "base64", "binascii", "bisect", "calendar", "collections", "collections.abc"), _ALL),
    **dict.fromkeys(("copy", "csv", "datetime", "decimal", "difflib", "enum", "fractions", "functools"), _ALL),
    **dict.fromkeys(("hashlib", "heapq", "hmac", "html", "ipaddress", "itertools", "json", "keyword", "math"), _ALL),
    **dict.fromkeys(("numbers", "omnibase_core.enums", "omnibase_core.errors", "random", "re", "secrets"), _ALL),
    **dict.fromkeys(("statistics", "string", "struct", "textwrap", "time", "unicodedata", "urllib.parse"), _ALL),
    **dict.fromkeys(("zlib", "zoneinfo"), _ALL),
    "asyncio": frozenset({"Lock", "Semaphore", "TaskGroup", "gather", "sleep", "timeout", "to_thread", "wait_for"}),
    "contextlib": frozenset({"suppress"}),
    "io": frozenset({"BytesIO", "StringIO"}),
    "logging": frozenset({"DEBUG", "ERROR", "INFO", "WARNING", "getLogger"}),
    "operator": frozenset({"add", "itemgetter", "mul", "sub", "truediv"}),
    "pydantic": frozenset({"TypeAdapter", "ValidationError"}),
    "tokenize": frozenset({"COMMENT", "TokenError", "generate_tokens"}),
    "typing": frozenset({"Any", "Final", "Literal", "Never", "TypeVar", "assert_never", "cast"}),
    "uuid": frozenset({"NAMESPACE_DNS", "NAMESPACE_OID", "NAMESPACE_URL", "UUID", "uuid4", "uuid5"}),
}
# What they happen to import is theirs to use.
_REACHED: Final = frozenset({"builtins", "codecs", "os", "subprocess", "sys", "thread", "threading", "warnings"})
_FORBIDDEN: Final = frozenset(
    {
        *("breakpoint", "compile", "delattr", "dir", "eval", "exec", "exit", "getattr", "globals", "help", "input"),
        *("locals", "memoryview", "open", "print", "quit", "setattr", "super", "type", "vars"),
    }
)
# Attributes by which frames, code and what lies behind them are reached.
_INNER: Final = re.compile(r"(?:ag|cr|gi|tb|f|co|func)_[a-z]+|format_map|mro")
_OWN: Final = frozenset({"_adapters", "_settings"})
_SECRET: Final = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
_SQL: Final = re.compile(r"\s*(?:select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from)\s", re.IGNORECASE)

type _Function = ast.FunctionDef | ast.AsyncFunctionDef
type _Found = tuple[str, ast.AST | None]


@dataclass(frozen=True, slots=True)
class Code:
    """Code that parses.

    Attributes:
        text: As it was parsed.
        tree: The syntax tree.
        body: The method whose body it is; None where it is a module.
        shift: Lines that stand before it in the text.
        depth: Columns that stand before it in each line.
    """

    text: str
    tree: ast.Module
    body: _Function | None
    shift: int
    depth: int

    def issue(self, rule: EnumValidationRule, found: _Found) -> ModelValidationIssue:
        """Return what was found by a rule, with its line and column in the text that was sent."""
        message, place = found
        line, column = getattr(place, "lineno", None), getattr(place, "col_offset", None)
        return ModelValidationIssue(
            rule=rule,
            message=message,
            line=None if line is None else max(1, line - self.shift),
            column=None if column is None else max(0, column - self.depth),
        )


class HandlerValidateCode:
    """Run the stages up to the level, and stop at a syntax error."""

    async def handle(self, request: ModelValidateCodeInput) -> ModelValidateCodeOutput:
        """Run validate_code.

        Args:
            request: The operation's input, already validated.

        Returns:
            What is wrong, and what is doubtful; the code is valid when nothing is wrong.

        Raises:
            ModelOnexError: VALIDATION_ERROR where the signature is none.
        """
        stages = [
            rule for rule in _stages_of(request.level) if not request.rules or rule in {*request.rules, _Rule.SYNTAX}
        ]
        errors: list[ModelValidationIssue] = []
        doubts: list[ModelValidationIssue] = []
        run: list[EnumValidationRule] = []
        code: Code | None = None
        for rule in stages:
            run.append(rule)
            if rule is _Rule.SYNTAX:
                parsed = _parsed(request.code, request.signature)
                if isinstance(parsed, ModelValidationIssue):
                    errors.append(parsed)
                    break
                code = parsed
            elif code is not None:
                found = [code.issue(rule, each) for each in _CHECKS[rule](code)]
                doubtful = rule in _DOUBTFUL and request.level is not EnumValidationLevel.STRICT
                (doubts if doubtful else errors).extend(found)
        return ModelValidateCodeOutput(is_valid=not errors, errors=errors, warnings=doubts, stages_run=run)


_Rule = EnumValidationRule


def _stages_of(level: EnumValidationLevel) -> list[EnumValidationRule]:
    match level:
        case EnumValidationLevel.NONE:
            return []
        case EnumValidationLevel.BASIC:
            return [_Rule.SYNTAX, _Rule.AST]
        case _:
            return list(_Rule)


def _parsed(text: str, signature: str | None) -> Code | ModelValidationIssue:
    """Return code with its syntax tree, or what keeps it from being Python."""
    shift, depth = 0, 0
    if signature is not None:
        _check_signature(signature)
        # Lines inside of literals are moved, too: what they hold is not what is judged.
        moved = "".join(f"    {line}" if line.strip() else line for line in io.StringIO(text, newline=""))
        text, shift, depth = f"{signature}:\n{moved}\n", 1, 4
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            # Such as `await` outside of a coroutine, which trees take; it is not run.
            if signature is not None:
                compile(text, "<code>", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = max(1, (error.lineno or 1) - shift)
        return ModelValidationIssue(
            rule=_Rule.SYNTAX, message=error.msg, line=line, column=max(0, (error.offset or 1) - depth)
        )
    except (ValueError, RecursionError, MemoryError) as error:
        return ModelValidationIssue(rule=_Rule.SYNTAX, message=str(error) or type(error).__name__)
    first = tree.body[0] if tree.body and signature is not None else None
    body = first if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef) else None
    return Code(text, tree, body, shift, depth)


def _check_signature(signature: str) -> None:
    try:
        statements = ast.parse(f"{signature}: ...").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        statements = []
    if len(statements) != 1 or not isinstance(statements[0], ast.FunctionDef | ast.AsyncFunctionDef):
        raise ModelOnexError(message=f"{signature!r} is no signature.", error_code=EnumCoreErrorCode.VALIDATION_ERROR)


def _structure(code: Code) -> Iterator[_Found]:
    """Find what is no work of a person who means it: too long, too deep, checks switched off, still a stub."""
    if len(code.text) > _LONGEST and code.body:
        yield f"The code has {len(code.text)} characters, expected at most {_LONGEST}", None
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(code.tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    if deepest > _DEEPEST:
        yield "The code is nested too deeply", None
    for token in tokenize.generate_tokens(io.StringIO(code.text).readline):
        if token.type == tokenize.COMMENT and _SWITCH.search(token.string):
            place = ast.Pass(lineno=token.start[0], col_offset=token.start[1])
            yield f"The comment {token.string!r} switches a check off", place
    if code.body:
        yield from _unwritten(code.body)


def _unwritten(method: _Function) -> Iterator[_Found]:
    written = [
        item
        for item in method.body
        if not isinstance(item, ast.Pass) and not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
    ]
    if all("NOTIMPLEMENTED" in ast.unparse(item).upper().replace("_", "") for item in written) and not any(
        isinstance(item, ast.Return) for item in written
    ):
        yield "The body is still to be written", method.body[0]


def _imports(code: Code) -> Iterator[_Found]:
    """Find imports of anything but what computes, and names of modules that reach further."""
    modules: dict[str, str] = {}
    for item in ast.walk(code.tree):
        if isinstance(item, ast.Import):
            yield from ((f"{alias.name} may not be imported", item) for alias in item.names if not _may(alias.name))
            modules |= {alias.asname or alias.name: alias.name for alias in item.names if _may(alias.name)}
        elif isinstance(item, ast.ImportFrom):
            source = f"{'.' * item.level}{item.module or ''}"
            yield from (
                (f"{alias.name} may not be imported from {source}", item)
                for alias in item.names
                if not _may(source) or not _offers(source, alias.name)
            )
    bases = {item.value: item.attr for item in ast.walk(code.tree) if isinstance(item, ast.Attribute)}
    for item in ast.walk(code.tree):
        if isinstance(item, ast.Name) and item.id in modules:
            if item not in bases:
                yield f"The module {item.id} may be used for its members alone", item
            elif not _offers(modules[item.id], bases[item]):
                yield f"{item.id}.{bases[item]} may not be used", item


def _may(module: str) -> bool:
    return module in _MODULES


def _offers(module: str, name: str) -> bool:
    """Tell whether a name may be taken from a module: no other module, and nothing that is its own."""
    members = _MODULES[module]
    return name in members if members else not (name in _REACHED or name in _MODULES or name.startswith(("_", "*")))


def _type_hints(code: Code) -> Iterator[_Found]:
    """Find functions whose arguments or results have no types; those of a method are its signature's to have."""
    for item in ast.walk(code.tree):
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = [*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs]
        untyped = [each.arg for each in arguments if each.annotation is None and each.arg not in {"self", "cls"}]
        if untyped:
            yield f"{item.name} has no types for {', '.join(untyped)}", item
        if item.returns is None:
            yield f"{item.name} does not say what it returns", item


def _onex(code: Code) -> Iterator[_Found]:
    """Find failures that ONEX has another way for: its error, and its log."""
    for item in ast.walk(code.tree):
        match item:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name)) | ast.Name(id=name)) if name.endswith(
                ("Error", "Exception")
            ) and name not in {"ModelOnexError"}:
                yield f"{name} is raised, expected ModelOnexError with a code", item
            case ast.ExceptHandler(type=None):
                yield "A bare except hides every failure", item
            case ast.ExceptHandler(body=[ast.Pass()]):
                yield "A failure is passed over in silence", item


def _security(code: Code) -> Iterator[_Found]:
    """Find names that lead outside or into the interpreter, secrets in the code, and SQL of texts."""
    for item in ast.walk(code.tree):
        yield from _names(item)
        if isinstance(item, ast.ClassDef) and (code.body or item not in code.tree.body):
            yield "A class may not be defined here", item
        yield from _secrets(item)
        if _is_sql_of_texts(item):
            yield "SQL is put together of texts: give values as parameters", item


def _names(item: ast.AST) -> Iterator[_Found]:
    match item:
        case ast.Name(id=name) if name in _FORBIDDEN or name.startswith("__"):
            yield f"{name} may not be used", item
        case ast.Attribute(attr=attr) if attr.startswith("_") and not _is_own(item):
            yield f"The attribute {attr} may not be used", item
        case ast.Attribute(attr=attr) if _INNER.fullmatch(attr):
            yield f"The attribute {attr} may not be used", item
        case ast.Global():
            yield "global may not be used", item
        case ast.MatchClass(kwd_attrs=names) if any(name.startswith("_") for name in names):
            yield "An attribute of a pattern may not be used", item
        case _:
            return


def _is_own(item: ast.Attribute) -> bool:
    return item.attr in _OWN and isinstance(item.value, ast.Name) and item.value.id == "self"


def _secrets(item: ast.AST) -> Iterator[_Found]:
    match item:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
            named = [(name, text)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
            named = [(name, text)]
        case ast.Call(keywords=words):
            named = [
                (word.arg, word.value.value)
                for word in words
                if word.arg and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
            ]
        case _:
            named = []
    for name, text in named:
        if text and _SECRET.search(name):
            yield f"{name} holds a secret that stands in the code", item


def _is_sql_of_texts(item: ast.AST) -> bool:
    match item:
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_, _]):
            return bool(_SQL.match(f"{text} "))
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add() | ast.Mod()):
            return bool(_SQL.match(f"{text} "))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return bool(_SQL.match(f"{text} "))
        case _:
            return False


_DOUBTFUL: Final = frozenset({_Rule.TYPE_HINTS, _Rule.ONEX_COMPLIANCE})
_CHECKS: Final[dict[EnumValidationRule, Callable[[Code], Iterator[_Found]]]] = {
    _Rule.AST: _structure,
    _Rule.IMPORTS: _imports,
    _Rule.TYPE_HINTS: _type_hints,
    _Rule.ONEX_COMPLIANCE: _onex,
    _Rule.SECURITY: _security,
}
