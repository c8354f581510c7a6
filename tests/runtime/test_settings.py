"""What settings may be, and whose they are: a value beyond a bound is refused when the process starts."""

from typing import Any

import pytest
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.settings import types
from onex_node_runtime.settings.circuit_breaker import CircuitBreakerSettings
from onex_node_runtime.settings.retry import RetrySettings
from pydantic import TypeAdapter, ValidationError

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
