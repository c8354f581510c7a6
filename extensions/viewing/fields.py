"""How fields of a contract become annotated fields of Pydantic models."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from ..language import names
from ..language.contract import MISSING, Field
from ..text import encode
from ..text.json_data import json_value

type Symbol = tuple[str, str]

_SCALARS: dict[str, tuple[str, Symbol | None]] = {
    "string": ("str", None),
    "integer": ("int", None),
    "number": ("float", None),
    "boolean": ("bool", None),
    "uuid": ("UUID", ("uuid", "UUID")),
    "date": ("date", ("datetime", "date")),
    "duration": ("timedelta", ("datetime", "timedelta")),
    "decimal": ("Decimal", ("decimal", "Decimal")),
}
CONSTRAINTS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
    "pattern": "pattern",
}
_LONGEST_LITERAL = 50
_PLAIN_DEFAULTS = ("string", "integer", "boolean", "object")
# ONEX's pattern checker flags a bare `str` under these names, and accepts an annotated one.
_FLAGGED_NAMES = ("category", "type", "status")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A type as code.

    Attributes:
        code: The type expression.
        arguments: Keyword arguments of the `Field` that constrains it, as code.
        symbols: What it needs imported, as pairs of module and name.
        alias: A name for a long list of values, and the values as code, which its module has to define.
    """

    code: str
    arguments: tuple[str, ...]
    symbols: frozenset[Symbol]
    alias: tuple[str, tuple[str, ...]] | None = None

    @property
    def whole(self) -> str:
        """The type with its constraints, as one expression."""
        return f"Annotated[{self.code}, Field({', '.join(self.arguments)})]" if self.arguments else self.code

    @property
    def all_symbols(self) -> frozenset[Symbol]:
        """What `whole` needs imported."""
        return self.symbols | {("typing", "Annotated"), ("pydantic", "Field")} if self.arguments else self.symbols


@dataclass(frozen=True, slots=True)
class FieldCode:
    """One field of a generated model.

    Attributes:
        name: The field's name.
        type: Its type as code, without constraints.
        declaration: Its line or lines in the class body, without the indent of the first.
        symbols: What it needs imported, as pairs of module and name.
        alias: A name for a long list of values, and the values as code, which its module has to define.
        summary: Its type and constraints, for people.
        description: What it means, possibly empty.
        outside: Its name outside of the node, where that is another.
        secret: Whether its value is shown to nobody.
    """

    name: str
    type: str
    declaration: str
    symbols: frozenset[Symbol]
    alias: tuple[str, tuple[str, ...]] | None
    summary: str
    description: str
    outside: str = ""
    secret: bool = False


def annotation(
    field: Field,
    module_of: Callable[[str, str], Symbol],
    owner: str,
    moments: Symbol = ("datetime", "datetime"),
    hidden: Collection[str] = (),
) -> Annotation:
    """Return the annotation of a field, without its optionality.

    Args:
        field: A field, or the items of an array.
        module_of: Gives the symbol of an enum or model from its kind and name.
        owner: The name of the field, or of that whose items it describes.
        moments: The type of moments: models have one that gives an offset to those without.
        hidden: Words for types that mean something else where the annotation is.

    Returns:
        The type as code.
    """
    arguments = tuple(
        f"{CONSTRAINTS[key]}={encode.py(value)}" for key, value in field.constraints.items() if key in CONSTRAINTS
    )
    if values := field.constraints.get("enum"):
        return _literal(tuple(encode.py(value) for value in values), owner)
    if field.kind in {"enum", "model"}:
        symbol = module_of(field.kind, str(field.reference))
        return Annotation(symbol[1], arguments, frozenset({symbol}))
    if field.kind in {"array", "object"}:
        items = annotation(field.items, module_of, owner, moments, hidden) if field.items else _json()
        if field.constraints.get("uniqueItems"):
            symbol = module_of("format", "Unique")
            return Annotation(f"Unique[{items.whole}]", arguments, items.all_symbols | {symbol}, items.alias)
        words = "list" if field.kind == "array" else "dict"
        held = items.whole if field.kind == "array" else f"{_word('str', hidden)}, {items.whole}"
        return Annotation(f"{_word(words, hidden)}[{held}]", arguments, items.all_symbols, items.alias)
    if field.union:
        found = frozenset(module_of("model", name) for name in field.union.models)
        names_of = " | ".join(module_of("model", name)[1] for name in field.union.models)
        code = f"Annotated[{names_of}, Field(discriminator={encode.py(field.union.discriminator)})]"
        return Annotation(code, arguments, found | {("typing", "Annotated"), ("pydantic", "Field")})
    if field.kind == "bytes":
        symbol = module_of("bytes", "")
        return Annotation(symbol[1], arguments, frozenset({symbol}))
    if form := field.constraints.get("format"):
        symbol = ("pydantic", "AwareDatetime") if form == "offset" else module_of("format", form.capitalize())
        return Annotation(symbol[1], arguments, frozenset({symbol}))
    if field.kind == "time":
        symbol = module_of("format", "LocalTime")
        return Annotation("LocalTime", arguments, frozenset({symbol}))
    if field.kind == "datetime":
        return Annotation(_word(moments[1], hidden), arguments, frozenset({moments}))
    code, needed = _SCALARS[field.kind]
    return Annotation(_word(code, hidden), arguments, frozenset({needed} if needed else ()))


