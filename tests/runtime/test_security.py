"""What inputs may not hold, whichever way they come, and what logs and errors do not show."""

import json
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.operation import Operation
from onex_node_runtime.patterns import LinearPattern
from onex_node_runtime.security import MOST_PROBLEMS, InputLimits, cleaned, escaped, masked
from onex_node_runtime.settings.escaping import EscapingSettings
from onex_node_runtime.settings.masking import MaskingSettings
from onex_node_runtime.surroundings import Surroundings
from pydantic import BaseModel


class Settings(EscapingSettings, MaskingSettings):
    security_redact_fields: tuple[str, ...] = ("api_key", "password")


SETTINGS = Settings()
LIMITS = InputLimits(20, control_characters=False, forbidden_patterns=(LinearPattern("(?i)drop +table"),))


TOO_LONG = "Text should have at most 20 characters"
CONTROL = "Text should hold no control characters"
FORBIDDEN = "Text should match no forbidden pattern"


def problems(limits: InputLimits, payload: dict[str, Any]) -> list[tuple[str, str]]:
    """What a payload is refused for."""
    with pytest.raises(ModelOnexError) as caught:
        limits.check(payload)
    assert caught.value.message == "The input holds text that is not allowed."
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    return [(problem["path"], problem["message"]) for problem in caught.value.context["additional_context"]["problems"]]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"a": "x" * 21}, [("a", TOO_LONG)]),
        ({"a": {"b": [0, {"c": "x" * 21}]}}, [("a.b.1.c", TOO_LONG)]),
        ({"a": [0, ["x", "x" * 21]]}, [("a.1.1", TOO_LONG)]),
        ({"x" * 21: 1}, [("x" * 21, TOO_LONG)]),
        ({"a": "drop table\0" + "x" * 21}, [("a", TOO_LONG)]),
        ({"a": "a\x00b"}, [("a", CONTROL)]),
        ({"a\x00": "fine"}, [("a\x00", CONTROL)]),
        ({"a": ["\x1b[31m"]}, [("a.0", CONTROL)]),
        ({"a": "\ud800"}, [("a", CONTROL)]),
        ({"a": "; Drop  table t"}, [("a", FORBIDDEN)]),
        ({"a": "drop table\x00"}, [("a", CONTROL), ("a", FORBIDDEN)]),
        ({"a": "\x00", "b": ["\x01"]}, [("b.0", CONTROL), ("a", CONTROL)]),
        ({"a": "\x00", "b": {"c": "\x01"}, "d": "fine"}, [("b.c", CONTROL), ("a", CONTROL)]),
    ],
)
def test_text_that_is_not_allowed_is_named(payload: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert problems(LIMITS, payload) == found


@pytest.mark.parametrize("character", "\x00\x08\x0b\x0c\x0e\x1f\x7f\x9f\ud800\udfff")
def test_each_control_character_is_refused(character: str) -> None:
    assert problems(LIMITS, {"a": f"b{character}c"}) == [("a", CONTROL)]


def test_without_limits_all_text_is_allowed() -> None:
    InputLimits().check({"a": "x" * 100_000 + "\x00"})


def test_other_input_is_allowed() -> None:
    LIMITS.check({"a": "x" * 20})
    LIMITS.check({"a": "tab\tline\nend\r\n", "b": [1, None, {"c": True}], "d": "ÄÖ"})


def test_input_may_be_nested_deeply() -> None:
    payload: dict[str, Any] = {"a": "fine"}
    for _ in range(5000):
        payload = {"a": payload}
    LIMITS.check(payload)


def test_long_names_fill_no_memory() -> None:
    name, items = "x" * 200_000, ["\x00" * 21] * 20_000
    with pytest.raises(ModelOnexError) as caught:
        LIMITS.check({name: {"a": items}})
    problems = caught.value.context["additional_context"]["problems"]
    assert all(len(problem["path"]) <= 200 for problem in problems)


def test_many_mistakes_make_no_endless_answer() -> None:
    with pytest.raises(ModelOnexError) as caught:
        LIMITS.check({str(number): "x" * 21 for number in range(1000)})
    assert len(caught.value.context["additional_context"]["problems"]) == MOST_PROBLEMS


def test_control_characters_are_allowed_on_request() -> None:
    replace(LIMITS, control_characters=True).check({"a": "\x00"})


def test_patterns_take_time_that_grows_with_the_text() -> None:
    started = time.perf_counter()
    for pattern in ("(a|a)*b", r"\s*\s*\s*x", "(a+)+$"):
        replace(LIMITS, forbidden_patterns=(LinearPattern(pattern),)).check({"c": "a" * 19 + "-"})
        assert not LinearPattern(pattern).search("a" * 10_000 + " " * 10_000 + "-")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hidden-word, then", "password=***, then"),
        ('{"api_key": "hidden-word", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("API-Key: Bearer hidden-word; done", "API-Key: ***; done"),
        ("'password' = 'hidden word'", "'password' = ***"),
        (r"{\"password\": \"hidden-word\"}", r"{\"password\": ***}"),
        ("passwords=2", "passwords=2"),
        ("my_password=2 x-password=2", "my_password=2 x-password=2"),
        ("password is=2", "password is=2"),
        ("Api_Key : basic abc== , api-key=b", "Api_Key : *** , api-key=***"),
        (r"password='a\'b c' d", "password=*** d"),
        (r'password="a\"b c" d', "password=*** d"),
        (
            "password=a;b password=a,b {password:a} (password=a)",
            "password=***;b password=***,b {password:***} (password=***)",
        ),
        ("https://shop.example/?password=word&a=1", "https://shop.example/?password=***&a=1"),
    ],
)
def test_values_of_named_fields_are_masked(text: str, shown: str) -> None:
    assert SETTINGS.redact(text) == shown


