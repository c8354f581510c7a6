"""What templates are handed about retries and circuit breakers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..deciding.decisions import called
from ..language.contract import Contract, Operation, Retry
from ..text import encode

DEFAULT_FAILURE_THRESHOLD = 5
DEFAULT_RECOVERY_MS = 60_000
DEFAULT_TIMEOUT_SECONDS = 30.0
# That of `Operation` in the runtime.
USUAL_DEADLINE_SECONDS = 60.0


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


def retry_of(contract: Contract, guarded: Sequence[str], *, own: bool) -> RetryView | None:
    """Return the policy for the adapters of a node; None where nothing is tried again.

    Args:
        contract: The contract.
        guarded: The keys of adapters whose calls may be tried again.
        own: Whether an operation has a policy of its own.
    """
    policy = contract.retry
    if not guarded:
        return None
    if policy is None and "retry" in contract.features:
        return RetryView(3, 0.1, 10.0, 2.0, ())
    if policy is not None and policy.enabled:
        return retry_view(policy)
    return RetryView(1, 0.1, 10.0, 2.0, ()) if own else None


def breaker_of(contract: Contract, guarded: Sequence[str]) -> BreakerView | None:
    """Return the defaults of the circuit breakers of these adapters; None where there are none."""
    settings = contract.circuit_breaker
    if not guarded:
        return None
    if settings is None:
        asked = "circuit_breaker" in contract.features
        return BreakerView(DEFAULT_FAILURE_THRESHOLD, DEFAULT_RECOVERY_MS / 1000, 1) if asked else None
    if not settings.enabled:
        return None
    return BreakerView(
        failure_threshold=settings.failure_threshold,
        recovery_seconds=settings.recovery_timeout_ms / 1000,
        half_open_max_calls=settings.half_open_max_calls,
    )


def own_breakers(
    contract: Contract, guarded: Sequence[str], breaker: BreakerView | None
) -> tuple[tuple[str, int, float], ...]:
    """Return adapters whose breaker differs, with its failure threshold and recovery time in seconds."""
    settings = contract.circuit_breaker
    if breaker is None or settings is None:
        return ()
    found: list[tuple[str, int, float]] = []
    for key in guarded:
        own = next((settings.services[name] for name in called(key) if name in settings.services), None)
        if own:
            seconds = own.recovery_timeout_ms / 1000 if own.recovery_timeout_ms else breaker.recovery_seconds
            found.append((key, own.failure_threshold or breaker.failure_threshold, seconds))
    return tuple(found)


def default_deadline(contract: Contract, operation: Operation) -> float:
    """Return after how many seconds an operation is given up that says nothing of it."""
    # Long enough for a second attempt after one that hung, so that the circuit breaker sees the first one end.
    if operation.http:
        return 2 * contract.clients[operation.http.adapter].timeout_seconds
    state = contract.state_store if operation.by_state_machine else None
    state = contract.figure_store if operation.aggregate else state
    uses_database = operation.database or (state and state.backend == "postgres")
    statements = len(operation.database.statements) if operation.database else 0
    return max(2, 1 + statements) * statement_timeout(contract) if uses_database else DEFAULT_TIMEOUT_SECONDS


def statement_timeout(contract: Contract) -> float:
    """Return how many seconds a statement may take."""
    integration, transactions = contract.database, contract.transactions
    transaction_timeout = transactions.timeout_seconds if transactions and transactions.enabled else None
    own = integration.statement_timeout_seconds if integration else None
    return own or transaction_timeout or DEFAULT_TIMEOUT_SECONDS
