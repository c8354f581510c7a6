"""Custom handlers that run what was carried over, and tests that pin what can be pinned without running it."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import handlers
from .carrying import Carrier
from .models import Models
from .python import Found, dotted

_PREFIX = "Original"
_ENVELOPE = "ModelEventEnvelope"
_CONTAINER = "ModelONEXContainer"
_PLAIN = frozenset({"object", "Any", "dict", "Mapping"})
_VALIDATING = ("validator", "root_validator", "__post_init__", "model_post_init")


type Files = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A handler that runs what was carried over.

    Attributes:
        handler: The text of its file.
        test: The text of its test.
        missing: What a person has to hand to the original; empty where it runs as it is.
        pinned: What its test pins.
    """

    handler: str
    test: str
    missing: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()


class _Names(ast.NodeTransformer):
    """Gives the names of a handler's annotations those under which they are imported here."""

    def __init__(self, carrier: Carrier, models: Models, handler: handlers.Handler) -> None:
        self.carrier = carrier
        self.models = models
        self.handler = handler
        self.imports: dict[str, tuple[str, str]] = {}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.named(node.id) or node.id)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            try:
                return self.visited(ast.parse(node.value, mode="eval").body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        literal = dotted(node.value).rpartition(".")[2] == "Literal"
        return ast.Subscript(self.visited(node.value), node.slice if literal else self.visited(node.slice))

    def visited(self, node: ast.expr) -> ast.expr:
        made: ast.expr = self.visit(node)
        return made

    def named(self, name: str) -> str:
        """Return the name by which one of the handler's module is known here; empty for a builtin."""
        found = self.carrier.reference(self.handler.module, name)
        if found is None:
            return ""
        module, own = found
        made = f"{_PREFIX}{(own or name).lstrip('_')}"
        self.imports[made] = (module, own)
        return made

    def code(self, annotation: ast.expr) -> str:
        """Return an annotation as code."""
        return ast.unparse(self.visited(ast.parse(ast.unparse(annotation), mode="eval").body))

    def lines(self) -> list[str]:
        """Return the imports."""
        return [
            f"from {module} import {own} as {made}" if own else f"import {module} as {made}"
            for made, (module, own) in sorted(self.imports.items())
        ]


def body(
    operation: Mapping[str, Any], handler: handlers.Handler, models: Models, carrier: Carrier, files: Files
) -> Body:
    """Return a handler and its test that take the place of generated ones.

    Args:
        operation: The operation, as the new contract has it.
        handler: Its handler in the node that was written by hand.
        models: The node's models.
        carrier: Who carries modules over.
        files: The generated handler and its test.
    """
    known = _Names(carrier, models, handler)
    stub, test = files
    tree = ast.parse(stub)
    own = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    handle = next(node for node in own.body if isinstance(node, ast.AsyncFunctionDef))
    request, answer = (ast.unparse(part) for part in (handle.args.args[1].annotation, handle.returns) if part)
    original = known.named(handler.owner.name if handler.owner else handler.name)
    built, missing = _constructed(known)
    arguments, others = _taken(known)
    missing += others
    code = [f"async def handle(self, request: {request}) -> {answer}:"]
    code += [f'    """Run {operation["name"]} by what was carried over.']
    code += ["", "    Args:", "        request: The operation's input, already validated."]
    code += ["", "    Returns:", "        The operation's output."]
    if missing:
        code += ["", "    Raises:", "        ModelOnexError: METHOD_NOT_IMPLEMENTED until this method is written."]
        words = f"{handler.name} was carried over; hand it {', '.join(missing)} and call it here."
        code += ['    """', "    raise ModelOnexError(", f"        message={words!r},"]
        code += ["        error_code=EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED,"]
        code += ["        input_model=type(request).__name__,", "    )"]
    else:
        awaited = "await " if isinstance(handler.function, ast.AsyncFunctionDef) else ""
        call = f"{original}({built}).{handler.function.name}" if handler.owner else original
        code += ['    """', *_values(arguments)]
        result = f"{awaited}{call}({', '.join(arguments)})"
        code += [f"    {line}" for line in _answered(known, operation, answer, result)]
    kept = [ast.get_source_segment(stub, node) for node in own.body if node is not handle]
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, ast.ImportFrom)]
    lines = [
        f'"""The operation {operation["name"]}, carried over. This file is yours: an update never touches it."""',
        "from omnibase_core.enums import EnumCoreErrorCode",
        "from omnibase_core.errors import ModelOnexError",
        "from pydantic import BaseModel, TypeAdapter",
        *imports,
        *known.lines(),
    ]
    if missing:
        # What the person is to call stands imported, so that it is seen to import.
        lines.append(f"\nORIGINAL = {original}")
    lines += ["", "", f"class {own.name}:", *(f"    {part}\n" for part in kept), *(f"    {line}" for line in code), ""]
    pins = {} if missing else _pins(known, request, answer, "INPUT: " in test)
    return Body(
        handler="\n".join(lines),
        test=test if missing else _test(test, known, pins),
        missing=tuple(missing),
        pinned=tuple(pins),
    )


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, owned: bool) -> list[tuple[ast.arg, bool, bool]]:
    """Return parameters, without `self`, each with whether it may be left out and whether it is taken by position."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    optional = len(positional) - len(arguments.defaults)
    found = [(one, index >= optional, one in arguments.posonlyargs) for index, one in enumerate(positional)]
    found += [
        (one, default is not None, False)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return found[1:] if owned and found and found[0][0].arg in {"self", "cls"} else found


def _said(parameter: ast.arg) -> str:
    return f"{parameter.arg} ({ast.unparse(parameter.annotation)})" if parameter.annotation else parameter.arg


def _constructed(known: _Names) -> tuple[str, list[str]]:
    """Return the arguments that build a handler, and what is missing for that."""
    owner = known.handler.owner
    body_ = owner.body if owner else []
    init = next((node for node in body_ if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)
    if init is None:
        return "", []
    given, missing = [], []
    for parameter, optional, by_place in _parameters(init, True):
        if optional:
            continue
        if parameter.annotation is not None and dotted(parameter.annotation).rpartition(".")[2] == _CONTAINER:
            made = f"{known.code(parameter.annotation)}()"
            given.append(made if by_place else f"{parameter.arg}={made}")
        else:
            missing.append(_said(parameter))
    return ", ".join(given), missing


def _taken(known: _Names) -> tuple[list[str], list[str]]:
    """Return the arguments that a handler's function is called with, and what is missing for that."""
    given: list[str] = []
    missing: list[str] = []
    handler, models = known.handler, known.models
    parameters = _parameters(handler.function, handler.owner is not None)
    main = [one for one, _, _ in parameters if one.arg != "correlation_id" and not handlers.injected(one)]
    for parameter, optional, by_place in parameters:
        annotation = parameter.annotation
        code = ""
        if annotation is None or handlers.injected(parameter):
            pass
        elif len(main) == 1 and parameter is main[0] and handlers.is_opaque(annotation):
            code = "values" if dotted(_bare(annotation)).rpartition(".")[2] in _PLAIN else ""
        elif len(main) == 1 and parameter is main[0] and handlers.record_in(models, handler.module, annotation):
            code = _record(annotation, known)
        else:
            code = f"TypeAdapter({known.code(annotation)}).validate_python(values.get({parameter.arg!r}))"
        if code:
            given.append(code if by_place else f"{parameter.arg}={code}")
        elif not optional:
            missing.append(_said(parameter))
    return given, missing


