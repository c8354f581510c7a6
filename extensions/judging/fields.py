"""Rules of fields: what their types and constraints allow, and whether values meet them."""

import keyword
from collections.abc import Collection, Iterator, Mapping

from ..language import patterns
from ..language.contract import BASE_TYPES, spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, list_of, mapping_of
from ..text.yaml_words import misread
from . import constraints, unions

_CONSTRAINTS_OF = {
    "string": ("minLength", "maxLength", "pattern", "enum", "const", "format"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const"),
    "boolean": ("const",),
    "datetime": ("format",),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "decimal": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "bytes": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems", "items", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "values"),
}
_GENERAL = ("type", "description", "required", "default", "alias", "secret")
_ORDERED = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)
# Attributes of pydantic's BaseModel, which a field of the same name would hide.
TAKEN = frozenset(
    {"construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw", "schema", "schema_json"}
    | {"update_forward_refs", "validate", "model_computed_fields", "model_config", "model_construct", "model_copy"}
    | {"model_dump", "model_dump_json", "model_extra", "model_fields", "model_fields_set", "model_json_schema"}
    | {"model_parametrized_name", "model_post_init", "model_rebuild", "model_validate", "model_validate_json"}
    | {"model_validate_strings"}
)


def is_needed(spec: object) -> bool:
    """Tell whether a field always has a value."""
    return isinstance(spec, str) or (isinstance(spec, Mapping) and spec.get("required", True) is not False)


def comparable(low: object, high: object) -> bool:
    """Tell whether two limits are numbers."""
    return isinstance(low, (int, float)) and isinstance(high, (int, float))


