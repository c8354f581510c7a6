"""Draws contracts: operations of every implementation by construction, all settings from the schema itself."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from extensions.judging.judge import judge
from extensions.text.problems import Path
from tests.contracts.fields import (
    BRACES,
    FREE_TEXT,
    NAMES,
    PROPERTIES,
    SCHEMA,
    TEXTS,
    VALUES,
    WORDS,
    fields,
    from_part,
)

# Keys that the parts below build, and the legacy one that another key replaces.
BUILT = {"name", "package", "node_type", "operations", "enums", "models", "error_handling", "layout", "version"}


@st.composite
def _database(draw: DrawFn, operation: dict[str, Any], named: tuple[str, ...]) -> None:
    taken = list(operation["input"])
    marks = ", ".join(f"${number}" for number in range(1, len(taken) + 1))
    models = [name for name in named if name.startswith("Model")]
    condition = " ".join(("FROM things WHERE a IN (", marks or "1", ")"))
    way = draw(st.sampled_from(["write", "one", "many", "several", *(["row", "rows"] if models else [])]))
    operation["output"] = {"done": "boolean"}
    body: dict[str, Any] = {"query": "DELETE " + condition, "parameters": taken}
    if way == "write":
        body["returns"] = draw(st.sampled_from([{"found": "done"}, {"count": "number_of"}]))
        if "count" in body["returns"]:
            operation["output"] = {"number_of": "integer"}
    elif way == "several":
        operation["output"] = draw(fields(named, 1)) | {"number_of": "integer", "listed": {"type": "array"}}
        body = draw(_statements(operation, condition, taken))
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
    if way in {"one", "many"} and draw(st.booleans()):
        place = draw(st.sampled_from(["redis", "memory"]))
        key = f"{operation['name']}:{draw(st.sampled_from(['', *BRACES]))}"
        operation["cache"] = {place: key, "ttl_seconds": draw(st.sampled_from([1, 0.5, 3600]))}
    if way != "several" and draw(st.booleans()):
        body["transaction"] = draw(st.booleans())
    operation["database"] = body


@st.composite
def _statements(draw: DrawFn, operation: dict[str, Any], condition: str, taken: list[str]) -> dict[str, Any]:
    columns = [name for name in operation["output"] if name not in {"number_of", "listed"}]
    statements: list[dict[str, Any]] = [
        {"name": "first", "query": f"SELECT {', '.join(columns)} {condition}", "parameters": taken},
        {"name": "second", "query": "UPDATE things SET a = $1", "parameters": [f"first.{columns[0]}"]},
        {"name": "third", "query": f"SELECT * {condition}", "parameters": taken, "rows": "many"},
    ]
    for statement in statements:
        statement.update(draw(st.sampled_from([{}, {"require": "found"}, {"savepoint": True}])))
    into = {name: f"first.{name}" for name in columns} | {"listed": "third"}
    returns: dict[str, Any] = {"into": into, "count": {"number_of": draw(st.sampled_from(["first", "second"]))}}
    if draw(st.booleans()):
        statements[0]["require"] = "found"
        operation["output"]["done"] = "boolean"
        returns["found"] = "done"
        for name in columns:
            spec = operation["output"][name]
            operation["output"][name] = (spec if isinstance(spec, dict) else {"type": spec}) | {"required": False}
    return {"statements": statements, "returns": returns}


def _reference(operation: Mapping[str, Any], draw: DrawFn) -> str:
    scalar = [name for name, spec in operation["input"].items() if _kind(spec) in ("string", "integer", "uuid")]
    return f"${{input.{draw(st.sampled_from(scalar))}}}" if scalar else "fixed"


def _kind(spec: object) -> str:
    return str(spec["type"] if isinstance(spec, dict) else spec)


def _literal(operation: Mapping[str, Any], draw: DrawFn) -> str:
    """Draw text that stands where references are looked for, with or without one in it."""
    text = draw(st.one_of(st.sampled_from(BRACES), FREE_TEXT))
    return draw(st.sampled_from([text, f"{text} {_reference(operation, draw)}"]))


@st.composite
def _http(draw: DrawFn, operation: dict[str, Any], named: tuple[str, ...]) -> None:
    reference = _reference(operation, draw)
    method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]))
    body: dict[str, Any] = {"method": method, "path": f"/things/{reference}"}
    whole = [f"${{input.{name}}}" for name in operation["input"]]
    text = _literal(operation, draw)
    if draw(st.booleans()):
        body["query"] = {"q": reference, "text": text, "page": 1, draw(st.sampled_from(["x-y", "it's", 'a"b'])): True}
    if draw(st.booleans()):
        body["headers"] = {
            "X-Thing": reference,
            "X-Text": draw(st.sampled_from(BRACES)),
            "X-Key": "${secret.API_KEY} ${env.REGION}",
        }
    if method in ("POST", "PUT", "PATCH"):
        body["body"] = draw(st.sampled_from([{"all": whole, "text": text}, [1, {"b": None}], reference, text]))
    operation["output"] = {"done": "boolean"}
    if draw(st.booleans()):
        operation["output"] = draw(fields(named, 1))
        paths = st.sampled_from(["$.a", "$.items[0].b", "$.usage.total", "$['odd key']"])
        body["extract"] = {name: draw(paths) for name in operation["output"]}
    if draw(st.booleans()):
        body["success"] = draw(st.sampled_from([[200], [200, 404], [201, 204]]))
    if draw(st.booleans()):
        draw(_beyond_json(operation, body, text))
    operation["http"] = body


@st.composite
def _beyond_json(draw: DrawFn, operation: dict[str, Any], body: dict[str, Any], text: str) -> None:
    """Draw a request that carries other things than JSON, an answer of which other things are taken, or pages."""
    value = draw(st.sampled_from(["", text, _reference(operation, draw)])) or "a"
    if body.pop("body", None) is not None:
        file = {"content": value, "filename": text or "b", "content_type": "text/csv"}
        sent = {"form": {"a": value, "b c": [1, value]}, "multipart": {"a": value, "file": file}, "text": value}
        key = draw(st.sampled_from([*sorted(sent), "bytes"]))
        if key == "bytes":
            operation["input"]["raw"] = "bytes"
        body[key] = sent.get(key, "${input.raw}")
        if key not in ("text", "bytes"):
            body["omit_null"] = draw(st.booleans())
    optional: dict[str, Any] = {"type": "string", "required": False}
    body.pop("extract", None)
    if body["method"] == "GET" and draw(st.booleans()):
        ways = [{"link": "next"}, {"cursor": "$.next", "parameter": "after"}, {"page": "page", "first": 0}]
        operation["output"] = {"list": {"type": "array", "items": "string"}, "more": "boolean"}
        body["pages"] = {"next": draw(st.sampled_from(ways)), "into": "list", "more": "more", "at_most": 3}
        body["pages"]["items"] = draw(st.sampled_from(["$", "$.items", "$.items[*].id"]))
        return
    operation["output"] = {"status": "integer", "tag": optional}
    body["extract"] = {"status": {"status": True}, "tag": {"header": "ETag"}}
    if draw(st.booleans()):
        operation["output"] |= {"found": "boolean", "all": optional, "a": {"type": "bytes", "required": False}}
        body["extract"] |= {"all": {"text": True}, "a": {"bytes": True}}
        body |= {"not_found": "found", "success": [200]}


@st.composite
def _kafka(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    body: dict[str, Any] = {"topic": draw(st.sampled_from(["order-placed", "onex.evt.shop.order-placed.v1", "a.b"]))}
    if draw(st.booleans()):
        body["key"] = _reference(operation, draw)
    if draw(st.booleans()):
        body["payload"] = {name: f"${{input.{name}}}" for name in operation["input"]} | {
            "text": _literal(operation, draw)
        }
    if draw(st.booleans()):
        body["headers"] = {"source": _literal(operation, draw)}
    operation |= {"output": {"published": "boolean"}, "kafka": body}
    operation.pop("publishes", None)


@st.composite
def _redis(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    before = draw(st.sampled_from(["", "thing:", *BRACES]))
    key = f"{before}{_reference(operation, draw)}"
    text = _literal(operation, draw)
    optional = {"type": "string", "required": False}
    shapes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"command": "set", "value": {"a": text}, "ttl_seconds": 5, "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "get", "returns": {"into": "text", "found": "ok"}}, {"ok": "boolean", "text": optional}),
        ({"command": "get", "returns": {"into": ["text", "x"]}}, {"text": optional, "x": optional}),
        ({"command": "incr", "amount": 2, "returns": {"into": "n"}}, {"n": "integer"}),
        ({"command": "delete", "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "hset", "field": text or "f", "value": text}, {"ok": "boolean"}),
        ({"command": "hget", "field": "f", "returns": {"into": "text"}}, {"text": optional}),
        ({"command": "llen", "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "scard", "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "rpush", "value": text, "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "smembers", "returns": {"into": "all"}}, {"all": {"type": "array", "items": "string"}}),
        ({"command": "set", "value": text, "if_absent": True, "returns": {"found": "ok"}}, {"ok": "boolean"}),
        (
            {"command": "hset", "field": "f", "value": 1, "if_absent": True, "returns": {"found": "ok"}},
            {"ok": "boolean"},
        ),
        ({"command": "lrange", "start": 1, "stop": -2, "returns": {"into": "all"}}, {"all": {"type": "array"}}),
        ({"command": "lindex", "index": -1, "returns": {"into": "text"}}, {"text": optional}),
        ({"command": "ltrim", "start": 0, "stop": 9}, {"ok": "boolean"}),
        ({"command": "zadd", "value": {"a": text}, "score": 1.5, "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "zincrby", "value": text, "returns": {"into": "x"}}, {"x": "number"}),
        ({"command": "zpopmax", "returns": {"into": "text", "score": "x"}}, {"text": "string", "x": "number"}),
        (
            {"command": "zrange", "max": 5, "limit": 3, "reverse": True, "returns": {"into": "all", "score": "at"}},
            {"all": {"type": "array", "items": "string"}, "at": {"type": "array", "items": "number"}},
        ),
        ({"command": "zcount", "min": 0.5, "returns": {"count": "n"}}, {"n": "integer"}),
        ({"command": "sismember", "value": "v", "returns": {"found": "ok"}}, {"ok": "boolean"}),
        ({"command": "expire", "ttl_seconds": 60, "returns": {"found": "ok"}}, {"ok": "boolean"}),
    ]
    body, output = copy.deepcopy(draw(st.sampled_from(shapes)))
    operation |= {"output": output, "redis": {**body, "key": key}}


@st.composite
def _filesystem(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    action = draw(st.sampled_from(["read", "write", "append", "delete", "list", "exists", "move"]))
    # A value that may lead through folders, and one that is a part of a name.
    spanning = draw(st.sampled_from(["", "/${input.folder:path}"]))
    if spanning:
        operation["input"]["folder"] = {"type": "string", "minLength": 1}
    body: dict[str, Any] = {"action": action, "path": f"things{spanning}/{_reference(operation, draw)}.txt"}
    operation["output"] = {"ok": "boolean"}
    if action == "read":
        kind = draw(st.sampled_from(["string", "bytes", "object"]))
        operation["output"] = {"content": {"type": kind, "required": False}, "ok": "boolean"}
        body["returns"] = {"into": "content", "found": "ok"}
    elif action == "list":
        operation["output"] = {"names": {"type": "array", "items": "string"}, "n": "integer"}
        body["returns"] = {"into": "names", "count": "n"}
    elif action == "move":
        body["to"] = f"done{spanning}/{_reference(operation, draw)}"
    elif action == "exists":
        body["returns"] = {"found": "ok"}
    elif action != "delete":
        body["content"] = _literal(operation, draw)
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
        "kinds": {"distinct": "kind"},
        "spread": {"stddev": "size"},
        "first_size": {"first": "size", "by": "at"},
        "last_size": {"last": "size", "by": "at"},
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


def _grouped(step: dict[str, Any]) -> dict[str, Any]:
    """Return a group around what a step does."""
    outside = ("name", "after", "when", "for_each", "repeat", "on_failure")
    inner = {key: value for key, value in step.items() if key not in outside} | {"name": f"in_{step['name']}"}
    other: dict[str, Any] = {"name": f"by_{step['name']}", "node": "node_stock_effect", "operation": "count"}
    output = {"value": f"${{steps.in_{step['name']}.value}}", "at": "${now}", "id": "${uuid}"}
    around = {key: value for key, value in step.items() if key in outside}
    if "repeat" in step:
        around["repeat"] = step["repeat"] | {"until": f"steps.by_{step['name']}.ok"}
        other["input"] = {"before": f"${{previous.in_{step['name']}.value}}"}
    return around | {"steps": [inner, other], "output": output}


def _routed(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step that carries out intents in the place of another."""
    route = {
        "store": {"node": "node_stock_effect", "operation": "keep", "input": {"what": "${intent.payload.list[0]}"}},
        "bus": {"publish": "counted"},
    }
    kept = {key: value for key, value in step.items() if key in {"name", "after", "when", "on_failure", "retry"}}
    return kept | {"intents": "${steps.step_0.intents}", "route": route, "unknown": "ignore"}


