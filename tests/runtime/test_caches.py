"""A read-through cache: read once for all, forgotten in time, and never in the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from doubles.redis_server import embedded_redis
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.caches.entries_memory import EntriesMemory
from onex_node_runtime.caches.entries_redis import EntriesRedis
from onex_node_runtime.caches.read_through import Entries, Kept, ReadThrough
from onex_node_runtime.operation import Operation
from onex_node_runtime.surroundings import Surroundings
from pydantic import BaseModel

from tests.runtime import building


class Ask(BaseModel):
    name: str


class Answer(BaseModel):
    number: int


class Source:
    """What is read: each time another number."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def handle(self, request: Ask) -> Answer:
        del request
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Answer(number=number)


def key_of(request: Ask) -> str:
    return f"answer:{request.name}"


def kept(ttl_seconds: float = 60) -> Kept[Ask, Answer]:
    return Kept("ask", key_of, Answer, ttl_seconds)


ASK = Ask(name="a")
AROUND = Surroundings(node="n", node_id=uuid4(), metrics=MixinMetrics(), redact=str)


@pytest_asyncio.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
async def entries(request: pytest.FixtureRequest) -> AsyncIterator[Entries]:
    if request.param == "memory":
        yield EntriesMemory(100)
        return
    with embedded_redis() as server:
        adapter = building.redis(building.Settings(redis_url=server.url))
        yield EntriesRedis(adapter)
        await adapter.close()


async def test_crowd_is_answered_by_one_who_reads(entries: Entries) -> None:
    source = Source()
    source.gate.clear()
    cached = ReadThrough(entries, MixinMetrics()).around(kept(), source.handle)
    crowd = [asyncio.create_task(cached(ASK)) for _ in range(50)]
    while not source.asked:
        await asyncio.sleep(0.001)
    crowd[0].cancel()
    await asyncio.sleep(0)
    source.gate.set()
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [Answer(number=1)] * 49
    assert await cached(ASK) == Answer(number=1)
    assert await cached(Ask(name="b")) == Answer(number=2)


async def test_what_is_forgotten_is_read_anew(entries: Entries) -> None:
    source = Source()
    cache = ReadThrough(entries, MixinMetrics())
    cached = cache.around(kept(), source.handle)
    change = cache.forgetting("change", Source().handle, lambda request: [key_of(request), "answer:z"])
    assert (await cached(ASK)).number == (await cached(ASK)).number == 1
    await change(ASK)
    assert (await cached(ASK)).number == 2


async def test_what_was_read_before_a_change_is_not_kept_after_it(entries: Entries) -> None:
    source = Source()
    source.gate.clear()
    cache = ReadThrough(entries, MixinMetrics())
    cached = cache.around(kept(), source.handle)
    before = asyncio.create_task(cached(ASK))
    while not source.asked:
        await asyncio.sleep(0.001)
    await cache.forgetting("change", Source().handle, lambda request: [key_of(request)])(ASK)
    after = asyncio.create_task(cached(ASK))
    await asyncio.sleep(0.05)
    source.gate.set()
    assert (await before).number == 1
    assert (await after).number == 2
    assert (await cached(ASK)).number == 2


async def test_result_is_kept_for_its_time(entries: Entries) -> None:
    source = Source()
    cached = ReadThrough(entries, MixinMetrics()).around(kept(0.05), source.handle)
    assert (await cached(ASK)).number == 1
    until = time.monotonic() + 10
    while (await cached(ASK)).number == 1:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


async def test_failure_is_not_kept(entries: Entries) -> None:
    source = Source()
    source.error = ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)
    cached = ReadThrough(entries, MixinMetrics()).around(kept(), source.handle)
    with pytest.raises(ModelOnexError):
        await cached(ASK)
    source.error = None
    assert (await cached(ASK)).number == 2
    assert (await cached(ASK)).number == 2


async def test_result_of_another_version_is_read_anew(entries: Entries) -> None:
    _, lease = await entries.find(key_of(ASK))
    await entries.keep(key_of(ASK), '{"nummer": 5}', lease, 60)
    source = Source()
    cached = ReadThrough(entries, MixinMetrics()).around(kept(), source.handle)
    assert (await cached(ASK)).number == 1
    assert (await cached(ASK)).number == 2
    assert (await cached(ASK)).number == 2


