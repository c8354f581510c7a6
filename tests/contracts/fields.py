"""Draws what contracts are made of: words, fields with constraints, and settings from the schema itself."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from extensions.reading.schema import bundle

SCHEMA = bundle()
PROPERTIES: Mapping[str, Any] = SCHEMA["properties"]
LONG = "a_name_that_is_as_long_as_the_language_allows_it"
WORDS = ["a", "x1", "order_id", "amount", "label", "state_of_it", "value", "data", "result", "name", LONG]
# What ONEX forbids in names of classes, and takes for notes.
WORDS += ["manager", "todo", "service", "worker_utility"]
# What types, modules and attributes of generated classes are called.
WORDS += ["date", "datetime", "str", "int", "list", "json", "type", "id", "uuid", "bytes", "object", "copy", "status"]
NAMES = ["n", "shop", "tally", "order_keeper", "cache_manager", "handle", "data_processor", LONG]
VALUES = [["a", "b-c", "d"], ["TODO", "DONE", "FIXME"], ["+1", "-1", "0"], ["a", "A", "worker"]]
TYPES = ["string", "integer", "number", "boolean", "uuid", "datetime", "date", "time", "duration", "decimal", "bytes"]
TYPES += ["object"]
TEXTS = st.sampled_from(
    [
        "",
        "One line.",
        "TODO: the manager",
        "FIXME (HACK)",
        "/tmp/x",  # noqa: S108 - it is text
        "SELECT a FROM b",
        "say \"it\" and 'that'",
        "back\\",
        "two\nlines",
        "{{ 7 }} {% if %} # $x",
        "é 🔒 \u2028",
    ]
)
# What looks like a reference, a template or an f-string, and is text.
BRACES = [
    "{",
    "}{",
    "{}",
    "{0}",
    '{"a": {"b": 1}}',
    "{{code}}",
    "$${code}",
    "$$ $1",
    "{ a }",
    "{!r:>{width}}",
    "%s %(a)s",
]
FREE_TEXT = st.one_of(TEXTS, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=150))


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a schema refers to, or the schema itself.

    Args:
        schema: A schema out of the bundle.
    """
    while "$ref" in schema:
        target: Any = SCHEMA
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        schema = target
    return schema


