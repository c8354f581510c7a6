"""How many operations pass each second, and whose."""

from contextvars import copy_context
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.correlation import CALLER
from onex_node_runtime.rate_limit import KNOWN_CALLERS, RateLimit, admission
from onex_node_runtime.settings.rate_limit import RateLimitSettings


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


def test_those_who_ask_share_the_rate_and_all_that_nobody_knows_are_one() -> None:
    clock = Clock()
    limit = RateLimit(1, 4, clock)
    # Who asks when, and how long each has to wait.
    asked = [
        (0, "", [0, 0, 0, 0, 1]),
        (0, "calm", [0, 0, 2]),
        (0, "third", [0, 3]),
        (0, "fourth", [0, 5]),
        (0, "fifth", [5]),
        # The parts of all are used up by now, and one who asks alone has to wait for the whole.
        (4, "", [1]),
        (4, "fifth", [1]),
        (5, "calm", [0, 1]),
        (9, "", [0, 0, 0, 0, 1]),
    ]
    for now, caller, waits in asked:
        clock.now = 1000.0 + now
        assert [limit.take(caller) if caller else limit.take() for _ in waits] == waits, (now, caller)


def test_callers_who_asked_least_recently_are_forgotten() -> None:
    clock = Clock()
    limit = RateLimit(1_000_000, 1_000_000, clock)
    limit.take("first")
    limit.take("second")
    limit.take("first")
    for number in range(KNOWN_CALLERS - 1):
        limit.take(str(number))
    assert [*limit._callers] == ["first", *map(str, range(KNOWN_CALLERS - 1))]


class Counting(MixinMetrics):
    """Notes what is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[tuple[str, dict[str, str] | None]] = []

    def increment_counter(self, name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
        self.counted += [(name, tags)] * value


def test_refusal_says_when_and_for_whom() -> None:
    metrics, asked = Counting(), uuid4()
    admit = admission(RateLimit(2, 1, Clock()), metrics)
    admit("first", uuid4())
    with pytest.raises(ModelOnexError) as caught:
        admit("second", asked)
    assert caught.value.error_code is EnumCoreErrorCode.RATE_LIMIT_ERROR
    assert caught.value.correlation_id == asked
    assert caught.value.message == "There are too many requests."
    told = caught.value.context["additional_context"]
    assert (told["operation"], told["retry_after_seconds"]) == ("second", 0.5)
    assert metrics.counted == [("operation_rate_limited", {"operation": "second"})]


def test_turns_are_those_of_the_caller_who_asks() -> None:
    limit = RateLimit(1, 2, Clock())
    admit = admission(limit, MixinMetrics())

    def ask(name: str) -> None:
        CALLER.set(name)
        admit("any", uuid4())

    for name in ("flood", "calm"):
        copy_context().run(ask, name)
    assert [*limit._callers] == ["flood", "calm"]


def test_settings_say_whether_and_how_many() -> None:
    limited = RateLimitSettings(rate_limit_requests_per_second=0.01, rate_limit_burst=2).admission(MixinMetrics())
    for _ in range(2):
        limited("any", uuid4())
    with pytest.raises(ModelOnexError):
        limited("any", uuid4())
    unlimited = RateLimitSettings(
        rate_limit_enabled=False, rate_limit_requests_per_second=0.01, rate_limit_burst=1
    ).admission(MixinMetrics())
    for _ in range(5):
        unlimited("any", uuid4())
