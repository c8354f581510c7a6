"""What callers send is judged strictly, and their mistakes are told briefly."""

import json
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.payloads import DEEPEST, LONGEST_MESSAGE, MOST_PROBLEMS, problems_of, shortened, validated
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError


class Colour(StrEnum):
    RED = "red"


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    whole: int = 0
    number: float = 0
    truth: bool = False
    text: str = ""
    uuid: UUID | None = None
    day: date | None = None
    moment: datetime | None = None
    amount: Decimal | None = None
    colour: Colour | None = None
    anything: dict[str, JsonValue] = {}
    list_of: list[int] = []


@pytest.mark.parametrize(
    "payload",
    [
        {"whole": "5"},
        {"whole": True},
        {"whole": 5.5},
        {"truth": 1},
        {"truth": "true"},
        {"text": 5},
        {"number": "1"},
        {"list_of": ["1"]},
        {"unknown": 1},
    ],
)
def test_other_types_are_mistakes(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validated(Everything, payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "\ud800"},
        {"text": "a\x00b"},
        {"anything": {"a": [{"b": "\udfff"}]}},
        {"anything": {"\x00": 1}},
        {"number": float("inf")},
        {"anything": {"a": float("nan")}},
        {"moment": "0001-01-01T00:00:00+14:00"},
        {"moment": "9999-12-31T23:59:59-00:01"},
        {"whole": 2**63},
        {"whole": -(2**63) - 1},
        {"list_of": [1, 10**400]},
        {"anything": json.loads("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)) and {"a": json.loads("[" * 70 + "]" * 70)}},
    ],
)
def test_values_that_nothing_takes_are_mistakes(payload: dict[str, Any]) -> None:
    with pytest.raises(ModelOnexError) as caught:
        validated(Everything, payload)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert caught.value.context["additional_context"]["problems"]


@given(
    st.builds(
        Everything,
        whole=st.integers(-(2**63), 2**63 - 1),
        number=st.floats(allow_nan=False, allow_infinity=False),
        truth=st.booleans(),
        text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        uuid=st.none() | st.uuids(),
        day=st.none() | st.dates(),
        amount=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        colour=st.none() | st.just(Colour.RED),
        list_of=st.lists(st.integers(-5, 5)),
    )
)
def test_what_a_model_writes_it_takes(made: Everything) -> None:
    assert validated(Everything, made.model_dump(mode="json")) == made


def test_many_problems_are_few_words() -> None:
    payload = {f"unknown_{number}": 1 for number in range(200)}
    with pytest.raises(ValidationError) as caught:
        validated(Everything, payload)
    found = problems_of(caught.value)
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1]["message"] == "and 150 more"
    with pytest.raises(ValidationError) as caught:
        validated(Everything, {f"unknown_{number}": 1 for number in range(80_000)})
    assert problems_of(caught.value) == [{"path": "", "message": "80000 problems"}]


@given(st.text())
def test_short_messages_stay_and_long_ones_keep_their_ends(text: str) -> None:
    assert shortened(text) == text
    long = f"begin {text}{'x' * 100_000} end"
    assert len(shortened(long)) == LONGEST_MESSAGE
    assert shortened(long).startswith("begin ")
    assert shortened(long).endswith(" end")
