"""Large inputs are judged as small ones are, but for their mistakes, off the loop."""

import asyncio
import threading
import time
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.large_payloads import MOST_CHARACTERS, MOST_VALUES, is_small, judged, one_after_another
from onex_node_runtime.models.base64_bytes import Base64Bytes
from onex_node_runtime.payloads import MOST_DIGITS, validated
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    text: str
    parts: "list[Part]" = []


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: list[Part] = []
    amounts: list[Decimal] = Field(default=[], max_length=5000)
    anything: dict[str, JsonValue] = {}
    start: list[Part] = Field(default=[{"number": 1, "text": "a"}], validate_default=True)


MANY: list[dict[str, Any]] = [{"number": number, "text": "a", "parts": []} for number in range(3000)]


@pytest.mark.parametrize(
    ("payload", "small"),
    [
        ({}, True),
        ({"text": "a" * 1000}, True),
        ({"text": "a" * 100_000}, False),
        ({"a" * 100_000: 1}, False),
        ({"numbers": [1] * (MOST_VALUES - 1)}, True),
        ({"numbers": [1] * MOST_VALUES}, False),
        ({"numbers": (1,) * (MOST_VALUES - 1)}, True),
        ({"numbers": (1,) * MOST_VALUES}, False),
        ({"deep": [[[[1] * 300] * 2] * 2]}, False),
        # As many as there may be: a list, three in it, and what is in these.
        ({"": [[1] * 498, {str(number): 1 for number in range(498)}, 1]}, True),
        ({"": [[1] * 498, {str(number): 1 for number in range(498)}, 1, 1]}, False),
        ({"text": "a" * (MOST_CHARACTERS - 4)}, True),
        ({"text": "a" * (MOST_CHARACTERS - 3)}, False),
        ({"a": {"b" * 30_000: ["c" * 30_000, ("d" * (MOST_CHARACTERS - 60_001),)]}}, True),
        ({"a": {"b" * 30_000: ["c" * 30_000, ("d" * (MOST_CHARACTERS - 60_000),)]}}, False),
    ],
)
def test_size_is_told_from_values_and_text(payload: dict[str, Any], small: bool) -> None:
    assert is_small(payload) is small


@pytest.mark.parametrize(
    "payload",
    [
        {"parts": MANY},
        {"parts": [{"number": 1, "text": "a", "parts": MANY}]},
        {"amounts": ["1.5"] * 2000, "anything": {str(number): [number] for number in range(2000)}},
    ],
)
async def test_large_inputs_are_made_as_small_ones_are(payload: dict[str, Any]) -> None:
    assert await judged(Whole, payload) == validated(Whole, payload)


class Blob(BaseModel):
    content: Base64Bytes
    numbers: list[int]


@pytest.mark.parametrize("content", [b"\xff\xfe", "//4="])
async def test_bytes_are_taken_as_they_are_and_as_json_has_them(content: object) -> None:
    for many in (1, MOST_VALUES):
        assert (await judged(Blob, {"content": content, "numbers": [1] * many})).content == b"\xff\xfe"


async def test_what_others_say_beyond_the_model_is_passed_over_where_it_may_be() -> None:
    payload = {"parts": [part | {"more": 1} for part in MANY], "more": 1}
    assert len((await judged(Whole, payload, tolerant=True)).parts) == len(MANY)
    with pytest.raises(ValidationError):
        await judged(Whole, payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"parts": [{}] * 100_000},
        {"parts": [{"number": 1, "text": "a", "parts": [{}] * 100_000}]},
        {"parts": [*MANY, *[{"x": 1}] * 50_000]},
    ],
)
async def test_mistakes_by_the_thousand_are_few(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        await judged(Whole, payload)
    assert caught.value.title == "Whole"
    assert caught.value.error_count() < 10


@pytest.mark.parametrize(
    "payload",
    [
        {"amounts": ["1"] * 6000},
        {"parts": MANY, "amounts": ["x"]},
        {"parts": [*MANY, {"number": "5", "text": "a"}]},
        {"parts": "x" * 100_000},
    ],
)
async def test_what_small_ones_refuse_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        await judged(Whole, payload)


@pytest.mark.parametrize("amount", ["1e999900", "-1e-999900", "1e999999999999999999", "9" * (MOST_DIGITS + 1)])
def test_numbers_that_are_too_long_are_mistakes_with_their_paths(amount: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        validated(Whole, {"amounts": ["1", amount]})
    (problem,) = caught.value.context["additional_context"]["problems"]
    assert problem == {"path": "amounts.1", "message": f"is a number of more than {MOST_DIGITS} digits"}


@pytest.mark.parametrize("amount", ["1e999", "-1e-999", "9" * MOST_DIGITS, "0"])
def test_long_numbers_are_taken(amount: str) -> None:
    assert validated(Whole, {"amounts": [amount]}).amounts == [Decimal(amount)]


async def test_calls_that_take_long_are_made_one_after_another_off_the_loop() -> None:
    under_way: list[int] = []
    seen: list[tuple[int, str]] = []

    def call(number: int) -> int:
        under_way.append(number)
        seen.append((len(under_way), threading.current_thread().name))
        time.sleep(0.002)
        return under_way.pop()

    assert await asyncio.gather(*(one_after_another(partial(call, number)) for number in range(4))) == [0, 1, 2, 3]
    assert seen == [(1, "payloads_0")] * 4


async def test_the_loop_goes_on() -> None:
    payload = {"parts": MANY * 8}
    rounds, ended = 0, asyncio.gather(*(judged(Whole, payload) for _ in range(4)))
    while not ended.done():
        await asyncio.sleep(0)
        rounds += 1
    assert len((await ended)[0].parts) == len(payload["parts"])
    assert rounds > 100
