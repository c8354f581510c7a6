"""What functions of workflows look at, and how long that may take: they run where everything else does."""

import time
from decimal import Decimal

import pytest
from onex_node_runtime.workflows.known import MOST_STEPS, bounded, factor_of, value_at
from pydantic import BaseModel


class Line(BaseModel):
    sku: str = "a"
    count: int = 1


def test_values_in_values() -> None:
    assert value_at({"a": [Line()]}, "a", 0, "sku") == "a"
    assert value_at({"a": [Line()]}, "a", 1, "sku") is None


@pytest.mark.parametrize(
    ("items", "others"),
    [
        (["a"] * 20_000, ("x" * 36, 3, None, True)),
        (["a"] * MOST_STEPS, (1,)),
        ([1], ("x" * 1_000_000, list(range(100_000)))),
        ([], ("x" * 100_000_000,)),
        ({"a": 1}, ({"b": 2},)),
    ],
)
def test_loops_over_what_a_request_holds(items: object, others: tuple[object, ...]) -> None:
    assert bounded(items, *others) is items  # type: ignore[arg-type]  # mappings are gone over, too


@pytest.mark.parametrize(
    ("items", "others"),
    [
        (["a" * 30 + "b"] * 9000, ("a" * 500_000,)),
        (list(range(20_000)), (list(range(20_000)),)),
        (["a"] * 1000, ({"a": [Line(sku="x" * 1000)] * 1000},)),
        (["a"] * MOST_STEPS, (1, 2)),
    ],
)
def test_loops_that_would_keep_everything_waiting(items: list[object], others: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="too many items"):
        bounded(items, *others)


def test_what_is_let_through_takes_no_time() -> None:
    text, words = "a" * 100_000, ["a" * 30 + "b"] * 70
    began = time.process_time()
    assert not any(word in text for word in bounded(words, text))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("value", ["a", b"a", [1], (1,)])
def test_texts_and_arrays_are_no_factors(value: object) -> None:
    with pytest.raises(TypeError, match="arithmetic with"):
        factor_of(value)


@pytest.mark.parametrize("value", [1, 1.5, Decimal(2), True])
def test_numbers_are_factors(value: object) -> None:
    assert factor_of(value) is value
