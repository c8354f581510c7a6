"""No template writes text of a contract but through a filter that encodes it for the place where it lands.

The types of the view tell what an expression holds. Numbers and the symbols of generated code need no encoding. Text
does, unless it is listed below: names that the schema restricts, and code that extensions/ has put together.
"""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, TypeAliasType, Union, get_args, get_origin

import pytest
from copier._jinja_ext import YieldExtension
from jinja2 import Environment, nodes

from examples.rendering import ROOT
from extensions.onex import OnexExtension
from extensions.viewing import fields
from extensions.viewing import node as view
from extensions.viewing.deploy import DeployView

TEMPLATES = sorted(path for path in (ROOT / "template").rglob("*") if path.is_file())
ENCODERS = frozenset(
    {
        "contract_schema",
        "docstring",
        "imports",
        "json_value",
        "manifest",
        "own_file",
        "md",
        "md_code",
        "py",
        "py_block",
        "py_set",
        "py_triple",
    }
    | {"double_source", "md_number", "py_tuple", "runtime_source", "toml", "yaml", "yaml_document", "yaml_key"}
)
NUMBERS = frozenset({"length", "int", "round"})
# What these return holds what they were given.
PASSING = frozenset(
    {
        "assignment",
        "call",
        "first",
        "indent",
        "join",
        "list",
        "lower",
        "map",
        "replace",
        "signature",
        "sort",
        "unique",
        "upper",
    }
)
VERBATIM = frozenset(
    line.strip()
    for line in (Path(__file__).parent / "verbatim.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
)
SAFE_TYPES = (int, float, bool, type(None))


@dataclass(frozen=True)
class Value:
    """What an expression holds: its type as annotated, and its place in the view; no type where that is unknown."""

    annotation: object
    place: str


SAFE = Value(int, "")


def plain(annotation: object) -> object:
    """Return an annotation without aliases and without None."""
    if isinstance(annotation, TypeAliasType):
        return annotation.__value__
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [plain(item) for item in get_args(annotation) if item is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def items_of(value: Value) -> Value:
    if value is SAFE:
        return SAFE
    annotation = plain(value.annotation)
    if annotation == fields.Symbol.__value__:
        return SAFE
    arguments = get_args(annotation)
    return Value(arguments[0] if arguments else None, f"{value.place}[]")


@cache
def hints_of(owner: object) -> dict[str, object]:
    return typing.get_type_hints(owner)


def member_of(value: Value, name: str) -> Value:
    if value is SAFE:
        return SAFE
    owner = plain(value.annotation)
    if not inspect.isclass(owner):
        return Value(None, f"{value.place}.{name}")
    place = f"{owner.__name__}.{name}"
    found = inspect.getattr_static(owner, name, None)
    made = found.fget if isinstance(found, property) else found.func if isinstance(found, cached_property) else found
    if inspect.isfunction(made):
        return Value(hints_of(made).get("return"), place)
    hints = hints_of(owner) if dataclasses.is_dataclass(owner) else {}
    return Value(hints.get(name), place)


class Scope:
    def __init__(self, known: Mapping[str, Value]) -> None:
        """Take over what is known around it."""
        self.known = dict(known)

    def bind(self, target: nodes.Node, value: Value) -> None:
        if value is SAFE and isinstance(target, nodes.Tuple):
            for item in target.items:
                self.bind(item, SAFE)
        elif isinstance(target, nodes.Name):
            self.known[target.name] = value
        elif isinstance(target, nodes.Tuple):
            arguments = get_args(plain(value.annotation))
            for index, item in enumerate(target.items):
                annotation = arguments[index] if index < len(arguments) else None
                self.bind(item, Value(annotation, f"{value.place}[{index}]"))

    def value(self, node: nodes.Node) -> Value:
        match node:
            case nodes.Name():
                return self.known.get(node.name, Value(None, node.name))
            case nodes.Getattr():
                return member_of(self.value(node.node), node.attr)
            case nodes.Getitem(arg=nodes.Const(value=index)) if isinstance(index, int):
                return self.item(self.value(node.node), index)
            case nodes.Getitem():
                return items_of(self.value(node.node))
            case nodes.Call(node=nodes.Getattr(attr=attr, node=inside)) if attr in {"items", "values"}:
                return self.entries(self.value(inside), attr)
            case nodes.Call():
                return self.value(node.node)
            case nodes.Filter(name=name) if name in PASSING and node.node is not None:
                inner = self.value(node.node)
                return items_of(inner) if name in {"first", "join"} else inner
            case (
                nodes.Const() | nodes.TemplateData() | nodes.Concat() | nodes.CondExpr() | nodes.List() | nodes.Tuple()
            ):
                return self.mixture(node)
            case nodes.BinExpr() | nodes.Filter() | nodes.Compare() | nodes.Not() | nodes.Test():
                return self.mixture(node)
        return Value(None, type(node).__name__)

    def mixture(self, node: nodes.Node) -> Value:
        places = sorted(set(self.unencoded(node)))
        return Value(None, " and ".join(places)) if places else SAFE

    def item(self, value: Value, index: int) -> Value:
        annotation = plain(value.annotation)
        if annotation == fields.Symbol.__value__:
            return SAFE
        arguments = get_args(annotation)
        if len(arguments) > 1 and arguments[1] is not ...:
            return Value(arguments[index], f"{value.place}[{index}]")
        return items_of(value)

    def entries(self, value: Value, attr: str) -> Value:
        arguments = get_args(plain(value.annotation))
        if len(arguments) != 2:
            return Value(None, f"{value.place}.{attr}()")
        entry = types.GenericAlias(tuple, arguments) if attr == "items" else arguments[1]
        return Value(types.GenericAlias(tuple, (entry, ...)), f"{value.place}.{attr}()")

    def unencoded(self, node: nodes.Node) -> Iterator[str]:  # noqa: PLR0912 - one case for each form of expression
        """Yield the places of text in an expression that lands as it is."""
        match node:
            case nodes.TemplateData() | nodes.Const() | nodes.Compare() | nodes.Not() | nodes.Test():
                return
            case nodes.Filter(name=name) if name in ENCODERS | NUMBERS:
                return
            case nodes.Filter(name=name) if name in PASSING and node.node is not None:
                if isinstance(node.node, nodes.List):
                    yield from self.unencoded(node.node)
                else:
                    yield from self.judge(self.value(node), node)
            case nodes.Filter():
                yield f"the filter {node.name}"
            case nodes.Concat() | nodes.List() | nodes.Tuple():
                for part in node.nodes if isinstance(node, nodes.Concat) else node.items:
                    yield from self.unencoded(part)
            case nodes.BinExpr():
                yield from self.unencoded(node.left)
                yield from self.unencoded(node.right)
            case nodes.CondExpr():
                yield from self.unencoded(node.expr1)
                yield from self.unencoded(node.expr2) if node.expr2 is not None else ()
            case nodes.Getitem(node=nodes.Dict(items=pairs)):
                for pair in pairs:
                    yield from self.unencoded(pair.value)
            case nodes.Call(node=nodes.Name(name=name)) if self.known.get(name) is SAFE:
                return
            case _:
                yield from self.judge(self.value(node), node)

    def judge(self, value: Value, node: nodes.Node) -> Iterator[str]:
        if value is SAFE:
            return
        annotation = plain(value.annotation)
        options = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
        if all(option in SAFE_TYPES or get_origin(option) is Literal for option in options):
            return
        if isinstance(node, nodes.Filter) and node.name in PASSING and annotation == fields.Symbol.__value__:
            return
        if value.place not in VERBATIM:
            yield value.place


def outputs(node: nodes.Node, scope: Scope) -> Iterator[tuple[nodes.Node, Scope]]:
    """Yield every expression that is written, with what the names in it stand for."""
    match node:
        case nodes.Output():
            yield from ((part, scope) for part in node.nodes)
        case nodes.For():
            inner = Scope(scope.known)
            inner.bind(node.target, items_of(scope.value(node.iter)))
            inner.known["loop"] = SAFE
            for child in (*node.body, *node.else_):
                yield from outputs(child, inner)
        case nodes.Assign():
            scope.bind(node.target, scope.value(node.node))
        case nodes.Macro():
            scope.known[node.name] = SAFE
            inner = Scope(scope.known)
            for argument in node.args:
                inner.known[argument.name] = Value(None, f"{node.name}({argument.name})")
            for child in node.body:
                yield from outputs(child, inner)
        case _:
            for child in node.iter_child_nodes():
                yield from outputs(child, scope)


@cache
def environment() -> Environment:
    made = Environment(extensions=[YieldExtension])  # noqa: S701 - nothing is rendered
    OnexExtension(made)
    return made


def scope_of(path: Path) -> Scope:
    """Return what a template's names stand for: the view, and what the path yields."""
    scope = Scope({"node": Value(view.NodeView, "node"), "deploy": Value(DeployView, "deploy")})
    for name, iterable in re.findall(r"{% yield (\w+) from ([^%]+?) %}", str(path)):
        parsed = environment().parse(f"{{{{ {iterable} }}}}").find(nodes.Output)
        assert parsed is not None
        scope.known[name] = items_of(scope.value(parsed.nodes[0]))
    return scope


def unencoded(text: str, scope: Scope) -> set[str]:
    parsed = environment().parse(text)
    return {place for expression, names in outputs(parsed, scope) for place in names.unencoded(expression)}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_text_is_encoded(path: Path) -> None:
    parts = re.sub(r"{% (yield|endyield)[^%]*%}", "", str(path.relative_to(ROOT)))
    found = unencoded(parts, scope_of(path))
    if path.suffix == ".j2":
        found |= unencoded(path.read_text(encoding="utf-8"), scope_of(path))

    assert sorted(found) == []


@pytest.mark.parametrize(
    "text",
    [
        "{{ node.description }}",
        "{{ node.summary }}",
        "{{ node.description | upper }}",
        "{{ 'x' ~ node.description }}",
        "{{ node.description if node.port else 'x' }}",
        "{{ node.description | sentence }}",
        "{{ node.unknown }}",
        "{% for operation in node.operations %}{{ operation.description }}{% endfor %}",
        "{% for operation in node.operations %}{{ operation.query }}{% endfor %}",
        "{% set text = node.description %}{{ text }}",
        "{% macro shown(text) %}{{ text }}{% endmacro %}{{ shown(node.description) }}",
        "{{ [node.description] | signature('def x', 'None') }}",
        "{{ contract }}",
    ],
)
def test_text_that_is_not_encoded_is_found(text: str) -> None:
    assert unencoded(text, scope_of(Path()))


@pytest.mark.parametrize(
    "text",
    [
        "{{ node.description | py }}",
        "{{ node.port }}",
        "{{ node.request[1] }}",
        "{% for operation in node.operations %}{{ operation.description | docstring(operation.title, 4) }}{% endfor %}",
        "{{ 'a' if node.database else 'b' }}",
        "{{ node.operations | length }}",
    ],
)
def test_text_that_is_encoded_passes(text: str) -> None:
    assert unencoded(text, scope_of(Path())) == set()


def test_every_entry_of_the_list_is_needed() -> None:
    global VERBATIM  # noqa: PLW0603 - put back below
    listed, VERBATIM = VERBATIM, frozenset()
    try:
        found: set[str] = set()
        for path in TEMPLATES:
            found |= unencoded(re.sub(r"{% (yield|endyield)[^%]*%}", "", str(path.relative_to(ROOT))), scope_of(path))
            found |= unencoded(path.read_text(encoding="utf-8"), scope_of(path)) if path.suffix == ".j2" else set()
    finally:
        VERBATIM = listed
    assert listed - found == set()
