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
from onex_node_runtime.operation import Operation, Surroundings
from onex_node_runtime.patterns import LinearPattern
from onex_node_runtime.security import MOST_PROBLEMS, InputLimits
from onex_node_runtime.settings.escaping import EscapingSettings
from onex_node_runtime.settings.masking import MaskingSettings
from pydantic import BaseModel


class Settings(EscapingSettings, MaskingSettings):
    security_redact_fields: tuple[str, ...] = ("api_key", "password")


SETTINGS = Settings()
LIMITS = InputLimits(20, control_characters=False, forbidden_patterns=(LinearPattern("(?i)drop +table"),))


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"a": "x" * 21}, "a", "at most 20 characters"),
    ({"a": {"b": [0, {"c": "x" * 21}]}}, "a.b.1.c", "at most 20 characters"),
    ({"x" * 21: 1}, "x" * 21, "at most 20 characters"),
    ({"a": "a\x00b"}, "a", "no control characters"),
    ({"a": ["\x1b[31m"]}, "a.0", "no control characters"),
    ({"a": "\ud800"}, "a", "no control characters"),
    ({"a": "; Drop  table t"}, "a", "no forbidden pattern"),
]


@pytest.mark.parametrize(("payload", "path", "message"), CASES)
def test_text_that_is_not_allowed_is_named(payload: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        LIMITS.check(payload)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    (problem,) = caught.value.context["additional_context"]["problems"]
    assert problem["path"] == path
    assert message in problem["message"]


def test_other_input_is_allowed() -> None:
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
        LIMITS.check({str(number): CASES[0][0] for number in range(1000)})
    assert len(caught.value.context["additional_context"]["problems"]) <= MOST_PROBLEMS + 2


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
    ],
)
def test_values_of_named_fields_are_masked(text: str, shown: str) -> None:
    assert SETTINGS.redact(text) == shown


def test_nothing_is_masked_where_nothing_is_named() -> None:
    assert SETTINGS.model_copy(update={"security_redact_fields": ()}).redact("password=word") == "password=word"


def test_text_stays_on_its_line() -> None:
    assert SETTINGS.redact("a\nINFO forged\x1b[2J\u2028\u202eb") == r"a\nINFO forged\x1b[2J\u2028\u202eb"
    assert SETTINGS.model_copy(update={"security_sanitize_logs": False}).redact("a\nb") == "a\nb"


def test_values_of_json_are_cleaned() -> None:
    details = {"asked": {"Api-Key": "hidden-word", "tried": ["password=hidden-word\n", 1, None]}}
    assert SETTINGS.cleaned(details) == {"asked": {"Api-Key": "***", "tried": [r"password=***\n", 1, None]}}
    assert EscapingSettings().cleaned({"api_key\n": "a\nb"}) == {r"api_key\n": r"a\nb"}


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
