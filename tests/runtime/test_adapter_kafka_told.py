"""Messages on a client that plays brokers that are there, away, slow or refusing: what is sent, told and logged."""

import asyncio
import json
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters import adapter_kafka
from onex_node_runtime.adapters.adapter_kafka import AdapterKafka, KafkaMessage
from onex_node_runtime.adapters.outbox import OutboxMessage
from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.spans import UNTRACED, Spans
from pydantic import BaseModel

from tests.runtime.building import Settings

ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
type Sent = tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]


class Brokers:
    """Answers as it is told, and remembers the clients and what they sent.

    Attributes:
        start: What the next starts of a client end in; None where it starts.
        answers: What the next messages end in: an error of the client, one of the brokers in a list, or None.
        hangs: What never ends: `start`, `acknowledge`, `metadata` or `stop`.
    """

    def __init__(self) -> None:
        self.start: list[Exception | None] = []
        self.answers: list[Exception | list[Exception] | None] = []
        self.hangs = ""
        self.made: list[dict[str, Any]] = []
        self.sent: list[Sent] = []
        self.unanswered: list[asyncio.Future[None]] = []
        self.known: set[object] = set()
        self.stopped = 0
        self.asked = 0

    def client(self, **how: Any) -> "Client":
        self.made.append(how)
        return Client(self)

    async def wait(self, what: str) -> None:
        if self.hangs == what:
            await asyncio.sleep(math.inf)