def _bare(annotation: ast.expr) -> ast.expr:
    return annotation.value if isinstance(annotation, ast.Subscript) else annotation


def _record(annotation: ast.expr, known: _Names) -> str:
    inner = handlers.unwrapped(annotation)
    wrapper = dotted(_bare(annotation)).rpartition(".")[2] if inner is not annotation else ""
    if wrapper not in {"", _ENVELOPE}:
        return ""
    dumped = "request.model_dump_json(by_alias=True, exclude_unset=True)"
    made = f"TypeAdapter({known.code(inner)}).validate_json({dumped})"
    return f"{known.code(annotation)}(payload={made})" if wrapper else made


def _values(arguments: list[str]) -> list[str]:
    if any(part.endswith("values") or "values.get(" in part for part in arguments):
        return ['    values = request.model_dump(mode="json", by_alias=True)']
    return []


def _answered(known: _Names, operation: Mapping[str, Any], answer: str, result: str) -> list[str]:
    """Return the code that calls a handler and turns its answer into the output."""
    handler, models = known.handler, known.models
    annotation = handler.function.returns
    if not operation.get("output"):
        return [result, f"return {answer}()"]
    inner = handlers.unwrapped(annotation) if annotation is not None else None
    if inner is not annotation:
        result = f"({result}).result"
    lines = [f"answer = {result}"]
    if annotation is None or inner is None or handlers.is_opaque(annotation) or handlers.is_opaque(inner):
        dumped = 'answer.model_dump(mode="json", by_alias=True) if isinstance(answer, BaseModel) else answer'
        return [*lines, f"return {answer}.model_validate({dumped})"]
    code = known.code(inner)
    if handlers.record_in(models, handler.module, inner):
        if isinstance(inner, ast.BinOp) or annotation is not inner:
            words = f"{operation['name']} has no answer."
            lines += [
                "if answer is None:",
                f"    raise ModelOnexError(message={words!r}, error_code=EnumCoreErrorCode.NOT_FOUND)",
            ]
        return [*lines, f"return {answer}.model_validate_json(TypeAdapter({code}).dump_json(answer, by_alias=True))"]
    (name,) = operation["output"] if len(operation["output"]) == 1 else ("result",)
    return [
        *lines,
        f'return {answer}.model_validate({{{name!r}: TypeAdapter({code}).dump_python(answer, mode="json")}})',
    ]


