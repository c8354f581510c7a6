"""Retry policies and circuit breakers under any of the names that ONEX contracts give their settings."""

from collections.abc import Callable, Mapping
from typing import Any

type Note = Callable[[str, object], None]

_SECONDS_IN_MS = 1000
# By key of the language: what it is called elsewhere, and by what to multiply.
_RETRY: Mapping[str, Mapping[str, float]] = {
    "initial_delay_ms": {
        **dict.fromkeys(
            ("initial_delay_ms", "base_delay_ms", "delay_ms", "backoff_ms", "retry_delay_ms", "initial_backoff_ms"), 1
        ),
        **dict.fromkeys(
            ("initial_delay_seconds", "base_delay_seconds", "delay_seconds", "backoff_seconds", "initial_delay"), 1000
        ),
    },
    "max_delay_ms": {
        **dict.fromkeys(("max_delay_ms", "maximum_delay_ms", "max_backoff_ms"), 1),
        **dict.fromkeys(("max_delay_seconds", "max_backoff_seconds", "max_delay"), 1000),
    },
    "backoff_multiplier": dict.fromkeys(
        ("backoff_multiplier", "exponential_base", "backoff_factor", "multiplier", "backoff_base", "backoff_rate"), 1
    ),
}
_ATTEMPTS = ("max_attempts", "attempts", "maximum_attempts")
_RETRIES = ("max_retries", "retries", "retry_count", "max_retry_attempts")
_BREAKER: Mapping[str, Mapping[str, float]] = {
    "failure_threshold": dict.fromkeys(("failure_threshold", "max_failures", "error_threshold", "threshold"), 1),
    "recovery_timeout_ms": {
        **dict.fromkeys(("recovery_timeout_ms", "reset_timeout_ms", "timeout_ms", "open_timeout_ms", "cooldown_ms"), 1),
        **dict.fromkeys(
            ("recovery_timeout_seconds", "reset_timeout_seconds", "timeout_seconds", "recovery_timeout"), 1000
        ),
    },
    "half_open_max_calls": dict.fromkeys(
        (
            "half_open_max_calls",
            "half_open_max_requests",
            "half_open_requests",
            "success_threshold",
            "half_open_max_attempts",
        ),
        1,
    ),
}
_WHOLE = frozenset({"max_attempts", "failure_threshold", "half_open_max_calls"})
_STATUS = ("retryable_status_codes", "retry_on_status", "retry_status_codes", "status_codes")


def retry_policy(value: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """Return a retry policy in the language's words; what has no word there is noted.

    Args:
        value: The policy as it is.
        note: Takes the key and its value of what has no place.

    Returns:
        The policy; empty where it says nothing that has a place.
    """
    result: dict[str, Any] = {}
    rest = dict(value)
    if isinstance(rest.get("enabled"), bool):
        result["enabled"] = rest.pop("enabled")
    for key, more in (*((key, 0) for key in _ATTEMPTS), *((key, 1) for key in _RETRIES)):
        number = rest.get(key)
        if isinstance(number, int) and not isinstance(number, bool) and "max_attempts" not in result:
            result["max_attempts"] = min(max(1, number + more), 100)
            del rest[key]
    _take(rest, result, _RETRY)
    if result.get("initial_delay_ms", 0) > result.get("max_delay_ms", float("inf")):
        result["max_delay_ms"] = result["initial_delay_ms"]
    for key in _STATUS:
        codes = rest.get(key)
        if isinstance(codes, list) and codes and all(isinstance(code, int) and 100 <= code <= 599 for code in codes):  # noqa: PLR2004 - status codes
            result["retryable_status_codes"] = rest.pop(key)
    for key, item in rest.items():
        note(f"retry_policy.{key}", item)
    return result


def circuit_breaker(value: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """Return a circuit breaker in the language's words; what has no word there is noted.

    Args:
        value: The breaker as it is.
        note: Takes the key and its value of what has no place.

    Returns:
        The breaker; empty where it says nothing that has a place.
    """
    result: dict[str, Any] = {}
    rest = dict(value)
    if isinstance(rest.get("enabled"), bool):
        result["enabled"] = rest.pop("enabled")
    _take(rest, result, _BREAKER)
    backends = rest.get("backends")
    first = backends[0] if isinstance(backends, list) and backends and isinstance(backends[0], Mapping) else None
    if first is not None and not result.keys() - {"enabled"}:
        _take(dict(first), result, _BREAKER)
    for key, item in rest.items():
        note(f"circuit_breaker.{key}", item)
    return result


def seconds(value: Mapping[str, Any]) -> float | None:
    """Return the deadline that an operation states, in seconds; None where it states none."""
    for key, factor in (
        ("timeout_seconds", 1.0),
        ("timeout_ms", 0.001),
        ("operation_timeout_ms", 0.001),
        ("timeout", 1.0),
    ):
        number = value.get(key)
        if isinstance(number, (int, float)) and not isinstance(number, bool) and 0 < number < 10**9:
            made = number * factor
            return int(made) if made == int(made) else made
    return None


def _take(rest: dict[str, Any], result: dict[str, Any], words: Mapping[str, Mapping[str, float]]) -> None:
    for key, spellings in words.items():
        for spelling, factor in spellings.items():
            number = rest.get(spelling)
            if not isinstance(number, (int, float)) or isinstance(number, bool) or number < 0 or key in result:
                continue
            made = number * factor
            made = int(made) if made == int(made) else made
            if (key in _WHOLE and (made != int(made) or made < 1)) or (key == "recovery_timeout_ms" and not made):
                continue
            if key == "backoff_multiplier" and not 1 <= made <= 100:  # noqa: PLR2004 - the language's bounds
                continue
            result[key] = min(made, 3_600_000) if key in {"initial_delay_ms", "max_delay_ms"} else made
            del rest[spelling]
