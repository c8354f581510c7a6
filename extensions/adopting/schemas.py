"""Schemas of OpenAPI documents, 3.0 and 3.1, become types, models and enums of the contract."""

from collections.abc import Mapping
from typing import Any

from ..language import names
from .machine import FORMATS, TEXT_FORMATS, WORDS
from .reference import At
from .vocabulary import Vocabulary, field_name, short, text

_PLAIN = ("string", "integer", "number", "boolean", "object", "array")
# A value of more than one kind, for which the language has no type.
ANY = "any"
_KINDS: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_DEEPEST = 40
# What is said of a member of a record, and not of what an array or an object holds.
_OF_MEMBERS = frozenset({"required", "default", "description"})
_OF = {
    "string": ("minLength", "maxLength", "pattern", "default", "const"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default", "enum", "const"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default"),
    "boolean": ("default", "const"),
    "array": ("minItems", "maxItems", "uniqueItems", "default"),
    "object": ("minProperties", "maxProperties", "default"),
}


class Schemas:
    """Turns schemas into fields.

    Args:
        vocabulary: Where models, enums and notes go.

    Attributes:
        lossy: Models that lack a property which documents of them must have.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Start with nothing made."""
        self.vocabulary = vocabulary
        self._made: dict[int, dict[str, Any]] = {}
        self._written: list[dict[str, Any]] = []
        self.lossy: set[str] = set()

    def type_of(self, at: At, place: str, depth: int = 0) -> dict[str, Any]:
        """Return a schema as a field in its long form.

        Args:
            at: The schema.
            place: How notes call it, and models that have no name of their own.
            depth: How far the search has come.

        Returns:
            The field; `required` is false where null is allowed. Its type is ANY where values may be of several
            kinds, which callers have to leave out or to replace.
        """
        name = at.name
        found = at.followed()
        if found.name:
            name = found.name
        schema = found.value
        if schema is True:
            return {"type": ANY}
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return {"type": "object"}
        if id(schema) in self._made:
            return dict(self._made[id(schema)])
        made = self._combined(found, name or place, place, depth)
        if made is None:
            made = self._plain(found, name or place, place, depth)
        if schema.get("nullable") is True:
            made["required"] = False
        if isinstance(words := schema.get("description"), str) and words.strip() and not made["type"][0].isupper():
            made["description"] = text(words)
        return made

    def _combined(self, at: At, name: str, place: str, depth: int) -> dict[str, Any] | None:
        schema = at.value
        if isinstance(schema.get("allOf"), list):
            parts = [at.below("allOf", index) for index in range(len(schema["allOf"]))]
            if len(parts) == 1 and "properties" not in schema:
                return self.type_of(parts[0], place, depth + 1)
            return self._record(at, name, depth)
        for word in ("oneOf", "anyOf"):
            if isinstance(schema.get(word), list) and schema[word]:
                if (values := _listed(at.value[word])) is not None:
                    written = {**schema, word: None, "enum": values}
                    # What is made of a schema is known by where that is, which nothing else may take.
                    self._written.append(written)
                    return self._plain(At(written, at.resolver, at.name), name, place, depth)
                return self._one_of(at, word, name, place, depth)
        return None

    def _one_of(self, at: At, word: str, name: str, place: str, depth: int) -> dict[str, Any]:
        parts = [at.below(word, index).followed() for index in range(len(at.value[word]))]
        kinds = [part for part in parts if not (isinstance(part.value, Mapping) and part.value.get("type") == "null")]
        optional: dict[str, Any] = {"required": False} if len(kinds) < len(parts) else {}
        specs = [self.type_of(kind, place, depth + 1) for kind in kinds]
        if len(specs) == 1:
            return specs[0] | optional
        discriminator = at.value.get("discriminator")
        types = [spec["type"] for spec in specs]
        if isinstance(discriminator, Mapping) and len(set(types)) == len(types):
            field = field_name(str(discriminator.get("propertyName")), ())[0]
            mapping = discriminator.get("mapping")
            values = (
                {str(target).rpartition("/")[2]: value for value, target in mapping.items()}
                if isinstance(mapping, Mapping)
                else {}
            )
            models = [self.vocabulary.models.get(kind, {}).get("fields") for kind in types]
            if all(isinstance(fields, dict) and field in fields for fields in models):
                for kind, fields in zip(kinds, models, strict=True):
                    fields[field] = {"type": "string", "const": values.get(kind.name, kind.name)}  # type: ignore[index] # looked at above
                made = self.vocabulary.type_name(name)
                self.vocabulary.models[made] = {"one_of": types, "discriminator": field}
                self._made[id(at.value)] = {"type": made}
                return {"type": made} | optional
        if len(set(types)) == 1 and types[0] in _PLAIN:
            return {"type": types[0]} | optional
        if not set(types) <= {"object", *self.vocabulary.models}:
            return {"type": ANY} | optional
        self.vocabulary.note(place, f"one of {', '.join(types)}: now an object")
        return {"type": "object"} | optional

    def _plain(self, at: At, name: str, place: str, depth: int) -> dict[str, Any]:
        schema = at.value
        kind, optional = _kind(schema)
        if kind not in _PLAIN:
            return {"type": ANY} | optional
        if kind == "object" and isinstance(schema.get("properties"), Mapping) and schema["properties"]:
            return self._record(at, name, depth) | optional
        form, values = at.held("format", str), schema.get("enum")
        if kind == "string" and isinstance(values, list):
            return self._enum(schema, values, name) | optional
        if kind == "string" and form in FORMATS:
            return {"type": FORMATS[form]} | optional
        made: dict[str, Any] = {"type": kind} | optional
        if kind == "string" and form in TEXT_FORMATS and "pattern" not in schema:
            made["format"] = form
        for holder, word, key in (("object", "additionalProperties", "values"), ("array", "items", "items")):
            if kind == holder and isinstance(schema.get(word), Mapping) and schema[word]:
                held = self.type_of(at.below(word), f"{place}_item", depth + 1)
                if held["type"] != ANY:
                    made[key] = short({name: held[name] for name in held if name not in _OF_MEMBERS})
        return made | _limits(schema, kind)

    def _enum(self, schema: Mapping[str, Any], values: list[Any], name: str) -> dict[str, Any]:
        texts = list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
        if not texts:
            return {"type": "string"}
        for known, spec in self.vocabulary.enums.items():
            if spec["values"] == texts:
                self._made[id(schema)] = {"type": known}
                break
        else:
            made = self.vocabulary.type_name(name)
            self.vocabulary.enums[made] = {"values": texts}
            self._made[id(schema)] = {"type": made}
        default = schema.get("default")
        return dict(self._made[id(schema)]) | ({"default": default} if default in texts else {})

    def _record(self, at: At, name: str, depth: int) -> dict[str, Any]:
        made = self.vocabulary.type_name(name)
        # The name is known before the fields are, since a model may hold itself.
        self._made[id(at.value)] = {"type": made}
        self.vocabulary.models[made] = {"fields": {}}
        fields: dict[str, Any] = {}
        properties, required = self.properties(at)
        for outside, part in properties.items():
            inside, alias = field_name(outside, fields)
            spec = self.type_of(part, names.pascal(f"{made}_{inside}"), depth + 1)
            if spec["type"] == ANY:
                self.vocabulary.note(f"{made}.{outside}", "left out, since its values are of several kinds")
                if outside in required:
                    self.lossy.add(made)
                continue
            if alias:
                spec["alias"] = alias
            if outside not in required and "default" not in spec:
                spec["required"] = False
            if "default" in spec:
                spec.pop("required", None)
            fields[inside] = short(spec)
        words = at.value.get("description")
        model = {"description": text(words)} if isinstance(words, str) and words.strip() else {}
        self.vocabulary.models[made] = model | {"fields": fields}
        return {"type": made}

    def properties(self, at: At) -> tuple[dict[str, At], set[str]]:
        """Return the properties of an object by name, with those of its parts, and the names of those it must have."""
        properties: dict[str, At] = {}
        required: set[str] = set()
        self._gather(at, properties, required, 0)
        return properties, required

    def reached(self, field: Mapping[str, Any]) -> set[str]:
        """Return the models that a field holds, at any depth."""
        found: set[str] = set()
        waiting: list[Any] = [field]
        while waiting:
            match waiting.pop():
                case str(name) if name in self.vocabulary.models and name not in found:
                    found.add(name)
                    model = self.vocabulary.models[name]
                    waiting += [*model.get("fields", {}).values(), *model.get("one_of", ())]
                case dict(spec):
                    waiting += [spec[key] for key in ("type", "items", "values") if key in spec]
                case _:
                    pass
        return found

    def _gather(self, at: At, properties: dict[str, At], required: set[str], depth: int) -> None:
        found = at.followed()
        schema = found.value
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return
        for index in range(len(found.held("allOf", list))):
            self._gather(found.below("allOf", index), properties, required, depth + 1)
        held = schema.get("properties")
        for name in held if isinstance(held, Mapping) else ():
            properties[str(name)] = found.below("properties", name)
        required |= {str(name) for name in found.held("required", list) if isinstance(name, str)}


