"""Contracts of reducers that differ from the examples in all that can differ."""

from typing import Any

TICKET_STATES = {"open": "", "in-progress": "Somebody works on it.", "closed": ""}
STATE_MACHINES: dict[str, dict[str, Any]] = {
    # In memory, ignoring what is undefined, a machine without end, several operations, events with ids.
    "tickets": {
        "name": "ticket",
        "package": "help_desk.nodes",
        "node_type": "reducer",
        "enums": {"TicketState": ["open", "in-progress", "closed"], "Action": ["start", "close", "re.open"]},
        "operations": [
            {
                "name": "act",
                "input": {
                    "ticket": {"type": "string", "minLength": 1, "maxLength": 12},
                    "action": "Action",
                    "event_id": {"type": "uuid", "required": False},
                    "note": {"type": "string", "required": False},
                },
                "output": {
                    "ticket": "string",
                    "state": "TicketState",
                    "previous_state": {"type": "TicketState", "required": False},
                    "note": {"type": "string", "required": False},
                },
                "publishes": "ticket_moved",
            },
            {
                "name": "close",
                "input": {
                    "ticket": {"type": "string", "minLength": 1, "maxLength": 12},
                    "action": {"type": "string", "enum": ["close"], "default": "close"},
                },
                "output": {"changed": "boolean"},
                "publishes": "ticket_closed",
            },
            {"name": "explain", "input": {"state": "TicketState"}, "output": {"text": "string"}, "handler": "custom"},
        ],
        "subcontracts": {
            "fsm": {
                "entity": "ticket",
                "trigger": "action",
                "initial_state": "open",
                "states": TICKET_STATES,
                "transitions": [
                    {"trigger": "start", "from": "open", "to": "in-progress"},
                    {"trigger": "start", "from": "in-progress", "to": "in-progress"},
                    {"trigger": "close", "from": ["open", "in-progress"], "to": "closed"},
                    {"trigger": "re.open", "from": "closed", "to": "open"},
                ],
                "on_undefined": "ignore",
            }
        },
    },
    # In PostgreSQL, among other tables, in transactions and with retries; whole numbers for entities.
    "machines": {
        "name": "machine",
        "package": "plant",
        "node_type": "reducer",
        "operations": [
            {
                "name": "report",
                "input": {
                    "serial": {"type": "integer", "minimum": 1},
                    "signal": {"type": "string", "maxLength": 10},
                    "event_id": "string",
                },
                "output": {"state": "string", "changed": "boolean"},
            }
        ],
        "subcontracts": {
            "fsm": {
                "entity": "serial",
                "trigger": "signal",
                "initial_state": "Off",
                "terminal_states": ["Scrapped"],
                "states": {"Off": "", "On": 'Runs, "hot".', "Scrapped": ""},
                "transitions": [
                    {"trigger": "power", "from": "Off", "to": "On"},
                    {"trigger": "stop", "from": "On", "to": "Off"},
                    {"trigger": "scrap", "from": "Off", "to": "Scrapped"},
                ],
            },
            "state_management": {"backend": "postgres"},
        },
        "features": ["retry", "circuit_breaker"],
        "advanced_features": {"transactions": {"isolation_level": "SERIALIZABLE"}},
        "integrations": {"database": {"migrations": [{"id": "0001_log", "sql": "CREATE TABLE log (a int)"}]}},
    },
}
STATE_MACHINES["lights"] = {
    # In Redis, an entity of few values, retries.
    "name": "lamp_state",
    "package": "house",
    "node_type": "reducer",
    "operations": [
        {
            "name": "press",
            "input": {"lamp": {"type": "string", "pattern": "^lamp-[0-9]$"}, "button": "string"},
            "output": {"lamp": "string", "state": "string"},
            "examples": [
                {"input": {"lamp": "lamp-1", "button": "toggle"}, "output": {"lamp": "lamp-1", "state": "lit"}}
            ],
        }
    ],
    "subcontracts": {
        "fsm": {
            "entity": "lamp",
            "trigger": "button",
            "initial_state": "dark",
            "states": {"dark": "", "lit": ""},
            "transitions": [
                {"trigger": "toggle", "from": "dark", "to": "lit"},
                {"trigger": "toggle", "from": "lit", "to": "dark"},
            ],
        },
        "state_management": {"backend": "redis", "key_prefix": "lamps"},
    },
    "features": ["retry", "circuit_breaker"],
}
EVENT = {
    "id": {"type": "string"},
    "kind": "Kind",
    "team": {"type": "string", "required": False},
    "level": {"type": "integer", "minimum": 1, "exclusiveMaximum": 6},
    "size": {"type": "number", "required": False},
    "price": {"type": "decimal", "minimum": 0},
    "took": "duration",
    "day": "date",
    "seen_at": "datetime",
    "done": "boolean",
    "score": {"type": "integer", "required": False},
}
AGGREGATIONS: dict[str, dict[str, Any]] = {
    # Every measure on every type, with and without conditions, without duplicates being told.
    "everything": {
        "name": "work_figures",
        "package": "acme.figures",
        "node_type": "reducer",
        "enums": {"Kind": ["bug", "task"]},
        "models": {
            "Event": {"fields": EVENT},
            "Total": {"fields": {"level": "integer", "number": "integer", "note": {"type": "string", "default": ""}}},
        },
        "operations": [
            {
                "name": "summarize",
                "input": {"events": {"type": "array", "items": "Event"}, "batch": "uuid"},
                "output": {"batch": "uuid", "figures": {"type": "array", "items": "object"}},
                "aggregate": {
                    "over": "events",
                    "group_by": ["kind", "team", "day", "seen_at", "score"],
                    "window": {"by": "seen_at", "seconds": 0.5},
                    "measures": {
                        "number": {"count": True},
                        "small": {"count": True, "where": "event.size is not None and event.size < 10.5"},
                        "urgent": {
                            "count": True,
                            "where": "event.kind == 'bug' and (event.level > 4 or event.level == 3) and not event.done",
                        },
                        "scored": {"sum": "score"},
                        "sizes": {"sum": "size", "where": "event.team in ['a', \"b's\"]"},
                        "prices": {"sum": "price"},
                        "time": {"sum": "took"},
                        "mean_level": {"mean": "level"},
                        "mean_size": {"mean": "size"},
                        "mean_price": {"mean": "price"},
                        "mean_time": {"mean": "took", "where": "event.done"},
                        "least": {"min": "level"},
                        "first": {"min": "seen_at"},
                        "last_day": {"max": "day"},
                        "dearest": {"max": "price", "where": "event.level * 2 >= 4"},
                        "median": {"percentile": "size", "q": 50},
                        "p999": {"percentile": "took", "q": 99.9},
                        "all_levels": {"percentile": "level", "q": 100},
                    },
                },
            },
            {
                "name": "by_level",
                "input": {"events": {"type": "array", "items": "Event", "required": False}},
                "output": {"totals": {"type": "array", "items": "Total"}},
                "aggregate": {
                    "over": "events",
                    "group_by": ["level"],
                    "unique_by": "id",
                    "measures": {"number": {"count": True}},
                    "intents": [{"target": "store", "action": "keep", "each": "window"}],
                },
            },
        ],
    },
    # No groups, no windows.
    "one_window": {
        "name": "counter",
        "package": "acme",
        "node_type": "reducer",
        "models": {"Hit": {"fields": {"bytes": {"type": "integer", "minimum": 0}}}},
        "operations": [
            {
                "name": "count",
                "input": {"hits": {"type": "array", "items": "Hit", "minItems": 1, "maxItems": 12}},
                "output": {"totals": {"type": "array"}},
                "examples": [
                    {
                        "input": {"hits": [{"bytes": 3}, {"bytes": 4}]},
                        "output": {"totals": [{"hits": 2, "volume": 7}]},
                    }
                ],
                "target": {"per_second": 1000},
                "aggregate": {
                    "over": "hits",
                    "measures": {"hits": {"count": True}, "volume": {"sum": "bytes"}},
                    "intents": [{"target": "bus", "action": "publish", "event": "hits-counted", "each": "batch"}],
                },
            }
        ],
    },
}
