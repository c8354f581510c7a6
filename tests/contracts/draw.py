"""Draws contracts: operations of every implementation by construction, all settings from the schema itself."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from extensions.judging.judge import judge
from extensions.reading.schema import bundle
from extensions.text.problems import Path

SCHEMA = bundle()
PROPERTIES: Mapping[str, Any] = SCHEMA["properties"]
LONG = "a_name_that_is_as_long_as_the_language_allows_it"
WORDS = ["a", "x1", "order_id", "amount", "label", "state_of_it", "value", "data", "result", "name", LONG]
# What ONEX forbids in names of classes, and takes for notes.
WORDS += ["manager", "todo", "service"]
NAMES = ["n", "shop", "tally", "order_keeper", "cache_manager", "handle", "data_processor", LONG]
VALUES = [["a", "b-c", "d"], ["TODO", "DONE", "FIXME"], ["+1", "-1", "0"], ["a", "A", "worker"]]
TYPES = ["string", "integer", "number", "boolean", "uuid", "datetime", "date", "duration", "decimal", "bytes", "object"]
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
FREE_TEXT = st.one_of(TEXTS, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=150))
# Keys that the parts below build, and the legacy one that another key replaces.
BUILT = {"name", "package", "node_type", "operations", "enums", "models", "error_handling", "layout", "version"}


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
    elif kind in ("integer", "number", "decimal"):
        limits = draw(
            st.sampled_from(
                [{}, {"minimum": 0}, {"exclusiveMinimum": -5, "maximum": 99}, {"multipleOf": 5}, {"default": 7}]
            )
        )
    elif kind == "string":
        text = draw(FREE_TEXT)
        limits = draw(
            st.sampled_from(
                [
                    {},
                    {"minLength": 1},
                    {"maxLength": 40},
                    {"pattern": "^[a-z]+$"},
                    {"enum": ["a", text + "b"]},
                    {"default": text},
                ]
            )
        )
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
    return st.dictionaries(st.sampled_from(WORDS), field(named), min_size=least, max_size=4)


def _kinds(spec: object) -> str:
    return str(spec["type"] if isinstance(spec, dict) else spec)


@st.composite
def _database(draw: DrawFn, operation: dict[str, Any], named: tuple[str, ...]) -> None:
    taken = list(operation["input"])
    marks = ", ".join(f"${number}" for number in range(1, len(taken) + 1))
    models = [name for name in named if name.startswith("Model")]
    condition = " ".join(("FROM things WHERE a IN (", marks or "1", ")"))
    way = draw(st.sampled_from(["write", "one", "many", *(["row", "rows"] if models else [])]))
    operation["output"] = {"done": "boolean"}
    body: dict[str, Any] = {"query": "DELETE " + condition, "parameters": taken}
    if way == "write":
        body["returns"] = draw(st.sampled_from([{"found": "done"}, {"count": "number_of"}]))
        if "count" in body["returns"]:
            operation["output"] = {"number_of": "integer"}
    elif way == "one":
        operation["output"] = draw(fields(named, 1))
        body["query"] = " ".join(("SELECT", ", ".join(operation["output"]), condition))
    elif way == "many":
        items = draw(st.sampled_from(["object", "string", "date", *(name for name in named if "Kind" in name)]))
        operation["output"] = {"rows": {"type": "array", "items": items}}
        body |= {
            "query": "SELECT a " + condition,
            "returns": {"rows": "many", "into": "rows"},
        }
    else:
        kind = draw(st.sampled_from(models))
        many = way == "rows"
        spec = {"type": "array", "items": kind} if many else {"type": kind, "required": False}
        operation["output"] = {"taken": spec, "found_one": "boolean"}
        returns = {"rows": "many" if many else "one", "into": "taken", "found": "found_one"}
        body |= {"query": "SELECT * " + condition, "returns": returns}
    if draw(st.booleans()):
        body["transaction"] = draw(st.booleans())
    operation["database"] = body


def _reference(operation: Mapping[str, Any], draw: DrawFn) -> str:
    scalar = [name for name, spec in operation["input"].items() if _kinds(spec) in ("string", "integer", "uuid")]
    return f"${{input.{draw(st.sampled_from(scalar))}}}" if scalar else "fixed"


@st.composite
def _http(draw: DrawFn, operation: dict[str, Any], named: tuple[str, ...]) -> None:
    reference = _reference(operation, draw)
    method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]))
    body: dict[str, Any] = {"method": method, "path": f"/things/{reference}"}
    whole = [f"${{input.{name}}}" for name in operation["input"]]
    if draw(st.booleans()):
        body["query"] = {"q": reference, "page": 1, draw(st.sampled_from(["x-y", "it's", 'a"b'])): True}
    if draw(st.booleans()):
        body["headers"] = {"X-Thing": reference, "X-Key": "${secret.API_KEY} ${env.REGION}"}
    if method in ("POST", "PUT", "PATCH"):
        body["body"] = draw(st.sampled_from([{"all": whole, "text": draw(FREE_TEXT)}, [1, {"b": None}], reference]))
    operation["output"] = {"done": "boolean"}
    if draw(st.booleans()):
        operation["output"] = draw(fields(named, 1))
        paths = st.sampled_from(["$.a", "$.items[0].b", "$.usage.total", "$['odd key']"])
        body["extract"] = {name: draw(paths) for name in operation["output"]}
    if draw(st.booleans()):
        body["success"] = draw(st.sampled_from([[200], [200, 404], [201, 204]]))
    operation["http"] = body


@st.composite
def _kafka(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    body: dict[str, Any] = {"topic": draw(st.sampled_from(["order-placed", "onex.evt.shop.order-placed.v1", "a.b"]))}
    if draw(st.booleans()):
        body["key"] = _reference(operation, draw)
    if draw(st.booleans()):
        body["payload"] = {name: f"${{input.{name}}}" for name in operation["input"]} | {"text": draw(FREE_TEXT)}
    if draw(st.booleans()):
        body["headers"] = {"source": f"it is {_reference(operation, draw)}"}
    operation |= {"output": {"published": "boolean"}, "kafka": body}
    operation.pop("publishes", None)


@st.composite
def _redis(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    key = f"thing:{_reference(operation, draw)}"
    optional = {"type": "string", "required": False}
    shapes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"command": "set", "value": {"a": "b"}, "ttl_seconds": 5, "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "get", "returns": {"into": "text", "found": "ok"}}, {"ok": "boolean", "text": optional}),
        ({"command": "get", "returns": {"into": ["text", "x"]}}, {"text": optional, "x": optional}),
        ({"command": "incr", "amount": 2, "returns": {"into": "n"}}, {"n": "integer"}),
        ({"command": "delete", "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "hset", "field": "f", "value": "v"}, {"ok": "boolean"}),
        ({"command": "hget", "field": "f", "returns": {"into": "text"}}, {"text": optional}),
        ({"command": "llen", "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "rpush", "value": "v", "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "smembers", "returns": {"into": "all"}}, {"all": {"type": "array", "items": "string"}}),
        ({"command": "sismember", "value": "v", "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "expire", "ttl_seconds": 60, "returns": {"found": "ok"}}, {"ok": "boolean"}),
    ]
    body, output = copy.deepcopy(draw(st.sampled_from(shapes)))
    operation |= {"output": output, "redis": {**body, "key": key}}


@st.composite
def _filesystem(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    action = draw(st.sampled_from(["read", "write", "append", "delete"]))
    body: dict[str, Any] = {"action": action, "path": f"things/{_reference(operation, draw)}.txt"}
    operation["output"] = {"ok": "boolean"}
    if action == "read":
        kind = draw(st.sampled_from(["string", "bytes", "object"]))
        operation["output"] = {"content": {"type": kind, "required": False}, "ok": "boolean"}
        body["returns"] = {"into": "content", "found": "ok"}
    elif action != "delete":
        body["content"] = f"{draw(TEXTS)} {_reference(operation, draw)}"
    operation["filesystem"] = body


@st.composite
def _compute(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    operation["input"] |= {"figures": {"type": "array", "items": "integer"}, "word": "string", "ratio": "number"}
    choices = {
        "integer": [
            "sum(f * 2 for f in input.figures)",
            "len(input.word) + 1",
            "sum(input.figures) // 7 if input.figures else 0",
        ],
        "number": ["input.ratio * 2.5 - 1", "round(input.ratio, 2)", "max(input.ratio, 0.5)"],
        "boolean": [
            "all(f > 0 for f in input.figures) and input.ratio < 3",
            "input.word == 'it\\'s' or not input.figures",
        ],
        "string": ["input.word + '-x'", "str(len(input.figures))", repr(draw(TEXTS))],
    }
    kinds = draw(st.dictionaries(st.sampled_from(WORDS), st.sampled_from(sorted(choices)), min_size=1, max_size=4))
    operation["output"] = dict(kinds)
    operation["compute"] = {name: draw(st.sampled_from(choices[kind])) for name, kind in kinds.items()}


@st.composite
def _aggregate(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    measures: dict[str, Any] = {
        "total": {
            "count": True,
            "where": draw(st.sampled_from(["event.good", "event.size > 3", "event.kind == 'a\"b'"])),
        },
        "sizes": {"sum": "size"},
        "mean_size": {"mean": "size"},
        "largest": {"max": "size"},
        "p95": {"percentile": "size", "q": 95},
    }
    chosen = draw(st.lists(st.sampled_from(sorted(measures)), min_size=1, unique=True))
    body: dict[str, Any] = {"over": "events", "measures": {name: measures[name] for name in chosen}}
    body |= draw(st.sampled_from([{}, {"group_by": ["kind"]}, {"group_by": ["kind", "good"], "unique_by": "event_id"}]))
    if draw(st.booleans()):
        body["window"] = {"by": "at", "seconds": draw(st.sampled_from([1, 60, 3600]))}
    if draw(st.booleans()):
        body["intents"] = [
            {"target": "store_effect", "action": "persist", "each": draw(st.sampled_from(["window", "batch"]))}
        ]
    sizes = draw(st.sampled_from([{}, {"minItems": 1}, {"maxItems": 3}]))
    operation |= {
        "input": {"events": {"type": "array", "items": "ModelEvent"} | sizes},
        "output": {"windows": {"type": "array", "items": {"type": "object"}}},
        "aggregate": body,
    }


@st.composite
def _workflow(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    count = draw(st.integers(1, 5))
    steps: list[dict[str, Any]] = []
    for number in range(count):
        step: dict[str, Any] = {"name": f"step_{number}", "node": "node_stock_effect", "operation": "reserve"}
        step["input"] = {name: f"${{input.{name}}}" for name in operation["input"]}
        if steps:
            before = [other["name"] for other in steps]
            step["after"] = draw(st.lists(st.sampled_from(before), unique=True, max_size=2))
        extras: dict[str, Any] = {
            "timeout_seconds": 5,
            "retry": {"max_attempts": 3},
            "on_failure": draw(st.sampled_from(["abort", "continue", "compensate"])),
            "compensate": {"operation": "release", "input": {"a": "b"}, "on_unknown": draw(st.booleans())},
            "idempotent": draw(st.booleans()),
        }
        step |= {key: extras[key] for key in draw(st.lists(st.sampled_from(sorted(extras)), unique=True))}
        steps.append(step)
    body: dict[str, Any] = {"steps": steps, "timeout_seconds": draw(st.sampled_from([1, 60]))}
    states = {"type": "string", "enum": ["completed", "failed", "compensated"]}
    output: dict[str, Any] = {"status": states, "failed_step": {"type": "string", "required": False}}
    if draw(st.booleans()):
        output["amount"] = {"type": "integer", "required": False}
        body["output"] = {"amount": "${steps.step_0.amount}"}
    operation |= {"output": output, "workflow": body}


@st.composite
def _custom(draw: DrawFn, operation: dict[str, Any], named: tuple[str, ...]) -> None:
    operation |= {"output": draw(fields(named)), "handler": "custom"}


@st.composite
def _fsm(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    kind = draw(st.sampled_from(["uuid", "string"]))
    operation["input"] = {"order_id": kind, "trigger": "string"}
    operation["output"] = {"order_id": kind, "previous_state": "string", "state": "string", "changed": "boolean"}


Part = Callable[[dict[str, Any], tuple[str, ...]], SearchStrategy[None]]
PARTS: dict[str, dict[str, Part]] = {
    "effect": {
        "database": _database,
        "http": _http,
        "kafka": _kafka,
        "redis": _redis,
        "filesystem": _filesystem,
        "custom": _custom,
    },
    "compute": {"compute": _compute, "custom": _custom},
    "reducer": {"aggregate": _aggregate, "fsm": _fsm, "custom": _custom},
    "orchestrator": {"workflow": _workflow, "custom": _custom},
}
EXTRAS = ("publishes", "timeout_seconds", "idempotent", "target", "retry", "schedule")


@st.composite
def likely_contracts(draw: DrawFn) -> dict[str, Any]:
    """Draw contracts that are valid but for rules between settings."""
    node_type = draw(st.sampled_from([*sorted(PARTS), "effect"]))
    enum, thing = draw(st.sampled_from([("Kind", "ModelThing"), ("ServiceKind", "ModelWorker")]))
    enums = {enum: [*draw(st.sampled_from(VALUES)), draw(FREE_TEXT) + "d"]} if draw(st.booleans()) else {}
    named = tuple(enums)
    models: dict[str, Any] = {}
    for name in draw(st.sampled_from([(), (thing,), (thing, "ModelOther")])):
        models[name] = {"description": draw(FREE_TEXT), "fields": draw(fields(named, 1))}
        named += (name,)
    contract: dict[str, Any] = {
        "name": draw(st.sampled_from(NAMES)),
        "package": draw(st.sampled_from(["acme", "acme.shop.nodes", "p"])),
        "node_type": node_type,
    }
    chosen = draw(st.lists(st.sampled_from(sorted(PARTS[node_type])), min_size=1, max_size=4))
    operations = []
    for number, part in enumerate(chosen):
        if part == "fsm" and "fsm" in chosen[:number]:
            continue
        word = draw(st.sampled_from([part, part, "process", "todo_manager"]))
        operation: dict[str, Any] = {"name": f"{word}_{number}", "input": draw(fields(named))}
        if draw(st.booleans()):
            operation["description"] = draw(FREE_TEXT)
        draw(PARTS[node_type][part](operation, named))
        known = SCHEMA["$defs"]["operation"]["properties"]
        extras = draw(st.lists(st.sampled_from(EXTRAS), unique=True, max_size=2))
        operation |= {key: draw(from_part(known[key])) for key in extras}
        operations.append(operation)
    if "aggregate" in chosen:
        event = {"event_id": "uuid", "kind": "string", "good": "boolean", "size": "integer", "at": "datetime"}
        models["ModelEvent"] = {"fields": event}
    contract |= {"enums": enums, "models": models, "operations": operations}
    rest = {key: from_part(part) for key, part in PROPERTIES.items() if key not in BUILT}
    for key in sorted(rest):
        if draw(st.integers(0, 2)) == 0:
            contract[key] = draw(rest[key])
    database = contract.get("integrations", {}).get("database")
    for migration in database.get("migrations", ()) if isinstance(database, dict) else ():
        migration["sql"] = f"SELECT 1; -- {' '.join(migration['sql'].split())}"
    if "fsm" in chosen:
        contract["subcontracts"] = {"fsm": _machine(described=draw(st.booleans()))} | draw(
            st.sampled_from(
                [
                    {},
                    {"state_management": {"backend": "postgres", "table": "s"}},
                    {"state_management": {"backend": "redis"}},
                ]
            )
        )
    return contract


def _machine(*, described: bool) -> dict[str, Any]:
    states = {"new": "Created, 'nothing' \"done\".", "done": "All over."}
    return {
        "entity": "order_id",
        "trigger": "trigger",
        "initial_state": "new",
        "terminal_states": ["done"],
        "states": states if described else [*states],
        "transitions": [{"trigger": "finish", "from": "new", "to": "done"}],
    }


def without(contract: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return a contract without what a path names, or without the nearest that there is above it.

    Args:
        contract: A contract.
        path: Keys and indexes.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(contract))
    holder: Any = changed
    for number, step in enumerate(path):
        inside = isinstance(holder, dict) and step in holder
        inside = inside or (isinstance(holder, list) and isinstance(step, int) and step < len(holder))
        if not inside:
            return without(changed, path[:number]) if number else changed
        if number == len(path) - 1:
            del holder[step]
        else:
            holder = holder[step]
    return changed


@st.composite
def valid_contracts(draw: DrawFn) -> dict[str, Any]:
    """Draw valid contracts: what rules refuse is taken out again."""
    contract = draw(likely_contracts())
    for _ in range(12):
        problems = judge(contract)
        if not problems:
            # Equal parts are one object in what is drawn, and would be aliases in YAML.
            return dict(json.loads(json.dumps(contract)))
        contract = without(contract, problems[0].path)
    assume(False)
    raise AssertionError
