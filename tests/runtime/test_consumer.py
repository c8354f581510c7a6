"""Events from Kafka: handled once and in order, tried again, and buried when nothing helps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from doubles.kafka_server import EmbeddedKafka
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.adapters.adapter_kafka import AdapterKafka
from onex_node_runtime.consumer import Consumer, Consumption, DeadLetters
from onex_node_runtime.serving.selection import Member, Selection
from pydantic import BaseModel, JsonValue

from tests.runtime.building import NODE, Settings, kafka_settings, messages_of
from tests.runtime.building import kafka as adapter_of

TOPIC = "onex.evt.shop.payment-received.v1"


class EnumOperation(StrEnum):
    PAY = "pay"


class ModelRequest(BaseModel):
    operation: EnumOperation
    payload: dict[str, JsonValue]
    correlation_id: UUID


LETTERS = DeadLetters(".dead", alert_threshold=50)
TERMS = Consumption(
    node=NODE,
    group="shop",
    operations={TOPIC: EnumOperation.PAY},
    drain_seconds=5,
    retry_delay_seconds=0.01,
    dead_letters=LETTERS,
)


def consumer_of(
    kafka: AdapterKafka,
    handle: Callable[[ModelRequest], Awaitable[None]],
    metrics: MixinMetrics,
    terms: Consumption = TERMS,
) -> Consumer[ModelRequest]:
    return Consumer(terms, kafka, ModelRequest, handle, metrics)


@pytest.fixture
def settings(broker: EmbeddedKafka, tmp_path: Path) -> Settings:
    return kafka_settings(broker.servers, tmp_path)


class Inbox:
    """Handles events: fails as often as it is told to, then keeps them."""

    def __init__(self) -> None:
        self.failures: list[EnumCoreErrorCode] = []
        self.tried = 0
        self.handled: list[ModelRequest] = []

    async def handle(self, request: ModelRequest) -> None:
        self.tried += 1
        if self.failures:
            raise ModelOnexError(message="It failed.", error_code=self.failures.pop(0))
        self.handled.append(request)


async def send(servers: str, *values: bytes, **headers: str) -> None:
    """Send raw messages to the first topic that the node consumes."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for value in values:
        pairs = [(name, text.encode()) for name, text in headers.items()]
        await producer.send_and_wait(TOPIC, value, key=b"key", headers=pairs)
    await producer.stop()


async def until(inbox: Inbox, count: int) -> None:
    async with asyncio.timeout(30):
        while len(inbox.handled) < count:
            await asyncio.sleep(0.02)


