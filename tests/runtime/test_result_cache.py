"""Results are kept by their inputs: for a time, up to a number, and counted."""

import time

import pytest
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.result_cache import ResultCache
from pydantic import BaseModel


class ModelPing(BaseModel):
    """An input."""

    number: int
    words: dict[str, str] = {}


class ModelPong(BaseModel):
    """An output."""

    number: int


class Pong:
    """A handler that counts its calls, and fails for 0."""

    def __init__(self) -> None:
        self.calls = 0

    async def handle(self, request: ModelPing) -> ModelPong:
        self.calls += 1
        if not request.number:
            raise ModelOnexError(message="There is no result.")
        return ModelPong(number=request.number)


@pytest.fixture
def metrics() -> MixinMetrics:
    return MixinMetrics()


@pytest.fixture
def pong() -> Pong:
    return Pong()


def results(metrics: MixinMetrics, max_entries: int = 10) -> ResultCache:
    return ResultCache(metrics, ttl_seconds=60, max_entries=max_entries)


async def test_same_input_is_worked_out_once(metrics: MixinMetrics, pong: Pong) -> None:
    handle = results(metrics).around("ping", pong.handle)
    assert [await handle(ModelPing(number=number)) for number in (1, 2, 1)] == [
        ModelPong(number=1),
        ModelPong(number=2),
        ModelPong(number=1),
    ]
    assert pong.calls == 2


async def test_inputs_that_are_equal_have_the_same_key(metrics: MixinMetrics, pong: Pong) -> None:
    handle = results(metrics).around("ping", pong.handle)
    await handle(ModelPing(number=1, words={"a": "1", "b": "2"}))
    await handle(ModelPing(number=1, words={"b": "2", "a": "1"}))
    assert pong.calls == 1


async def test_operations_do_not_share_results(metrics: MixinMetrics, pong: Pong) -> None:
    cache = results(metrics)
    await cache.around("ping", pong.handle)(ModelPing(number=1))
    await cache.around("other", pong.handle)(ModelPing(number=1))
    assert pong.calls == 2


async def test_results_are_kept_for_a_time(metrics: MixinMetrics, pong: Pong, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    handle = results(metrics).around("ping", pong.handle)
    await handle(ModelPing(number=1))
    now += 59
    await handle(ModelPing(number=1))
    assert pong.calls == 1
    now += 2
    await handle(ModelPing(number=1))
    assert pong.calls == 2


async def test_the_least_recently_used_result_goes_first(metrics: MixinMetrics, pong: Pong) -> None:
    cache = results(metrics, max_entries=2)
    handle = cache.around("ping", pong.handle)
    for number in (1, 2, 1, 3, 1):
        await handle(ModelPing(number=number))
    assert pong.calls == 3
    assert cache.get_cache_stats()["entries"] == 2
    await handle(ModelPing(number=2))
    assert pong.calls == 4


async def test_failures_are_not_kept(metrics: MixinMetrics, pong: Pong) -> None:
    handle = results(metrics).around("ping", pong.handle)
    for _ in range(2):
        with pytest.raises(ModelOnexError):
            await handle(ModelPing(number=0))
    assert pong.calls == 2


async def test_hits_are_counted(metrics: MixinMetrics, pong: Pong) -> None:
    handle = results(metrics).around("ping", pong.handle)
    for _ in range(4):
        await handle(ModelPing(number=1))
    counted = metrics.get_metrics()
    assert counted["cache_miss"]["value"] == 1
    assert counted["cache_hit"]["value"] == 3
    assert counted["cache_hit_ratio"]["value"] == 0.75
    assert counted["cache_hit_ratio"]["tags"] == {"operation": "ping"}


async def test_a_cache_that_is_off_keeps_nothing(metrics: MixinMetrics, pong: Pong) -> None:
    cache = ResultCache(metrics, ttl_seconds=60, max_entries=10, enabled=False)
    handle = cache.around("ping", pong.handle)
    for _ in range(2):
        await handle(ModelPing(number=1))
    assert pong.calls == 2


class Told(MixinMetrics):
    """Remembers what is counted and measured, with the tags that tell one series from another."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, float, object]] = []

    def increment_counter(self, counter_name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
        self.told.append((counter_name, value, tags))

    def record_metric(self, metric_name: str, value: float, tags: dict[str, str] | None = None) -> None:
        self.told.append((metric_name, value, tags))


async def test_each_operation_has_hits_misses_and_a_share_of_its_own(pong: Pong) -> None:
    metrics = Told()
    cache = results(metrics)
    ping, other = cache.around("ping", pong.handle), cache.around("other", pong.handle)
    for handle in (ping, ping, other, ping):
        await handle(ModelPing(number=1))
    of_ping, of_other = {"operation": "ping"}, {"operation": "other"}
    assert metrics.told == [
        ("cache_miss", 1, of_ping),
        ("cache_hit_ratio", 0, of_ping),
        ("cache_hit", 1, of_ping),
        ("cache_hit_ratio", 1 / 2, of_ping),
        ("cache_miss", 1, of_other),
        ("cache_hit_ratio", 0, of_other),
        ("cache_hit", 1, of_ping),
        ("cache_hit_ratio", 2 / 3, of_ping),
    ]


async def test_a_result_is_kept_as_it_is_under_the_name_of_its_handler(metrics: MixinMetrics, pong: Pong) -> None:
    handle = results(metrics).around("ping", pong.handle)
    assert await handle(ModelPing(number=1)) is await handle(ModelPing(number=1))
    assert handle.__name__ == "handle"


async def test_a_value_may_have_a_time_of_its_own(metrics: MixinMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    cache = results(metrics)
    await cache.set_cached("a", 1, ttl_seconds=10)
    await cache.set_cached("b", 2)
    now += 11
    assert [await cache.get_cached(key) for key in "abc"] == [None, 2, None]
