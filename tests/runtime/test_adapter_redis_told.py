"""Commands on a server that answers as it is told: what is sent, and what its answers and its silence become."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters import adapter_redis
from onex_node_runtime.adapters.adapter_redis import AdapterRedis, decoded, encoded, member, scored
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.spans import UNTRACED, Spans

from tests.runtime.building import Settings

TWICE = RetryPolicy(max_attempts=2, initial_delay_seconds=0, max_delay_seconds=0, backoff_multiplier=1)
LOST, SILENT = b"lost", b"silent"


class Server:
    """Speaks Redis's protocol.

    Attributes:
        answers: What the next commands get: words of the protocol, LOST for the end of the connection, or SILENT.
        commands: What it was sent, without what a client says of itself.
    """

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.commands: list[list[bytes]] = []
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queued = False
        while head := await reader.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            if words[0] in {b"CLIENT", b"HELLO"}:
                writer.write(b"+OK\r\n")
                continue
            self.commands.append(words)
            if words[0] in {b"MULTI", b"EXEC"}:
                queued = words[0] == b"MULTI"
            elif queued:
                writer.write(b"+QUEUED\r\n")
                continue
            answer = b"+OK" if queued else self.answers.pop(0)
            if answer == LOST:
                break
            if answer != SILENT:
                writer.write(answer + b"\r\n")
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.talk, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    yield found
    listening.close()


@pytest.fixture
async def adapter(server: Server) -> AsyncIterator[AdapterRedis]:
    found = adapter_of(f"redis://127.0.0.1:{server.port}/0")
    yield found
    await found.close()


def adapter_of(
    url: str, *, retry: RetryPolicy | None = None, spans: Spans = UNTRACED, check_seconds: float = 20.0, **others: Any
) -> AdapterRedis:
    return AdapterRedis(
        Settings(redis_url=url, **others), url=lambda: url, guard=Guard(retry), check_seconds=check_seconds, spans=spans
    )


async def refused(attempt: Any) -> tuple[object, str, Mapping[str, Any]]:
    with pytest.raises(ModelOnexError) as caught:
        await attempt
    return caught.value.error_code, caught.value.message, caught.value.context["additional_context"]


async def test_words_are_sent_as_they_are(server: Server, adapter: AdapterRedis) -> None:
    server.answers = [b"$3\r\n\xc3\xa4b"]
    assert await adapter.send(["GET", "k", 5, 1.5, b"\xff"]) == "\u00e4b"
    server.answers = [b"*2\r\n:4\r\n:1"]
    assert await adapter.send(["INCRBY", "k", 4], ["EXPIRE", "k", 60]) == 4
    assert server.commands == [
        [b"GET", b"k", b"5", b"1.5", b"\xff"],
        [b"MULTI"],
        [b"INCRBY", b"k", b"4"],
        [b"EXPIRE", b"k", b"60"],
        [b"EXEC"],
    ]


OTHER, SIZE = EnumCoreErrorCode.CONTRACT_VIOLATION, EnumCoreErrorCode.VALIDATION_ERROR
OTHER_SAID = "What Redis keeps is of another kind than the contract says."
SIZE_SAID, AWAY_SAID = "Redis does not take a number of this size.", "Redis can't be reached."
AWAY = EnumCoreErrorCode.NETWORK_ERROR


@pytest.mark.parametrize(
    ("answer", "code", "message", "reason", "open_"),
    [
        (b"-WRONGTYPE no", OTHER, OTHER_SAID, "ResponseError: WRONGTYPE no", False),
        (
            b"-ERR value is not an integer",
            OTHER,
            OTHER_SAID,
            "ResponseError: value is not an integer",
            False,
        ),
        (
            b"-ERR hash value is not an integer",
            OTHER,
            OTHER_SAID,
            "ResponseError: hash value is not an integer",
            False,
        ),
        (
            b"-ERR increment or decrement would overflow",
            SIZE,
            SIZE_SAID,
            "ResponseError: increment or decrement would overflow",
            False,
        ),
        (b"-ERR invalid expire time in 'set'", SIZE, SIZE_SAID, "ResponseError: invalid expire time in 'set'", False),
        (
            b"-ERR no hidden-word",
            EnumCoreErrorCode.OPERATION_FAILED,
            "Redis refused the command.",
            "ResponseError: no ***",
            False,
        ),
        (b"-LOADING it", AWAY, AWAY_SAID, "BusyLoadingError: it", False),
        (b"-READONLY it", AWAY, AWAY_SAID, "ReadOnlyError: it", False),
        (LOST, AWAY, AWAY_SAID, "ConnectionError: Connection closed by server.", True),
        (
            b"$1\r\n\xff",
            OTHER,
            OTHER_SAID,
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
            False,
        ),
        (
            SILENT,
            EnumCoreErrorCode.TIMEOUT,
            "Redis gave no answer in time.",
            "TimeoutError: Timeout reading from 127.0.0.1",
            True,
        ),
    ],
)
async def test_an_answer_is_told_and_silence_leaves_the_outcome_open(
    server: Server, answer: bytes, code: EnumCoreErrorCode, message: str, reason: str, open_: bool
) -> None:
    adapter = AdapterRedis(
        Settings(redis_url=f"redis://127.0.0.1:{server.port}", redis_timeout_seconds=0.3 if answer == SILENT else 20.0),
        url=lambda: f"redis://127.0.0.1:{server.port}",
        guard=Guard(),
        check_seconds=1.0,
    )
    for idempotent in (False, True):
        EFFECTS.set(effects := Effects())
        server.answers = [answer]
        code_, message_, details = await refused(adapter.send(["SET", "k", "v"], idempotent=idempotent))
        assert (code_, message_) == (code, message)
        said = details["reason"].removesuffix(f":{server.port}")
        assert (details["integration"], details["outcome_unknown"], said) == ("redis", open_, f"Redis: {reason}")
        assert (effects.in_doubt, effects.lasting) == (open_, open_ and not idempotent)
    assert len(server.commands) == 2
    await adapter.close()


async def test_a_command_that_succeeds_has_an_effect_that_lasts(server: Server, adapter: AdapterRedis) -> None:
    server.answers = [b"+OK", b"+OK"]
    for idempotent in (False, True):
        EFFECTS.set(effects := Effects())
        await adapter.send(["SET", "k", "v"], idempotent=idempotent)
        assert (effects.in_doubt, effects.lasting) == (False, not idempotent)


@pytest.mark.parametrize(
    ("answer", "idempotent", "times"),
    [(LOST, False, 1), (LOST, True, 2), (b"-LOADING it", False, 2), (b"-ERR no", True, 1)],
)
async def test_what_may_go_better_is_sent_again(server: Server, answer: bytes, idempotent: bool, times: int) -> None:
    for nodes, own in ((TWICE, None), (None, TWICE)):
        adapter = adapter_of(f"redis://127.0.0.1:{server.port}", retry=nodes)
        server.answers, server.commands = [answer, answer], []
        await refused(adapter.send(["SET", "k", "v"], idempotent=idempotent, retry=own))
        assert server.commands == [[b"SET", b"k", b"v"]] * times
        await adapter.close()


async def test_a_server_that_was_not_reached_leaves_nothing_open() -> None:
    adapter = adapter_of("redis://127.0.0.1:1")
    EFFECTS.set(effects := Effects())
    code, message, details = await refused(adapter.send(["SET", "k", "v"]))
    assert (code, message, details["outcome_unknown"]) == (AWAY, AWAY_SAID, False)
    assert (effects.in_doubt, effects.lasting) == (False, False)
    assert (await refused(adapter.open()))[0] is AWAY
    await adapter.close()


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
async def test_numbers_have_64_bits(server: Server, adapter: AdapterRedis, number: int) -> None:
    told = (SIZE, "A number is too large for Redis, which has 64 bits for it.", {"integration": "redis"})
    assert await refused(adapter.send(["INCRBY", "k", number])) == told
    assert await refused(adapter.send(["GET", "k"], ["EXPIRE", "k", number])) == told
    assert server.commands == []
    server.answers = [b"+OK"]
    fits = number - 1 if number > 0 else number + 1
    await adapter.send(["INCRBY", "k", fits, 1e300])
    assert server.commands[0] == [b"INCRBY", b"k", str(fits).encode(), b"1e+300"]


@pytest.mark.parametrize("seconds", [0, -1, 9_000_000_000_001])
async def test_nothing_is_sent_that_would_expire_at_once_or_too_late(
    server: Server, adapter: AdapterRedis, seconds: int
) -> None:
    told = (SIZE, "Redis does not take a number of this size.", {"integration": "redis"})
    assert await refused(adapter.send(["EXPIRE", "k", seconds])) == told
    assert await refused(adapter.send(["HSET", "k", "f", "v"], ["EXPIRE", "k", seconds])) == told
    assert server.commands == []


async def test_a_sign_of_life_is_asked_for(server: Server) -> None:
    adapter = adapter_of(f"redis://127.0.0.1:{server.port}", check_seconds=20.0)
    server.answers = [b"+PONG", b"+PONG", LOST, b"+PONG"]
    await adapter.open()
    await adapter.check()
    assert (await refused(adapter.check()))[:2] == (AWAY, AWAY_SAID)
    await adapter.close()
    await adapter.close()
    await adapter.open()
    assert server.commands == [[b"PING"]] * 4
    await adapter.close()


async def test_a_sign_of_life_has_its_time(server: Server) -> None:
    adapter = adapter_of(f"redis://127.0.0.1:{server.port}", check_seconds=0.05, redis_timeout_seconds=20.0)
    server.answers = [SILENT]
    assert (await refused(adapter.check()))[:2] == (EnumCoreErrorCode.TIMEOUT, "Redis gave no answer in time.")
    await adapter.close()


class Made:
    """Remembers how the pool was made, which is none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = ""
        self.how: dict[str, Any] = {}
        monkeypatch.setattr(adapter_redis.Pool, "from_url", self.from_url)

    def from_url(self, url: str, **how: Any) -> None:
        self.url, self.how = url, how
        raise ValueError("no hidden-word")

    async def by(self, url: str, **others: Any) -> dict[str, Any]:
        await refused(adapter_of(url, **others).send(["PING"]))
        return self.how


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    return Made(monkeypatch)