class FieldRules:
    """Rules of all that has fields: models, and the input and output of operations."""

    def __init__(self, raw: Specs, blocked: Collection[Path]) -> None:
        """Look at the types that a contract defines.

        Args:
            raw: The contract; parts of it may not meet the schema.
            blocked: Paths at which the schema found something; rules say nothing about what lies there.
        """
        self.raw = raw
        # Every place at or above one at which the schema found something.
        self.unclean = {other[:length] for other in blocked for length in range(len(other) + 1)}
        self.enums = {
            name: [
                item
                for item in list_of(spec if isinstance(spec, list) else mapping_of(spec).get("values"))
                if isinstance(item, str)
            ]
            for name, spec in mapping_of(raw.get("enums")).items()
        }
        models = {name: mapping_of(spec) for name, spec in mapping_of(raw.get("models")).items()}
        self.unions = {name: spec for name, spec in models.items() if "one_of" in spec}
        self.models = {name: mapping_of(spec.get("fields")) for name, spec in models.items() if name not in self.unions}

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""
        return path not in self.unclean

    def model_fields(self) -> Iterator[Problem]:
        """Find what is wrong with the fields of models, and with the models' names."""
        for name, fields in self.models.items():
            yield from self.fields(("models", name, "fields"), fields)
        for name in (self.models.keys() | self.unions.keys()) & self.enums.keys():
            yield Problem(("models", name), f"the name of an enum, {name}", "a name of its own")

    def cycles(self) -> Iterator[Problem]:
        """Find models that no value can be of, since it would have no end."""
        needs = {
            name: {word for spec in fields.values() if is_needed(spec) for word in _types_needed(spec)}
            & (self.models.keys() | self.unions.keys())
            for name, fields in self.models.items()
        }
        direct = {name: words & self.models.keys() for name, words in needs.items()}
        cyclic = [name for name in self.models if name in _reached(name, direct)]
        for name in cyclic:
            yield Problem(("models", name), "a model that always contains itself", "required: false on the way")
        if not cyclic:
            yield from unions.endless(needs, self.unions)

    def fields(self, path: Path, fields: Specs) -> Iterator[Problem]:
        """Find what is wrong with the fields of a model, or of one side of an operation."""
        for name, spec in fields.items():
            if keyword.iskeyword(name) or name in TAKEN:
                hint = f"with alias: {name}, others know it by this name"
                yield Problem(
                    (*path, name), f"the name {show(name)}", "a name that Python and pydantic leave free", hint
                )
            yield from self.field((*path, name), spec)
        yield from constraints.outside_names(path, fields)

    def field(self, path: Path, spec: object) -> Iterator[Problem]:
        """Find what is wrong with one field."""
        if not isinstance(spec, (str, Mapping)):
            return
        long = spell_out(spec)
        kind = long.get("type")
        type_path = path if isinstance(spec, str) else (*path, "type")
        if not isinstance(kind, str) or not self.clean(type_path):
            return
        known = (*BASE_TYPES, *self.enums, *self.models, *self.unions)
        if kind not in known:
            yield Problem(
                type_path,
                f"the unknown type {show(kind)}",
                "a type of the language, an enum or a model",
                did_you_mean(kind, known),
            )
            return
        yield from self.held(path, long)
        allowed = (*_GENERAL, *_CONSTRAINTS_OF.get(kind, ()))
        fitting = True
        for key in long:
            if key not in allowed and self.clean((*path, key)):
                fitting = False
                yield Problem((*path, key), f"{key} on a field of type {kind}", f"one of {', '.join(allowed)}")
        for low, high in _ORDERED:
            if low in long and high in long and comparable(long[low], long[high]) and long[low] > long[high]:
                fitting = False
                yield Problem((*path, high), show(long[high]), f"at least {low}, which is {show(long[low])}")
        yield from self.pattern((*path, "pattern"), long.get("pattern"))
        if fitting:
            yield from constraints.of_field(path, kind, long)
        if (
            "default" in long
            and fitting
            and self.clean(path)
            and not (long["default"] is None and not long.get("required", True))
        ):
            yield from self.value((*path, "default"), long["default"], long)

    def held(self, path: Path, long: Specs) -> Iterator[Problem]:
        """Find what is wrong with what an array or an object holds."""
        for key in sorted({"items", "values"} & long.keys()):
            yield from self.field((*path, key), long[key])
            for word in sorted({"alias", "secret"} & mapping_of(long[key]).keys()):
                yield Problem((*path, key, word), f"{word} of what has no name", f"{word} of the field that holds it")

    def pattern(self, path: Path, pattern: object) -> Iterator[Problem]:
        """Find what is wrong with a regular expression."""
        if not isinstance(pattern, str):
            return
        if objection := patterns.objection(pattern):
            yield Problem(path, show(pattern), *objection)

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a default or an example's value from being one of a field."""
        if not isinstance(spec, (str, Mapping)):
            return
        long = spell_out(spec)
        kind = long.get("type")
        if not isinstance(kind, str) or (value is None and long.get("required", True) is False):
            return
        if kind in self.enums:
            if value not in self.enums[kind]:
                yield Problem(
                    path, show(value), f"one of {', '.join(self.enums[kind])}", did_you_mean(value, self.enums[kind])
                )
        elif kind in self.models or kind in self.unions:
            yield from (
                self.values(path, value, self.models[kind])
                if kind in self.models
                else unions.value(self, path, value, kind)
            )
        elif kind == "array" and isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.value((*path, index), item, long["items"]) if "items" in long else ()
            yield from constraints.limits(path, value, long)
        elif kind == "object" and isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.value((*path, key), item, long["values"]) if "values" in long else ()
            yield from constraints.limits(path, value, long)
        elif kind in constraints.FITS:
            if not constraints.FITS[kind](value):
                yield Problem(path, show(value), f"a value of type {kind}", misread(value, {kind}))
            else:
                yield from constraints.limits(path, value, long)

    def values(self, path: Path, value: object, fields: Specs) -> Iterator[Problem]:
        """Find what keeps a mapping from being a value of these fields."""
        if not isinstance(value, Mapping):
            yield Problem(path, show(value), "a mapping of fields")
            return
        for key, item in value.items():
            if key in fields:
                yield from self.value((*path, key), item, fields[key])
            else:
                yield Problem(
                    (*path, key),
                    f"the unknown field {show(key)}",
                    f"one of {', '.join(fields)}",
                    did_you_mean(key, fields),
                )
        for name, spec in fields.items():
            if name not in value and is_needed(spec) and "default" not in spell_out(spec):
                yield Problem((*path, name), "nothing", f"a value: {name} is required")


def _reached(start: str, steps: Mapping[str, Collection[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(steps[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += steps[name]
    return reached


def _types_needed(spec: object) -> Iterator[str]:
    """Yield the types that a value always holds: those of items, too, where there has to be one."""
    if isinstance(spec, (str, Mapping)):
        long = spell_out(spec)
        yield str(long.get("type"))
        for held, least in (("items", "minItems"), ("values", "minProperties")):
            if long.get(least):
                yield from _types_needed(long.get(held))
