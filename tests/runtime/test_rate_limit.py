"""How many operations pass each second, and whose."""

import pytest
from onex_node_runtime.rate_limit import KNOWN_CALLERS, RateLimit


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_burst_passes_at_once_and_then_the_even_rate() -> None:
    clock = Clock()
    limit = RateLimit(10, 3, clock)
    assert [limit.take() for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]
    clock.now += 0.05
    assert limit.take() == pytest.approx(0.05)
    clock.now += 0.05
    assert limit.take() == 0.0
    assert limit.take() > 0


def test_pause_gives_no_more_than_a_burst() -> None:
    clock = Clock()
    limit = RateLimit(10, 3, clock)
    clock.now += 3600
    assert [limit.take() == 0.0 for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(("per_second", "burst"), [(7.0, 1), (0.3, 5), (1000.0, 50)])
def test_rate_holds_in_the_long_run(per_second: float, burst: int) -> None:
    clock = Clock()
    limit = RateLimit(per_second, burst, clock)
    passed = 0
    for _ in range(1000):
        wait = limit.take()
        passed += wait == 0.0
        clock.now += wait
    assert passed / (clock.now - 1000.0 + burst / per_second) == pytest.approx(per_second, rel=0.05)


def test_caller_alone_takes_all() -> None:
    limit = RateLimit(10, 10, Clock())
    assert [limit.take("a") for _ in range(10)] == [0.0] * 10


def test_caller_that_floods_takes_no_turns_of_others() -> None:
    clock = Clock()
    limit = RateLimit(100, 10, clock)
    passed = {"flood": 0, "calm": 0}
    for step in range(10_000):
        clock.now += 0.001
        passed["flood"] += limit.take("flood") == 0.0
        if step % 50 == 0:
            passed["calm"] += limit.take("calm") == 0.0
    assert passed["calm"] == 200
    assert passed["flood"] + passed["calm"] <= 100 * 10 + 2 * 10


def test_callers_are_forgotten() -> None:
    clock = Clock()
    limit = RateLimit(1_000_000, 1_000_000, clock)
    for number in range(3 * KNOWN_CALLERS):
        limit.take(str(number))
    assert len(limit._callers) <= KNOWN_CALLERS
