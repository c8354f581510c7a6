"""Nodes that have a place for each text that the schema allows."""

from typing import Any

TEXT = {"type": "string", "default": "a", "description": "a"}
LISTED = {"type": "array", "items": {"type": "string", "description": "a", "default": "a"}, "description": "a"}
# Each key that a field may have for text.
FIELDS = {
    "a": TEXT,
    "b": {"type": "string", "enum": ["a", "b"], "description": "a"},
    "c": {"type": "string", "pattern": "^a"},
    "d": LISTED | {"default": []},
    "e": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
    "f": {"type": "array", "items": {"type": "string", "pattern": "^a"}, "default": []},
    "g": {"type": "string", "const": "a"},
    "h": {"type": "array", "items": {"type": "string", "const": "a"}, "default": []},
    "i": {"type": "object", "values": {"type": "string", "description": "a", "default": "a"}, "default": {}},
    "j": {"type": "object", "values": {"type": "string", "enum": ["a"]}, "default": {}},
    "k": {"type": "object", "values": {"type": "string", "pattern": "^a"}, "default": {}},
    "l": {"type": "object", "values": {"type": "string", "const": "a"}, "default": {}},
}
INPUT = {"a": TEXT}
OUTPUT = INPUT
EXAMPLE = {"description": "a", "input": {"a": "a"}, "output": {"a": "a"}}
COMMON: dict[str, Any] = {
    "name": "hostile",
    "package": "acme",
    "description": "a",
    "domain": "a",
    "dependencies": {"odd": "a"},
    "enums": {"Kind": ["a", "b"], "Sort": {"description": "a", "values": ["a", "b"]}},
    "models": {"Thing": {"description": "a", "fields": FIELDS}},
    "service": {"tags": ["a", "b"]},
    "deployment": {"env": {"ODD": "a"}, "environments": {"there": {"env": {"ODD": "a"}}}},
    "advanced_features": {
        "observability": {"tracing": {"endpoint": "http://a"}},
        "security_validation": {"forbidden_patterns": ["never-a"]},
    },
}


def operation(name: str, **implementation: object) -> dict[str, Any]:
    common = {"name": name, "description": "a", "input": INPUT, "output": OUTPUT, "examples": [EXAMPLE]}
    return common | implementation