async def test_least_recently_used_goes_first() -> None:
    entries = EntriesMemory(2)
    for key in ("a", "b", "a", "c"):
        text, lease = await entries.find(key)
        if text is None:
            await entries.keep(key, key, lease, 60)
    assert [(await entries.find(key))[0] for key in ("a", "c", "b")] == ["a", "c", None]


class Away:
    """Entries of a server that is away, or hangs."""

    async def find(self, key: str) -> tuple[str | None, str]:
        raise ModelOnexError(message=key, error_code=EnumCoreErrorCode.NETWORK_ERROR)

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        raise AssertionError((key, text, lease, ttl_seconds))

    async def release(self, key: str, lease: str) -> None:
        raise AssertionError((key, lease))

    async def forget(self, key: str) -> None:
        await self.find(key)


async def test_cache_that_is_away_is_in_nobodys_way() -> None:
    source = Source()
    metrics = MixinMetrics()
    cache = ReadThrough(Away(), metrics)
    cached = cache.around(kept(), source.handle)
    assert [(await cached(ASK)).number, (await cached(ASK)).number] == [1, 2]
    assert (await cache.forgetting("change", source.handle, lambda request: [key_of(request)])(ASK)).number == 3


class Hanging(Away):
    """Entries of a server that takes requests, and answers none."""

    async def find(self, key: str) -> tuple[str | None, str]:
        await asyncio.Event().wait()
        return None, key


class Refusing(Away):
    """Entries whose lease another process has, for ever."""

    async def find(self, key: str) -> tuple[str | None, str]:
        del key
        return None, ""


@pytest.mark.parametrize("entries", [Hanging(), Refusing()])
async def test_cache_that_hangs_leaves_time_to_read(entries: Entries) -> None:
    source = Source()
    cached = ReadThrough(entries, MixinMetrics()).around(kept(), source.handle)
    operation = Operation(name="read", input_model=Ask, handle=cached, timeout_seconds=1.0, idempotent=True)
    assert (await operation.invoke({"name": "a"}, uuid4(), AROUND)).number == 1


async def test_cache_that_hangs_makes_no_failure_of_what_was_done() -> None:
    source = Source()
    cache = ReadThrough(Hanging(), MixinMetrics())
    change = cache.forgetting("change", source.handle, lambda _: [str(number) for number in range(20)])
    operation = Operation(name="change", input_model=Ask, handle=change, timeout_seconds=5.0)
    assert (await operation.invoke({"name": "a"}, uuid4(), AROUND)).number == 1


async def test_what_an_operation_may_have_changed_is_forgotten_when_its_time_is_over() -> None:
    entries, source = EntriesMemory(10), Source()
    _, lease = await entries.find("k")
    await entries.keep("k", "old", lease, 60)
    source.gate.clear()
    cache = ReadThrough(entries, MixinMetrics())
    change = cache.forgetting("change", source.handle, lambda _: ["k"])
    operation = Operation(name="change", input_model=Ask, handle=change, timeout_seconds=0.05)
    with pytest.raises(ModelOnexError) as caught:
        await operation.invoke({"name": "a"}, uuid4(), AROUND)
    assert caught.value.error_code is EnumCoreErrorCode.TIMEOUT
    await asyncio.gather(*cache._forgetting)
    assert (await entries.find("k"))[0] is None


@pytest.mark.slow
async def test_processes_share_one_read() -> None:
    with embedded_redis() as server:
        adapters = [building.redis(building.Settings(redis_url=server.url)) for _ in range(3)]
        source = Source()
        source.gate.clear()
        caches = [ReadThrough(EntriesRedis(adapter), MixinMetrics()) for adapter in adapters]
        cached = [cache.around(kept(), source.handle) for cache in caches]
        crowd = [asyncio.create_task(one(ASK)) for one in cached]
        while not source.asked:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        source.gate.set()
        assert await asyncio.gather(*crowd) == [Answer(number=1)] * 3
        for adapter in adapters:
            await adapter.close()


@pytest.mark.slow
async def test_one_who_dies_while_reading_keeps_nobody_waiting_for_long() -> None:
    with embedded_redis() as server:
        adapter = building.redis(building.Settings(redis_url=server.url))
        entries = EntriesRedis(adapter)
        await entries.find(key_of(ASK))
        cached = ReadThrough(entries, MixinMetrics(), wait_seconds=0.1).around(kept(), Source().handle)
        assert (await cached(ASK)).number == 1
        await adapter.close()
