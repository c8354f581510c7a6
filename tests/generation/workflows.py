"""Contracts of orchestrators that differ from the example in all that can differ."""

from typing import Any

TEXT: dict[str, Any] = {"type": "string", "required": False}
WORKFLOWS: dict[str, dict[str, Any]] = {
    # In memory, a diamond whose sides fail differently, policies for all steps, references in texts and at depth,
    # nodes of another package, an enum for the status, a failing compensation in the output.
    "trips": {
        "name": "trip",
        "package": "travel.nodes",
        "node_type": "orchestrator",
        "description": 'Book a "trip"; ${input.name} and {{ this }} are text.',
        "enums": {"Outcome": ["completed", "failed", "compensated", "unknown"]},
        "models": {
            "Place": {"fields": {"city": "string", "code": TEXT}},
            "Traveller": {
                "fields": {"name": "string", "home": "Place", "second": {"type": "Place", "required": False}}
            },
        },
        "operations": [
            {
                "name": "book",
                "input": {"traveller": "Traveller", "note": TEXT, "photo": {"type": "bytes", "required": False}},
                "output": {
                    "status": "Outcome",
                    "failed_step": "string",
                    "failed_compensations": {"type": "array", "items": "string"},
                    "price": {"type": "number", "required": False},
                    "summary": TEXT,
                    "note": TEXT,
                },
                "publishes": "trip_booked",
                "workflow": {
                    "timeout_seconds": 3.5,
                    "retry": {"max_attempts": 2, "initial_delay_ms": 1, "max_delay_ms": 2},
                    "on_failure": "compensate",
                    "steps": [
                        {
                            "name": "pay",
                            "node": "node_bank_effect",
                            "operation": "pay",
                            "after": ["flight", "hotel"],
                            "on_failure": "abort",
                            "input": {
                                "amount": "${steps.flight.price.total}",
                                "text": 'For ${input.traveller.name} (${input.note}): "${steps.hotel.name}" {1}\n',
                                "list": [1, None, True, {"city": "${input.traveller.second.city}"}],
                                "photo": "${input.photo}",
                            },
                        },
                        {"name": "search", "node": "node_offers_compute", "operation": "search", "package": "offers"},
                        {
                            "name": "flight",
                            "description": "Seats | by the `window`.",
                            "node": "node_flight_effect",
                            "operation": "reserve",
                            "after": ["search"],
                            "timeout_seconds": 0.5,
                            "compensate": {"operation": "cancel", "input": {"id": "${steps.flight.booking}"}},
                        },
                        {
                            "name": "hotel",
                            "node": "node_hotel_effect",
                            "operation": "reserve",
                            "package": "hotels.eu",
                            "after": ["search"],
                            "compensate": {"node": "node_desk_effect", "operation": "call", "on_unknown": True},
                            "idempotent": True,
                        },
                        {
                            "name": "greet",
                            "node": "node_mail_effect",
                            "operation": "send",
                            "after": ["search"],
                            "on_failure": "continue",
                        },
                    ],
                    "output": {
                        "price": "${steps.flight.price.total}",
                        "summary": "${steps.hotel.name} for ${input.traveller.name}",
                    },
                },
            },
            {
                "name": "count",
                "input": {"of": {"type": "integer", "default": 3}},
                "output": {"of": "integer", "sum": "integer"},
                "schedule": {"every_seconds": 60},
                "workflow": {
                    "steps": [
                        {"name": "end", "node": "node_sum_compute", "operation": "sum", "input": {"of": "${input.of}"}}
                    ],
                    "output": {"sum": "${steps.end.sum}"},
                },
            },
            {"name": "explain", "input": {"trip": "uuid"}, "output": {"text": "string"}, "handler": "custom"},
        ],
        "subcontracts": {"state_management": {"backend": "memory"}},
    },
    # In PostgreSQL, among other tables, in transactions and with retries; steps that nothing orders, and none undone.
    "reports": {
        "name": "report",
        "package": "books",
        "node_type": "orchestrator",
        "operations": [
            {
                "name": "gather",
                "input": {"month": "date"},
                "output": {"month": "date", "status": {"type": "string", "enum": ["completed", "failed"]}},
                "workflow": {
                    "steps": [
                        {
                            "name": f"part_{number}",
                            "node": "node_part_effect",
                            "operation": "read",
                            "input": {"month": "${input.month}", "number": number},
                        }
                        for number in range(3)
                    ]
                },
            }
        ],
        "integrations": {"database": {"migrations": [{"id": "0001_parts", "sql": "CREATE TABLE part (id int);"}]}},
        "advanced_features": {
            "retry_policy": {"max_attempts": 2},
            "transactions": {"isolation_level": "SERIALIZABLE"},
        },
        "subcontracts": {"state_management": {"backend": "postgres", "table": "report_progress"}},
    },
    # In Redis, with whatever guards its commands.
    "refunds": {
        "name": "refund",
        "package": "shop",
        "node_type": "orchestrator",
        "operations": [
            {
                "name": "refund",
                "input": {"payment": "uuid"},
                "output": {"status": {"type": "string", "enum": ["completed", "failed"]}},
                "workflow": {
                    "steps": [
                        {"name": "find", "node": "node_payment_effect", "operation": "find"},
                        {"name": "pay", "node": "node_payment_effect", "operation": "pay", "after": ["find"]},
                    ]
                },
            }
        ],
        "advanced_features": {"retry_policy": {"max_attempts": 2}, "circuit_breaker": {"failure_threshold": 3}},
        "subcontracts": {"state_management": {"backend": "redis", "key_prefix": "refund_progress"}},
    },
}
