"""What templates are handed about retries and circuit breakers."""

from collections.abc import Collection
from dataclasses import dataclass

from ..language.contract import Retry
from ..text import encode

DEFAULT_FAILURE_THRESHOLD = 5
DEFAULT_RECOVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class RetryView:
    """A retry policy with its times in seconds."""

    max_attempts: int
    initial_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    retryable_exceptions: tuple[str, ...]
    retryable_status_codes: tuple[int, ...] = ()

    @property
    def code(self) -> str:
        """The policy as an expression at the top of a module."""
        names_of = dict.fromkeys(self.retryable_exceptions)
        listed = "".join(f"            {encode.py(name)},\n" for name in names_of)
        lists = f"    retryable_exceptions=frozenset(\n        {{\n{listed}        }}\n    ),\n" if listed else ""
        statuses = ", ".join(str(status) for status in sorted(set(self.retryable_status_codes)))
        lists += f"    retryable_status_codes=frozenset({{{statuses}}}),\n" if statuses else ""
        return (
            "RetryPolicy(\n"
            f"    max_attempts={self.max_attempts},\n"
            f"    initial_delay_seconds={encode.py(self.initial_delay_seconds)},\n"
            f"    max_delay_seconds={encode.py(self.max_delay_seconds)},\n"
            f"    backoff_multiplier={encode.py(self.backoff_multiplier)},\n"
            f"{lists})"
        )


@dataclass(frozen=True, slots=True)
class BreakerView:
    """Defaults of the circuit breaker, its time in seconds."""

    failure_threshold: int
    recovery_seconds: float
    half_open_max_calls: int


def guard(adapter: str, retry: RetryView | None, breaker: BreakerView | None, own_breakers: Collection[str]) -> str:
    """Return code of what guards the calls of an adapter, with the node's settings as `settings`.

    Args:
        adapter: Its key.
        retry: The node's retry policy, if any.
        breaker: The node's circuit breaker, if any.
        own_breakers: The adapters whose circuit breakers have settings of their own.
    """
    parts = []
    if retry:
        listed = tuple(dict.fromkeys(retry.retryable_exceptions))
        parts.append(f"retry=RetryPolicy.of(settings{f', {encode.py(listed)}' if listed else ''})")
    if breaker and adapter in own_breakers:
        parts.append(
            "breaker=CircuitBreaker("
            f'"{adapter}", '
            f"failure_threshold=settings.{adapter}_circuit_breaker_failure_threshold, "
            f"recovery_seconds=settings.{adapter}_circuit_breaker_recovery_seconds, "
            "half_open_max_calls=settings.circuit_breaker_half_open_max_calls)"
        )
    elif breaker:
        parts.append(f'breaker=CircuitBreaker.of("{adapter}", settings)')
    return f"Guard({', '.join(parts)})"


def retry_view(policy: Retry) -> RetryView:
    """Return what templates are handed about a policy of retries."""
    return RetryView(
        max_attempts=policy.max_attempts if policy.enabled else 1,
        initial_delay_seconds=policy.initial_delay_ms / 1000,
        max_delay_seconds=policy.max_delay_ms / 1000,
        backoff_multiplier=policy.backoff_multiplier,
        retryable_exceptions=tuple(name.rpartition(".")[2] for name in policy.retryable_exceptions),
    )