def _pins(known: _Names, request: str, answer: str, sampled: bool) -> dict[str, str]:
    """Return tests by what they pin: that what goes in and out still fits the original's models."""
    pins: dict[str, str] = {}
    handler, models = known.handler, known.models
    parameters = [one for one, _, _ in _parameters(handler.function, handler.owner is not None)]
    main = [one.annotation for one in parameters if one.arg != "correlation_id" and one.annotation is not None]
    record = handlers.record_in(models, handler.module, main[0]) if len(main) == 1 else None
    if record and sampled and not _validates(models, record):
        code = known.code(handlers.unwrapped(main[0]))
        pins["a valid input is one of the original"] = f"""\
def test_a_valid_input_is_one_of_the_original() -> None:
    original = TypeAdapter({code})
    request = {request}.model_validate(INPUT)
    taken = original.validate_json(request.model_dump_json(by_alias=True, exclude_unset=True))
    read = {request}.model_validate_json(original.dump_json(taken, by_alias=True))
    given = request.model_fields_set
    assert read.model_dump(include=given) == request.model_dump(include=given)
"""
    annotation = handler.function.returns
    inner = handlers.unwrapped(annotation) if annotation is not None else None
    record = handlers.record_in(models, handler.module, inner) if inner is not None else None
    if record and inner is not None and _is_model(models, record):
        plain = inner.left if isinstance(inner, ast.BinOp) else inner
        code = known.code(plain)
        pins["the output has the fields of the original's"] = f"""\
def test_the_output_has_the_fields_of_the_original() -> None:
    fields = {{field.alias or name for name, field in {code}.model_fields.items()}}
    assert {{field.alias or name for name, field in {answer}.model_fields.items()}} == fields
"""
    return pins


def _validates(models: Models, record: Found) -> bool:
    """Tell whether a model checks more than its types say, for which a sample could be wrong."""
    return any(
        isinstance(node, (ast.FunctionDef, ast.Name)) and any(word in _name(node) for word in _VALIDATING)
        for _, owner in models.lineage(record)
        for node in ast.walk(owner)
    )


def _name(node: ast.FunctionDef | ast.Name) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else node.id


def _is_model(models: Models, record: Found) -> bool:
    """Tell whether a record is a model of pydantic, and no dataclass or mapping."""
    return any(
        dotted(_bare(base)).rpartition(".")[2].endswith("BaseModel")
        for _, owner in models.lineage(record)
        for base in owner.bases
    )


def _test(test: str, known: _Names, pins: Mapping[str, str]) -> str:
    """Return the generated test without what expects a stub, and with what is pinned."""
    lines = test.splitlines()
    tree = ast.parse(test)
    dropped: set[int] = set()
    for node in tree.body:
        text = ast.get_source_segment(test, node) or ""
        stub = text.startswith(("TO_BE_WRITTEN", "EXAMPLES"))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stub = node.name != "test_node_has_this_handler"
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        else:
            first = node.lineno
        if stub:
            dropped |= set(range(first, (node.end_lineno or first) + 1))
    head = next((node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Expr)), 0)
    rest = [line for number, line in enumerate(lines, 1) if number not in dropped]
    rest[head:head] = ["", "from pydantic import TypeAdapter", *known.lines()]
    return "\n".join([*rest, "", *(f"\n{text}" for text in pins.values())])
