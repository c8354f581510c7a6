"""Pydantic models, dataclasses, typed dictionaries and enums become models and enums of the contract.

All of it is read from syntax trees: nothing is imported, so that no code of the node runs.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from ..language import names
from ..text.problems import show
from .annotations import ANY, ARRAYS, BOUNDS, ENUMS, LENGTHS, MAPS, NUMBERS, RECORDS, SCALARS, SETS, TRANSPARENT
from .literals import UNKNOWN, Literals
from .python import Found, Module, Sources, dotted
from .vocabulary import Vocabulary, field_name, said, short, text

_DEEPEST = 24


class Models:
    """Turns annotations and classes into fields, models and enums.

    Args:
        sources: Where names are looked up.
        vocabulary: Where models, enums and notes go.
    """

    def __init__(self, sources: Sources, vocabulary: Vocabulary) -> None:
        """Start with nothing made."""
        self.sources = sources
        self.vocabulary = vocabulary
        self.literals = Literals(sources)
        self._made: dict[tuple[str, str], dict[str, Any]] = {}
        self._names: dict[str, tuple[str, str]] = {}

    def class_of(self, module: Module, expression: ast.expr) -> Found | None:
        """Return the class that an annotation names, aliases followed; None for anything else."""
        found = self.sources.lookup(module, dotted(expression)) if dotted(expression) else None
        return found if found and isinstance(found.node, ast.ClassDef) else None

    def is_record(self, found: Found) -> bool:
        """Tell whether a class is a set of fields: a model, a dataclass, a typed dictionary or a named tuple."""
        return isinstance(found.node, ast.ClassDef) and (
            any(name in RECORDS for name in self._ancestry(found))
            or any(
                _name(decorator) == "dataclass" for _, node in self.lineage(found) for decorator in node.decorator_list
            )
        )

    def is_enum(self, found: Found) -> bool:
        """Tell whether a class is an enumeration."""
        return any(name in ENUMS for name in self._ancestry(found))

    def fields(self, found: Found) -> dict[str, Any]:
        """Return the fields of a record, those of its bases first."""
        fields: dict[str, Any] = {}
        aliases: dict[str, str] = {}
        total = True
        for module, node in reversed(list(self.lineage(found))):
            total = total and not any(
                keyword.arg == "total" and _constant(keyword.value) is False for keyword in node.keywords
            )
            for statement in node.body:
                if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                    continue
                name = statement.target.id
                if (
                    name.startswith("_")
                    or name == "model_config"
                    or _name(statement.annotation) in {"ClassVar", "InitVar"}
                ):
                    continue
                place = f"{node.name}.{name}"
                spec = self.field(module, place, statement.annotation, statement.value, needed=total)
                made = aliases.get(name)
                if made is None:
                    made, alias = field_name(name, fields)
                    aliases[name] = made
                    if alias and "alias" not in spec:
                        spec["alias"] = alias
                fields[made] = short(spec)
        return fields

    def choices(self, found: Found, field: str) -> list[str]:
        """Return the texts that a field of a record can be, where its type is an enum; none for anything else."""
        for module, node in self.lineage(found):
            for statement in node.body:
                match statement:
                    case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if name == field:
                        kind = self.class_of(module, annotation)
                        return self._texts(kind) if kind and self.is_enum(kind) else []
        return []

    @staticmethod
    def _texts(found: Found) -> list[str]:
        body = found.node.body if isinstance(found.node, ast.ClassDef) else []
        values = [statement.value for statement in body if isinstance(statement, ast.Assign)]
        return [one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]

    def field(
        self, module: Module, place: str, annotation: ast.expr, value: ast.expr | None = None, *, needed: bool = True
    ) -> dict[str, Any]:
        """Return one field.

        Args:
            module: Where it stands.
            place: How notes call it.
            annotation: Its type.
            value: Its default, or a call of pydantic's `Field`.
            needed: Whether it has to be there when it has no default.

        Returns:
            The field in its long form.
        """
        spec = self.type_of(module, place, annotation)
        settings: dict[str, ast.expr] = {}
        default = value
        if isinstance(value, ast.Call) and _name(value.func) in {"Field", "field", "PrivateAttr"}:
            settings = {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg}
            default = value.args[0] if value.args else settings.get("default")
        self._constrain(module, place, spec, settings)
        if default is not None and not (isinstance(default, ast.Constant) and default.value is ...):
            self._default(module, place, spec, default)
        elif "default_factory" in settings:
            self._factory(module, place, spec, settings["default_factory"])
        elif not needed:
            spec["required"] = False
        return spec

    def type_of(self, module: Module, place: str, annotation: ast.expr, depth: int = 0) -> dict[str, Any]:
        """Return the type that an annotation means, with what else it says of a field."""
        if depth > _DEEPEST:
            return self._any(place, "nested too deep")
        match annotation:
            case ast.Constant(value=str(words)):
                try:
                    inner = ast.parse(words, mode="eval").body
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return self._any(place, f"the annotation {show(words)}")
                return self.type_of(module, place, inner, depth + 1)
            case ast.Constant(value=None):
                return {"type": "object", "required": False}
            case ast.BinOp(op=ast.BitOr()):
                return self._union(module, place, list(_alternatives(annotation)), depth)
            case ast.Subscript():
                return self._subscript(module, place, annotation, depth)
            case ast.Call():
                spec = self.type_of(module, place, ast.Name(_constrained(_name(annotation.func))), depth + 1)
                self._constrain(module, place, spec, {word.arg: word.value for word in annotation.keywords if word.arg})
                return spec
            case ast.Name() | ast.Attribute():
                return self._named(module, place, annotation, depth)
            case _:
                return self._any(place, f"the annotation {show(ast.unparse(annotation))}")

    def _named(self, module: Module, place: str, annotation: ast.expr, depth: int) -> dict[str, Any]:
        name = _name(annotation)
        found = self.sources.lookup(module, dotted(annotation))
        if found is None or name in SCALARS or name in ANY:
            return self._known(place, name)
        node = found.node
        if isinstance(node, ast.ClassDef):
            return self._class(found, place, depth)
        if isinstance(node, ast.Call) and _name(node.func) == "NewType" and len(node.args) > 1:
            return self.type_of(found.module, place, node.args[1], depth + 1)
        if isinstance(node, ast.Call) and _name(node.func) == "TypeVar":
            return self._any(place, f"the type variable {name}")
        if isinstance(node, ast.expr):
            return self.type_of(found.module, place, node, depth + 1)
        return self._any(place, f"{name}, which is no type")

    def _known(self, place: str, name: str) -> dict[str, Any]:
        if name in SCALARS:
            return dict(SCALARS[name])
        if name in ARRAYS | SETS:
            return {"type": "array"} | ({"uniqueItems": True} if name in SETS else {})
        if name in MAPS:
            return {"type": "object"}
        return self._any(place, "any value" if name in ANY else f"{name}, whose definition was not found")

    def _class(self, found: Found, place: str, depth: int) -> dict[str, Any]:
        if self.is_enum(found):
            return self._enum(found)
        if self.is_record(found):
            return {"type": self._model(found)} if self._root(found) is None else self._rooted(found, place, depth)
        bases = [base for base in self._ancestry(found) if base in SCALARS]
        name = found.node.name if isinstance(found.node, ast.ClassDef) else "a class"
        return dict(SCALARS[min(bases)]) if bases else self._any(place, f"{name}, which is no model")

    def _subscript(self, module: Module, place: str, annotation: ast.Subscript, depth: int) -> dict[str, Any]:
        name, inner = _name(annotation.value), annotation.slice
        parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
        match name:
            case "Optional":
                return self.type_of(module, place, inner, depth + 1) | {"required": False}
            case "Union":
                return self._union(module, place, parts, depth)
            case "Literal":
                return self._literal(module, place, parts)
            case "Annotated":
                return self._annotated(module, place, parts, depth)
            case "NotRequired":
                return self.type_of(module, place, inner, depth + 1) | {"required": False}
            case _ if name in TRANSPARENT:
                return self.type_of(module, place, inner, depth + 1)
            case _ if name in ARRAYS or name in SETS:
                return self._array(module, place, name, parts, depth)
            case _ if name in MAPS and len(parts) > 1:
                held = self._held(module, place, parts[1], depth)
                return {"type": "object"} | ({"values": held} if held is not None else {})
            case _:
                return self.type_of(module, place, annotation.value, depth + 1)

    def _annotated(self, module: Module, place: str, parts: list[ast.expr], depth: int) -> dict[str, Any]:
        spec = self.type_of(module, place, parts[0], depth + 1)
        for part in parts[1:]:
            if isinstance(part, ast.Call) and _name(part.func) in {"Field", "StringConstraints"}:
                settings = {word.arg: word.value for word in part.keywords if word.arg}
                self._constrain(module, place, spec, settings)
                if "default" in settings:
                    self._default(module, place, spec, settings["default"])
                elif "default_factory" in settings:
                    self._factory(module, place, spec, settings["default_factory"])
            elif (
                isinstance(part, ast.Call)
                and _name(part.func).lower() in {"ge", "gt", "le", "lt", "multipleof"}
                and part.args
            ):
                word = {"multipleof": "multiple_of"}.get(_name(part.func).lower(), _name(part.func).lower())
                self._constrain(module, place, spec, {word: part.args[0]})
            elif isinstance(part, ast.Call) and _name(part.func) in {"MinLen", "MaxLen"} and part.args:
                word = "min_length" if _name(part.func) == "MinLen" else "max_length"
                self._constrain(module, place, spec, {word: part.args[0]})
            elif not isinstance(part, ast.Constant):
                self.vocabulary.note(place, f"{show(ast.unparse(part))} is not carried over")
        return spec

    def _array(self, module: Module, place: str, name: str, parts: list[ast.expr], depth: int) -> dict[str, Any]:
        spec: dict[str, Any] = {"type": "array"} | ({"uniqueItems": True} if name in SETS else {})
        fixed = name in {"tuple", "Tuple"} and not (len(parts) > 1 and _constant(parts[-1]) is ...)
        if fixed and parts:
            spec |= {"minItems": len(parts), "maxItems": len(parts)}
            if len({ast.unparse(part) for part in parts}) > 1:
                self.vocabulary.note(
                    place, f"a tuple of different types, {show(ast.unparse(parts[0]))} first, holds any values"
                )
                return spec
        held = self._held(module, place, parts[0], depth) if parts else None
        return spec | ({"items": held} if held is not None else {})

    def _held(self, module: Module, place: str, annotation: ast.expr, depth: int) -> Any:
        """Return what an array or object holds; None for any value."""
        if _name(annotation) in ANY - MAPS - {"BaseModel"} and not isinstance(annotation, ast.Subscript):
            return None
        spec = self.type_of(module, f"{place}[]", annotation, depth + 1)
        nullable = spec.pop("required", True) is False
        for word in ("alias", "secret", "default", "description"):
            spec.pop(word, None)
        if nullable:
            self.vocabulary.note(place, "what it holds may be None, for which any value is allowed")
            return None
        return short(spec)

    def _union(self, module: Module, place: str, parts: list[ast.expr], depth: int) -> dict[str, Any]:
        kinds = [part for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
        optional = {"required": False} if len(kinds) < len(parts) else {}
        if not kinds:
            return {"type": "object", "required": False}
        if len(kinds) == 1:
            return self.type_of(module, place, kinds[0], depth + 1) | optional
        specs = [self.type_of(module, place, kind, depth + 1) for kind in kinds]
        types = [spec["type"] for spec in specs]
        if any(spec.get("required") is False for spec in specs):
            optional = {"required": False}
        if len(set(types)) == 1:
            same = all(spec == specs[0] for spec in specs)
            return (specs[0] if same else {"type": types[0]}) | optional
        if set(types) == {"integer", "number"}:
            return {"type": "number"} | optional
        if all(kind in self.vocabulary.models for kind in types) and (found := self._discriminator(types)):
            return {"type": self.one_of(names.pascal(names.snake(place.replace(".", "_"))), types, found)} | optional
        return self._any(place, f"one of {', '.join(types)}") | optional

    def _discriminator(self, types: list[str]) -> str | None:
        """Return the field that tells models apart, which becomes what a discriminator has to be."""
        fields: list[dict[str, Any]] = [self.vocabulary.models[kind].get("fields", {}) for kind in types]
        for name in fields[0]:
            specs = [held.get(name) for held in fields]
            consts = [spec.get("const") if isinstance(spec, dict) else None for spec in specs]
            if all(isinstance(const, str) for const in consts) and len(set(consts)) == len(consts):
                for spec in filter(None, specs):
                    for word in ("default", "required", "alias"):
                        spec.pop(word, None)
                return str(name)
        return None

    def one_of(self, wanted: str, types: list[str], discriminator: str) -> str:
        """Return the model that is one of several, made when there is none."""
        spec = {"one_of": types, "discriminator": discriminator}
        for name, model in self.vocabulary.models.items():
            if model == spec:
                return name
        name = self.vocabulary.type_name(wanted)
        self.vocabulary.models[name] = spec
        return name

    def _literal(self, module: Module, place: str, parts: list[ast.expr]) -> dict[str, Any]:
        values = [self.literals.value(module, part) for part in parts]
        optional = {"required": False} if None in values else {}
        values = [value for value in values if value is not None]
        if UNKNOWN in values or not values:
            return self._any(place, "a literal that can't be told") | optional
        if all(isinstance(value, bool) for value in values):
            return {"type": "boolean"} | ({"const": values[0]} if len(values) == 1 else {}) | optional
        kind = (
            "integer" if all(isinstance(value, int) and not isinstance(value, bool) for value in values) else "string"
        )
        values = list(dict.fromkeys(values if kind == "integer" else map(str, values)))
        return {"type": kind} | ({"const": values[0]} if len(values) == 1 else {"enum": values}) | optional

    def _enum(self, found: Found) -> dict[str, Any]:
        assert isinstance(found.node, ast.ClassDef)  # noqa: S101 - the caller has looked
        key = (found.module.name, found.node.name)
        if key not in self._made:
            self._made[key] = self._new_enum(found.module, found.node)
        return dict(self._made[key])

    def _new_enum(self, module: Module, node: ast.ClassDef) -> dict[str, Any]:
        values = list(self.literals.members(module, node).values())
        if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            return {"type": "integer", "enum": list(dict.fromkeys(values))}
        texts = list(dict.fromkeys(value for value in values if isinstance(value, str) and value))
        if len(texts) < len(values) or not texts:
            self.vocabulary.note(node.name, "an enum whose values are not all texts; the field takes any text")
            return {"type": "string"}
        name = self.vocabulary.type_name(node.name.removeprefix("Enum") or node.name)
        description = said(ast.get_docstring(node) or "").partition("\n\n")[0]
        self.vocabulary.enums[name] = ({"description": description} if description else {}) | {"values": texts}
        return {"type": name}

    def _model(self, found: Found) -> str:
        assert isinstance(found.node, ast.ClassDef)  # noqa: S101 - the caller has looked
        key = (found.module.name, found.node.name)
        if key not in self._made:
            name = self.vocabulary.type_name(found.node.name.removeprefix("Model") or found.node.name)
            self._made[key] = {"type": name}
            # The name is known before the fields are, since a model may hold itself.
            self.vocabulary.models[name] = {"fields": {}}
            description = self.description(found)
            self.vocabulary.models[name] = ({"description": description} if description else {}) | {
                "fields": self.fields(found)
            }
        return str(self._made[key]["type"])

    def _root(self, found: Found) -> ast.expr | None:
        for _, node in self.lineage(found):
            for base in node.bases:
                if isinstance(base, ast.Subscript) and _name(base.value) == "RootModel":
                    return base.slice
            for statement in node.body:
                if (
                    isinstance(statement, ast.AnnAssign)
                    and dotted(statement.target) == "root"
                    and "RootModel" in self._ancestry(found)
                ):
                    return statement.annotation
        return None

    def _rooted(self, found: Found, place: str, depth: int) -> dict[str, Any]:
        root = self._root(found)
        return self.type_of(found.module, place, root, depth + 1) if root is not None else {"type": "object"}

    @staticmethod
    def description(found: Found) -> str:
        """Return the first paragraph of a class's docstring."""
        document = ast.get_docstring(found.node) if isinstance(found.node, ast.ClassDef) else None
        return said(document or "").partition("\n\n")[0]

    def _any(self, place: str, why: str) -> dict[str, Any]:
        self.vocabulary.note(place, f"{why}: now an object")
        return {"type": "object"}

    def lineage(self, found: Found) -> Iterator[tuple[Module, ast.ClassDef]]:
        """Yield a class and those that it extends, the nearest first, each once."""
        waiting, seen = [found], set()
        while waiting:
            one = waiting.pop(0)
            if not isinstance(one.node, ast.ClassDef) or (one.module.name, one.node.name) in seen:
                continue
            seen.add((one.module.name, one.node.name))
            yield one.module, one.node
            for base in one.node.bases:
                plain = base.value if isinstance(base, ast.Subscript) else base
                parent = self.sources.lookup(one.module, dotted(plain))
                if parent and parent.module.name.partition(".")[0] not in {"pydantic", "pydantic_settings"}:
                    waiting.append(parent)

    def _ancestry(self, found: Found) -> set[str]:
        return {
            _name(base.value if isinstance(base, ast.Subscript) else base)
            for _, node in self.lineage(found)
            for base in node.bases
        }

    def _constrain(self, module: Module, place: str, spec: dict[str, Any], settings: Mapping[str, ast.expr]) -> None:
        for word, expression in settings.items():
            if word in {"default", "default_factory", "repr", "frozen", "init", "exclude", "strict", "kw_only"}:
                continue
            value = self.literals.value(module, expression)
            if word in {"description", "title"} and isinstance(value, str):
                if value.strip() and (word == "description" or "description" not in spec):
                    spec["description"] = text(value)
            elif word in {"alias", "validation_alias", "serialization_alias"} and isinstance(value, str):
                spec.setdefault("alias", value)
            elif word in BOUNDS and value is not UNKNOWN and value is not None:
                if (word in {"pattern", "regex"}) == (spec["type"] == "string") and (
                    spec["type"] in NUMBERS or spec["type"] == "string"
                ):
                    spec[BOUNDS[word]] = value
                else:
                    self.vocabulary.note(place, f"{word} {show(value)} is not carried over to the type {spec['type']}")
            elif word in {"min_length", "max_length", "min_items", "max_items"} and isinstance(value, int):
                if spec["type"] in LENGTHS:
                    spec[f"{word[:3]}{LENGTHS[spec['type']]}"] = value
            elif value is not None and word not in {"examples", "example", "json_schema_extra", "discriminator"}:
                self.vocabulary.note(place, f"{word}={show(ast.unparse(expression))} is not carried over")

    def _default(self, module: Module, place: str, spec: dict[str, Any], expression: ast.expr) -> None:
        value = self.literals.value(module, expression)
        if value is None:
            spec["required"] = False
            return
        if value is UNKNOWN or spec.get("secret"):
            spec["required"] = False
            self.vocabulary.note(place, f"its default {show(ast.unparse(expression))} is the handler's to fill in")
            return
        spec["default"] = value
        spec.pop("required", None)

    def _factory(self, module: Module, place: str, spec: dict[str, Any], factory: ast.expr) -> None:
        empty: dict[str, Any] = {"list": [], "tuple": [], "set": [], "frozenset": [], "dict": {}}
        if (name := dotted(factory)) in empty and spec["type"] in {"array", "object"}:
            spec["default"] = empty[name]
        elif (
            isinstance(factory, ast.Subscript)
            and dotted(factory.value) in empty
            and spec["type"] in {"array", "object"}
        ):
            spec["default"] = empty[dotted(factory.value)]
        elif isinstance(factory, ast.Lambda):
            self._default(module, place, spec, factory.body)
        else:
            self._default(module, place, spec, ast.Call(factory, [], []))


def _alternatives(expression: ast.expr) -> Iterator[ast.expr]:
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.BitOr):
        yield from _alternatives(expression.left)
        yield from _alternatives(expression.right)
    else:
        yield expression


def _constrained(name: str) -> str:
    return {"constr": "str", "conint": "int", "confloat": "float", "condecimal": "Decimal", "conbytes": "bytes"}.get(
        name, name
    )


def _name(expression: ast.expr) -> str:
    """Return the last word of the name that an expression, or what it calls or subscribes, is."""
    while isinstance(expression, (ast.Call, ast.Subscript)):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return dotted(expression).rpartition(".")[2]


def _constant(expression: ast.expr) -> object:
    return expression.value if isinstance(expression, ast.Constant) else None
