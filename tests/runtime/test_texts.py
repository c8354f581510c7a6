"""Values as parts of texts, and values in answers."""

from base64 import b64encode
from decimal import Decimal

import jsonpath
import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.answers import every, every_or_none, first, first_or_none
from onex_node_runtime.models.base64_bytes import Base64Bytes
from onex_node_runtime.texts import form, segment, segments, text
from pydantic import JsonValue, TypeAdapter, ValidationError

NAMES = jsonpath.compile("$.items[*].name")
BYTES = TypeAdapter(Base64Bytes)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("ä", "ä"), (None, ""), (1.5, "1.5"), (True, "true"), (["ä", None], '["ä", null]'), (Decimal("1.50"), "1.50")],
)
def test_values_are_texts(value: object, shown: str) -> None:
    assert text(value) == shown


def test_value_in_a_form_starts_no_other_field() -> None:
    assert form("a&b=c d") == "a%26b%3Dc+d"


def test_value_in_a_path_leads_to_no_other_one() -> None:
    assert segment("a/b?c#d") == "a%2Fb%3Fc%23d"
    assert segment("", may_be_empty=True) == ""
    for value in ("", None, ".", ".."):
        with pytest.raises(ModelOnexError) as caught:
            segment(value)
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a/b", "a/b"), ("a b/ä?c#d", "a%20b/%C3%A4%3Fc%23d"), (5, "5"), ("a", "a")],
)
def test_value_may_be_several_parts_of_a_path(value: object, shown: str) -> None:
    assert segments(value) == shown


@pytest.mark.parametrize("value", ["", None, "/a", "a//b", "a/", "a/./b", "../a"])
def test_parts_of_a_path_lead_to_no_other_one(value: object) -> None:
    with pytest.raises(ModelOnexError) as caught:
        segments(value)
    assert (caught.value.message, caught.value.error_code) == (
        "A value that a path is made of is missing, or would lead to another path.",
        EnumCoreErrorCode.VALIDATION_ERROR,
    )


@pytest.mark.parametrize("value", [".", ".."])
def test_path_that_may_end_early_leads_to_no_other_one_either(value: str) -> None:
    with pytest.raises(ModelOnexError, match="another path"):
        segment(value, may_be_empty=True)


def test_values_of_an_answer_are_found() -> None:
    answer: JsonValue = {"items": [{"name": "a"}, {"name": "b"}]}
    assert first(NAMES, answer) == first_or_none(NAMES, answer) == "a"
    assert every(NAMES, answer) == every_or_none(NAMES, answer) == ["a", "b"]


@pytest.mark.parametrize("answer", [{"items": []}, [], "text", 5])
def test_answer_without_what_is_asked_for_is_refused(answer: JsonValue) -> None:
    with pytest.raises(ModelOnexError) as caught:
        first(NAMES, answer)
    assert (caught.value.message, caught.value.error_code) == (
        "The answer has nothing at $['items'][*]['name'].",
        EnumCoreErrorCode.CONTRACT_VIOLATION,
    )
    assert caught.value.context["additional_context"]["integration"] == "http"


def test_what_may_be_missing_is_none() -> None:
    assert first_or_none(NAMES, {}) is first_or_none(NAMES, None) is every_or_none(NAMES, None) is None
    assert every(NAMES, {}) == []


@pytest.mark.parametrize("written", [b64encode(b"\xfb\xff\xfe").decode(), "-__-"])
def test_bytes_are_read_in_both_alphabets_and_written_in_one(written: str) -> None:
    assert BYTES.validate_python(written) == b"\xfb\xff\xfe"
    assert BYTES.dump_json(b"\xfb\xff\xfe") == b'"+//+"'
    assert BYTES.validate_python(b"raw") == b"raw"


@pytest.mark.parametrize("written", ["a", "!!!!", "YQ"])
def test_other_text_is_no_bytes(written: str) -> None:
    with pytest.raises(ValidationError):
        BYTES.validate_python(written)