@st.composite
def _workflow(draw: DrawFn, operation: dict[str, Any], _: tuple[str, ...]) -> None:
    count = draw(st.integers(1, 5))
    steps: list[dict[str, Any]] = []
    for number in range(count):
        step: dict[str, Any] = {"name": f"step_{number}", "node": "node_stock_effect", "operation": "reserve"}
        step["input"] = {name: f"${{input.{name}}}" for name in operation["input"]} | {
            "text": _literal(operation, draw)
        }
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
        words: dict[str, Any] = {
            "when": draw(st.sampled_from(["1 < 2", "len(steps.step_0.list) > 1", True])),
            "for_each": draw(st.sampled_from(["${steps.step_0.list}", "${steps.step_0.a.list}"])),
            "repeat": {"until": "result.ok and not result.bad", "max_rounds": draw(st.integers(1, 3))},
            "require": draw(st.sampled_from(["result.ok", "result.count == 3", "'a' in result.list"])),
        }
        step |= {key: words[key] for key in draw(st.lists(st.sampled_from(sorted(words)), unique=True, max_size=2))}
        steps.append(draw(st.sampled_from([step, step, _grouped(step), _routed(step)])))
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
    if draw(st.booleans()):
        operation["requirements"] = draw(
            st.sampled_from([["asyncmy>=0.2.10"], ["docker", "numpy[x]>=1,<3; python_version>'3'"]])
        )
        operation["settings"] = {
            "docker_host": {"type": "string", "default": draw(FREE_TEXT), "description": draw(FREE_TEXT)},
            "api_token": {"type": "string", "secret": True},
            "batch_size": {"type": "integer", "default": 5, "minimum": 1},
            "share": {"type": "number", "required": False},
        }


