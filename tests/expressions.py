"""What expressions in tests may name."""

from typing import Any

from extensions.language.kinds import Kind, Scope, kind_of

ENUMS = {"Tier": ("basic", "gold-plus")}
MODELS: dict[str, dict[str, dict[str, Any]]] = {
    "Size": {"width": {"type": "number"}, "label": {"type": "string", "required": False}},
    "Line": {
        "sku": {"type": "string"},
        "quantity": {"type": "integer"},
        "price": {"type": "decimal"},
        "weight": {"type": "number"},
        "size": {"type": "Size"},
        "wrap": {"type": "Size", "required": False},
        "gift": {"type": "boolean"},
    },
}
INPUT: dict[str, dict[str, Any]] = {
    "lines": {"type": "array", "items": "Line"},
    "more": {"type": "array", "items": "Line", "required": False},
    "count": {"type": "integer"},
    "rate": {"type": "number"},
    "amount": {"type": "decimal"},
    "name": {"type": "string"},
    "note": {"type": "string", "required": False},
    "limit": {"type": "integer", "required": False},
    "word": {"type": "string", "enum": ["a", "b"]},
    "level": {"type": "integer", "enum": [1, 2]},
    "tier": {"type": "Tier"},
    "since": {"type": "datetime"},
    "day": {"type": "date"},
    "lead": {"type": "duration"},
    "owner": {"type": "uuid"},
    "extra": {"type": "object"},
    "flag": {"type": "boolean"},
    "data": {"type": "bytes"},
    "numbers": {"type": "array", "items": "integer"},
    "anything": {"type": "array"},
}


def kinds(fields: dict[str, dict[str, Any]]) -> dict[str, Kind]:
    return {name: kind_of(spec, ENUMS, MODELS) for name, spec in fields.items()}


SCOPE = Scope(
    root="input",
    fields=kinds(INPUT),
    models={name: kinds(fields) for name, fields in MODELS.items()},
    enums=ENUMS,
    code="request",
    known={"total": (Kind("integer"), "total"), "sum": (Kind("number", nullable=True), "sum_")},
    later=("grand_total",),
    optional={"Size": ("label",), "Line": ("wrap",)},
)