NODES: dict[str, dict[str, Any]] = {
    "effect": COMMON
    | {
        "node_type": "effect",
        "integrations": {
            "api_client": {"base_url": "http://a", "headers": {"X-A": "a"}},
            "apis": {"mailer": {"base_url": "http://a", "headers": {"X-A": "a"}}},
            "database": {"migrations": [{"id": "0001", "sql": "SELECT 1 -- a"}]},
            "filesystem": {"root": "a"},
            "kafka": {"bootstrap_servers": "a:1"},
            "redis": {"url": "redis://a"},
        },
        "operations": [
            operation(
                "find",
                output=OUTPUT
                | {"found": {"type": "boolean", "default": True}, "thing": {"type": "Thing", "required": False}},
                database={
                    "query": "SELECT $1 -- a",
                    "parameters": ["a"],
                    "returns": {"into": "thing", "found": "found"},
                },
            ),
            operation(
                "known",
                input={},
                output={"b": "string"},
                examples=[],
                database={"query": "SELECT b FROM c -- a"},
                cache={"memory": "a", "ttl_seconds": 5},
            ),
            operation(
                "seen",
                output={"b": "string"},
                examples=[],
                database={"query": "SELECT $1 AS b -- a", "parameters": ["a"]},
                cache={"redis": "seen ${input.a}", "ttl_seconds": 5},
            ),
            operation(
                "erase",
                output=OUTPUT | {"gone": "integer"},
                examples=[],
                invalidates=["known", {"operation": "seen", "input": {"a": "${input.a}"}}],
                database={"query": "DELETE FROM a", "returns": {"count": "gone"}},
            ),
            operation(
                "move",
                output=OUTPUT | {"b": {"type": "string", "required": False}, "n": "integer", "ok": "boolean"},
                examples=[],
                database={
                    "statements": [
                        {
                            "name": "get",
                            "query": "SELECT $1 AS b -- a",
                            "parameters": ["a"],
                            "require": "found",
                            "savepoint": True,
                        },
                        {"name": "put", "query": "UPDATE a SET b = $1", "parameters": ["get.b"]},
                    ],
                    "returns": {"into": {"b": "get.b"}, "count": {"n": "put"}, "found": "ok"},
                },
            ),
            operation(
                "ask",
                output=OUTPUT | {"x": {"type": "string", "required": False}},
                http={
                    "method": "POST",
                    "path": "/",
                    "query": {"a": "a"},
                    "headers": {"X-B": "a ${input.a}"},
                    "body": "a",
                    "extract": {"x": "$.a"},
                },
            ),
            operation("mail", http={"api": "mailer", "method": "POST", "path": "/", "form": {"a": "a"}}),
            operation(
                "send",
                output=OUTPUT | {"x": {"type": "string", "required": False}, "n": "integer", "y": "boolean"},
                examples=[],
                http={
                    "method": "POST",
                    "path": "/${input.a:path}",
                    "multipart": {"file": {"content": "a", "filename": "a"}, "b": "a"},
                    "not_found": "y",
                    "extract": {"x": {"header": "X-A"}, "n": {"status": True}},
                },
            ),
            operation("say", http={"method": "POST", "path": "/", "text": "a"}),
            operation(
                "upload",
                input=INPUT | {"content": {"type": "bytes", "default": "YQ=="}},
                http={"method": "POST", "path": "/", "bytes": "${input.content}"},
            ),
            operation(
                "number",
                output={"list": {"type": "array", "items": "string"}, "more": "boolean"},
                examples=[],
                http={
                    "method": "GET",
                    "path": "/",
                    "pages": {"next": {"page": "a"}, "items": "$.b", "into": "list", "more": "more", "at_most": 1},
                },
            ),
            operation(
                "follow",
                output={"x": {"type": "string", "required": False}, "y": "string"},
                examples=[],
                http={"method": "GET", "path": "/", "extract": {"x": "$.a"}},
                then={"y": "'a'"},
            ),
            operation(
                "walk",
                output={"list": {"type": "array", "items": "string"}},
                examples=[],
                http={
                    "method": "GET",
                    "path": "/",
                    "pages": {
                        "next": {"cursor": "$.a", "parameter": "a"},
                        "items": "$.b",
                        "into": "list",
                        "at_most": 1,
                    },
                },
            ),
            operation("tell", kafka={"topic": "told", "key": "a", "payload": "a", "headers": {"X-C": "a"}}),
            operation("keep", redis={"command": "set", "key": "a", "value": "a"}),
            operation(
                "count",
                input=INPUT | {"n": {"type": "integer", "default": 1}},
                output=OUTPUT | {"n": "integer"},
                examples=[],
                redis={
                    "command": "incr",
                    "key": "a",
                    "amount": "${input.n}",
                    "ttl_seconds": "${input.n}",
                    "returns": {"into": "n"},
                },
            ),
            operation(
                "take",
                output={"x": {"type": "string", "required": False}, "y": "boolean"},
                examples=[],
                redis={"command": "hget", "key": "a", "field": "a", "returns": {"into": ["x"], "found": "y"}},
            ),
            operation(
                "size",
                output={"n": "integer"},
                examples=[],
                redis={"command": "llen", "key": "a", "returns": {"count": "n"}},
            ),
            operation(
                "rank",
                input=INPUT | {"n": {"type": "integer", "default": 1}},
                output={"ok": "boolean"},
                examples=[],
                redis={
                    "command": "zadd",
                    "key": "a",
                    "value": "a",
                    "score": "${input.n}",
                    "if_absent": True,
                    "returns": {"found": "ok"},
                },
            ),
            operation(
                "top",
                output={"x": LISTED, "y": {"type": "array", "items": "number"}},
                examples=[],
                redis={
                    "command": "zrange",
                    "key": "a",
                    "min": "${input.n}",
                    "max": "${input.n}",
                    "limit": "${input.n}",
                    "returns": {"into": "x", "score": "y"},
                },
                input=INPUT | {"n": {"type": "integer", "default": 1}},
            ),
            operation(
                "part",
                output={"x": LISTED},
                examples=[],
                redis={
                    "command": "lrange",
                    "key": "a",
                    "start": "${input.n}",
                    "stop": "${input.n}",
                    "returns": {"into": "x"},
                },
                input=INPUT | {"n": {"type": "integer", "default": 1}},
            ),
            operation(
                "nth",
                output={"x": {"type": "string", "required": False}},
                examples=[],
                redis={"command": "lindex", "key": "a", "index": "${input.n}", "returns": {"into": "x"}},
                input=INPUT | {"n": {"type": "integer", "default": 1}},
            ),
            operation("move_file", filesystem={"action": "move", "path": "a", "to": "b/a"}),
            operation(
                "names",
                output={"x": LISTED, "n": "integer", "y": "boolean"},
                examples=[],
                filesystem={"action": "list", "path": "a", "returns": {"into": "x", "count": "n", "found": "y"}},
            ),
            operation("write", filesystem={"action": "write", "path": "a", "content": "a"}),
            operation(
                "read",
                output={"x": {"type": "string", "required": False}, "y": "boolean"},
                examples=[],
                filesystem={"action": "read", "path": "a", "returns": {"into": "x", "found": "y"}},
            ),
            operation(
                "own",
                input=FIELDS,
                output=FIELDS,
                examples=[],
                handler="custom",
                requirements=["a>=1"],
                settings={f"own_{name}": FIELDS[name] for name in "abc"},
            ),
            operation("tick", input={}, output={}, examples=[], handler="custom", schedule={"cron": "* * * * *"}),
            operation("hear", input=INPUT | {"b": TEXT}, examples=[], handler="custom"),
        ],
        "subcontracts": {
            "event_type": {
                "consumed_events": [
                    {"event": "came", "operation": "hear", "where": "event.b == 'a'", "map": {"a": "a"}}
                ]
            }
        },
    },
    "compute": COMMON
    | {
        "node_type": "compute",
        "operations": [
            operation(
                "figure", output=OUTPUT | {"x": "string"}, examples=[], compute={"x": "input.a + 'a'", "a": "input.a"}
            ),
            operation("own", handler="custom"),
        ],
    },
    "reducer": COMMON
    | {
        "node_type": "reducer",
        "models": COMMON["models"]
        | {"Event": {"fields": {"at": "datetime", "kind": "string", "size": "integer"}, "description": "a"}},
        "operations": [
            operation("move", input={"who": TEXT, "what": TEXT}, output={"state": "string"}, examples=[]),
            operation(
                "figure",
                input={"events": {"type": "array", "items": "Event", "description": "a"}},
                output={
                    "figures": {"type": "array", "description": "a"},
                    "intents": {"type": "array", "description": "a"},
                },
                examples=[],
                aggregate={
                    "over": "events",
                    "group_by": ["kind"],
                    "unique_by": "kind",
                    "window": {"by": "at", "seconds": 5},
                    "measures": {
                        "total": {"count": True, "where": "event.kind == 'a'"},
                        "all": {"sum": "size"},
                        "middle": {"mean": "size"},
                        "least": {"min": "size"},
                        "most": {"max": "size"},
                        "p": {"percentile": "size", "q": 5},
                        "kinds": {"distinct": "kind"},
                        "spread": {"stddev": "size"},
                        "opening": {"first": "size", "by": "at"},
                        "closing": {"last": "size"},
                    },
                    "intents": [{"target": "alert", "action": "tell", "each": "window", "when": "window.total > 5"}],
                },
            ),
        ],
        "subcontracts": {
            "fsm": {
                "entity": "who",
                "trigger": "what",
                "initial_state": "new",
                "terminal_states": ["old"],
                "states": {"new": "a", "old": "a"},
                "transitions": [{"trigger": "go", "from": "new", "to": "old", "when": "input.what == 'a'"}],
            }
        },
    },
    "orchestrator": COMMON
    | {
        "node_type": "orchestrator",
        "operations": [
            operation(
                "run",
                output={"status": {"type": "string", "enum": ["completed", "failed", "compensated"]}},
                examples=[],
                workflow={
                    "timeout_seconds": 5,
                    "steps": [
                        {
                            "name": "s",
                            "description": "a",
                            "node": "node_a_effect",
                            "operation": "b",
                            "input": {"x": "a"},
                        },
                        {
                            "name": "t",
                            "after": ["s"],
                            "node": "node_a_effect",
                            "operation": "b",
                            "when": "input.a != ''",
                            "require": "result != 'a'",
                        },
                        {
                            "name": "g",
                            "steps": [
                                {"name": "u", "node": "node_a_effect", "operation": "b", "input": {"x": "a"}},
                                {
                                    "name": "v",
                                    "description": "a",
                                    "after": ["u"],
                                    "node": "node_a_effect",
                                    "operation": "b",
                                    "when": "input.a != ''",
                                    "require": "result != 'a'",
                                    "for_each": "${steps.u.items}",
                                },
                                {
                                    "name": "w",
                                    "node": "node_a_effect",
                                    "operation": "b",
                                    "repeat": {"until": "result != 'a'", "max_rounds": 2},
                                },
                                {
                                    "name": "x",
                                    "after": ["u"],
                                    "intents": "${steps.u.intents}",
                                    "route": {"a": {"node": "node_a_effect", "operation": "b", "input": {"x": "a"}}},
                                },
                            ],
                            "output": {"y": "a"},
                            "repeat": {"until": "steps.u.z == 'a'", "max_rounds": 2},
                        },
                        {
                            "name": "f",
                            "after": ["s"],
                            "node": "node_a_effect",
                            "operation": "b",
                            "for_each": "${steps.s.items}",
                        },
                        {
                            "name": "i",
                            "after": ["s"],
                            "intents": "${steps.s.intents}",
                            "route": {"a": {"node": "node_a_effect", "operation": "b", "input": {"x": "a"}}},
                        },
                    ],
                },
            )
        ],
    },
}
