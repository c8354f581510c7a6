"""What templates are handed."""

from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import ContractError, read
from extensions.language import names
from extensions.reading import effective
from extensions.viewing.build import view
from extensions.viewing.node import NodeView
from extensions.viewing.operation import OperationView


def node(operation: dict[str, Any], **values: object) -> NodeView:
    return view(
        read(
            {
                "name": "shop_order",
                "package": "acme.shop",
                "node_type": "effect",
                "operations": [{"name": "a_b", **operation}],
                **values,
            }
        )
    )


def only(operation: dict[str, Any], **values: object) -> OperationView:
    return node(operation, **values).operations[0]


def test_names_follow_from_the_contract() -> None:
    made = node({"handler": "custom", "publishes": "order_placed"}, version="1.2.3-rc.1")
    assert made.full_name == "node_shop_order_effect"
    assert made.node == ("acme.shop.nodes.node_shop_order_effect.node", "NodeShopOrderEffect")
    assert made.command_topic == "onex.cmd.acme-shop.shop-order-requested.v1"
    assert made.completed_topic == "onex.evt.acme-shop.shop-order-completed.v1"
    assert made.version_map == (1, 2, 3)
    assert made.package_parents == ("acme", "acme/shop")
    (event,) = made.operations[0].events
    assert (event.topic, event.symbol[1]) == ("onex.evt.acme-shop.order-placed.v1", "ModelABEvent")


def test_several_events_after_success_and_failure() -> None:
    made = only({"handler": "custom", "publishes": ["done", {"event": "told"}, {True: "failure", "event": "lost"}]})
    assert [(event.name, event.on, event.file) for event in made.events] == [
        ("done", "success", "model_a_b_event"),
        ("told", "success", "model_a_b_event"),
        ("lost", "failure", "model_a_b_failure_event"),
    ]
    assert [event.name for event in made.event_models] == ["done", "lost"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("HTTPInfo", "http_info"), ("LockInfo2", "lock_info2"), ("a-b.c", "a_b_c"), ("already_snake", "already_snake")],
)
def test_snake(name: str, expected: str) -> None:
    assert names.snake(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("held", "HELD"), ("dark blue", "DARK_BLUE"), ("1st", "VALUE_1ST"), ("", "VALUE"), ("é", "VALUE")],
)
def test_constant(text: str, expected: str) -> None:
    assert names.constant(text) == expected


def test_row_fills_output_of_the_same_names() -> None:
    operation = only(
        {
            "input": {"id": "uuid"},
            "output": {"id": "uuid", "total": "integer", "largest": {"type": "number", "required": False}},
            "database": {
                "query": "SELECT count(*) AS total, max(n) AS largest FROM t WHERE id = $1",
                "parameters": ["id"],
            },
        }
    )
    assert operation.call == "fetch_one"
    assert operation.row_required
    assert operation.idempotent
    assert operation.results == (
        ("id", "request.id"),
        ("total", 'row["total"]'),
        ("largest", 'row["largest"]'),
    )


@pytest.mark.parametrize(
    ("listed", "required", "code"),
    [
        ("tone", True, 'request.tone if row is None else row["tone"]'),
        ("tone", False, 'None if row is None else row["tone"]'),
        ("id", True, "request.tone"),
        ("id", False, "request.tone"),
        ("*", True, 'request.tone if row is None else row.get("tone", request.tone)'),
    ],
)
def test_what_a_row_says_of_an_input_is_the_output(listed: str, required: bool, code: str) -> None:
    tone = {"type": "string", "required": required}
    query = f"UPDATE t SET tone = $2 WHERE id = $1 RETURNING {listed}"  # noqa: S608 - of the table above
    operation = only(
        {
            "input": {"id": "string", "tone": "string"},
            "output": {"tone": tone, "found": "boolean"},
            "database": {"query": query, "parameters": ["id", "tone"], "returns": {"found": "found"}},
        }
    )
    assert operation.results == (("tone", code), ("found", "row is not None"))


