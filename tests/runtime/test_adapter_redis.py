"""Redis, for real: replies, refusals, and a server that goes away and comes back."""

import asyncio
from collections.abc import Iterator

import pytest
from doubles.redis_server import embedded_redis, redis_url
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_redis import AdapterRedis, decoded, encoded, member, scored

from tests.runtime.building import Settings
from tests.runtime.building import redis as adapter_of


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with redis_url() as url:
        yield url


def settings_of(url: str) -> Settings:
    return Settings(redis_url=url, circuit_breaker_recovery_seconds=0.1)


async def code_of(adapter: AdapterRedis) -> object:
    """Return the code of the error that a command ends in, or None."""
    try:
        await adapter.send(["GET", "onex-test"], idempotent=True)
    except ModelOnexError as error:
        return error.error_code
    return None


async def test_keys_go_away(url: str) -> None:
    adapter = adapter_of(settings_of(url))
    await adapter.send(["SET", "onex-test", "text"], idempotent=True)
    assert await adapter.send(["GET", "onex-test"], ["EXPIRE", "onex-test", 60], idempotent=True) == "text"
    assert 0 < await adapter.send(["TTL", "onex-test"], idempotent=True) <= 60
    await adapter.send(["DEL", "onex-test"], idempotent=True)
    assert await adapter.send(["GET", "onex-test"], idempotent=True) is None
    await adapter.close()
    await adapter.close()


async def test_scores_come_with_their_values(url: str) -> None:
    adapter = adapter_of(settings_of(url))
    await adapter.send(["DEL", "onex-test"])
    for value, score in (("b", 2.5), ("a", 1)):
        await adapter.send(["ZADD", "onex-test", "NX", score, value])
    assert await adapter.send(["ZADD", "onex-test", "NX", 9, "a"]) == 0
    both = [("a", 1.0), ("b", 2.5)]
    assert scored(await adapter.send(["ZRANGE", "onex-test", 0, -1, "WITHSCORES"])) == both
    assert (
        scored(await adapter.send(["ZREVRANGEBYSCORE", "onex-test", "+inf", 2, "WITHSCORES", "LIMIT", 0, 5]))
        == both[1:]
    )
    assert await adapter.send(["ZREVRANK", "onex-test", "a"]) == 1
    assert scored(await adapter.send(["ZPOPMIN", "onex-test"])) == both[:1]
    assert (
        await adapter.send(["ZSCORE", "onex-test", "b"]) == await adapter.send(["ZINCRBY", "onex-test", 0, "b"]) == 2.5
    )
    assert scored(await adapter.send(["ZPOPMAX", "onex-test"])) == both[1:]
    assert not await adapter.send(["ZPOPMAX", "onex-test"])
    assert scored([["a", "1"]]) == [("a", 1.0)]
    assert scored([]) == []
    await adapter.close()


def test_values_are_stored_as_json() -> None:
    assert encoded({"text": "ä"}) == '{"text": "ä"}'


def test_values_come_back_as_they_were() -> None:
    value = {"text": "ä\n", "number": 1.5, "list": [1, None, True]}
    assert decoded(encoded(value)) == value


def test_text_of_others_is_taken_as_it_is() -> None:
    assert decoded("not JSON") == "not JSON"
    assert decoded(None) is None


def test_what_is_no_mapping_has_no_members() -> None:
    assert member({"number": 1.5}, "number") == 1.5
    assert member([1.5], "number") is None


async def test_command_that_is_refused_is_no_outage(url: str) -> None:
    adapter = adapter_of(settings_of(url))
    with pytest.raises(ModelOnexError) as caught:
        await adapter.send(["GETSET"], idempotent=True)
    assert caught.value.error_code is EnumCoreErrorCode.OPERATION_FAILED
    await adapter.close()


@pytest.mark.parametrize(
    ("stored", "command", "code"),
    [
        (["SET", "onex-test", "text"], ["INCRBY", "onex-test", 1], EnumCoreErrorCode.CONTRACT_VIOLATION),
        (["SET", "onex-test", "text"], ["LPUSH", "onex-test", "a"], EnumCoreErrorCode.CONTRACT_VIOLATION),
        (["HSET", "onex-test", "a", "b"], ["GET", "onex-test"], EnumCoreErrorCode.CONTRACT_VIOLATION),
        (["SET", "onex-test", 2**63 - 1], ["INCRBY", "onex-test", 1], EnumCoreErrorCode.VALIDATION_ERROR),
        (["SET", "onex-test", 1], ["INCRBY", "onex-test", 2**63], EnumCoreErrorCode.VALIDATION_ERROR),
        (["SET", "onex-test", 1], ["SET", "onex-test", 1, "EX", 0], EnumCoreErrorCode.VALIDATION_ERROR),
        (["SET", "onex-test", b"\xff"], ["GET", "onex-test"], EnumCoreErrorCode.CONTRACT_VIOLATION),
    ],
)
async def test_value_of_another_kind_is_told_from_a_bad_request(
    url: str,
    stored: list[str | float | bytes],
    command: list[str | float | bytes],
    code: EnumCoreErrorCode,
) -> None:
    adapter = adapter_of(settings_of(url))
    await adapter.send(["DEL", "onex-test"], idempotent=True)
    await adapter.send(stored, idempotent=True)
    with pytest.raises(ModelOnexError) as caught:
        await adapter.send(command, idempotent=True)
    assert caught.value.error_code is code
    await adapter.send(["DEL", "onex-test"], idempotent=True)
    await adapter.close()


async def test_crash_and_recovery() -> None:
    with embedded_redis() as server:
        adapter = adapter_of(settings_of(server.url))
        await adapter.open()
        assert await code_of(adapter) is None
        server.crash()
        assert await code_of(adapter) in {
            EnumCoreErrorCode.NETWORK_ERROR,
            EnumCoreErrorCode.SERVICE_UNAVAILABLE,
            EnumCoreErrorCode.TIMEOUT,
        }
        with pytest.raises(ModelOnexError):
            await adapter.check()
        server.start()
        async with asyncio.timeout(60):
            while await code_of(adapter) is not None:
                await asyncio.sleep(0.05)
        await adapter.check()
        await adapter.close()