@st.composite
def _followed(draw: DrawFn, operation: dict[str, Any]) -> None:
    """Draw whether expressions follow what an effect does."""
    if not operation.keys() & {"database", "http", "kafka", "redis", "filesystem"} or not draw(st.booleans()):
        return
    texts = [name for name, spec in operation["output"].items() if spec in ("string", {"type": "string"})]
    choices = ["1 + 2", "len('a')", *(f"len(result.{name}) + 1" for name in texts)]
    operation["output"] |= {"worked_out": "integer", "worked_on": "boolean"}
    worked_out = draw(st.sampled_from(choices))
    operation["then"] = {"worked_out": worked_out, "worked_on": "worked_out > 1"}


_READING = {
    "http": ("method", {"GET"}),
    "redis": ("command", {"get", "hget", "llen", "smembers", "lrange", "lindex", "zcount", "sismember"}),
    "filesystem": ("action", {"read", "list", "exists"}),
}


@st.composite
def _cached(draw: DrawFn, operations: list[dict[str, Any]]) -> None:
    """Draw whether results of operations that only read are kept, and whether others say that they no longer hold."""
    for operation in operations:
        # A key names each field of the input.
        told = all(_kind(spec) in ("string", "integer", "uuid") for spec in operation["input"].values())
        for part, (key, reading) in _READING.items():
            if told and operation.get(part, {}).get(key) in reading and draw(st.booleans()):
                text = ":".join([operation["name"], *(f"${{input.{name}}}" for name in operation["input"])])
                place = draw(st.sampled_from(["redis", "memory"]))
                operation["cache"] = {place: text, "ttl_seconds": draw(st.sampled_from([1, 0.5, 3600]))}
    # Whose keys can be told from the input of another operation.
    kept = [operation for operation in operations if "${input." in str(operation.get("cache"))]
    for operation in operations:
        able = [other for other in kept if other["input"].items() <= operation["input"].items()]
        if able and "cache" not in operation and draw(st.booleans()):
            other = draw(st.sampled_from(able))
            given = {name: f"${{input.{name}}}" for name in other["input"]}
            operation["invalidates"] = [{"operation": other["name"], "input": given} if given else other["name"]]


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
EXTRAS = ("publishes", "timeout_seconds", "idempotent", "idempotency_key", "target", "retry", "schedule", "scopes")


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
        word = draw(st.sampled_from([part, part, "process", "todo_manager", "str", "handle_worker"]))
        operation: dict[str, Any] = {"name": f"{word}_{number}", "input": draw(fields(named))}
        if draw(st.booleans()):
            operation["description"] = draw(FREE_TEXT)
        draw(PARTS[node_type][part](operation, named))
        draw(_followed(operation))
        known = SCHEMA["$defs"]["operation"]["properties"]
        extras = draw(st.lists(st.sampled_from(EXTRAS), unique=True, max_size=2))
        operation |= {key: draw(from_part(known[key])) for key in extras}
        operations.append(operation)
    draw(_cached(operations))
    if "aggregate" in chosen:
        event = {"event_id": "uuid", "kind": "string", "good": "boolean", "size": "integer", "at": "datetime"}
        models["ModelEvent"] = {"fields": event}
    contract |= {"enums": enums, "models": models, "operations": operations}
    rest = {key: from_part(part) for key, part in PROPERTIES.items() if key not in BUILT}
    for key in sorted(rest):
        if draw(st.integers(0, 2)) == 0:
            contract[key] = draw(rest[key])
    if apis := sorted(contract.get("integrations", {}).get("apis", ())):
        for operation in operations:
            if "http" in operation:
                operation["http"]["api"] = draw(st.sampled_from(apis))
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


def _order(path: Path) -> list[tuple[int, int, str]]:
    return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in path]


@st.composite
def valid_contracts(draw: DrawFn) -> dict[str, Any]:
    """Draw valid contracts: what rules refuse is taken out again."""
    contract = draw(likely_contracts())
    for _ in range(12):
        problems = judge(contract)
        if not problems:
            # Equal parts are one object in what is drawn, and would be aliases in YAML.
            return dict(json.loads(json.dumps(contract)))
        # From the end, so that items that are taken out move nothing that is still to go.
        for path in sorted({problem.path for problem in problems}, key=_order, reverse=True):
            contract = without(contract, path)
    assume(False)
    raise AssertionError