async def test_the_pool_is_made_as_settings_say(made: Made) -> None:
    adapter = adapter_of("redis://shop", redis_max_connections=3, redis_timeout_seconds=1.5)
    assert await refused(adapter.send(["PING"])) == (
        EnumCoreErrorCode.INVALID_CONFIGURATION,
        "Redis can't be used as it is configured.",
        {"integration": "redis", "outcome_unknown": False, "reason": "Redis: ValueError: no ***"},
    )
    retry = made.how.pop("retry")
    assert retry.get_retries() == 0
    assert (made.url, made.how) == (
        "redis://shop",
        {
            "decode_responses": True,
            "max_connections": 4,
            "timeout": 1.5,
            "socket_timeout": 1.5,
            "socket_connect_timeout": 1.5,
        },
    )
    assert adapter.figures() == [
        ("pool_connections_in_use", 0.0, {"integration": "redis"}),
        ("pool_connections_max", 3.0, {"integration": "redis"}),
    ]


@pytest.mark.parametrize(
    ("given", "key"),
    [({}, None), ({"cert": "cert.pem"}, "cert.pem"), ({"cert": "cert.pem", "key": "key.pem"}, "key.pem")],
)
async def test_encryption_is_as_settings_say(made: Made, given: dict[str, str], key: str | None) -> None:
    files: dict[str, Any] = {f"redis_tls_{name}_file": Path(name_of) for name, name_of in given.items()}
    how = await made.by("REDISS://shop", **files, redis_tls_ca_file=Path("ca.pem"))
    assert {name: value for name, value in how.items() if name.startswith("ssl")} == {
        "ssl_ca_certs": "ca.pem",
        "ssl_certfile": given.get("cert"),
        "ssl_keyfile": key,
        "ssl_check_hostname": True,
        "ssl_min_version": ssl.TLSVersion.TLSv1_2,
    }
    assert (await made.by("rediss://shop"))["ssl_ca_certs"] is None


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
async def test_files_that_the_url_does_not_ask_for_are_refused(made: Made, name: str) -> None:
    file: dict[str, Any] = {f"redis_tls_{name}_file": Path("a.pem")}
    adapter = adapter_of("redis://shop", **file)
    with pytest.raises(ModelOnexError) as caught:
        await adapter.check()
    assert (caught.value.error_code, caught.value.message) == (
        EnumCoreErrorCode.INVALID_CONFIGURATION,
        "Redis is only spoken to by TLS where its URL starts with rediss://.",
    )
    assert made.url == ""


