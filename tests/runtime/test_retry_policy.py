"""How often a failed call is tried again, and after how long."""

import asyncio
from dataclasses import replace

import pytest
from onex_node_runtime.adapters.retry_policy import AsksForPauseError, RetryPolicy

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