def _literal(values: tuple[str, ...], owner: str) -> Annotation:
    code = f"Literal[{', '.join(values)}]"
    symbols = frozenset({("typing", "Literal")})
    if len(code) <= _LONGEST_LITERAL:
        return Annotation(code, (), symbols)
    alias = f"{names.pascal(owner)}Value"
    return Annotation(alias, (), symbols, (alias, values))


def _word(word: str, hidden: Collection[str]) -> str:
    return word.capitalize() if word in hidden else word


def hidden_words(fields: Collection[Field]) -> frozenset[str]:
    """Return the words for types that mean a field in the body of a class, since a field is called like them."""
    words = {"list", "dict", *(code for code, _ in _SCALARS.values())}
    return frozenset(words & {field.name for field in fields})


def second_names(hidden: Collection[str], fields: Collection[FieldCode]) -> tuple[str, ...]:
    """Return the statements that give types another name, for the annotations of some fields.

    Args:
        hidden: Words for types that mean something else in these annotations.
        fields: The fields.
    """
    code = " ".join(field.type for field in fields)
    return tuple(
        f"{word.capitalize()} = {word}" for word in sorted(hidden) if re.search(rf"\b{word.capitalize()}\b", code)
    )


def _json() -> Annotation:
    return Annotation("JsonValue", (), frozenset({("pydantic", "JsonValue")}))


def field_code(field: Field, module_of: Callable[[str, str], Symbol], hidden: Collection[str] = ()) -> FieldCode:
    """Return a field as it stands in a Pydantic model.

    Args:
        field: A field of an input, an output or a model.
        module_of: Gives the symbol of an enum or model from its kind and name.
        hidden: Words for types that mean something else in the class.

    Returns:
        The declaration and what it needs.
    """
    base = annotation(field, module_of, field.name, module_of("datetime", ""), hidden)
    arguments = base.arguments
    if field.alias:
        # A plain alias would become the name of the constructor's parameter, too.
        shown = encode.py_string(field.alias)
        arguments = (f"validation_alias=AliasChoices({shown})", f"serialization_alias={shown}", *arguments)
        base = replace(base, symbols=base.symbols | {("pydantic", "AliasChoices")})
    if field.secret:
        symbol = module_of("secret", "SECRET")
        arguments = (*arguments, "repr=False", "json_schema_extra=SECRET")
        base = replace(base, symbols=base.symbols | {symbol})
    if field.description:
        arguments = (*arguments, f"description={encode.py_string(encode.one_line(field.description))}")
    if not arguments and base.code == "str" and _is_flagged(field):
        arguments = (f"title={encode.py_string(field.name.replace('_', ' ').capitalize())}",)
    default, default_symbols = _default(field)
    code = base.code if field.required else f"{base.code} | None"
    symbols = base.symbols | default_symbols
    if arguments:
        symbols |= {("typing", "Annotated"), ("pydantic", "Field")}
    return FieldCode(
        name=field.name,
        type=base.code,
        declaration=_declaration(field.name, code, arguments, default),
        symbols=symbols,
        alias=base.alias,
        summary=_summary(field),
        description=field.description,
        outside=field.alias,
        secret=field.secret,
    )


