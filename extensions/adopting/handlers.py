"""Handlers of a node: what they take and what they answer, by their signatures."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..language import names
from .models import Models
from .python import Found, Module, dotted, files
from .vocabulary import field_name, said, short

_METHODS = ("handle", "execute", "process", "run", "__call__")
# What ONEX wraps around what a handler takes and answers.
_WRAPPERS = frozenset(
    {"ModelHandlerOutput", "ModelEventEnvelope", "ModelComputeInput", "ModelComputeOutput", "ModelEffectInput"}
)
_OPAQUE = frozenset(
    {"object", "Any", "dict", "Mapping", "ModelEventMessage", "ModelONEXContainer", "BaseModel", "None", ""}
)
_AWAITED = frozenset({"Awaitable", "Coroutine", "AsyncIterator"})


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler's function.

    Attributes:
        name: The class's name, or the function's.
        module: Where it is.
        function: Its syntax tree.
        owner: The class, where there is one.
    """

    name: str
    module: Module
    function: ast.FunctionDef | ast.AsyncFunctionDef
    owner: ast.ClassDef | None = None

    @property
    def description(self) -> str:
        """The first line of the function's docstring, or of the class's."""
        for node in (self.function, self.owner):
            if node is not None and (first := said(ast.get_docstring(node) or "").partition("\n")[0]):
                return first
        return ""


def handler_of(models: Models, found: Found | None, operation: str = "") -> Handler | None:
    """Return the function that handles an operation.

    Args:
        models: Where classes are looked up.
        found: The handler's class or function.
        operation: The operation, after which a method may be called.

    Returns:
        The function; None where there is none.
    """
    if found is None:
        return None
    if isinstance(found.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return Handler(found.node.name, found.module, found.node)
    if not isinstance(found.node, ast.ClassDef):
        return None
    wanted = (*_METHODS, f"handle_{operation}", operation)
    for module, node in models.lineage(found):
        functions = {item.name: item for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}
        for name in wanted:
            if name in functions:
                return Handler(found.node.name, module, functions[name], found.node)
    return None


def listed(models: Models) -> list[Handler]:
    """Return the handlers in a node's files, for contracts that name none."""
    found: list[Handler] = []
    for path in files(models.sources.node):
        module = models.sources.at(path)
        for name, node in module.names.items() if module else ():
            if module and isinstance(node, ast.ClassDef) and name.startswith("Handler"):
                handler = handler_of(models, Found(module, node))
                found += [handler] if handler else []
    return found


def inputs(models: Models, handler: Handler) -> dict[str, Any] | None:
    """Return the fields that a handler takes; None where its signature doesn't tell.

    The fields of one model are taken as they are; with several parameters, each is a field.
    """
    arguments = handler.function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    defaults: dict[str, ast.expr] = {}
    positional = [*arguments.posonlyargs, *arguments.args]
    for parameter, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        defaults[parameter.arg] = default
    for parameter, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            defaults[parameter.arg] = given
    if handler.owner is not None and parameters and parameters[0].arg in {"self", "cls"}:
        parameters = parameters[1:]
    parameters = [parameter for parameter in parameters if not injected(parameter)]
    if not parameters:
        return None
    main = [parameter for parameter in parameters if parameter.arg != "correlation_id"]
    if len(main) == 1 and (annotation := main[0].annotation) is not None:
        if is_opaque(annotation):
            return None
        record = record_in(models, handler.module, annotation)
        if record:
            fields = models.fields(record)
            for parameter in parameters:
                if parameter is not main[0] and parameter.arg not in fields and parameter.annotation is not None:
                    _add(models, handler, fields, parameter, defaults.get(parameter.arg))
            return fields
    fields = {}
    for parameter in parameters:
        if parameter.annotation is None:
            return None
        _add(models, handler, fields, parameter, defaults.get(parameter.arg))
    return fields


def outputs(models: Models, handler: Handler) -> dict[str, Any] | None:
    """Return the fields that a handler answers; None where its signature doesn't tell."""
    annotation = handler.function.returns
    if annotation is None or is_opaque(annotation):
        return None
    inner = unwrapped(annotation)
    if is_opaque(inner):
        return None
    if record := record_in(models, handler.module, inner):
        return models.fields(record)
    spec = models.field(handler.module, f"{handler.name}.{handler.function.name}", inner)
    spec.pop("alias", None)
    return {"items" if spec["type"] == "array" else "result": short(spec)}


def record_in(models: Models, module: Module, annotation: ast.expr) -> Found | None:
    """Return the record that an annotation names, wrappers taken off; None for anything else."""
    inner = unwrapped(annotation)
    if isinstance(inner, ast.BinOp) and isinstance(inner.right, ast.Constant) and inner.right.value is None:
        inner = inner.left
    found = models.class_of(module, inner)
    return found if found and not models.is_enum(found) and models.is_record(found) else None


def _add(
    models: Models, handler: Handler, fields: dict[str, Any], parameter: ast.arg, default: ast.expr | None
) -> None:
    assert parameter.annotation is not None  # noqa: S101 - the caller has looked
    name, alias = field_name(parameter.arg, fields)
    spec = models.field(handler.module, f"{handler.name}.{parameter.arg}", parameter.annotation, default)
    fields[name] = short(({"alias": alias} if alias else {}) | spec)


def injected(parameter: ast.arg) -> bool:
    """Tell whether a parameter is something that a runtime hands in, and no data."""
    words = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
    return any(word in words for word in ("Protocol", "Container", "Callable", "EventBus"))


def unwrapped(annotation: ast.expr) -> ast.expr:
    """Return what an annotation says once what ONEX wraps around it is taken off."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return annotation
    while isinstance(annotation, ast.Subscript) and _last(annotation.value) in _WRAPPERS | _AWAITED:
        annotation = annotation.slice.elts[-1] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
    return annotation


def is_opaque(annotation: ast.expr) -> bool:
    """Tell whether an annotation says nothing of what is in a value."""
    plain = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return True
    if isinstance(annotation, ast.Subscript):
        return _last(plain) in _OPAQUE
    return _last(annotation) in _OPAQUE | _WRAPPERS


def _last(expression: ast.expr) -> str:
    return dotted(expression).rpartition(".")[2]


def name_of(handler: str) -> str:
    """Return the operation that a handler's name speaks of, such as `ledger_append` for `HandlerLedgerAppend`."""
    return names.snake(handler).removeprefix("handler_").removesuffix("_handler")


def reference(value: object) -> tuple[str, str]:
    """Return module and name of a class that a contract names.

    Args:
        value: A mapping with `module` and `name` or `class`, or a text such as `package.module:Name`.

    Returns:
        The module and the name; empty texts for what is not said.
    """
    if isinstance(value, Mapping):
        name = next((value[key] for key in ("name", "class", "class_name") if isinstance(value.get(key), str)), "")
        module = value.get("module")
        return (module if isinstance(module, str) else ""), name
    if not isinstance(value, str):
        return "", ""
    module, _, name = value.replace(":", ".").rpartition(".")
    return module, name
