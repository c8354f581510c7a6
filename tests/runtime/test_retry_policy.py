"""How often a failed call is tried again, and after how long."""

import asyncio
from dataclasses import replace

import pytest
from onex_node_runtime.adapters.retry_policy import AsksForPauseError, RetryPolicy
from onex_node_runtime.settings.retry import RetrySettings

POLICY = RetryPolicy(
    max_attempts=5,
    initial_delay_seconds=1,
    max_delay_seconds=3,
    backoff_multiplier=2,
    retryable_exceptions=frozenset({"ConnectionError"}),
)


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


class Flaky:
    """Fails some times, then succeeds."""

    def __init__(self, failures: int) -> None:
        self.calls = 0
        self._failures = failures

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise ConnectionRefusedError("away")
        return "done"


async def test_delays_grow_and_are_capped(delays: list[float]) -> None:
    assert await POLICY.call(Flaky(4), POLICY.lists) == "done"
    assert delays == [1, 2, 3, 3]


async def test_last_error_is_raised_as_it_is(delays: list[float]) -> None:
    flaky = Flaky(9)
    with pytest.raises(ConnectionRefusedError):
        await POLICY.call(flaky, POLICY.lists)
    assert (flaky.calls, len(delays)) == (5, 4)


async def test_other_errors_are_final(delays: list[float]) -> None:
    flaky = Flaky(1)
    with pytest.raises(ConnectionRefusedError):
        await POLICY.call(flaky, lambda _error: False)
    assert (flaky.calls, delays) == (1, [])


@pytest.mark.parametrize(
    ("error", "listed"), [(ConnectionRefusedError(), True), (ConnectionError(), True), (OSError(), False)]
)
def test_exceptions_are_listed_by_name_with_what_derives_from_them(error: Exception, listed: bool) -> None:
    assert POLICY.lists(error) is listed


def test_operations_list_exceptions_of_their_own() -> None:
    class OfOneOperationError(Exception):
        """An error that the node's policy does not list."""

    own = replace(POLICY, retryable_exceptions=frozenset({"OfOneOperationError"}))
    assert own.lists(OfOneOperationError())
    assert not POLICY.lists(OfOneOperationError())


@pytest.mark.parametrize(("asked", "slept"), [(0.5, 1), (7, 7)])
async def test_a_pause_that_is_asked_for_is_the_least(delays: list[float], asked: float, slept: float) -> None:
    pauses = [asked]

    async def busy() -> str:
        if not pauses:
            return "done"
        error = AsksForPauseError()
        error.retry_after_seconds = pauses.pop()
        raise error

    assert await POLICY.call(busy, lambda _error: True) == "done"
    assert delays == [slept]


async def test_delays_are_no_longer_than_asked_for_and_grown(delays: list[float]) -> None:
    short = replace(POLICY, initial_delay_seconds=0.25, backoff_multiplier=3)
    assert await short.call(Flaky(4), short.lists) == "done"
    assert delays == [0.25, 0.75, 2.25, 3]


def test_settings_say_how_often_and_after_how_long() -> None:
    settings = RetrySettings(
        retry_max_attempts=4,
        retry_initial_delay_seconds=0.5,
        retry_max_delay_seconds=8,
        retry_backoff_multiplier=3,
    )
    policy = RetryPolicy(max_attempts=4, initial_delay_seconds=0.5, max_delay_seconds=8, backoff_multiplier=3)
    assert RetryPolicy.of(settings) == policy
    assert RetryPolicy.of(settings, ["KeyError"]) == replace(policy, retryable_exceptions=frozenset({"KeyError"}))
