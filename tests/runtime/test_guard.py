"""What stands between a node and an integration: nothing, retries, a circuit breaker, or both."""

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.effects import OutcomeUnknownError

POLICY = RetryPolicy(
    max_attempts=3,
    initial_delay_seconds=0,
    max_delay_seconds=0,
    backoff_multiplier=1,
    retryable_exceptions=frozenset({"KeyError"}),
)


class Calls:
    """Raises the errors it is given, one with each call, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def is_outage(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


def unknown(cause: Exception) -> OutcomeUnknownError:
    error = OutcomeUnknownError()
    error.__cause__ = cause
    return error


def breaker() -> CircuitBreaker:
    return CircuitBreaker("it", failure_threshold=2, recovery_seconds=60, half_open_max_calls=1)


def told(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


async def call(guard: Guard, calls: Calls, *, idempotent: bool = False, retry: RetryPolicy | None = None) -> str:
    return await guard.call(calls, is_outage, is_outage, idempotent=idempotent, retry=retry)


async def test_without_anything_a_call_is_made_once() -> None:
    guard, calls = Guard(), Calls(ConnectionError())
    with pytest.raises(ConnectionError):
        await call(guard, calls)
    assert (calls.count, guard.figures()) == (1, [])
    assert await call(guard, calls) == "done"


async def test_transient_errors_and_those_listed_are_tried_again() -> None:
    calls = Calls(ConnectionError(), KeyError())
    assert await call(Guard(POLICY), calls) == "done"
    assert calls.count == 3
    with pytest.raises(ValueError, match="wrong"):
        await call(Guard(POLICY), Calls(ValueError("wrong")))


@pytest.mark.parametrize(("idempotent", "count"), [(True, 2), (False, 1)])
async def test_what_may_have_taken_effect_is_tried_again_where_that_does_no_harm(
    *, idempotent: bool, count: int
) -> None:
    calls = Calls(unknown(ConnectionError()))
    try:
        await call(Guard(POLICY), calls, idempotent=idempotent)
    except OutcomeUnknownError:
        assert not idempotent
    assert calls.count == count


async def test_own_policy_takes_the_place_of_the_nodes() -> None:
    own = RetryPolicy(max_attempts=1, initial_delay_seconds=0, max_delay_seconds=0, backoff_multiplier=1)
    for guard in (Guard(POLICY), Guard()):
        calls = Calls(ConnectionError())
        with pytest.raises(ConnectionError):
            await call(guard, calls, retry=own)
        assert calls.count == 1


async def test_every_attempt_passes_the_breaker_whose_cause_counts() -> None:
    guard, calls = Guard(POLICY, breaker()), Calls(unknown(ConnectionError()), ConnectionError(), ConnectionError())
    with pytest.raises(ModelOnexError) as caught:
        await call(guard, calls, idempotent=True)
    assert caught.value.error_code is EnumCoreErrorCode.SERVICE_UNAVAILABLE
    assert calls.count == 2
    assert guard.figures() == [("circuit_breaker_open", 1.0, {"integration": "it"})]


@pytest.mark.parametrize(
    ("error", "count"),
    [
        (told(ModelOnexError(message="In words.", error_code=EnumCoreErrorCode.OPERATION_FAILED), KeyError()), 2),
        (told(ModelOnexError(message="In words.", error_code=EnumCoreErrorCode.OPERATION_FAILED), ValueError()), 1),
        (told(ModelOnexError(message="In words.", error_code=EnumCoreErrorCode.OPERATION_FAILED), None), 1),
        (told(ValueError(), KeyError()), 1),
    ],
    ids=["listed", "not listed", "of nothing", "of another error"],
)
async def test_what_is_told_in_words_is_known_by_what_was_raised(error: Exception, count: int) -> None:
    calls = Calls(error)
    if count == 1:
        with pytest.raises(type(error)) as caught:
            await call(Guard(POLICY), calls)
        assert caught.value is error
    else:
        assert await call(Guard(POLICY), calls) == "done"
    assert calls.count == count


async def test_a_breaker_that_tries_again_is_told_as_open(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    guard = Guard(None, breaker())

    def gauge() -> list[float]:
        return [value for _, value, _ in guard.figures()]

    assert gauge() == [0.0]
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await call(guard, Calls(ConnectionError()))
    assert gauge() == [1.0]
    now += 60
    assert gauge() == [1.0]
    assert await call(guard, Calls()) == "done"
    assert gauge() == [0.0]