def test_rows_become_models() -> None:
    operation = only(
        {
            "output": {"points": {"type": "array", "items": "Point"}, "n": "integer"},
            "database": {"query": "SELECT x FROM t", "returns": {"rows": "many", "into": "points", "count": "n"}},
        },
        models={"Point": {"fields": {"x": "number"}}},
    )
    assert operation.results == (
        ("points", "[model_of(ModelPoint, row) for row in rows]"),
        ("n", "len(rows)"),
    )


def test_statement_without_rows_fills_booleans() -> None:
    operation = only({"output": {"done": "boolean"}, "database": {"query": "DELETE FROM t"}})
    assert (operation.call, operation.binding, operation.results) == ("execute", "", (("done", "True"),))


def test_guards_come_with_their_settings_or_not_at_all() -> None:
    plain = node({"output": {"done": "boolean"}, "database": {"query": "DELETE FROM t"}})
    assert (plain.retry, plain.breaker) == (None, None)
    assert not [setting for setting in plain.setting_fields if setting.name.startswith(("retry", "circuit"))]
    guarded = node(
        {"output": {"done": "boolean"}, "database": {"query": "DELETE FROM t"}},
        features=["retry"],
        advanced_features={
            "circuit_breaker": {"failure_threshold": 9, "services": [{"name": "postgres", "failure_threshold": 2}]}
        },
    )
    assert guarded.retry is not None
    assert guarded.breaker is not None
    assert (guarded.retry.max_attempts, guarded.breaker.failure_threshold, guarded.breaker.recovery_seconds) == (
        3,
        9,
        60,
    )
    assert guarded.own_breakers == (("postgres", 2, 60.0),)


def test_only_what_is_used_is_required() -> None:
    custom = node({"handler": "custom"})
    assert not {"asyncpg", "tenacity"} & {name.split(">")[0] for name in custom.packages.requirements}
    lock = view(read(read_contract(CONTRACTS / "distributed_lock.yaml")))
    assert {"asyncpg", "tenacity"} <= {name.split(">")[0] for name in lock.packages.requirements}


def test_samples_meet_the_constraints() -> None:
    operation = only(
        {
            "handler": "custom",
            "input": {
                "number": {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 5},
                "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{3}$"},
                "tags": {"type": "array", "items": {"type": "string", "minLength": 9}, "minItems": 2},
                "skipped": {"type": "string", "default": "x"},
            },
        }
    )
    assert operation.sample is not None
    assert operation.sample["number"] == 15
    assert operation.sample["code"] == "AAA-000"
    assert [len(tag) >= 9 for tag in operation.sample["tags"]] == [True, True]  # type: ignore[attr-defined]  # a list
    assert "skipped" not in operation.sample


def test_example_is_asked_for_where_a_pattern_defeats_all_samples() -> None:
    operation: dict[str, Any] = {"handler": "custom", "input": {"code": {"type": "string", "pattern": "^[à-ü]+$"}}}
    with pytest.raises(ContractError, match="an example with an input"):
        only(operation)
    assert only(operation | {"examples": [{"input": {"code": "é"}, "output": {}}]}).sample == {"code": "é"}


CONTRACT = {"name": "a", "operations": [1]}


@pytest.mark.parametrize(
    ("answers", "data", "expected"),
    [
        ({"name": "b", "features": ["retry"]}, CONTRACT, CONTRACT),
        ({"name": "b", "features": None}, {}, {"name": "b"}),
        ({"name": "b", "version": "1.0.0"}, {"version": "2.0.0", "_commit": "x"}, {"name": "b", "version": "2.0.0"}),
        ({"name": "b"}, CONTRACT | {"features": None}, CONTRACT),
    ],
)
def test_contract_that_counts(answers: dict[str, Any], data: dict[str, Any], expected: dict[str, Any]) -> None:
    assert effective.effective_contract(answers, data) == expected


def test_yaml_document_keeps_order_and_text() -> None:
    text = effective.yaml_document({"b": "two\nlines\n", "a": [{"c": 1}]})
    assert text == "b: |\n  two\n  lines\na:\n  - c: 1\n"
