"""The circuit breaker: closed, open, half-open."""

import asyncio

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker, EnumBreakerState
from onex_node_runtime.settings.circuit_breaker import CircuitBreakerSettings


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


async def refused(breaker: CircuitBreaker) -> tuple[object, str, str]:
    with pytest.raises(ModelOnexError) as caught:
        await breaker.call(succeed, is_failure)
    return caught.value.error_code, caught.value.message, caught.value.context["additional_context"]["integration"]


async def test_a_refusal_names_the_integration_and_the_state(breaker: CircuitBreaker, clock: Clock) -> None:
    code = EnumCoreErrorCode.SERVICE_UNAVAILABLE
    breaker.refuse_while_open()
    await open_it(breaker)
    assert await refused(breaker) == (code, "The circuit breaker of it is open.", "it")
    with pytest.raises(ModelOnexError, match=r"The circuit breaker of it is open\."):
        breaker.refuse_while_open()
    clock.now += 30
    trials = [asyncio.create_task(breaker.call(asyncio.Event().wait, is_failure)) for _ in range(2)]
    await asyncio.sleep(0)
    breaker.refuse_while_open()
    assert await refused(breaker) == (code, "The circuit breaker of it is half_open.", "it")
    for trial in trials:
        trial.cancel()
    await asyncio.wait(trials)


async def test_settings_say_when_it_opens_and_tries_again(clock: Clock) -> None:
    settings = CircuitBreakerSettings(
        circuit_breaker_failure_threshold=1,
        circuit_breaker_recovery_seconds=7,
        circuit_breaker_half_open_max_calls=1,
    )
    breaker = CircuitBreaker.of("it", settings)
    with pytest.raises(ConnectionError):
        await breaker.call(fail, is_failure)
    assert (breaker.name, state(breaker)) == ("it", EnumBreakerState.OPEN)
    clock.now += 6.9
    assert state(breaker) is EnumBreakerState.OPEN
    clock.now += 0.1
    assert state(breaker) is EnumBreakerState.HALF_OPEN
    assert await breaker.call(succeed, is_failure) == "done"
    assert state(breaker) is EnumBreakerState.CLOSED


async def test_each_time_it_tries_again_all_trials_have_to_succeed(breaker: CircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    for _ in range(2):
        clock.now += 30
        await breaker.call(succeed, is_failure)
        with pytest.raises(ConnectionError):
            await breaker.call(fail, is_failure)
    for _ in range(2):
        clock.now += 30
        await breaker.call(succeed, is_failure)
        assert state(breaker) is EnumBreakerState.HALF_OPEN
        await breaker.call(succeed, is_failure)
        assert state(breaker) is EnumBreakerState.CLOSED
        # Failures from before it closed do not count.
        with pytest.raises(ConnectionError):
            await breaker.call(fail, is_failure)
        assert state(breaker) is EnumBreakerState.CLOSED
        await breaker.call(succeed, is_failure)
        await open_it(breaker)


class Calls:
    """Calls that run until they are told how they end."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._ends: list[asyncio.Future[str]] = []
        self._calls: list[asyncio.Task[str]] = []

    async def begin(self, count: int) -> None:
        for _ in range(count):
            end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            async def wait(end: asyncio.Future[str] = end) -> str:
                return await end

            self._ends.append(end)
            self._calls.append(asyncio.create_task(self._breaker.call(wait, is_failure)))
        await asyncio.sleep(0)

    async def end(self, error: Exception | None = None) -> None:
        """End the call that began first."""
        end, call = self._ends.pop(0), self._calls.pop(0)
        if error is None:
            end.set_result("done")
        else:
            end.set_exception(error)
        await asyncio.wait([call])
        assert call.exception() is error


async def test_calls_from_before_it_opened_keep_it_open_no_longer(breaker: CircuitBreaker, clock: Clock) -> None:
    calls = Calls(breaker)
    await calls.begin(4)
    await calls.end(ConnectionError())
    await calls.end(ConnectionError())
    clock.now += 20
    await calls.end(ConnectionError())
    assert state(breaker) is EnumBreakerState.OPEN
    clock.now += 10
    assert state(breaker) is EnumBreakerState.HALF_OPEN
    await calls.end()
    assert state(breaker) is EnumBreakerState.HALF_OPEN


async def test_places_of_trials_come_back_and_those_of_other_calls_are_none(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    calls = Calls(breaker)
    await calls.begin(1)
    await open_it(breaker)
    clock.now += 30
    await calls.begin(2)
    # The first was no trial.
    await calls.end()
    await refused(breaker)
    await calls.end(ValueError("the caller's fault"))
    assert state(breaker) is EnumBreakerState.HALF_OPEN
    await calls.end()
    assert state(breaker) is EnumBreakerState.CLOSED
    await open_it(breaker)
    clock.now += 30
    await calls.begin(2)
    await refused(breaker)
    await calls.end()
    await calls.end()
    assert state(breaker) is EnumBreakerState.CLOSED
