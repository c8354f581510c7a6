"""On its way in, no digit of a number is lost; on its way out, what is null is told from what has no value."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onex_node_runtime import json_values
from onex_node_runtime.json_values import Digits, Null, parsed
from pydantic import BaseModel, JsonValue


class ModelPrice(BaseModel):
    """What may be said with a number."""

    exact: Decimal
    rough: float
    any: JsonValue


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_keep_all_of_their_digits(number: Decimal) -> None:
    said = f"{number:f}" if -300 < number.adjusted() < 300 else str(number)
    if "." not in said and "E" not in said:
        said += ".0"
    value = ModelPrice.model_validate(parsed(f'{{"exact": {said}, "rough": 1, "any": null}}'))
    assert value.exact == number


@pytest.mark.parametrize("said", ["12345678901234567.89", "0.1000000000000000055", "-1.00000000000000000001", "1.5e3"])
def test_all_other_fields_have_floats(said: str) -> None:
    value = ModelPrice.model_validate(parsed(f'{{"exact": {said}, "rough": {said}, "any": [{said}]}}'))
    assert value.exact == Decimal(said)
    assert (type(value.rough), value.rough, value.any) == (float, float(said), [float(said)])
    assert json.loads(value.model_dump_json())["any"] == [float(said)]
    assert json.dumps(parsed(f"[{said}]")) == json.dumps([float(said)])


def test_only_long_numbers_are_more_than_floats() -> None:
    short, longer, long = parsed(b"[0.1234567890123, 0.12345678901234, 0.123456789012345678]")
    assert (type(short), type(longer), type(long)) == (float, Digits, Digits)
    assert (short, longer) == (0.1234567890123, 0.12345678901234)
    assert (str(longer), str(long)) == ("0.12345678901234", "0.123456789012345678")
    assert repr(long) == repr(0.123456789012345678)


def test_json_is_read_as_the_caller_says() -> None:
    assert parsed('{"a": 1, "a": 0.5}', object_pairs_hook=list) == [("a", 1), ("a", 0.5)]
    for wrong in ("", "{", b"\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 - of several kinds, each with a message of its own
            parsed(wrong)


class ModelFile(BaseModel):
    """What holds bytes."""

    content: bytes


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"\xff\xfe\xfd?", "//79Pw=="),
        ({"a": [b"\xff", (1, None)], 2: UUID(int=7)}, {"a": ["/w==", [1, None]], "2": str(UUID(int=7))}),
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00Z"),
        (
            [ModelPrice(exact=Decimal("1.5"), rough=1, any={"a": [1]})],
            [{"exact": "1.5", "rough": 1.0, "any": {"a": [1]}}],
        ),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), {"a": {"b": 1}}),
        ("text", "text"),
        (None, None),
    ],
)
def test_values_as_json_has_them(value: object, told: object) -> None:
    assert json_values.json_values(value) == told
    assert json.loads(json.dumps(told)) == told


class ModelItem(BaseModel):
    """What may be said with a text."""

    name: str
    note: str | None = None


def test_what_has_no_value_is_left_out_and_what_is_null_is_kept() -> None:
    body = json_values.given(
        {
            "unset": None,
            "gone": Null(),
            "item": ModelItem(name="a"),
            "inside": json_values.given({"unset": None, "gone": Null()}),
            "as_it_came": {"unset": None},
            "list": [ModelItem(name="a"), [ModelItem(name="b")], {"unset": None}, None],
        }
    )
    assert json_values.json_values(body) == {
        "gone": None,
        "item": {"name": "a"},
        "inside": {"gone": None},
        "as_it_came": {"unset": None},
        "list": [{"name": "a"}, [{"name": "b"}], {"unset": None}, None],
    }
    assert json_values.given(ModelItem(name="a")) == {"name": "a"}
    assert json_values.given([ModelItem(name="a")]) == [{"name": "a"}]
    assert json_values.given("text") == "text"