def from_part(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Draw what a part of the schema allows, each key of a mapping with even odds; a new key is drawn at once.

    Args:
        schema: A schema out of the bundle.
    """
    # A schema that is kept is the only one with its id.
    kept, strategy = _KNOWN.get(id(schema), (schema, None))
    if strategy is None:
        strategy = _from_part(kept)
        _KNOWN[id(schema)] = kept, strategy
    return strategy


_KNOWN: dict[int, tuple[Mapping[str, Any], SearchStrategy[Any]]] = {}


def _from_part(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    if "$ref" in schema:
        return st.deferred(lambda: from_part(resolved(schema)))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "type" not in schema:
        return FREE_TEXT
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_kind(kind, schema) for kind in kinds])


def _of_kind(kind: str, schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    match kind:
        case "boolean":
            return st.booleans()
        case "integer":
            low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
            return st.integers(low, min(schema.get("maximum", low + 9999), low + 9999))
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 0.25)
            return st.sampled_from([low, low + 0.5, low + 7]).map(
                lambda value: min(value, schema.get("maximum", value))
            )
        case "string":
            return _texts(schema)
        case "array":
            size = {"min_size": schema.get("minItems", 0), "max_size": schema.get("minItems", 0) + 3}
            unique = repr if schema.get("uniqueItems") else None
            return st.lists(from_part(schema.get("items", {})), unique_by=unique, **size)
        case _:
            return _mappings(schema)


def _texts(schema: Mapping[str, Any]) -> SearchStrategy[str]:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 200)
    if "pattern" not in schema:
        return FREE_TEXT.filter(lambda text: shortest <= len(text) <= longest)
    examples = [text for text in schema.get("examples", []) if isinstance(text, str)]
    drawn = st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii"))
    drawn = drawn.filter(lambda text: len(text) <= min(longest, 60) and not text.endswith("\n"))
    return st.one_of(st.sampled_from(examples), drawn) if examples else drawn


def _mappings(schema: Mapping[str, Any]) -> SearchStrategy[dict[str, Any]]:
    known = {key: from_part(part) for key, part in schema.get("properties", {}).items()}
    needed = {key: known[key] for key in schema.get("required", []) if key in known}
    if known:
        return st.fixed_dictionaries(needed, optional={k: v for k, v in known.items() if k not in needed})
    more = schema.get("additionalProperties", {})
    keys = from_part({"type": "string"} | schema.get("propertyNames", {"pattern": "^[A-Z][A-Z_]{1,9}$"}))
    return st.dictionaries(keys, from_part(more if isinstance(more, dict) else {}), max_size=3)


BOUNDS: list[dict[str, Any]] = [
    {"minimum": 0},
    {"exclusiveMinimum": -5, "maximum": 99},
    {"multipleOf": 5},
    {"default": 7},
    {"default": 10**18},
    {"minimum": 10**16, "multipleOf": 3},
    {"exclusiveMaximum": 0},
]
FRACTIONS: list[dict[str, Any]] = [
    {"exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    {"multipleOf": 0.01, "minimum": 0.05, "maximum": 0.2},
    {"minimum": 1e16},
    {"default": 0.1},
]
LENGTHS: list[dict[str, Any]] = [
    {"minLength": 1},
    {"maxLength": 40},
    {"minLength": 3, "maxLength": 3},
    {"pattern": "^[a-z]+$"},
    {"pattern": r"^[\w\-]+$"},
    {"pattern": "^[A-Z]{2}[0-9]{4}$", "minLength": 6},
]
DEFAULTS: dict[str, object] = {
    "boolean": False,
    "uuid": "6f1c1f0e-3f5e-4c58-8f7e-0d4f7a3f1b11",
    "datetime": "2024-02-29T12:00:00+01:00",
    "date": "2024-02-29",
    "time": "23:59:59",
    "duration": "PT1H30M",
}
OTHERS: dict[str, list[dict[str, Any]]] = {"boolean": [{"const": True}], "datetime": [{"format": "offset"}]}
FORMATS: list[dict[str, Any]] = [{"format": form} for form in ("email", "uri", "hostname", "ipv4", "ipv6")]


@st.composite
def field(draw: DrawFn, named: tuple[str, ...] = (), depth: int = 0) -> object:
    """Draw a field, with constraints that its type allows.

    Args:
        draw: Hypothesis's.
        named: Enums and models that it may be of.
        depth: Arrays around it.
    """
    kind = draw(st.sampled_from([*TYPES, *named, *(["array"] if depth < 2 else [])]))
    spec: dict[str, Any] = {"type": kind}
    if kind == "array":
        spec["items"] = draw(field(named, depth + 1))
        limits = draw(st.sampled_from([{}, {"minItems": 1}, {"maxItems": 5}, {"minItems": 1, "maxItems": 3}]))
        limits |= draw(st.sampled_from([{}, {"uniqueItems": True}])) if "minItems" not in limits else {}
    elif kind in ("integer", "number", "decimal"):
        limits = draw(st.sampled_from([{}, *BOUNDS, *([{"const": 3}] if kind == "integer" else FRACTIONS)]))
    elif kind == "string":
        limits = draw(
            st.sampled_from(
                [
                    {},
                    *LENGTHS,
                    *FORMATS,
                    {"const": "a"},
                    {"enum": ["a", draw(FREE_TEXT) + "b"]},
                    {"default": draw(FREE_TEXT)},
                ]
            )
        )
    elif kind == "bytes":
        limits = draw(st.sampled_from([{}, {"minLength": 1, "maxLength": 3}, {"secret": True}]))
    elif kind == "object":
        limits = draw(st.sampled_from([{}, {"minProperties": 1}, {"maxProperties": 2}]))
        if draw(st.booleans()):
            spec["values"] = draw(field(named, depth + 1))
    elif kind in DEFAULTS:
        more = OTHERS.get(kind, [])
        limits = draw(st.sampled_from([{}, {"default": DEFAULTS[kind]}, *more]))
    else:
        limits = {}
    spec |= limits
    if draw(st.booleans()):
        spec["description"] = draw(FREE_TEXT)
    if draw(st.integers(0, 3)) == 0 and "default" not in spec:
        spec["required"] = False
    return kind if spec == {"type": kind} else spec


def fields(named: tuple[str, ...], least: int = 0) -> SearchStrategy[dict[str, Any]]:
    """Draw fields by name.

    Args:
        named: Enums and models that they may be of.
        least: How many there are at least.
    """
    drawn = st.dictionaries(st.sampled_from(WORDS), field(named), min_size=least, max_size=4)
    return st.tuples(drawn, st.integers(0, 3)).map(lambda pair: pair[0] if pair[1] else _renamed(pair[0]))


def _renamed(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Give fields names outside, as others have them."""
    shapes = ("{}Of", "x-{}", "$.{}")
    return {
        name: {**(spec if isinstance(spec, dict) else {"type": spec}), "alias": shapes[index % 3].format(name)}
        for index, (name, spec) in enumerate(drawn.items())
    }
