"""Samples and strategies of numbers keep to the constraints of their field, which judges both."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.judging.judge import ContractError, judge, read
from extensions.language import numeric, samples
from extensions.language.contract import Field
from extensions.viewing.build import view
from extensions.viewing.strategies import strategy

NODE: dict[str, Any] = {
    "name": "numbers",
    "node_type": "effect",
    "version": "1.0.0",
    "package": "shop_nodes",
    "description": "Take numbers.",
    "domain": "pricing",
}
HARD: list[dict[str, Any]] = [
    {"type": "decimal", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    {"type": "decimal", "multipleOf": 0.01, "minimum": 0.3, "maximum": 0.5},
    {"type": "number", "multipleOf": 0.01, "minimum": 0.005, "maximum": 0.015},
    {"type": "number", "multipleOf": 0.1, "minimum": 0.3, "maximum": 0.3},
    {"type": "number", "minimum": 1e16, "maximum": 1e17},
    {"type": "number", "minimum": 1, "exclusiveMinimum": 5, "maximum": 6},
    {"type": "integer", "minimum": -(2**63), "maximum": -(2**63) + 1},
    {"type": "integer", "multipleOf": 7, "exclusiveMaximum": -2},
    {"type": "number", "multipleOf": 3, "minimum": 10**16},
    {"type": "number", "multipleOf": 0.1, "minimum": 1e15},
    {"type": "number", "multipleOf": 0.01},
    {"type": "number", "multipleOf": 0.07, "exclusiveMaximum": 0},
    {"type": "string", "pattern": r"^[\w\-]+$"},
]


def contract_of(**fields: dict[str, Any]) -> dict[str, Any]:
    operation = {
        "name": "take",
        "description": "Take.",
        "handler": "custom",
        "input": fields,
        "output": {"ok": "boolean"},
    }
    return {**NODE, "operations": [operation]}


@pytest.mark.parametrize("spec", HARD, ids=json.dumps)
def test_hard_constraints_have_a_sample(spec: dict[str, Any]) -> None:
    contract = read(contract_of(value=spec))
    sample = samples.sample(contract, contract.operations[0])
    assert sample is not None
    if spec["type"] != "string":
        assert isinstance(sample["value"], (int, float, str))
        assert numeric.takes(spec["type"], {key: spec[key] for key in spec if key != "type"}, sample["value"])


@pytest.mark.parametrize("spec", [spec for spec in HARD if spec["type"] != "string"], ids=json.dumps)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_numbers_of_hard_constraints_are_taken(spec: dict[str, Any], data: st.DataObject) -> None:
    limits = {key: spec[key] for key in spec if key != "type"}
    (field,) = read(contract_of(value=spec)).operations[0].input
    code = strategy(read(contract_of(value=spec)), field, lambda _kind, name: ("", name)).flat()
    assert numeric.takes(spec["type"], limits, data.draw(eval(code, {"st": st, "Decimal": Decimal})))  # noqa: S307


@st.composite
def constraints(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(("integer", "number", "decimal")))
    places = 0 if kind == "integer" else draw(st.integers(0, 3))
    low = draw(st.integers(-(10**6), 10**6))
    high = low + draw(st.integers(3, 10**4))
    made: dict[str, Any] = {
        draw(st.sampled_from(("minimum", "exclusiveMinimum"))): low / 10**places if places else low,
        draw(st.sampled_from(("maximum", "exclusiveMaximum"))): high / 10**places if places else high,
    }
    if draw(st.booleans()):
        made["multipleOf"] = 1 / 10**places if places else 1
    return kind, made


@settings(max_examples=200, deadline=None)
@given(constraints(), st.data())
def test_numbers_of_samples_and_of_strategies_are_taken(found: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    kind, limits = found
    contract = read(contract_of(value={"type": kind, **limits}))
    field: Field = contract.operations[0].input[0]
    sample = samples.sample(contract, contract.operations[0])
    assert sample is not None
    assert isinstance(sample["value"], (int, float, str))
    assert numeric.takes(kind, limits, sample["value"])
    code = strategy(contract, field, lambda _kind, name: ("", name)).flat()
    value = data.draw(eval(code, {"st": st, "Decimal": Decimal}))  # noqa: S307  # what is generated
    assert numeric.takes(kind, limits, value)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "integer", "multipleOf": 10, "minimum": 11, "maximum": 19},
        {"type": "decimal", "exclusiveMinimum": 1, "exclusiveMaximum": 1},
        {"type": "string", "pattern": "^ab$", "minLength": 3},
    ],
    ids=json.dumps,
)
def test_author_is_asked_for_an_example_where_no_value_is_found(spec: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"operations\[0\]\.examples: .*an example with an input"):
        read(contract_of(fine={"type": "string"}, value=spec))


def test_bounds_of_64_bits_are_taken_and_those_beyond_are_not() -> None:
    made = view(read(contract_of(value={"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1})))
    assert made.operations
    for bounds in ({"minimum": -(2**63) - 1}, {"maximum": 2**63}):
        with pytest.raises(ContractError, match="64 bits"):
            read(contract_of(value={"type": "integer", **bounds}))


@pytest.mark.parametrize("spec", [{"type": "number", "maximum": 1e16}, {"type": "number", "minimum": 1e17}])
def test_bad_values_are_beyond_bounds_however_large(spec: dict[str, Any]) -> None:
    contract = read(contract_of(value=spec))
    label = "value_too_large" if "maximum" in spec else "value_too_small"
    bad = samples.bad_inputs(contract, contract.operations[0])
    (value,) = (values["value"] for what, _, values in bad if what == label)
    assert isinstance(value, float)
    assert not numeric.takes("number", {key: spec[key] for key in spec if key != "type"}, value)


@pytest.mark.parametrize("kind", ["integer", "number", "decimal"])
@pytest.mark.parametrize("key", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default"])
@pytest.mark.parametrize("value", [1e16, 1.5e17, -1e22, 9223372036854775807, -9223372036854775808, 1e308, 5e-324])
def test_the_largest_and_the_smallest_numbers_are_judged(kind: str, key: str, value: float) -> None:
    """Each is valid or told at its place, and has a sample wherever there are values."""
    operation = {"name": "go", "input": {"x": {"type": kind, key: value}}, "output": {"y": "boolean"}}
    contract = {"name": "shop", "package": "acme", "node_type": "compute", "operations": [operation]}
    operation |= {"compute": {"y": "True"}}

    problems = judge(contract)

    places = {problem.path[:4] for problem in problems}
    asked: set[tuple[object, ...]] = {("operations", 0, "examples")} if key == "multipleOf" else set()
    assert places <= {("operations", 0, "input", "x")} | asked, problems
