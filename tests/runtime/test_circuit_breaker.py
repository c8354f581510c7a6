"""The circuit breaker: closed, open, half-open."""

import asyncio

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker, EnumBreakerState


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("it", failure_threshold=2, recovery_seconds=30, half_open_max_calls=2)


async def succeed() -> str:
    return "done"


async def fail() -> str:
    raise ConnectionError("away")


async def err() -> str:
    raise ValueError("the caller's fault")


def state(breaker: CircuitBreaker) -> EnumBreakerState:
    return breaker.state


def is_failure(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


async def open_it(breaker: CircuitBreaker) -> None:
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await breaker.call(fail, is_failure)


async def test_failures_in_a_row_open_it(breaker: CircuitBreaker) -> None:
    await open_it(breaker)
    assert state(breaker) is EnumBreakerState.OPEN
    with pytest.raises(ModelOnexError) as caught:
        await breaker.call(succeed, is_failure)
    assert caught.value.error_code is EnumCoreErrorCode.SERVICE_UNAVAILABLE


async def test_success_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    for action in (fail, succeed, fail):
        if action is fail:
            with pytest.raises(ConnectionError):
                await breaker.call(action, is_failure)
        else:
            await breaker.call(action, is_failure)
    assert state(breaker) is EnumBreakerState.CLOSED


async def test_errors_of_the_caller_do_not_count(breaker: CircuitBreaker) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="fault"):
            await breaker.call(err, is_failure)
    assert state(breaker) is EnumBreakerState.CLOSED


async def test_trials_that_succeed_close_it(breaker: CircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    clock.now += 30
    assert state(breaker) is EnumBreakerState.HALF_OPEN
    assert await breaker.call(succeed, is_failure) == "done"
    assert state(breaker) is EnumBreakerState.HALF_OPEN
    assert await breaker.call(succeed, is_failure) == "done"
    assert state(breaker) is EnumBreakerState.CLOSED


async def test_trial_that_fails_opens_it_again(breaker: CircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    clock.now += 30
    await breaker.call(succeed, is_failure)
    with pytest.raises(ConnectionError):
        await breaker.call(fail, is_failure)
    assert state(breaker) is EnumBreakerState.OPEN


async def test_no_more_trials_at_once_than_allowed(breaker: CircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    clock.now += 30
    release = asyncio.Event()

    async def wait() -> str:
        await release.wait()
        return "done"

    trials = [asyncio.create_task(breaker.call(wait, is_failure)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ModelOnexError):
        await breaker.call(succeed, is_failure)
    release.set()
    assert await asyncio.gather(*trials) == ["done", "done"]
    assert state(breaker) is EnumBreakerState.CLOSED


async def hang(breaker: CircuitBreaker) -> None:
    call = asyncio.create_task(breaker.call(asyncio.Event().wait, is_failure))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_calls_that_were_waited_for_in_vain_open_it(breaker: CircuitBreaker) -> None:
    for _ in range(2):
        await hang(breaker)
    assert state(breaker) is EnumBreakerState.OPEN


async def test_cancelled_trial_opens_it_again_and_gives_its_place_back(breaker: CircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    for _ in range(3):
        clock.now += 30
        await hang(breaker)
        assert state(breaker) is EnumBreakerState.OPEN
    clock.now += 30
    assert await breaker.call(succeed, is_failure) == "done"
