"""What settings may be, and whose they are: a value beyond a bound is refused when the process starts."""

from typing import Any
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.settings import types
from onex_node_runtime.settings.circuit_breaker import CircuitBreakerSettings
from onex_node_runtime.settings.escaping import EscapingSettings
from onex_node_runtime.settings.masking import MaskingSettings
from onex_node_runtime.settings.node import NodeSettings
from onex_node_runtime.settings.rate_limit import RateLimitSettings
from onex_node_runtime.settings.retry import RetrySettings
from pydantic import Field, SecretStr, TypeAdapter, ValidationError

# Values at both sides of each bound: those that are taken, and those that are not.
BOUNDS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "Port": ((0, 65535), (-1, 65536)),
    "KnownPort": ((1, 65535), (0, 65536)),
    "Count": ((1,), (0,)),
    "CountOrNone": ((0,), (-1,)),
    "MessageBytes": ((1000,), (999,)),
    "Seconds": ((0.001,), (0,)),
    "SecondsOrNone": ((0,), (-0.001,)),
    "Patience": ((60,), (59.9,)),
    "Share": ((0, 1), (-0.001, 1.001)),
    "Growth": ((1,), (0.999,)),
    "Rate": ((0.001,), (0,)),
    "Text": (("a",), ("",)),
    "Texts": ((("a",),), ((), ("",))),
    "Skew": ((0, 300), (-0.001, 300.001)),
    "Algorithms": ((("RS256",), ("EdDSA", "ES512")), ((), ("none",), ("HS256",), ("RS256", "HS256"))),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_hold(name: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(types, name))
    taken, refused = BOUNDS[name]
    assert [adapter.validate_python(value) for value in taken] == [*taken]
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


async def test_a_retry_policy_is_that_of_the_settings() -> None:
    settings = RetrySettings(
        retry_max_attempts=7,
        retry_initial_delay_seconds=0.5,
        retry_max_delay_seconds=9.0,
        retry_backoff_multiplier=3.0,
    )
    assert RetryPolicy.of(settings, ["TimeoutError"]) == RetryPolicy(
        max_attempts=7,
        initial_delay_seconds=0.5,
        max_delay_seconds=9.0,
        backoff_multiplier=3.0,
        retryable_exceptions=frozenset({"TimeoutError"}),
    )
    assert RetryPolicy.of(settings).retryable_exceptions == frozenset()


async def test_a_circuit_breaker_is_that_of_the_settings() -> None:
    settings = CircuitBreakerSettings(
        circuit_breaker_failure_threshold=3,
        circuit_breaker_recovery_seconds=17.0,
        circuit_breaker_half_open_max_calls=2,
    )
    breaker = CircuitBreaker.of("shop", settings)
    assert breaker.name == "shop"
    assert (breaker._failure_threshold, breaker._recovery_seconds, breaker._half_open_max_calls) == (3, 17.0, 2)


class Settings(NodeSettings):
    """Settings of every kind, in an order in which a secret comes before one that holds it."""

    api_key: SecretStr | None = None
    url: str = ""
    number: int = 0
    token: SecretStr | None = None
    named: str = Field(default="", validation_alias="OTHER_NAME")


def test_a_setting_that_is_needed_is_text() -> None:
    settings = Settings(api_key=SecretStr("word"), url="http://shop", number=5)
    assert [settings.require(name) for name in ("api_key", "url", "number")] == ["word", "http://shop", "5"]


@pytest.mark.parametrize(
    ("name", "variable"), [("api_key", "API_KEY"), ("url", "URL"), ("number", "NUMBER"), ("named", "OTHER_NAME")]
)
def test_a_setting_that_is_missing_is_told_by_its_variable(name: str, variable: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        Settings(api_key=SecretStr("")).require(name)
    told = (EnumCoreErrorCode.CONFIGURATION_NOT_FOUND, f"{variable} is not set.")
    assert (caught.value.error_code, caught.value.message) == told


def test_secrets_are_masked_as_a_whole() -> None:
    settings = Settings(api_key=SecretStr("word"), token=SecretStr("a-word-1234"), url="http://shop")
    assert settings.redact("word, a-word-1234 and words of http://shop") == "***, *** and ***s of http://shop"
    assert Settings(api_key=SecretStr("")).redact("none") == "none"
    values = {"password": "word"}
    assert (settings.masked_fields, settings.cleaned(values)) == ((), values)


class Masking(MaskingSettings, Settings):
    """Settings that mask values of named fields."""


class Escaping(EscapingSettings, Masking):
    """Settings that keep control characters out, too."""


def test_values_of_named_fields_are_masked_beside_secrets() -> None:
    settings = Masking(security_redact_fields=("pin",), api_key=SecretStr("word"))
    assert settings.masked_fields == ("pin",)
    assert settings.redact("word pin=1234, a=5") == "*** pin=***, a=5"
    assert settings.cleaned({"pin": "1234", "a": ["word"]}) == {"pin": "***", "a": ["***"]}


@pytest.mark.parametrize(("sanitizes", "text"), [(True, "***\\npin=***"), (False, "***\npin=***")])
def test_control_characters_stay_out_where_they_are_to(sanitizes: bool, text: str) -> None:
    settings = Escaping(security_redact_fields=("pin",), security_sanitize_logs=sanitizes, api_key=SecretStr("word"))
    assert settings.redact("word\npin=1234") == text
    assert settings.cleaned({"a": ["word\npin=1234"], "pin": 1}) == {"a": [text], "pin": "***"}


def test_operations_are_limited_where_they_are_to() -> None:
    metrics = MixinMetrics()
    free = RateLimitSettings(rate_limit_enabled=False, rate_limit_burst=1).admission(metrics)
    for _ in range(3):
        free("echo", uuid4())
    limited = RateLimitSettings(rate_limit_requests_per_second=0.01, rate_limit_burst=2).admission(metrics)
    for _ in range(2):
        limited("echo", uuid4())
    with pytest.raises(ModelOnexError) as caught:
        limited("echo", uuid4())
    # The next one has its turn in 100 seconds.
    assert 90 < caught.value.context["additional_context"]["retry_after_seconds"] <= 100
    assert metrics.get_metrics()["operation_rate_limited"]["value"] == 1