async def test_event_is_handled_once_and_committed(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    kafka, metrics = adapter_of(settings), MixinMetrics()
    identity = str(uuid4())
    await send(broker.servers, b'{"a": 1}', correlation_id=identity)
    await send(broker.servers, b'{"payload": {"a": 2}, "envelope_timestamp": "now"}')
    inbox = Inbox()
    consumer = consumer_of(kafka, inbox.handle, metrics)
    consumer.start()
    await until(inbox, 2)
    await consumer.stop()
    assert [request.payload for request in inbox.handled] == [{"a": 1}, {"a": 2}]
    assert str(inbox.handled[0].correlation_id) == identity
    assert metrics.get_metrics()["event_handled"]["value"] == 2
    await send(broker.servers, b'{"a": 3}')
    again = Inbox()
    consumer = consumer_of(kafka, again.handle, metrics)
    consumer.start()
    await until(again, 1)
    await consumer.stop()
    assert [request.payload for request in again.handled] == [{"a": 3}]
    await kafka.close()


async def test_what_waits_is_measured(broker: EmbeddedKafka, settings: Settings) -> None:
    class Recording(MixinMetrics):
        def record_metric(self, metric_name: str, value: float, tags: dict[str, str] | None = None) -> None:
            if metric_name == "consumer_lag_messages" and tags and tags["topic"] == TOPIC:
                waiting.append(value)

    waiting: list[float] = []
    kafka, inbox = adapter_of(settings), Inbox()
    await send(broker.servers, *(b'{"a": %d}' % number for number in range(20)))
    consumer = consumer_of(kafka, inbox.handle, Recording())
    consumer.start()
    await until(inbox, 20)
    async with asyncio.timeout(30):
        while not waiting or waiting[-1]:
            await asyncio.sleep(0.02)
    await consumer.stop()
    await kafka.close()
    assert max(waiting) > 0


async def test_events_that_no_operation_takes_are_left_out(broker: EmbeddedKafka, settings: Settings) -> None:
    kafka, inbox, metrics = adapter_of(settings), Inbox(), MixinMetrics()

    class Input(BaseModel):
        size: int

    selection = Selection(Input, {"size": Member(("amount", "size"))}, lambda event: event.size > 1)
    terms = replace(TERMS, selections={TOPIC: selection})
    await send(broker.servers, *(b'{"amount": {"size": %d}}' % size for size in (1, 2, 3)))
    consumer = consumer_of(kafka, inbox.handle, metrics, terms)
    consumer.start()
    await until(inbox, 2)
    await consumer.stop()
    assert [request.payload["size"] for request in inbox.handled] == [2, 3]
    assert metrics.get_metrics()["event_left_out"]["value"] == 1
    await kafka.close()


async def test_failure_is_tried_again(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    kafka, inbox = adapter_of(settings), Inbox()
    inbox.failures = [EnumCoreErrorCode.TIMEOUT]
    await send(broker.servers, b"{}")
    consumer = consumer_of(kafka, inbox.handle, MixinMetrics())
    consumer.start()
    await until(inbox, 1)
    await consumer.stop()
    assert inbox.tried == 2
    await kafka.close()


async def test_dead_letters_are_the_original_messages(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    kafka, inbox, metrics = adapter_of(settings), Inbox(), MixinMetrics()
    attempts = TERMS.max_retries + 1
    inbox.failures = [EnumCoreErrorCode.TIMEOUT] * attempts
    await send(broker.servers, b'{"a": 1}', other="header")
    await send(broker.servers, b"{}")
    consumer = consumer_of(kafka, inbox.handle, metrics)
    consumer.start()
    await until(inbox, 1)
    await consumer.stop()
    assert inbox.tried == attempts + 1
    (record,) = await messages_of(broker.servers, f"{TOPIC}.dead", 1)
    headers = dict(record.headers)
    assert (record.key, record.value, headers["other"]) == (b"key", b'{"a": 1}', b"header")
    assert headers["dead_letter_topic"] == TOPIC.encode()
    assert headers["dead_letter_attempts"] == str(attempts).encode()
    assert headers["dead_letter_error"] == b"It failed."
    assert headers["dead_letter_error_code"].endswith(b"TIMEOUT")
    await kafka.close()


async def test_dead_letter_that_is_too_large_names_its_original(broker: EmbeddedKafka, tmp_path: Path) -> None:
    settings = kafka_settings(broker.servers, tmp_path, kafka_max_message_bytes=1500)
    kafka, inbox = adapter_of(settings), Inbox()
    await send(broker.servers, b"x" * 1400)
    await send(broker.servers, b"{}")
    consumer = consumer_of(kafka, inbox.handle, MixinMetrics())
    consumer.start()
    await until(inbox, 1)
    await consumer.stop()
    (record,) = await messages_of(broker.servers, f"{TOPIC}.dead", 1)
    assert (record.key, record.value) == (None, b"")
    assert {"dead_letter_left_out", "dead_letter_offset"} <= dict(record.headers).keys()
    await kafka.close()


async def test_flood_of_poison_blocks_nothing(broker: EmbeddedKafka, tmp_path: Path) -> None:
    settings = kafka_settings(broker.servers, tmp_path)
    kafka, inbox, metrics = adapter_of(settings), Inbox(), MixinMetrics()
    await send(broker.servers, *[b"\xff no JSON", b"[1]"] * 50, b"{}")
    consumer = consumer_of(kafka, inbox.handle, metrics)
    consumer.start()
    await until(inbox, 1)
    await consumer.stop()
    assert inbox.tried == 1
    assert consumer.dead_letters == 100
    assert metrics.get_metrics()["dead_letter_alert"]["value"] == 1
    letters_of = replace(LETTERS, alert_window_seconds=0.01)
    consumer._terms = replace(TERMS, dead_letters=letters_of)
    await asyncio.sleep(0.02)
    consumer._watch()
    assert metrics.get_metrics()["dead_letter_alert"]["value"] == 0
    letters = await messages_of(broker.servers, f"{TOPIC}.dead", 100)
    assert {letter.value for letter in letters} == {b"\xff no JSON", b"[1]"}
    await kafka.close()


async def test_consumer_outlives_brokers_that_are_away(tmp_path: Path) -> None:
    settings = kafka_settings("127.0.0.1:1", tmp_path)
    consumer = consumer_of(adapter_of(settings), Inbox().handle, MixinMetrics())
    consumer.start()
    await asyncio.sleep(0.3)
    assert consumer._loop is not None
    assert not consumer._loop.done()
    await consumer.stop()


def record(value: bytes) -> Any:
    return SimpleNamespace(topic=TOPIC, value=value, key=None, headers=(), partition=0, offset=0)


async def test_without_dead_letters_a_message_is_given_up(tmp_path: Path) -> None:
    kafka, inbox, metrics = adapter_of(kafka_settings("127.0.0.1:1", tmp_path)), Inbox(), MixinMetrics()
    inbox.failures = [EnumCoreErrorCode.TIMEOUT] * 2
    consumer = consumer_of(kafka, inbox.handle, metrics, replace(TERMS, max_retries=1, dead_letters=None))
    await consumer._settle(record(b"{}"))
    assert (inbox.tried, inbox.handled) == (2, [])
    assert set(metrics.get_metrics()) == {"event_given_up"}
    assert kafka.outbox.size == 0


async def test_without_a_threshold_there_is_no_alert(tmp_path: Path) -> None:
    kafka, metrics = adapter_of(kafka_settings("127.0.0.1:1", tmp_path)), MixinMetrics()
    consumer = consumer_of(kafka, Inbox().handle, metrics, replace(TERMS, dead_letters=DeadLetters(".dead")))
    await consumer._settle(record(b"no JSON"))
    assert kafka.outbox.size == 1
    assert "dead_letter_alert" not in metrics.get_metrics()
    await kafka.close()


async def test_events_that_have_to_wait_for_their_turn_do_not_fail(tmp_path: Path) -> None:
    asked = 0

    async def handle(_request: ModelRequest) -> None:
        nonlocal asked
        asked += 1
        if asked <= 20:
            limit = EnumCoreErrorCode.RATE_LIMIT_ERROR
            raise ModelOnexError(message="Too many.", error_code=limit, retry_after_seconds=0.001)

    metrics = MixinMetrics()
    consumer = consumer_of(adapter_of(kafka_settings("127.0.0.1:1", tmp_path)), handle, metrics)
    await consumer._settle(record(b"{}"))
    assert asked == 21
    assert set(metrics.get_metrics()) == {"event_handled"}


async def test_what_must_not_be_repeated_is_not(tmp_path: Path) -> None:
    asked = 0

    async def handle(_request: ModelRequest) -> None:
        nonlocal asked
        asked += 1
        raise ModelOnexError(message="Lost.", error_code=EnumCoreErrorCode.TIMEOUT, safe_to_repeat=False)

    kafka = adapter_of(kafka_settings("127.0.0.1:1", tmp_path))
    await consumer_of(kafka, handle, MixinMetrics())._settle(record(b"{}"))
    assert (asked, kafka.outbox.size) == (1, 1)
    await kafka.close()