async def test_outages_open_the_circuit_and_refusals_do_not(server: Server) -> None:
    url = f"redis://127.0.0.1:{server.port}"
    settings = Settings(redis_url=url, circuit_breaker_failure_threshold=2)
    guard = Guard(None, CircuitBreaker.of("redis", settings))
    adapter = AdapterRedis(settings, url=lambda: url, guard=guard, check_seconds=20.0)
    server.answers = [b"-ERR no"] * 3 + [LOST, LOST]
    codes = [(await refused(adapter.send(["SET", "k", "v"])))[0] for _ in range(6)]
    assert codes == [EnumCoreErrorCode.OPERATION_FAILED] * 3 + [AWAY] * 2 + [EnumCoreErrorCode.SERVICE_UNAVAILABLE]
    assert ("circuit_breaker_open", 1.0, {"integration": "redis"}) in adapter.figures()
    await adapter.close()


async def test_a_command_is_a_span(server: Server) -> None:
    spans: list[tuple[str, int]] = []

    @contextmanager
    def call(name: str) -> Iterator[None]:
        yield
        spans.append((name, len(server.commands)))

    adapter = adapter_of(f"redis://127.0.0.1:{server.port}", spans=Spans(call=call))
    server.answers = [b"+OK"]
    await adapter.send(["SET", "k", "v"])
    assert spans == [("redis send", 1)]
    await adapter.close()


def test_what_is_kept_is_read_whoever_kept_it() -> None:
    assert encoded({"\u00e4": [b"\xff"]}) == '{"\u00e4": ["/w=="]}'
    deep = "[" * 100_000
    assert [decoded(text) for text in ("[1]", "word", "", deep, None)] == [[1], "word", "", deep, None]
    assert [member({"a": 1}, "a"), member({"a": 1}, "b"), member("a", "a")] == [1, None, None]


def test_scores_come_in_pairs() -> None:
    assert scored(["a", "1", "b", "2.5"]) == scored([("a", 1), ["b", b"2.5"]]) == [("a", 1.0), ("b", 2.5)]
    assert scored([]) == []
    with pytest.raises(ValueError, match="shorter"):
        scored(["a", "1", "b"])
