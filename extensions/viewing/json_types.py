"""Types of a contract as JSON Schema, in the dialect of 2020-12, for documents that tell others what a node takes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

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


class Types:
    """The types of a contract as schemas, each under a name of its own.

    Attributes:
        schemas: Of enums, models, and inputs and outputs of operations, by name.
    """

    def __init__(self, contract: Contract) -> None:
        """Make the schemas.

        Args:
            contract: A contract without problems.
        """
        self._models = {model.name: model for model in contract.models}
        sides = {side(operation.name, which) for operation in contract.operations for which in ("Input", "Output")}
        taken = sides | self._models.keys()
        self._enums = {enum.name: f"Enum{enum.name}" if enum.name in taken else enum.name for enum in contract.enums}
        self.schemas: dict[str, Schema] = {}
        for enum in contract.enums:
            schema = {"type": "string", "enum": list(enum.values)}
            self.schemas[self._enums[enum.name]] = _described(schema, enum.description)
        for model in contract.models:
            self.schemas[model.name] = _described(self._object(model.fields), model.description)
        for operation in contract.operations:
            self.schemas[side(operation.name, "Input")] = self._object(operation.input)
            self.schemas[side(operation.name, "Output")] = self._object(operation.output)

    def _object(self, fields: Sequence[Field]) -> Schema:
        required = [field.outside for field in fields if field.required and field.default is MISSING]
        return {
            "type": "object",
            "properties": {field.outside: self._field(field) for field in fields},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def _field(self, field: Field) -> Schema:
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
                return reference(str(field.reference))
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
            "oneOf": [reference(name) for name in union.models],
            "discriminator": {
                "propertyName": next(iter(marks.values())).outside,
                "mapping": {
                    str(value): f"{SCHEMAS}{name}" for name, mark in marks.items() for value in mark.constraints["enum"]
                },
            },
        }


def side(operation: str, which: str) -> str:
    """Return the name of the schema of an operation's `Input` or `Output`."""
    return f"{names.pascal(operation)}{which}"


def reference(name: str) -> Schema:
    """Return what stands for a schema of the document."""
    return {"$ref": f"{SCHEMAS}{name}"}


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


def _mark(model: Model, discriminator: str) -> Field:
    return next(field for field in model.fields if field.name == discriminator)
