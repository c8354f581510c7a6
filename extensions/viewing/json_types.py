"""Types of a contract as JSON Schema, in the dialect of 2020-12, for documents that tell others what a node takes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from ..language import names
from ..language.contract import MISSING, Contract, Field, Model, Union
from ..text.json_data import json_value

type Schema = dict[str, Any]

SCHEMAS: Final = "#/components/schemas/"
_FORMATS_OF_TEXT: Final = ("email", "uri", "hostname", "ipv4", "ipv6")
_DECIMAL: Final = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_SCALARS: Final[Mapping[str, Schema]] = {
    "string": {"type": "string"},
    # Computed ones may be longer than those that come in.
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"},
    # JSON Schema's own word for them leaves out those below zero.
    "duration": {"type": "string", "pattern": "^[+-]?P[0-9TYMWDHS.,]+$"},
    "bytes": {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/_-]*={0,2}$"},
}
_OF_NUMBERS: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
_SUITED: Final = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": _OF_NUMBERS,
    "number": _OF_NUMBERS,
    "decimal": _OF_NUMBERS,
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
}


type Form = Literal["", "public", "open"]

PUBLIC: Final[Form] = "public"
"""Types without the fields that are secret, as events and messages have them."""
OPEN: Final[Form] = "open"
"""Types of which others may tell more than there are fields for."""


class Types:
    """The types of a contract as schemas, each under a name of its own.

    Attributes:
        schemas: Of enums, models, and inputs and outputs of operations, by name.
    """

    def __init__(self, contract: Contract, form: Form = "") -> None:
        """Make the schemas.

        Args:
            contract: A contract without problems.
            form: In which form they are; one of its own is part of the names of models, inputs and outputs.
        """
        self._form = form
        self._models = {model.name: model for model in contract.models}
        sides = {side(operation.name, which) for operation in contract.operations for which in ("Input", "Output")}
        taken = sides | self._models.keys()
        self._enums = {enum.name: f"Enum{enum.name}" if enum.name in taken else enum.name for enum in contract.enums}
        self.schemas: dict[str, Schema] = {}
        for enum in contract.enums:
            schema = {"type": "string", "enum": list(enum.values)}
            self.schemas[self._enums[enum.name]] = _described(schema, enum.description)
        for model in contract.models:
            self.schemas[self._named(model.name)] = _described(self._object(model.fields), model.description)
        for operation in contract.operations:
            for which, fields in (("Input", operation.input), ("Output", operation.output)):
                self.schemas[self._named(side(operation.name, which))] = self._object(fields)

    def reference(self, name: str) -> Schema:
        """Return what stands for the schema of a model, an input or an output, in the form of these types."""
        return reference(self._named(name))

    def find(self, fields: Sequence[Field], path: Sequence[str | int]) -> Field | None:
        """Return the field that a path of the contract leads to; None where it ends elsewhere."""
        name, *rest = path
        found = next((field for field in fields if field.name == name), None)
        if found is None or not rest:
            return found
        inner = self._models.get(str(found.reference)) if found.kind == "model" else None
        return self.find(inner.fields, rest) if inner else None

    def _named(self, name: str) -> str:
        # No name of a contract has a dot.
        return f"{name}.{self._form}" if self._form else name

    def _object(self, fields: Sequence[Field]) -> Schema:
        shown = [field for field in fields if not (field.secret and self._form == PUBLIC)]
        required = [field.outside for field in shown if field.required and field.default is MISSING]
        return {
            "type": "object",
            "properties": {field.outside: self.field(field) for field in shown},
            **({"required": required} if required else {}),
            **({} if self._form == OPEN else {"additionalProperties": False}),
        }

    def field(self, field: Field) -> Schema:
        """Return the schema of a field's value, described as the field is."""
        schema = self._value(field)
        if not field.required:
            plain = isinstance(schema.get("type"), str) and "enum" not in schema
            schema = {**schema, "type": [schema["type"], "null"]} if plain else {"anyOf": [schema, {"type": "null"}]}
        if field.default is not MISSING and not field.secret:
            schema = {**schema, "default": json_value(field.default)}
        if field.secret:
            schema = {**schema, "x-secret": True}
        return _described(schema, field.description)

    def _value(self, field: Field) -> Schema:
        limits = {key: value for key, value in field.constraints.items() if key in _SUITED.get(field.kind, ())}
        if values := field.constraints.get("enum"):
            return {"enum": json_value(values)}
        if field.union:
            return self._union(field.union)
        match field.kind:
            case "model":
                return self.reference(str(field.reference))
            case "enum":
                return reference(self._enums[str(field.reference)])
            case "array":
                return {"type": "array", "items": self._value(field.items) if field.items else {}, **limits}
            case "object":
                held = {"additionalProperties": self._value(field.items)} if field.items else {}
                return {"type": "object", **held, **limits}
            case "decimal":
                return {"anyOf": [{"type": "number", **limits}, {"type": "string", "pattern": _DECIMAL}]}
        word = field.constraints.get("format")
        form = {"format": word} if word in _FORMATS_OF_TEXT else {}
        return {**_SCALARS[field.kind], **form, **limits}

    def _union(self, union: Union) -> Schema:
        marks = {name: _mark(self._models[name], union.discriminator) for name in union.models}
        return {
            "oneOf": [self.reference(name) for name in union.models],
            "discriminator": {
                "propertyName": next(iter(marks.values())).outside,
                "mapping": {
                    str(value): f"{SCHEMAS}{self._named(name)}"
                    for name, mark in marks.items()
                    for value in mark.constraints["enum"]
                },
            },
        }


def side(operation: str, which: str) -> str:
    """Return the name of the schema of an operation's `Input` or `Output`."""
    return f"{names.pascal(operation)}{which}"


def reference(name: str) -> Schema:
    """Return what stands for a schema of the document."""
    return {"$ref": f"{SCHEMAS}{name}"}


def draft_07(schema: Any) -> Any:
    """Return a schema, or what holds schemas, as draft 07 has it.

    There a reference stands alone, and unions, which are told apart by the constants in them, have no discriminator.
    """
    if isinstance(schema, list):
        return [draft_07(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    told = {key: draft_07(value) for key, value in schema.items() if not (key == "discriminator" and "oneOf" in schema)}
    if isinstance(told.get("$ref"), str) and len(told) > 1:
        target = told.pop("$ref")
        return {"allOf": [{"$ref": target}], **told}
    return told


def reachable(start: object, schemas: Mapping[str, Schema]) -> set[str]:
    """Return the names of the schemas that are referred to, from somewhere or from one that is.

    Args:
        start: What refers to them at first.
        schemas: All schemas, by name.
    """
    found: set[str] = set()
    waiting = [start]
    while waiting:
        match waiting.pop():
            case {"$ref": str(target), **others}:
                name = target.removeprefix(SCHEMAS)
                if name in schemas and name not in found:
                    found.add(name)
                    waiting.append(schemas[name])
                waiting += others.values()
            case Mapping() as mapping:
                waiting += mapping.values()
            case list() as items:
                waiting += items
    return found


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


def _mark(model: Model, discriminator: str) -> Field:
    return next(field for field in model.fields if field.name == discriminator)
