"""A read-through cache: read once for all, forgotten in time, and never in the way."""

import asyncio
import gc
import hashlib
import logging
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from doubles.redis_server import embedded_redis
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.caches import read_through
from onex_node_runtime.caches.entries_memory import EntriesMemory
from onex_node_runtime.caches.entries_redis import EntriesRedis
from onex_node_runtime.caches.read_through import Entries, Kept, ReadThrough, hashed
from onex_node_runtime.effects import EFFECTS, Effects, effect
from onex_node_runtime.operation import Operation
from onex_node_runtime.surroundings import Surroundings
from pydantic import BaseModel

from tests.runtime import building
from tests.runtime.told import Figures, lines


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
        assert request.name in {"a", "b"}
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


class Spied(EntriesMemory):
    """Remembers what it was asked for."""

    def __init__(self, *found: tuple[str | None, str]) -> None:
        super().__init__(100)
        self.found = list(found)
        self.asked: list[tuple[object, ...]] = []

    async def find(self, key: str) -> tuple[str | None, str]:
        self.asked.append(("find", key))
        return self.found.pop(0) if self.found else await super().find(key)

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        self.asked.append(("keep", key, text, lease, ttl_seconds))

    async def release(self, key: str, lease: str) -> None:
        self.asked.append(("release", key, lease))

    async def forget(self, key: str) -> None:
        self.asked.append(("forget", key))


def count(what: str, operation: str = "ask") -> tuple[str, int, dict[str, str]]:
    return what, 1, {"operation": operation}


async def test_what_is_read_is_kept_under_its_lease_and_a_failure_gives_the_lease_back() -> None:
    entries, source, figures = Spied((None, "first"), (None, "second"), (None, "")), Source(), Figures()
    cached = ReadThrough(entries, figures).around(kept(7), source.handle)
    assert cached.__name__ == "handle"
    await cached(ASK)
    source.error = LookupError("away")
    with pytest.raises(LookupError):
        await cached(ASK)
    assert entries.asked == [
        ("find", "answer:a"),
        ("keep", "answer:a", '{"number":1}', "first", 7),
        ("find", "answer:a"),
        ("release", "answer:a", "second"),
    ]
    assert figures.told == [count("cache_miss"), count("cache_miss")]


async def test_hits_are_counted_also_those_of_one_who_waits_for_another() -> None:
    entries, source, figures = Spied(('{"number": 5}', "")), Source(), Figures()
    cached = ReadThrough(entries, figures).around(kept(), source.handle)
    answers = await asyncio.gather(*(cached(ASK) for _ in range(2)))
    assert answers == [Answer(number=5)] * 2
    assert figures.told == [count("cache_hit")] * 2
    assert source.asked == 0


async def test_a_result_of_another_version_is_forgotten_and_what_is_read_not_kept() -> None:
    entries, source, figures = Spied(("no JSON", "")), Source(), Figures()
    assert (await ReadThrough(entries, figures).around(kept(), source.handle)(ASK)).number == 1
    assert entries.asked == [("find", "answer:a"), ("forget", "answer:a")]
    assert figures.told == [count("cache_miss")]


async def test_another_process_that_reads_is_asked_after_pauses_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, slept = Spied(*[(None, "")] * 7, ('{"number": 5}', "")), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    cached = ReadThrough(entries, MixinMetrics(), wait_seconds=600).around(kept(), Source().handle)
    assert (await cached(ASK)).number == 5
    assert slept == [0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.1]


async def test_another_process_is_not_waited_for_longer_than_is_said() -> None:
    entries, source = Spied((None, ""), ('{"number": 5}', "")), Source()
    cached = ReadThrough(entries, MixinMetrics(), wait_seconds=0).around(kept(), source.handle)
    assert (await cached(ASK)).number == 1
    assert entries.asked == [("find", "answer:a")]