def _summary(field: Field) -> str:
    kind = field.reference or field.kind
    if field.items:
        kind = f"{kind} of {_summary(field.items)}"
    parts = [kind, *(f"{key}: {json_value(value)}" for key, value in field.constraints.items())]
    if field.alias:
        parts.append(f"outside: {field.alias}")
    if field.secret:
        parts.append("secret")
    if not field.required:
        parts.append("optional")
    if field.default is not MISSING and field.default is not None:
        parts.append(f"default: {json_value(field.default)}")
    return ", ".join(parts)


def _is_flagged(field: Field) -> bool:
    return field.required and (field.name in _FLAGGED_NAMES or field.name.endswith(("_name", "_id")))


def _default(field: Field) -> tuple[str, frozenset[Symbol]]:
    if field.default is MISSING:
        return ("", frozenset()) if field.required else (" = None", frozenset())
    if field.default is None:
        return " = None", frozenset()
    if field.kind == "number" and isinstance(field.default, (int, float)):
        return f" = {encode.py(float(field.default))}", frozenset()
    if field.kind in _PLAIN_DEFAULTS:
        return f" = {encode.py(field.default)}", frozenset()
    default = encode.py(json_value(field.default))
    return f" = Field(default={default}, validate_default=True)", frozenset({("pydantic", "Field")})


def _declaration(name: str, code: str, arguments: tuple[str, ...], default: str) -> str:
    if not arguments:
        return _split(name, code, default)
    line = f"{name}: Annotated[{code}, Field({', '.join(arguments)})]{default}"
    if encode.width(line) + 4 <= encode.LINE_LENGTH:
        return line
    inner = "".join(f"            {argument},\n" for argument in arguments)
    return f"{name}: Annotated[\n        {code},\n        Field(\n{inner}        ),\n    ]{default}"


def _split(name: str, code: str, default: str) -> str:
    """Return a declaration as the formatter splits it: the default first, then the type of an array's items."""
    line = f"{name}: {code}{default}"
    longest = encode.LINE_LENGTH - 4
    if encode.width(line) <= longest:
        return line
    call = default.removeprefix(" = Field(").removesuffix(")")
    if default.startswith(" = Field(") and encode.width(f"{name}: {code} = Field(") <= longest:
        if encode.width(call) + 8 > encode.LINE_LENGTH:
            call = call.removesuffix(", validate_default=True") + ",\n        validate_default=True,"
        return f"{name}: {code} = Field(\n        {call}\n    )"
    if default.startswith(" = Field(") and encode.width(f"{name}: {code} = (") <= longest:
        return f"{name}: {code} = (\n        {default.removeprefix(' = ')}\n    )"
    item = code.removeprefix("list[").removesuffix("]")
    if code != f"list[{item}]":
        return line
    if encode.width(item) + 8 > encode.LINE_LENGTH and item.startswith("Annotated["):
        inner = item.removeprefix("Annotated[").removesuffix("]")
        if encode.width(inner) + 12 > encode.LINE_LENGTH:
            kind, _, limits = inner.removesuffix(")").partition(", Field(")
            limits = limits if encode.width(limits) + 16 <= encode.LINE_LENGTH else f"{limits},"
            inner = f"{kind},\n            Field(\n                {limits}\n            ),"
        item = f"Annotated[\n            {inner}\n        ]"
    return f"{name}: list[\n        {item}\n    ]{default}"


def literal(alias: str, values: tuple[str, ...]) -> str:
    """Return the definition of a name for a list of values that is too long for a line of a field.

    Args:
        alias: The name.
        values: The values as code, at least one.

    Returns:
        The statement; a single value has no comma after it, which would make a tuple of it.
    """
    if len(values) > 1:
        return f"{alias} = Literal[\n" + "".join(f"    {value},\n" for value in values) + "]"
    line = f"{alias} = Literal[{values[0]}]"
    return line if encode.width(line) <= encode.LINE_LENGTH else f"{alias} = Literal[\n    {values[0]}\n]"
