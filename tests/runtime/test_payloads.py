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
from onex_node_runtime.payloads import (
    DEEPEST,
    LONGEST_MESSAGE,
    LONGEST_PATH,
    MOST_DIGITS,
    MOST_PROBLEMS,
    problems_of,
    shortened,
    validated,
)
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError


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
    pair: tuple[int, int] | None = None
    inner: "Everything | None" = None


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


def problems(model: type[BaseModel], payload: dict[str, Any], *, tolerant: bool = False) -> list[tuple[str, str]]:
    """What is wrong with a payload, however it is refused."""
    try:
        validated(model, payload, tolerant=tolerant)
    except ModelOnexError as error:
        return [(problem["path"], problem["message"]) for problem in error.context["additional_context"]["problems"]]
    except ValidationError as error:
        return [(problem["path"], problem["message"]) for problem in problems_of(error)]
    return []


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


NUL, HALF = "holds the character NUL", "holds half a character, a lone surrogate"
DEEP, LONG = f"is nested more than {DEEPEST} levels deep", f"is a number of more than {MOST_DIGITS} digits"
BEYOND, NO_MOMENT = "is a whole number beyond 64 bits", "is a moment that is beyond the years 1 to 9999 in UTC"


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"text": "a\x00b"}, [("text", NUL)]),
        ({"text": "ä\x00"}, [("text", NUL)]),
        ({"anything": {"a": [1, {"b": "\udfff"}]}}, [("anything.a.1.b", HALF)]),
        ({"anything": {"a": ("fine", "\udfff")}}, [("anything.a.1", HALF)]),
        ({"number": float("-inf")}, [("number", "is no finite number")]),
        (
            {"anything": {"b": {"\x00": 1, "a": "\x00", "\ud800": 2}}, "list_of": [1, "\x00"]},
            [
                ("list_of.1", NUL),
                ("anything.b", f"has a key that {NUL}"),
                ("anything.b", f"has a key that {HALF}"),
                ("anything.b.a", NUL),
            ],
        ),
        ({"\x00": 1}, [("", f"has a key that {NUL}")]),
        ({"anything": nested(DEEPEST - 1)}, []),
        ({"anything": nested(DEEPEST)}, [(".".join(["anything", *"a" * (DEEPEST - 1)]), DEEP)]),
        ({"anything": {"a": [[]]}}, []),
        ({"a" * 300: "\x00"}, [("a" * LONGEST_PATH, NUL)]),
        ({"whole": 2**63 - 1, "list_of": [-(2**63)], "anything": {"a": True, "b": 1e300}}, []),
        ({"whole": 2**63}, [("whole", BEYOND)]),
        ({"list_of": [1, -(2**63) - 1, 2]}, [("list_of.1", BEYOND)]),
        ({"pair": [1, 2**63]}, [("pair.1", BEYOND)]),
        ({"inner": {"whole": 2**63}}, [("inner.whole", BEYOND)]),
        ({"anything": {"a": [{"b": 2**63}]}, "whole": 2**63}, [("whole", BEYOND), ("anything.a.0.b", BEYOND)]),
        ({"amount": "1e1000"}, []),
        ({"amount": "-1e-1000"}, []),
        ({"amount": "1" * 1000}, []),
        ({"amount": "1e1001"}, [("amount", LONG)]),
        ({"amount": "1e-1001"}, [("amount", LONG)]),
        ({"amount": "0." + "1" * 1001}, [("amount", LONG)]),
        ({"moment": "0001-01-01T00:00:00+14:00"}, [("moment", NO_MOMENT)]),
        ({"moment": "0001-01-01T00:00:00"}, []),
        ({"moment": "9999-12-31T23:59:59Z"}, []),
    ],
)
def test_each_value_that_nothing_takes_is_told_with_its_place(
    payload: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert problems(Everything, payload) == found


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"text": "\x00"}, "The input holds values that can't be taken."),
        ({"whole": 2**63}, "The input holds values that are beyond what can be reckoned with."),
    ],
)
def test_what_nothing_takes_is_said_in_one_sentence(payload: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        validated(Everything, payload)
    assert (caught.value.message, caught.value.error_code) == (message, EnumCoreErrorCode.VALIDATION_ERROR)


@pytest.mark.parametrize("payload", [{"anything": {"a": ["\x00"] * 80}}, {"list_of": [2**63] * 80}])
def test_of_many_values_that_nothing_takes_some_are_told(payload: dict[str, Any]) -> None:
    assert len(problems(Everything, payload)) == MOST_PROBLEMS


def test_bytes_are_text_as_json_has_them() -> None:
    assert validated(Everything, {"text": b"\xfb\xff"}).text == "-_8="


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    whole: int = 0
    day: date = Field(default="2026-01-31", validate_default=True)
    colour: Colour = Field(default="red", validate_default=True)


class Outer(Inner):
    required: int
    inner: Inner | None = None
    many: list[Inner] = []
    either: Inner | list[int] | None = None


STRANGE = ("Extra inputs are not permitted", "Input should be a valid integer", "Field required")


@pytest.mark.parametrize(
    ("payload", "tolerant", "found"),
    [
        ({"required": 1, "inner": {}, "many": [{}]}, False, []),
        ({}, False, [("required", STRANGE[2])]),
        ({"required": 1, "more": 1}, False, [("more", STRANGE[0])]),
        ({"required": 1, "more": 1, "inner": {"more": 1}, "many": [{"more": 1}]}, True, []),
        ({"inner": {"whole": "5"}}, False, [("required", STRANGE[2]), ("inner.whole", STRANGE[1])]),
        ({"required": 1, "many": [{}, {"whole": "5"}]}, True, [("many.1.whole", STRANGE[1])]),
        ({"required": 1, "many": [{"day": 5}]}, False, [("many.0.day", "Input should be a valid date")]),
        ({"required": 1, "inner": 5}, False, [("inner", "Input should be an object")]),
        ({"required": 1, "many": ["5"]}, False, [("many.0", "Input should be an object")]),
        # The kinds of value that a field takes are no part of what the caller gave.
        ({"required": 1, "either": {}}, False, []),
        ({"required": 1, "either": {"whole": "5"}}, False, [("either.Inner.whole", STRANGE[1])]),
        (
            {"required": 1, "either": ["5"]},
            False,
            [("either.Inner", "Input should be an object"), ("either.list[int].0", STRANGE[1])],
        ),
    ],
)
def test_defaults_are_no_mistakes_of_the_callers(
    payload: dict[str, Any], tolerant: bool, found: list[tuple[str, str]]
) -> None:
    assert problems(Outer, payload, tolerant=tolerant) == found


def test_mistakes_beside_defaults_are_those_of_the_model() -> None:
    with pytest.raises(ValidationError) as caught:
        validated(Outer, {"required": "5"})
    assert (caught.value.title, caught.value.error_count()) == ("Outer", 1)


def test_a_tolerant_reader_takes_what_it_knows() -> None:
    made = validated(Outer, {"required": 1, "more": 2, "inner": {"whole": 3, "more": 4}}, tolerant=True)
    assert made == Outer(required=1, inner=Inner(whole=3))
    assert made.day == date(2026, 1, 31)
    assert validated(Everything, {"whole": 1, "more": 2}, tolerant=True) == Everything(whole=1)


@pytest.mark.parametrize(
    ("mistakes", "listed", "last"),
    [
        (MOST_PROBLEMS, MOST_PROBLEMS, ("unknown_49", "Extra inputs are not permitted")),
        (MOST_PROBLEMS + 1, MOST_PROBLEMS + 1, ("", "and 1 more")),
        (1000, MOST_PROBLEMS + 1, ("", "and 950 more")),
        (1001, 1, ("", "1001 problems")),
        (80_000, 1, ("", "80000 problems")),
    ],
)
def test_many_problems_are_few_words(mistakes: int, listed: int, last: tuple[str, str]) -> None:
    found = problems(Everything, {f"unknown_{number}": 1 for number in range(mistakes)})
    assert (len(found), found[-1]) == (listed, last)


def test_the_place_of_a_problem_is_not_endless() -> None:
    assert problems(Everything, {"x" * 1000: 1}) == [("x" * LONGEST_PATH, "Extra inputs are not permitted")]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a" * LONGEST_MESSAGE, "a" * LONGEST_MESSAGE),
        ("a" * 249 + "bc" + "d" * 250, "a" * 249 + "…" + "d" * 250),
    ],
)
def test_of_a_long_message_the_middle_is_left_out(message: str, shown: str) -> None:
    assert shortened(message) == shown


@given(st.text())
def test_short_messages_stay_and_long_ones_keep_their_ends(text: str) -> None:
    assert shortened(text) == text
    long = f"begin {text}{'x' * 100_000} end"
    assert len(shortened(long)) == LONGEST_MESSAGE
    assert shortened(long).startswith("begin ")
    assert shortened(long).endswith(" end")
