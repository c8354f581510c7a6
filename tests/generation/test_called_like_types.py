"""Fields that are called like types and like what generated code uses: annotations mean what they say all the same."""

from pathlib import Path
from typing import Any

import pytest

from extensions.judging.judge import judge
from tests.contracts.fuzz import unproven

TYPES = ["string", "integer", "number", "boolean", "uuid", "datetime", "date", "duration", "decimal", "bytes", "object"]
NAMES = ["str", "int", "float", "bool", "date", "datetime", "timedelta", "list", "uuid", "decimal", "object"]
NAMES += ["type", "field", "enum", "input", "output", "request", "response", "operation", "settings", "event", "events"]
NAMES += ["self", "row", "rows", "st", "value", "values", "key", "set", "tuple", "bytes", "max", "min", "len", "any"]


def named(*, optional: bool) -> dict[str, Any]:
    """Give a field of each name, types in turn, each of them after one that may hide it."""
    fields: dict[str, Any] = {}
    for number, name in enumerate(NAMES):
        spec: dict[str, Any] = {"type": TYPES[(number * 7) % len(TYPES)]}
        if number % 5 == 0:
            spec = {"type": "array", "items": spec | {"description": "One."}}
        fields[name] = spec | ({"required": False} if optional else {})
    fields |= {f"of_{kind}": {"type": kind} | ({"required": False} if optional else {}) for kind in TYPES}
    return fields


CONTRACTS: dict[str, dict[str, Any]] = {
    "effect": {
        "node_type": "effect",
        "enums": {"Size": ["+1", "-1", "a", "A"]},
        "models": {
            "Thing": {"fields": named(optional=True)},
            "Names": {
                "fields": {"cls": {"type": "string", "alias": "class"}, "self": {"type": "string", "secret": True}}
            },
        },
        "integrations": {
            "database": {"migrations": [{"id": "0001", "sql": "CREATE TABLE sizes (size text, date date)"}]}
        },
        "operations": [
            {"name": "keep", "input": named(optional=True), "output": named(optional=True), "handler": "custom"},
            {
                "name": "hold",
                "input": named(optional=False),
                "output": {"thing": "Thing", "names": "Names"},
                "handler": "custom",
            },
            {
                "name": "tell",
                "input": {"str": "string", "int": {"type": "date", "required": False}, "date": "date"},
                "output": {"str": "string", "date": "date", "ok": "boolean"},
                "http": {"method": "GET", "path": "/${input.str}", "headers": {"X-A": "${env.STR} ${secret.INT}"}},
            },
            {
                "name": "sizes",
                "input": {"date": "date"},
                "output": {"list": {"type": "array", "items": "Size"}},
                "database": {
                    "query": "SELECT size FROM sizes WHERE date = $1",
                    "parameters": ["date"],
                    "returns": {"rows": "many", "into": "list"},
                },
            },
            {
                "name": "days",
                "output": {"date": {"type": "array", "items": "date"}, "list": "integer"},
                "database": {
                    "query": "INSERT INTO sizes VALUES ('+1', '2026-01-01'), ('A', '2026-01-02') RETURNING date",
                    "returns": {"rows": "many", "into": "date", "count": "list"},
                },
            },
            {
                "name": "list",
                "input": {"str": "string"},
                "output": {"list": {"type": "array", "items": "Thing"}},
                "database": {
                    "query": "SELECT 1 AS of_integer WHERE $1 = ''",
                    "parameters": ["str"],
                    "returns": {"rows": "many", "into": "list"},
                },
            },
        ],
    },
    "compute": {
        "node_type": "compute",
        "operations": [
            {
                "name": "int",
                "input": {"list": {"type": "array", "items": "integer"}, "date": "date", "str": "string"},
                "output": {
                    "date": "date",
                    "list": {"type": "array", "items": "integer"},
                    "datetime": {"type": "array", "items": "date"},
                    "math": "number",
                    "float": "number",
                    "str": "string",
                    "sum": "integer",
                },
                "compute": {
                    "date": "input.date",
                    "list": "[n + 1 for n in input.list]",
                    "datetime": "[date]",
                    "math": "sum(input.list) / 2",
                    "float": "float(sum(list)) + math",
                    "str": "str(float) + input.str",
                    "sum": "sum(list)",
                },
            }
        ],
    },
    "reducer": {
        "node_type": "reducer",
        "models": {"Event": {"fields": {"date": "date", "str": "string", "int": "integer", "datetime": "datetime"}}},
        "operations": [
            {
                "name": "dict",
                "input": {"events": {"type": "array", "items": "Event"}},
                "output": {"list": "array"},
                "aggregate": {
                    "over": "events",
                    "group_by": ["date", "str"],
                    "window": {"by": "datetime", "seconds": 60},
                    "measures": {"int": {"sum": "int"}, "float": {"mean": "int"}, "list": {"max": "int"}},
                },
            }
        ],
    },
}


@pytest.mark.slow
@pytest.mark.nightly
def test_types_and_tests_hold(tmp_path: Path) -> None:
    for rest in CONTRACTS.values():
        contract = {"name": "datetime", "package": "acme"} | rest
        assert list(map(str, judge(contract))) == []
        assert unproven(contract, tmp_path) == []