def _listed(parts: list[Any]) -> list[Any] | None:
    """Return the values that alternatives allow, where each of them is one value."""
    if all(isinstance(part, Mapping) and "const" in part for part in parts):
        return [part["const"] for part in parts]
    return None


def _kind(schema: Mapping[str, Any]) -> tuple[object, dict[str, Any]]:
    """Return the one type that a schema names, or None, and whether null is allowed beside it."""
    kind = schema.get("type")
    optional: dict[str, Any] = {}
    if isinstance(kind, list):
        optional = {"required": False} if "null" in kind else {}
        rest = [item for item in kind if item != "null"]
        kind = rest[0] if len(rest) == 1 else None
    if kind is None and ("properties" in schema or "additionalProperties" in schema):
        kind = "object"
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if kind is None and isinstance(values, list) and values:
        kinds = {_KINDS.get(type(value)) for value in values if value is not None}
        kind = kinds.pop() if len(kinds) == 1 else None
        optional = {"required": False} if None in values else optional
    return kind, optional


def _limits(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the words of a schema that fields have as well; 3.0 says by a boolean whether a bound is left out."""
    made = {
        word: schema[word]
        for word in WORDS
        if word in _OF[kind]
        and schema.get(word) is not None
        and not (word.startswith("ex") and isinstance(schema[word], bool))
    }
    for word, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(strict) is True and word in made:
            made[strict] = made.pop(word)
    return made