class Client:
    """A producer, and the client of it."""

    def __init__(self, brokers: Brokers) -> None:
        self.brokers = brokers
        self.client = self

    async def start(self) -> None:
        await self.brokers.wait("start")
        error = self.brokers.start.pop(0) if self.brokers.start else None
        if error is not None:
            raise error

    async def stop(self) -> None:
        self.brokers.stopped += 1
        await self.brokers.wait("stop")
        raise KafkaConnectionError("gone")

    async def fetch_all_metadata(self) -> None:
        self.brokers.asked += 1
        await self.brokers.wait("metadata")

    async def send(
        self, topic: str, *, value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[None]:
        self.brokers.known.add(CORRELATION_ID.get())
        answer = self.brokers.answers.pop(0) if self.brokers.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.brokers.sent.append((topic, key, value, headers))
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if isinstance(answer, list):
            acknowledged.set_exception(answer[0])
        elif self.brokers.hangs == "acknowledge":
            self.brokers.unanswered.append(acknowledged)
        else:
            acknowledged.set_result(None)
        return acknowledged


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Brokers:
    caplog.set_level(logging.DEBUG, logger="omnibase")
    found = Brokers()
    monkeypatch.setattr(adapter_kafka, "AIOKafkaProducer", found.client)
    monkeypatch.setattr(adapter_kafka, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(adapter_kafka, "LONGEST_PAUSE_SECONDS", 0.01)
    return found


def adapter_of(
    folder: Path, *, spans: Spans = UNTRACED, check_seconds: float = 1.0, timeout_seconds: float = 20.0, **others: Any
) -> AdapterKafka:
    settings = Settings(
        outbox_path=folder / "outbox",
        kafka_publish_timeout_seconds=timeout_seconds,
        kafka_max_message_bytes=1100,
        **others,
    )
    return AdapterKafka(
        settings, node="node_shop_effect", servers=lambda: "one:1,two:2", check_seconds=check_seconds, spans=spans
    )


async def refused(attempt: Any) -> tuple[object, str, Mapping[str, Any]]:
    with pytest.raises(ModelOnexError) as caught:
        await attempt
    return caught.value.error_code, caught.value.message, caught.value.context["additional_context"]


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    found = [
        (record.levelno, json.loads(record.getMessage())) for record in caplog.records if record.name == "omnibase"
    ]
    return [(level, line["message"], line["context"]) for level, line in found]


async def until(done: Any) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.001)


class ModelDone(BaseModel):
    """An event."""

    n: int
    correlation_id: UUID | None = None


@pytest.mark.parametrize(
    ("message", "stored"),
    [
        (
            KafkaMessage("t", {"\u00e4": [b"\xff", ID]}),
            OutboxMessage("t", None, f'{{"\u00e4": ["/w==", "{ID}"]}}'.encode()),
        ),
        (
            KafkaMessage("t", ModelDone(n=1), "\u00e4"),
            OutboxMessage("t", "\u00e4".encode(), b'{"n":1,"correlation_id":null}'),
        ),
        (KafkaMessage("t", b"\xff", b"\xfe"), OutboxMessage("t", b"\xfe", b"\xff")),
        (KafkaMessage("t", None, "k"), OutboxMessage("t", b"k", None)),
        (
            KafkaMessage(
                "t", "x", None, {"b": b"\xff", "n": 1, "o": {"\u00e4": 1}, "none": None}, (("a", b"1"), ("a", None))
            ),
            OutboxMessage(
                "t",
                None,
                b'"x"',
                (("a", b"1"), ("a", b""), ("b", b"\xff"), ("n", b"1"), ("o", '{"\u00e4": 1}'.encode())),
            ),
        ),
    ],
)
def test_a_message_is_kept_as_it_is_sent(message: KafkaMessage, stored: OutboxMessage) -> None:
    assert message.stored() == stored


async def test_a_message_is_sent_by_one_client_that_waits_for_all_replicas(brokers: Brokers, tmp_path: Path) -> None:
    spans: list[tuple[str, int]] = []

    @contextmanager
    def call(name: str) -> Iterator[None]:
        yield
        spans.append((name, len(brokers.sent)))

    EFFECTS.set(effects := Effects())
    CORRELATION_ID.set(ID)
    adapter = adapter_of(tmp_path, spans=Spans(call=call, outgoing=lambda: {"traceparent": "00-1", "h": "theirs"}))
    await adapter.open()
    await adapter.publish(KafkaMessage("t", 1, "k", {"h": "own"}))
    await adapter.publish_envelope(ModelDone(n=2, correlation_id=UUID(int=5)), "events")
    await adapter.publish_envelope({"n": 3}, "events")
    traced = ("traceparent", b"00-1")
    assert brokers.sent == [
        ("t", b"k", b"1", [traced, ("h", b"own"), ("correlation_id", str(ID).encode())]),
        (
            "events",
            None,
            f'{{"n":2,"correlation_id":"{UUID(int=5)}"}}'.encode(),
            [traced, ("h", b"theirs"), ("correlation_id", str(UUID(int=5)).encode())],
        ),
        ("events", None, b'{"n": 3}', [traced, ("h", b"theirs")]),
    ]
    # What delivers outlives the request that began it, and is within none.
    assert brokers.known == {None}
    assert spans == [("kafka publish", 1), ("kafka publish", 2), ("kafka publish", 3)]
    assert (effects.in_doubt, effects.lasting) == (False, True)
    assert brokers.made == [
        {
            "bootstrap_servers": "one:1,two:2",
            "client_id": "node_shop_effect",
            "acks": "all",
            "enable_idempotence": True,
            "max_request_size": 1100,
            "request_timeout_ms": 20_000,
            "security_protocol": "PLAINTEXT",
        }
    ]
    assert adapter.figures() == [
        ("outbox_messages", 0.0, {}),
        ("outbox_messages_refused", 0.0, {}),
        ("outbox_messages_set_aside", 0.0, {}),
    ]
    await adapter.close()
    assert brokers.stopped == 1


async def test_what_is_too_large_is_told_by_its_size(brokers: Brokers, tmp_path: Path) -> None:
    adapter = adapter_of(tmp_path)
    fits = KafkaMessage("t", b"x" * 478, "k" * 10, {"\u00e4": b"y" * 488, "b": b"z"})
    await adapter.publish(fits)
    large = (
        EnumCoreErrorCode.VALIDATION_ERROR,
        "The message has 1101 bytes; 1100 is the limit.",
        {"integration": "kafka", "topic": "t"},
    )
    for message in (
        KafkaMessage("t", b"x" * 479, "k" * 10, fits.headers),
        KafkaMessage("t", b"x" * 478, "k" * 11, fits.headers),
        KafkaMessage("t", b"x" * 478, "k" * 10, {**fits.headers, "b": b"zz"}),
        KafkaMessage("t", b"x" * 478, "k" * 10, {"\u00e4": b"y" * 488, "bb": b"z"}),
        KafkaMessage("t", b"x" * 1001),
    ):
        assert await refused(adapter.publish(message)) == large
    assert await refused(adapter.publish(KafkaMessage("t", None, headers={"a": "b"}))) == (
        EnumCoreErrorCode.VALIDATION_ERROR,
        "The message has neither key nor value.",
        {"integration": "kafka", "topic": "t"},
    )
    assert len(brokers.sent) == 1
    await adapter.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            [MessageSizeTooLargeError("no hidden-word")],
            "MessageSizeTooLargeError: [Error 10] MessageSizeTooLargeError: no ***",
        ),
        ([CorruptRecordException("no")], "CorruptRecordException: [Error 2] CorruptRecordException: no"),
        (
            TopicAuthorizationFailedError("no"),
            "TopicAuthorizationFailedError: [Error 29] TopicAuthorizationFailedError: no",
        ),
        (ValueError("no topic"), "ValueError: no topic"),
        (TypeError("no bytes"), "TypeError: no bytes"),
        (AssertionError("empty"), "AssertionError: empty"),
    ],
)
async def test_what_the_brokers_refuse_holds_nothing_up(
    brokers: Brokers,
    answer: Exception | list[Exception],
    reason: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    adapter = adapter_of(tmp_path)
    brokers.answers = [answer, None]
    assert await refused(adapter.publish(KafkaMessage("t", 1))) == (
        EnumCoreErrorCode.OPERATION_FAILED,
        "The brokers refused the message.",
        {"integration": "kafka", "reason": f"Kafka: {reason}"},
    )
    await adapter.publish(KafkaMessage("t", 2))
    assert brokers.sent[-1][2] == b"2"
    told = {"node": "node_shop_effect", "number": 1, "kept": False, "error": f"Kafka: {reason}"}
    assert lines(caplog) == [(logging.ERROR, "message_refused", told)]
    assert [value for _, value, _ in adapter.figures()] == [0.0, 1.0, 0.0]
    await adapter.close()


async def test_brokers_that_are_away_keep_nobody_waiting(
    brokers: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = adapter_of(tmp_path)
    away = KafkaConnectionError("no hidden-word")
    brokers.start = [away] * 1000
    for number in range(3):
        await adapter.publish(KafkaMessage("t", number))
    assert (adapter.outbox.size, brokers.sent) == (3, [])
    brokers.answers = [None, [MessageSizeTooLargeError("no")]]
    brokers.start = []
    await until(lambda: adapter.outbox.size == 0)
    assert [value for _, _, value, _ in brokers.sent] == [b"0", b"1", b"2"]
    await until(lambda: len(lines(caplog)) == 3)
    said = "Kafka: KafkaConnectionError: KafkaConnectionError: no ***"
    too_large = "Kafka: MessageSizeTooLargeError: [Error 10] MessageSizeTooLargeError: no"
    node = {"node": "node_shop_effect"}
    assert lines(caplog) == [
        (logging.WARNING, "kafka_away", {**node, "waiting": 1, "error": said}),
        # Nobody waits for it any more: it stays in the file.
        (logging.ERROR, "message_refused", {**node, "number": 2, "kept": True, "error": too_large}),
        (logging.INFO, "kafka_back", {**node, "waiting": 0}),
    ]
    assert [value for _, value, _ in adapter.figures()] == [0.0, 1.0, 1.0]
    await adapter.close()


async def test_a_batch_that_breaks_goes_on_behind_what_arrived(
    brokers: Brokers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = adapter_of(tmp_path)
    brokers.start = [KafkaConnectionError("away")] * 1000
    for number in range(4):
        await adapter.publish(KafkaMessage("t", number))
    # The brokers take the first, the client breaks at the third; then they don't take the third in time.
    brokers.answers = [None, None, KafkaConnectionError("lost"), [KafkaTimeoutError("late")], None, None]
    brokers.start = []
    await until(lambda: adapter.outbox.size == 0)
    assert [value for _, _, value, _ in brokers.sent] == [b"0", b"1", b"2", b"3", b"2"]
    assert next(message for _, message, _ in lines(caplog)) == "kafka_away"
    await adapter.close()


async def test_pauses_between_attempts_grow_to_their_limit(
    brokers: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def recorded(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
        await sleep(0)

    adapter = adapter_of(tmp_path)
    brokers.start = [*[KafkaConnectionError("away")] * 7, None, KafkaConnectionError("away")]
    with monkeypatch.context() as patch:
        patch.setattr("onex_node_runtime.adapters.adapter_kafka.asyncio.sleep", recorded)
        await adapter.publish(KafkaMessage("t", 1))
        async with asyncio.timeout(20):
            while adapter.outbox.size:
                await sleep(0.001)
        brokers.answers = [KafkaConnectionError("lost")]
        await adapter.publish(KafkaMessage("t", 2))
        async with asyncio.timeout(20):
            while adapter.outbox.size:
                await sleep(0.001)
    # Once a message was delivered, they begin anew.
    assert slept == [0.001, 0.002, 0.004, 0.008, 0.01, 0.01, 0.01, 0.001, 0.002]
    await adapter.close()


async def test_a_message_that_nobody_acknowledges_in_time_is_left_to_the_outbox(
    brokers: Brokers, tmp_path: Path
) -> None:
    brokers.hangs = "acknowledge"
    adapter = adapter_of(tmp_path, timeout_seconds=0.05)
    await adapter.publish(KafkaMessage("t", 1))
    await until(lambda: brokers.sent)
    assert adapter.outbox.size == 1
    assert brokers.made[0]["request_timeout_ms"] == 50
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter_kafka, "CLOSE_SECONDS", 0.01)
        await adapter.close()


@pytest.mark.parametrize(
    ("error", "code", "message", "reason"),
    [
        (TimeoutError("late"), EnumCoreErrorCode.TIMEOUT, "The brokers gave no answer in time.", "TimeoutError: late"),
        (
            OSError("no hidden-word"),
            EnumCoreErrorCode.NETWORK_ERROR,
            "The brokers can't be reached.",
            "OSError: no ***",
        ),
        (
            KafkaConnectionError("away"),
            EnumCoreErrorCode.NETWORK_ERROR,
            "The brokers can't be reached.",
            "KafkaConnectionError: KafkaConnectionError: away",
        ),
        (
            LookupError("lost"),
            EnumCoreErrorCode.OPERATION_FAILED,
            "The brokers refused the message.",
            "LookupError: lost",
        ),
        (
            ValueError("none"),
            EnumCoreErrorCode.OPERATION_FAILED,
            "The brokers refused the message.",
            "ValueError: none",
        ),
    ],
)
async def test_a_sign_of_life_that_fails_is_told(
    brokers: Brokers, error: Exception, code: EnumCoreErrorCode, message: str, reason: str, tmp_path: Path
) -> None:
    brokers.start = [error]
    adapter = adapter_of(tmp_path)
    assert await refused(adapter.open()) == (code, message, {"integration": "kafka", "reason": f"Kafka: {reason}"})
    await adapter.open()
    assert (brokers.asked, len(brokers.made)) == (1, 2)
    await adapter.close()
    # The client that did not start was let go as well.
    assert brokers.stopped == 2


@pytest.mark.parametrize("hangs", ["start", "metadata"])
async def test_a_sign_of_life_has_its_time(brokers: Brokers, hangs: str, tmp_path: Path) -> None:
    brokers.hangs = hangs
    adapter = adapter_of(tmp_path, check_seconds=0.01)
    await adapter.outbox.open()
    assert await refused(adapter.check()) == (
        EnumCoreErrorCode.TIMEOUT,
        "The brokers gave no answer in time.",
        {"integration": "kafka", "reason": "Kafka: TimeoutError: "},
    )
    await adapter.close()


async def test_a_client_that_does_not_end_keeps_nobody_waiting(
    brokers: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_kafka, "STOP_SECONDS", 0.01)
    adapter = adapter_of(tmp_path)
    await adapter.open()
    brokers.hangs = "stop"
    async with asyncio.timeout(10):
        await adapter.close()
        await adapter.close()
    assert brokers.stopped == 1


async def test_a_client_that_did_not_start_has_so_long_to_end(
    brokers: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_kafka, "STOP_SECONDS", 0.01)
    adapter = adapter_of(tmp_path)
    await adapter.outbox.open()
    brokers.start, brokers.hangs = [KafkaConnectionError("away")], "stop"
    assert (await refused(adapter.check()))[0] is EnumCoreErrorCode.NETWORK_ERROR
    async with asyncio.timeout(10):
        await adapter.close()
    assert brokers.stopped == 1


async def test_what_was_sent_is_waited_for_at_the_end(brokers: Brokers, tmp_path: Path) -> None:
    brokers.hangs = "acknowledge"
    adapter = adapter_of(tmp_path)
    sending = asyncio.create_task(adapter.publish(KafkaMessage("t", 1)))
    await until(lambda: brokers.unanswered)
    closing = asyncio.create_task(adapter.close())
    await asyncio.sleep(0)
    assert not closing.done()
    brokers.unanswered[0].set_result(None)
    await asyncio.gather(sending, closing)
    assert (adapter.outbox.size, brokers.stopped) == (0, 1)


async def test_a_disk_that_has_room_again_is_noticed(brokers: Brokers, tmp_path: Path) -> None:
    adapter = adapter_of(tmp_path)
    await adapter.open()
    full = "CREATE TRIGGER full_disk BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    await adapter.outbox._call(lambda: adapter.outbox._db.execute(full))
    await adapter.publish(KafkaMessage("t", 1))
    await until(lambda: adapter.outbox.fault)
    assert await refused(adapter.check()) == (
        EnumCoreErrorCode.FILE_WRITE_ERROR,
        "The outbox can't be written to: disk is full",
        {"integration": "kafka"},
    )
    await adapter.outbox._call(lambda: adapter.outbox._db.execute("DROP TRIGGER full_disk"))
    await until(lambda: not adapter.outbox.fault)
    assert len(brokers.sent) == 1
    await adapter.close()