def test_nothing_is_masked_where_nothing_is_named() -> None:
    text = "password=word password = word"
    assert SETTINGS.model_copy(update={"security_redact_fields": ()}).redact(text) == text


def test_text_stays_on_its_line() -> None:
    assert SETTINGS.redact("a\nINFO forged\x1b[2J\u2028\u202eb") == r"a\nINFO forged\x1b[2J\u2028\u202eb"
    assert SETTINGS.model_copy(update={"security_sanitize_logs": False}).redact("a\nb") == "a\nb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\t\r\x7f\x9f", r"\t\r\x7f\x9f"),
        ("\u2029\u202e\u2066\u2069\ud800", r"\u2029\u202e\u2066\u2069\ud800"),
        ("ä \u2027\u202f\u2065\u206a", "ä \u2027\u202f\u2065\u206a"),
    ],
)
def test_what_could_mislead_is_written_out(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_values_of_json_are_cleaned() -> None:
    details = {"asked": {"Api-Key": "hidden-word", "tried": ["password=hidden-word\n", 1, None]}}
    assert SETTINGS.cleaned(details) == {"asked": {"Api-Key": "***", "tried": [r"password=***\n", 1, None]}}
    assert EscapingSettings().cleaned({"api_key\n": "a\nb"}) == {r"api_key\n": r"a\nb"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"API-KEY": {"a": 1}, "pass": "b", "key": "c"}, {"API-KEY": "***", "PASS": "***", "KEY": "C"}),
        ({"api_key": "a", "PASS": 1, "apikey": "b"}, {"API_KEY": "***", "PASS": "***", "APIKEY": "B"}),
        ([{"a": [{"pass": 1}]}, "b"], [{"A": [{"PASS": "***"}]}, "B"]),
        ({5: "a"}, {"5": "A"}),
        ("a", "A"),
        (1.5, 1.5),
        (None, None),
    ],
)
def test_fields_are_masked_by_any_spelling_and_texts_cleaned_at_any_depth(value: object, shown: object) -> None:
    assert cleaned(value, ("Api-Key", "pass"), str.upper) == shown


def test_words_that_are_no_names_are_no_patterns() -> None:
    assert masked("a.b=1 axb=1", ("a.b",)) == "a.b=*** axb=1"


async def test_errors_and_logs_show_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    class ModelNothing(BaseModel):
        pass

    async def fail(_request: ModelNothing) -> ModelNothing:
        raise ModelOnexError(
            message="password=hidden-word\nis wrong",
            error_code=EnumCoreErrorCode.OPERATION_FAILED,
            asked={"Api-Key": "hidden-word", "tried": ["password=hidden-word\n"]},
        )

    around = Surroundings("node_lock_effect", uuid4(), MixinMetrics(), SETTINGS.redact, SETTINGS.cleaned)
    with pytest.raises(ModelOnexError) as caught:
        await Operation("fail", ModelNothing, fail, timeout_seconds=5).invoke({}, uuid4(), around)
    seen = (caught.value.message, json.dumps(caught.value.context, default=str), caplog.text)
    assert not any("hidden-word" in text for text in seen)
    assert r"\nis wrong" in seen[0]
