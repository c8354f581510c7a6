"""Compute nodes: what is wrong with a contract of one, and what templates are handed about one."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import judge, read
from extensions.viewing.build import view
from extensions.viewing.computation import ComputationView
from extensions.viewing.node import NodeView

PRICES = read_contract(CONTRACTS / "price_quote.yaml")
PARCELS = read_contract(Path(__file__).parents[1] / "generation" / "parcel_rates.yaml")
GREETING = read_contract(CONTRACTS / "custom_greeting.yaml")
OPERATION = "operations[0]"
CACHING = "subcontracts.caching"


def changed(contract: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    made = copy.deepcopy(contract)
    change(made)
    return made


def compute(**expressions: object) -> dict[str, Any]:
    return changed(PRICES, lambda c: c["operations"][0]["compute"].update(expressions))


def side(name: str, **fields: object) -> dict[str, Any]:
    def change(contract: dict[str, Any]) -> None:
        contract["operations"][0][name].update(fields)
        del contract["operations"][0]["examples"]

    return changed(PRICES, change)


def without(name: str) -> dict[str, Any]:
    return changed(PRICES, lambda c: c["operations"][0]["compute"].pop(name))


BAD = [
    ("unknown output", compute(totl_cents="1"), f"{OPERATION}.compute.totl_cents", "did you mean 'total_cents'?"),
    ("no expression", without("total_cents"), f"{OPERATION}.output.total_cents", "an expression in compute"),
    ("other type than the input's", side("output", lines="string"), f"{OPERATION}.output.lines", "same name and type"),
    ("wrong expression", compute(tax_cents="input.tax"), f"{OPERATION}.compute.tax_cents", "the unknown field 'tax'"),
    (
        "wrong order",
        changed(PRICES, lambda c: c["operations"][0]["compute"].update(subtotal_cents="total_cents")),
        f"{OPERATION}.compute.subtotal_cents",
        "worked out later",
    ),
    ("itself", compute(total_cents="total_cents + 1"), f"{OPERATION}.compute.total_cents", "worked out later"),
    ("text without quotes", compute(total_cents="hello"), f"{OPERATION}.compute.total_cents", "quotes of its own"),
    ("nothing", compute(total_cents=None), f"{OPERATION}.compute.total_cents", "text or a whole number"),
    ("too long", compute(total_cents="1" + "+1" * 1000), f"{OPERATION}.compute.total_cents", "at most 2000"),
    ("no name", compute(Total="1"), f"{OPERATION}.compute.Total", "snake_case"),
    (
        "two implementations",
        changed(PRICES, lambda c: c["operations"][0].update(handler="custom")),
        OPERATION,
        "exactly one implementation",
    ),
    (
        "another type of node",
        PRICES | {"node_type": "effect", "subcontracts": {}},
        f"{OPERATION}.compute",
        "a compute node",
    ),
    ("caching in another", GREETING | {"subcontracts": {"caching": {}}}, CACHING, "a compute node"),
    ("no time", PRICES | {"subcontracts": {"caching": {"ttl_seconds": 0}}}, f"{CACHING}.ttl_seconds", "at least 1"),
    ("unknown key", PRICES | {"subcontracts": {"caching": {"ttl": 1}}}, f"{CACHING}.ttl", "one of enabled"),
    (
        "wrong example",
        changed(PRICES, lambda c: c["operations"][0]["examples"][0]["output"].update(total_cents="much")),
        f"{OPERATION}.examples[0].output.total_cents",
        "a value of type integer",
    ),
]


@pytest.mark.parametrize(("contract", "place", "meaning"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_one_mistake_is_named(contract: dict[str, Any], place: str, meaning: str) -> None:
    problems = judge(contract)
    assert [problem.place for problem in problems] == [place]
    assert meaning in str(problems[0])


def test_all_wrong_expressions_are_named_at_once() -> None:
    problems = judge(compute(subtotal_cents="input.line", discount_cents="open('x')", tax_cents="1.5"))
    assert [problem.place.rpartition(".")[2] for problem in problems] == [
        "subtotal_cents",
        "discount_cents",
        "tax_cents",
    ]


@pytest.mark.parametrize("contract", [PRICES, PARCELS, compute(total_cents=7), compute(total_cents="  7  ")])
def test_sound_contracts_have_no_problems(contract: dict[str, Any]) -> None:
    assert judge(contract) == []


def made(contract: dict[str, Any]) -> NodeView:
    return view(read(contract))


def computation_of(contract: dict[str, Any]) -> ComputationView:
    found = made(contract).operations[0].computation
    assert found is not None
    return found


def test_names_that_hide_others_are_changed() -> None:
    found = dict(computation_of(PARCELS).results)
    assert (found["sum"], found["max"], found["any"], found["count"]) == ("sum_", "max_", "any_", "count")


def test_fields_of_the_input_are_passed() -> None:
    found = dict(computation_of(PARCELS).results)
    assert (found["customer"], found["owner"]) == ("request.customer", "request.owner")
    assert "untouched" not in found


def test_input_that_may_be_null_fills_no_field_that_may_not() -> None:
    given = side("input", note={"type": "string", "required": False})
    contract = changed(given, lambda c: c["operations"][0]["output"].update(note="string"))
    assert [problem.place for problem in judge(contract)] == [f"{OPERATION}.output.note"]


@pytest.mark.parametrize(
    ("subcontracts", "features", "kept"),
    [
        ({"caching": {"ttl_seconds": 5, "max_entries": 7}}, [], (5, 7)),
        ({"caching": {}}, [], (300, 1000)),
        ({"caching": {"enabled": False}}, ["caching"], None),
        ({}, ["caching"], (300, 1000)),
        ({}, [], None),
    ],
)
def test_results_are_kept_where_the_contract_asks_for_it(
    subcontracts: dict[str, Any], features: list[str], kept: tuple[int, int] | None
) -> None:
    node = made(PRICES | {"subcontracts": subcontracts, "features": features})
    found = node.caching
    assert (found and (found.ttl_seconds, found.max_entries)) == kept
    assert [setting.name for setting in node.setting_fields if setting.name.startswith("cache_")] == (
        ["cache_enabled", "cache_ttl_seconds", "cache_max_entries"] if kept else []
    )
    assert ("onex_cache_hit_ratio" in node.metric_names) is bool(kept)


def test_caching_is_generated_for_compute_nodes_alone() -> None:
    assert made(PRICES).not_generated == ()
    assert made(GREETING | {"features": ["caching"]}).not_generated == ("features: caching",)


def test_weights_of_an_algorithm_add_up() -> None:
    operations: Any = PRICES["operations"]
    many = [operations[0] | {"name": f"quote_{number}"} for number in range(7)]
    assert made(PRICES | {"operations": many}).factor_weight * 7 == pytest.approx(1, abs=0.01)


def test_pure_operations_may_run_twice_and_are_measured() -> None:
    node = made(PARCELS)
    assert [operation.idempotent for operation in node.operations] == [True, True, True]
    assert [operation.name for operation in node.measured] == ["process_ratio"]
