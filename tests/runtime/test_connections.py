"""All connections in use: callers are told to come again, and nothing takes the integration for one that is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from doubles.http_server import Answer, Route, local_api
from doubles.redis_server import redis_url
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_http import HttpCall
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.connections import PATIENCE_SECONDS, Connections
from onex_node_runtime.adapters.group import Adapter
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.effects import EFFECTS, Effects
from pydantic import SecretStr

from tests.runtime.building import Settings
from tests.runtime.building import http as http_adapter
from tests.runtime.building import postgres as postgres_adapter
from tests.runtime.building import redis as redis_adapter

SLOW_SECONDS = 1.0
PATIENCE = 0.2
CROWD = 12


@dataclass(frozen=True)
class Place:
    """An integration with one connection.

    Attributes:
        adapter: Its adapter.
        guard: What stands before its calls.
        slow: Holds the connection for a while.
        quick: A call that needs it for a moment.
    """

    adapter: Adapter
    guard: Guard
    slow: Callable[[], Awaitable[object]]
    quick: Callable[[], Awaitable[object]]


def on_postgres(url: str) -> Place:
    adapter = postgres_adapter(
        Settings(database_url=SecretStr(url), database_pool_max_size=1, database_connect_timeout_seconds=PATIENCE)
    )
    return Place(
        adapter,
        adapter.guard,
        lambda: adapter.execute("SELECT pg_sleep($1)", SLOW_SECONDS),
        lambda: adapter.execute("SELECT 1"),
    )


def on_redis(url: str) -> Place:
    adapter = redis_adapter(Settings(redis_url=url, redis_max_connections=1))
    adapter._connections = Connections("redis", 1, PATIENCE)
    return Place(
        adapter,
        adapter.guard,
        lambda: adapter.send(["BLPOP", "onex-test-none", SLOW_SECONDS]),
        lambda: adapter.send(["PING"]),
    )


def on_http(url: str) -> Place:
    adapter = http_adapter(Settings(http_base_url=url, http_max_connections=1))
    adapter._connections = Connections("http", 1, PATIENCE)
    return Place(
        adapter,
        adapter.guard,
        lambda: adapter.send(HttpCall(method="POST", path="/slow")),
        lambda: adapter.send(HttpCall(method="POST", path="/quick")),
    )


@pytest.fixture(params=["postgres", "redis", "http"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "postgres":
        yield on_postgres(request.getfixturevalue("postgres"))
    elif request.param == "redis":
        with redis_url() as url:
            yield on_redis(url)
    else:
        with local_api() as api:
            api.routes.append(Route("POST", "/slow$", Answer(pause=SLOW_SECONDS)))
            yield on_http(api.url)


@asynccontextmanager
async def in_use(place: Place) -> AsyncIterator[None]:
    """Hold the only connection for as long as the context lasts, and a little longer."""
    await place.quick()
    holder = asyncio.ensure_future(place.slow())
    await asyncio.sleep(0.1)
    try:
        yield
        assert not holder.done()
    finally:
        await holder


async def refused(place: Place) -> tuple[object, str, Effects]:
    effects = Effects()
    EFFECTS.set(effects)
    with pytest.raises(ModelOnexError) as caught:
        await place.quick()
    return caught.value.error_code, caught.value.message, effects


async def test_busy_is_no_outage(place: Place) -> None:
    async with in_use(place):
        answers = await asyncio.gather(*(refused(place) for _ in range(CROWD)))
        for code, message, effects in answers:
            assert code is EnumCoreErrorCode.SERVICE_UNAVAILABLE
            assert message.endswith("are in use.")
            assert effects.safe_to_repeat
            assert not effects.in_doubt
        assert isinstance(place.guard.breaker, CircuitBreaker)
        assert place.guard.breaker.state == "closed"
        await place.adapter.check()
    await place.quick()
    await place.adapter.close()


async def test_deadline_that_ends_a_wait_is_no_failure(place: Place) -> None:
    async with in_use(place):
        for _ in range(CROWD):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await place.quick()
        assert isinstance(place.guard.breaker, CircuitBreaker)
        assert place.guard.breaker.state == "closed"
    await place.quick()
    await place.adapter.close()


async def hold(connections: Connections, seconds: float, done: list[float]) -> None:
    async with connections:
        await asyncio.sleep(seconds)
        done.append(seconds)


async def test_turns_are_in_order_and_come_back_whatever_becomes_of_those_who_wait() -> None:
    connections, done = Connections("it", 1), list[float]()
    calls = [asyncio.create_task(hold(connections, seconds, done)) for seconds in (0.03, 0.02, 0.01)]
    await asyncio.sleep(0)
    calls[1].cancel()
    await asyncio.wait(calls)
    assert done == [0.03, 0.01]
    await hold(connections, 0, done)


async def test_what_is_kept_is_free_when_it_is_clean() -> None:
    connections, clean = Connections("it", 1, 0.05), asyncio.Event()

    async def cleaning() -> None:
        await clean.wait()

    def held() -> float:
        assert connections.figures()[1] == ("pool_connections_max", 1.0, {"integration": "it"})
        return connections.figures()[0][1]

    async with connections:
        connections.keep(asyncio.create_task(cleaning()))
        assert held() == 1
    with pytest.raises(ModelOnexError):
        await hold(connections, 0, [])
    assert held() == 1
    clean.set()
    await hold(connections, 0, [])
    assert held() == 0


@pytest.mark.parametrize(("patience", "left", "most"), [(60, None, PATIENCE_SECONDS), (60, 0.2, 0.1), (0.1, 60, 0.1)])
async def test_wait_leaves_time_for_the_call(
    monkeypatch: pytest.MonkeyPatch, patience: float, left: float | None, most: float
) -> None:
    waits: list[float] = []
    timeout = asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        waits.append(seconds)
        return timeout(0.01)

    connections = Connections("it", 1, patience)
    EFFECTS.set(None if left is None else Effects(ends_at=asyncio.get_running_loop().time() + left))
    async with connections:
        monkeypatch.setattr(asyncio, "timeout", noted)
        with pytest.raises(ModelOnexError):
            await hold(connections, 0, [])
    assert waits == [pytest.approx(most, abs=0.02)]


async def test_open_breaker_refuses_before_anything_waits() -> None:
    breaker = CircuitBreaker("it", failure_threshold=1, recovery_seconds=60, half_open_max_calls=1)
    guard, connections = Guard(None, breaker), Connections("it", 1, 60)

    async def fail() -> None:
        raise ConnectionError

    def is_outage(error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    with pytest.raises(ConnectionError):
        await guard.call(fail, is_outage, is_outage, idempotent=True, connections=connections)
    async with connections, asyncio.timeout(1):
        with pytest.raises(ModelOnexError, match="circuit breaker"):
            await guard.call(fail, is_outage, is_outage, idempotent=True, connections=connections)


def of(value: float, most: float) -> list[tuple[str, float, dict[str, str]]]:
    """How many of them are in use, as figures tell it."""
    tags = {"integration": "it"}
    return [("pool_connections_in_use", value, tags), ("pool_connections_max", most, tags)]


async def test_figures_say_how_many_are_in_use_and_a_refusal_names_the_integration() -> None:
    connections = Connections("it", 2, 0.001)
    assert connections.figures() == of(0, 2)
    async with connections:
        assert connections.figures() == of(1, 2)
        async with connections:
            assert connections.figures() == of(2, 2)
            with pytest.raises(ModelOnexError) as caught:
                await hold(connections, 0, [])
            assert connections.figures() == of(2, 2)
        assert connections.figures() == of(1, 2)
    assert connections.figures() == of(0, 2)
    assert (caught.value.error_code, caught.value.message) == (
        EnumCoreErrorCode.SERVICE_UNAVAILABLE,
        "All connections to it are in use.",
    )
    assert caught.value.context["additional_context"]["integration"] == "it"


async def test_each_that_is_kept_is_free_when_it_is_clean() -> None:
    connections = Connections("it", 3)
    ends = [asyncio.Event() for _ in range(2)]

    async def cleaning(end: asyncio.Event) -> None:
        await end.wait()

    tasks = [asyncio.create_task(cleaning(end)) for end in ends]
    async with connections, connections:
        for task in tasks:
            connections.keep(task)
    assert connections.figures() == of(2, 3)
    # Others come and go in between.
    await hold(connections, 0, [])
    for end, left in zip(ends, (1, 0), strict=True):
        end.set()
        await asyncio.wait([tasks.pop(0)])
        await asyncio.sleep(0)
        assert connections.figures() == of(left, 3)
    async with connections, connections, connections:
        assert connections.figures() == of(3, 3)