@pytest.mark.parametrize(
    ("entries", "code"), [(Away(), str(EnumCoreErrorCode.NETWORK_ERROR)), (Hanging(), "TIMEOUT")], ids=["away", "hangs"]
)
async def test_what_goes_wrong_with_the_cache_is_counted_and_logged(
    entries: Entries, code: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    monkeypatch.setattr(read_through, "LONGEST_SECONDS", 0.01)
    figures = Figures()
    cache = ReadThrough(entries, figures)
    assert (await cache.around(kept(), Source().handle)(ASK)).number == 1
    assert figures.told == [count("cache_failure"), count("cache_miss")]
    assert lines(caplog) == [("WARNING", "cache_failed", {"operation": "ask", "error_code": code})]
    await cache.forgetting("change", Source().handle, lambda _: ["k"])(ASK)
    await asyncio.gather(*cache._forgetting)
    assert figures.told[2:] == [count("cache_failure", "change")]
    assert lines(caplog)[1:] == [("WARNING", "cache_failed", {"operation": "change", "error_code": code})]
    assert cache._forgetting == set()


class Full(Spied):
    """Entries of a server that gives what it has, and takes nothing."""

    async def keep(self, key: str, text: str, lease: str, ttl_seconds: float) -> None:
        del text, lease, ttl_seconds
        await self.forget(key)

    async def release(self, key: str, lease: str) -> None:
        del lease
        await self.forget(key)

    async def forget(self, key: str) -> None:
        raise ModelOnexError(message=key, error_code=EnumCoreErrorCode.NETWORK_ERROR)


@pytest.mark.parametrize(
    ("found", "error", "told"),
    [
        ((None, "lease"), None, [count("cache_miss"), count("cache_failure")]),
        ((None, "lease"), LookupError("away"), [count("cache_miss"), count("cache_failure")]),
        (("no JSON", ""), None, [count("cache_failure"), count("cache_miss")]),
    ],
    ids=["keeping", "giving back", "forgetting"],
)
async def test_a_cache_that_takes_nothing_is_in_nobodys_way(
    found: tuple[str | None, str], error: Exception | None, told: list[object]
) -> None:
    source, figures = Source(), Figures()
    source.error = error
    cached = ReadThrough(Full(found), figures).around(kept(), source.handle)
    (answer,) = await asyncio.gather(cached(ASK), return_exceptions=True)
    assert answer == (error or Answer(number=1))
    assert figures.told == told


class Costly(Spied):
    """Entries that note their calls, as those on a server do."""

    async def find(self, key: str) -> tuple[str | None, str]:
        with effect():
            return await super().find(key)


async def test_what_becomes_of_the_cache_is_nothing_that_the_operation_did() -> None:
    effects = Effects()
    EFFECTS.set(effects)
    await ReadThrough(Costly(), MixinMetrics()).around(kept(), Source().handle)(ASK)
    assert effects == Effects()
    assert EFFECTS.get() is effects


async def test_what_nobody_waits_for_any_more_may_fail_quietly(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    source.gate.clear()
    source.error = LookupError("away")
    cached = ReadThrough(Spied(), MixinMetrics()).around(kept(), source.handle)
    waiting = asyncio.create_task(cached(ASK))
    while not source.asked:
        await asyncio.sleep(0)
    waiting.cancel()
    source.gate.set()
    await asyncio.gather(waiting, return_exceptions=True)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
    gc.collect()
    assert caplog.text == ""


async def test_what_was_changed_is_forgotten_also_after_a_failure() -> None:
    entries, source = Spied(), Source()
    source.error = LookupError("away")
    changed = ReadThrough(entries, MixinMetrics()).forgetting("change", source.handle, lambda _: ["k", "l"])
    assert changed.__name__ == "handle"
    with pytest.raises(LookupError):
        await changed(ASK)
    assert entries.asked == [("forget", "k"), ("forget", "l")]


async def test_who_is_cancelled_waits_for_no_cache() -> None:
    source = Source()
    source.gate.clear()
    changed = ReadThrough(Hanging(), MixinMetrics()).forgetting("change", source.handle, lambda _: ["k"])
    changing = asyncio.create_task(changed(ASK))
    while not source.asked:
        await asyncio.sleep(0)
    changing.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert changing.cancelled()


def test_a_whole_input_is_told_by_its_hash() -> None:
    digest = hashlib.sha256(b'{"name":"a"}').hexdigest()
    assert hashed("answer", ASK) == f"answer:{digest}"


async def test_in_memory_only_the_latest_lease_keeps_something() -> None:
    entries = EntriesMemory(10)
    (_, before), (_, now) = await entries.find("a"), await entries.find("a")
    await entries.keep("a", "old", before, 60)
    await entries.release("a", before)
    await entries.keep("a", "new", now, 60)
    assert await entries.find("a") == ("new", "")
    # It is used up.
    await entries.keep("a", "newer", now, 60)
    assert await entries.find("a") == ("new", "")
    await entries.forget("a")
    await entries.forget("a")
    (text, lease) = await entries.find("a")
    await entries.release("a", lease)
    await entries.release("a", lease)
    await entries.keep("a", "late", lease, 60)
    assert (text, (await entries.find("a"))[0]) == (None, None)
    (text, lease) = await entries.find("a")
    await entries.forget("a")
    await entries.keep("a", "late", lease, 60)
    assert (text, (await entries.find("a"))[0]) == (None, None)


async def test_in_memory_nothing_is_kept_beyond_its_time_or_the_number_of_entries() -> None:
    entries = EntriesMemory(2)
    for key, seconds in (("a", 60), ("gone", 0), ("b", 60), ("c", 60)):
        await entries.keep(key, key, (await entries.find(key))[1], seconds)
    assert [(await entries.find(key))[0] for key in ("a", "gone", "b", "c")] == [None, None, "b", "c"]
    await entries.keep("d", "d", (await entries.find("d"))[1], -1)
    assert (await entries.find("d"))[0] is None


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
