"""The nodes that the example's workflow calls, as contracts, and requests whose steps some of them refuse.

A payment may be asked for again, as after a crash in the middle of it; a second reservation of an order fails.
"""

from typing import Any
from uuid import uuid4

# PostgreSQL refuses what is dearer, and orders of more lines.
DEAREST_CENTS = 100_000
MOST_LINES = 2
_ORDER = {"order_id": "uuid"}
_LINES = {"type": "array", "items": {"type": "object"}, "minItems": 1}


def _table(name: str, columns: str) -> dict[str, Any]:
    sql = f"CREATE TABLE {name} (order_id uuid PRIMARY KEY, {columns}, undone_at timestamptz);"
    return {"database": {"migrations": [{"id": f"0001_{name}", "sql": sql}]}}


def _insert(table: str, column: str, flag: str, *, again: str = "") -> dict[str, Any]:
    # S608 is about texts of users.
    query = f"INSERT INTO {table} (order_id, {column}) VALUES ($1, $2) {again}"  # noqa: S608
    return {"query": query, "parameters": ["order_id", column], "returns": {"rows": "none", "found": flag}}


def _undo(table: str, flag: str) -> dict[str, Any]:
    query = f"UPDATE {table} SET undone_at = clock_timestamp() WHERE order_id = $1 AND undone_at IS NULL"  # noqa: S608
    return {"query": query, "parameters": ["order_id"], "returns": {"rows": "none", "found": flag}}


def _effect(name: str, integrations: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "node_type": "effect",
        "package": "shop_nodes",
        "description": f"Keep {name} of orders.",
        "integrations": integrations,
        "operations": list(operations),
    }


PEERS = {
    "stock": _effect(
        "stock",
        _table("reservation", "lines jsonb NOT NULL"),
        {
            "name": "reserve",
            "input": {**_ORDER, "lines": _LINES},
            "output": {"reserved": "boolean"},
            "database": _insert("reservation", "lines", "reserved"),
        },
        {
            "name": "release",
            "input": _ORDER,
            "output": {"released": "boolean"},
            "database": _undo("reservation", "released"),
        },
    ),
    "payment": _effect(
        "payment",
        _table("payment", f"amount_cents int NOT NULL CHECK (amount_cents <= {DEAREST_CENTS})"),
        {
            "name": "charge",
            "input": {**_ORDER, "amount_cents": {"type": "integer", "minimum": 0}},
            "output": {"charged": "boolean"},
            "database": _insert("payment", "amount_cents", "charged", again="ON CONFLICT (order_id) DO NOTHING"),
        },
        {
            "name": "refund",
            "input": _ORDER,
            "output": {"refunded": "boolean"},
            "database": _undo("payment", "refunded"),
        },
    ),
    "order_events": _effect(
        "order_events",
        _table("announcement", f"lines jsonb NOT NULL CHECK (jsonb_array_length(lines) <= {MOST_LINES})"),
        {
            "name": "publish_order_placed",
            "input": {**_ORDER, "lines": _LINES},
            "output": {"published": "boolean"},
            "database": _insert("announcement", "lines", "published"),
        },
    ),
}


def kept(workflow: dict[str, Any]) -> dict[str, Any]:
    """Keep the runs of the example's workflow in Redis, and let none of its steps fail without a consequence."""
    workflow["subcontracts"] = {"state_management": {"backend": "redis"}}
    for step in workflow["operations"][0]["workflow"]["steps"]:
        step.pop("on_failure", None)
    return workflow


def order(*, unit_cents: int = 100, lines: int = 1) -> dict[str, Any]:
    """Return the input of a new order.

    Args:
        unit_cents: The price of each line; tax of 20 % is added.
        lines: How many lines there are.

    Returns:
        The input of `place_order`.
    """
    items = [{"sku": "a", "quantity": 1, "unit_cents": unit_cents} for _ in range(lines)]
    return {"order_id": str(uuid4()), "lines": items}
