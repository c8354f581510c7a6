"""What functions of workflows look at, and how long that may take: they run where everything else does."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4, uuid5

import pytest
from onex_node_runtime.workflows.known import MOST_STEPS, Known, bounded, factor_of, value_at
from onex_node_runtime.workflows.run import Run
from pydantic import BaseModel


class Line(BaseModel):
    sku: str = "a"
    count: int = 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), {"a": [Line()], "text": "abc"}),
        (("a", 0, "sku"), "a"),
        (("a", 0, "count"), 1),
        (("a", 1, "sku"), None),
        (("a", "sku"), None),
        (("a", 0, "price"), None),
        (("a", 0, 0), None),
        (("b", "c"), None),
        (("text", 0), None),
        ((0,), None),
    ],
    ids=str,
)
def test_values_in_values(path: tuple[str | int, ...], value: object) -> None:
    assert value_at({"a": [Line()], "text": "abc"}, *path) == value


def test_time_and_identities_are_those_of_the_run() -> None:
    run = Run(uuid4(), "order", uuid4(), {}, started_at=datetime(2024, 2, 29, tzinfo=UTC))
    known = Known(Line(), run, label="each[1]")
    assert (known.now, known.correlation_id) == (run.started_at, run.correlation_id)
    assert known.uuid("input.id") == uuid5(run.run_id, "each[1] input.id")
    assert known.uuid("input.id") != replace(known, label="each[2]").uuid("input.id")


def test_nothing_is_known_of_others_at_first() -> None:
    first, second = (Known(Line(), Run(uuid4(), "order", uuid4(), {})) for _ in range(2))
    first.steps["pay"] = {}
    assert len(second.steps) == len(second.previous) == 0


@pytest.mark.parametrize(
    ("items", "others"),
    [
        (["a"] * 20_000, ("x" * 36, 3, None, True)),
        (["a"] * MOST_STEPS, ("x" * 15,)),
        (["a"] * (MOST_STEPS // 4), ([b"x", (1,)],)),
        (["a"] * (MOST_STEPS // 7), ({"line": [Line(sku="x" * 32)]},)),
        ([1], ("x" * 1_000_000, list(range(100_000)))),
        ([], ("x" * 100_000_000,)),
        ({"a": 1}, ({"b": 2},)),
    ],
)
def test_loops_over_what_a_request_holds(items: object, others: tuple[object, ...]) -> None:
    assert bounded(items, *others) is items  # type: ignore[arg-type]  # mappings are gone over, too


def test_what_has_no_length_is_no_loop() -> None:
    rounds = iter([1])
    assert bounded(rounds, "x" * 100_000_000) is rounds


@pytest.mark.parametrize(
    ("items", "others"),
    [
        (["a" * 30 + "b"] * 9000, ("a" * 500_000,)),
        (list(range(20_000)), (list(range(20_000)),)),
        (["a"] * 1000, ({"a": [Line(sku="x" * 1000)] * 1000},)),
        (["a"] * MOST_STEPS, (1, 2)),
        (["a"] * MOST_STEPS, ("x" * 16,)),
        (["a"] * MOST_STEPS, (b"x" * 16,)),
        (["a"] * (MOST_STEPS // 4), ([b"x", (1, 2)],)),
        (["a"] * (MOST_STEPS // 6), ({"line": [Line(sku="x" * 32)]},)),
    ],
)
def test_loops_that_would_keep_everything_waiting(items: list[object], others: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"^too many items for what is looked at with each of them$"):
        bounded(items, *others)


def test_what_is_let_through_takes_no_time() -> None:
    text, words = "a" * 100_000, ["a" * 30 + "b"] * 70
    began = time.process_time()
    assert not any(word in text for word in bounded(words, text))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("value", ["a", b"a", [1], (1,)])
def test_texts_and_arrays_are_no_factors(value: object) -> None:
    with pytest.raises(TypeError, match=rf"^arithmetic with {type(value).__name__}$"):
        factor_of(value)


@pytest.mark.parametrize("value", [1, 1.5, Decimal(2), True])
def test_numbers_are_factors(value: object) -> None:
    assert factor_of(value) is value
