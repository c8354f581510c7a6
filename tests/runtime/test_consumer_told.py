"""What a consumer asks of Kafka and tells of itself: commits, pauses, counters with their tags, lines of the log."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime import consumer as consuming
from onex_node_runtime.adapters.adapter_kafka import KafkaMessage
from onex_node_runtime.consumer import Consumer, Consumption, DeadLetters
from onex_node_runtime.correlation import CALLER_CORRELATION_ID, FOREIGN
from onex_node_runtime.serving.selection import Member, Selection
from onex_node_runtime.settings.kafka import KafkaSettings
from onex_node_runtime.spans import Spans
from pydantic import BaseModel, JsonValue

TOPIC, OTHER = "paid", "sent"
REQUEST = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
AT = TopicPartition(TOPIC, 2)
NEXT = TopicPartition(TOPIC, 3)
NEW = TopicPartition(TOPIC, 4)
CORRELATED = ("correlation_id", str(REQUEST).encode())


class EnumOperation(StrEnum):
    PAY = "pay"
    SEND = "send"


class ModelRequest(BaseModel):
    operation: EnumOperation
    payload: dict[str, JsonValue]
    correlation_id: UUID


class ModelAmount(BaseModel):
    size: int


@dataclass(frozen=True)
class Record:
    """A message as the client gives it."""

    value: bytes | None = b'{"a": 1}'
    topic: str = TOPIC
    key: bytes | None = b"key"
    headers: tuple[tuple[str, bytes | None], ...] = (CORRELATED,)
    partition: int = 2
    offset: int = 40


type Batch = Mapping[TopicPartition, list[Record]] | Exception | Callable[[], Mapping[TopicPartition, list[Record]]]


class Client:
    """Stands for aiokafka's consumer: gives batches, or fails where one is an error, and remembers what it is told."""

    def __init__(self, batches: list[Batch], highwater: Mapping[TopicPartition, int | None]) -> None:
        self.batches = batches
        self.ends = highwater
        self.assigned = set(highwater)
        self.told: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        self.log: list[str] = []
        self.committed: dict[int, list[int]] = {}
        self.all_given = asyncio.Event()
        self.asked: set[int] = set()

    def __call__(self, *topics: str, **options: Any) -> "Client":
        self.told.append((topics, options))
        return self

    async def start(self) -> None:
        await asyncio.sleep(0)
        self.log.append("start")

    async def stop(self) -> None:
        self.log.append("stop")

    async def getmany(self, *, timeout_ms: int) -> Mapping[TopicPartition, list[Record]]:
        self.asked.add(timeout_ms)
        await asyncio.sleep(0)
        if not self.batches:
            self.all_given.set()
            return {}
        batch = self.batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return batch() if callable(batch) else batch

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            self.committed.setdefault(partition.partition, []).append(offset)

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.ends[partition]

    async def position(self, partition: TopicPartition) -> int:
        if partition == NEXT:
            raise IllegalStateError("It went.")
        assert self.ends[partition] is not None, "Nobody knows its position yet, and asking for it takes its time."
        return 48


class Brokers:
    """Stands for the adapter of Kafka: remembers what is published, or fails as often as it is told to."""

    def __init__(self, *errors: ModelOnexError) -> None:
        self.settings = KafkaSettings()
        self.errors = list(errors)
        self.published: list[KafkaMessage] = []

    def servers(self) -> str:
        return "kafka.example.org:9092"

    async def publish(self, message: KafkaMessage) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.published.append(replace(message, headers=dict(message.headers)))


class Metrics(MixinMetrics):
    """Remembers what is counted and measured, with the tags that tell one series from another."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[tuple[str, int, dict[str, str] | None]] = []
        self.measured: list[tuple[str, float, dict[str, str] | None]] = []

    def increment_counter(self, counter_name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
        self.counted.append((counter_name, value, tags))

    def record_metric(self, metric_name: str, value: float, tags: dict[str, str] | None = None) -> None:
        self.measured.append((metric_name, value, tags))

    def values_of(self, name: str) -> list[float]:
        return [value for metric, value, _ in self.measured if metric == name]


class Hidden(KafkaSettings):
    """Settings that know a secret."""

    def redact(self, text: str) -> str:
        return text.replace("hidden-word", "***")


@dataclass
class Inbox:
    """Handles requests: fails with each of its errors in turn, then keeps them."""

    errors: list[Exception] = field(default_factory=list)
    handled: list[ModelRequest] = field(default_factory=list)
    tried: int = 0

    async def handle(self, request: ModelRequest) -> None:
        self.tried += 1
        if self.errors:
            raise self.errors.pop(0)
        self.handled.append(request)


TERMS = Consumption(
    node="node_shop_effect",
    group="shop",
    operations={TOPIC: EnumOperation.PAY, OTHER: EnumOperation.SEND},
    drain_seconds=5,
    retry_delay_seconds=0.25,
    dead_letters=DeadLetters(".dead"),
)


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long everything paused, which takes no time."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    return pauses


@pytest.fixture
def consume(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Consume batches until there are none."""

    async def run(
        *batches: Batch,
        inbox: Inbox | None = None,
        terms: Consumption = TERMS,
        metrics: MixinMetrics | None = None,
        brokers: Brokers | None = None,
        highwater: Mapping[TopicPartition, int | None] | None = None,
        **given: Any,
    ) -> Client:
        client = Client(list(batches), highwater or {})
        monkeypatch.setattr(consuming, "AIOKafkaConsumer", client)
        kafka: Any = brokers or Brokers()
        handle = (inbox or Inbox()).handle
        consumer = Consumer(terms, kafka, ModelRequest, handle, metrics or MixinMetrics(), **given)
        consumer.start()
        async with asyncio.timeout(10):
            await client.all_given.wait()
            await consumer.stop()
        return client

    return run


def failure(code: EnumCoreErrorCode = EnumCoreErrorCode.TIMEOUT, message: str = "It failed.", **told: Any) -> Any:
    return ModelOnexError(message=message, error_code=code, **told)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    told = [json.loads(message) for message in caplog.messages]
    return [
        (record.levelno, line["message"], line["context"]) for record, line in zip(caplog.records, told, strict=True)
    ]


async def test_the_client_is_told_which_topics_it_takes_for_whom(consume: Callable[..., Any]) -> None:
    client = await consume()
    assert client.told == [
        (
            (TOPIC, OTHER),
            {
                "bootstrap_servers": "kafka.example.org:9092",
                "group_id": "shop",
                "client_id": "node_shop_effect",
                "enable_auto_commit": False,
                "auto_offset_reset": "earliest",
                "security_protocol": "PLAINTEXT",
            },
        )
    ]
    assert client.log == ["start", "stop"]
    assert client.asked == {500}


async def test_each_event_is_handled_by_the_operation_of_its_topic_then_counted_and_committed(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    inbox, metrics = Inbox(), Metrics()
    sent = TopicPartition(OTHER, 0)
    batches = {AT: [Record(), Record(b'{"a": 2}', offset=41)], sent: [Record(topic=OTHER, partition=0, offset=7)]}
    client = await consume(batches, inbox=inbox, metrics=metrics)
    assert sorted((request.operation, str(request.payload)) for request in inbox.handled) == [
        (EnumOperation.PAY, "{'a': 1}"),
        (EnumOperation.PAY, "{'a': 2}"),
        (EnumOperation.SEND, "{'a': 1}"),
    ]
    assert {request.correlation_id for request in inbox.handled} == {REQUEST}
    assert client.committed == {2: [41, 42], 0: [8]}
    assert sorted(metrics.counted, key=str) == [
        ("event_handled", 1, {"topic": TOPIC}),
        ("event_handled", 1, {"topic": TOPIC}),
        ("event_handled", 1, {"topic": OTHER}),
    ]
    assert caplog.messages == []


ENVELOPE = b'{"payload": {"a": 2}, "envelope_timestamp": "now"}'


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        (ENVELOPE, {"a": 2}),
        (b'{"payload": {"a": 2}}', {"payload": {"a": 2}}),
        (b'{"envelope_timestamp": "now"}', {"envelope_timestamp": "now"}),
    ],
    ids=["an envelope", "a field of that name", "a time alone"],
)
async def test_what_an_envelope_holds_is_the_payload(
    value: bytes, payload: dict[str, Any], consume: Callable[..., Any]
) -> None:
    inbox = Inbox()
    await consume({AT: [Record(value)]}, inbox=inbox)
    assert [request.payload for request in inbox.handled] == [payload]


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ((CORRELATED,), True),
        ((("X-Correlation-ID", str(REQUEST).encode()),), True),
        ((("correlation_id", None), ("CORRELATION_ID", b"\xff"), CORRELATED), True),
        ((("correlation", str(REQUEST).encode()),), False),
        ((), False),
    ],
    ids=["as ONEX", "as in HTTP", "after two that are none", "of another name", "none"],
)
async def test_events_keep_their_correlation_id_or_get_one(
    headers: tuple[tuple[str, bytes | None], ...], known: bool, consume: Callable[..., Any]
) -> None:
    inbox = Inbox()
    await consume({AT: [Record(headers=headers), Record(headers=headers, offset=41)]}, inbox=inbox)
    first, second = (request.correlation_id for request in inbox.handled)
    assert (first == REQUEST, second == REQUEST, first == second) == (known, known, known)


async def test_an_id_that_is_no_uuid_is_kept_for_the_log(consume: Callable[..., Any]) -> None:
    own: list[str] = []

    @contextmanager
    def incoming(_headers: Mapping[str, str]) -> Iterator[None]:
        own.append(CALLER_CORRELATION_ID.get())
        yield

    inbox = Inbox()
    records = [Record(headers=(("correlation_id", b"order-7"),), offset=offset) for offset in (40, 41)]
    await consume({AT: [*records, Record(offset=42)]}, inbox=inbox, spans=Spans(incoming=incoming))
    first, again, other = (request.correlation_id for request in inbox.handled)
    assert first == again != other
    assert own == ["order-7", "order-7", ""]


async def test_events_are_those_of_others_and_go_on_with_their_trace(consume: Callable[..., Any]) -> None:
    traces: list[dict[str, str]] = []
    seen: list[bool] = []

    @contextmanager
    def incoming(headers: Mapping[str, str]) -> Iterator[None]:
        traces.append(dict(headers))
        yield
        seen.append(FOREIGN.get())

    headers = (("TraceParent", b"00-\xff"), ("empty", None))
    await consume({AT: [Record(headers=headers)]}, spans=Spans(incoming=incoming))
    assert traces == [{"traceparent": "00-\ufffd", "empty": ""}]
    assert seen == [True]


@pytest.mark.parametrize(
    ("errors", "tried", "pauses", "outcome"),
    [
        ([failure()] * 3, 4, [0.25] * 3, "handled"),
        ([failure()] * 4, 4, [0.25] * 3, "buried"),
        ([failure(EnumCoreErrorCode.VALIDATION_ERROR)], 1, [], "buried"),
        ([failure(EnumCoreErrorCode.CONTRACT_VIOLATION)], 1, [], "buried"),
        ([failure(EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED)], 1, [], "buried"),
        ([failure(safe_to_repeat=True)], 2, [0.25], "handled"),
        ([failure(safe_to_repeat=False)], 1, [], "buried"),
        ([failure(retry_after_seconds=7)] * 5 + [failure()] * 3, 9, [7] * 5 + [0.25] * 3, "handled"),
        ([failure(retry_after_seconds=7)] + [failure()] * 4, 5, [7] + [0.25] * 3, "buried"),
    ],
    ids=[
        "helped in the end",
        "never helped",
        "not valid",
        "not as agreed",
        "no such operation",
        "repeated without harm",
        "done perhaps",
        "waited for turns, then failed",
        "waited for a turn, then never helped",
    ],
)
async def test_events_are_tried_again_where_that_may_help(
    errors: list[Exception],
    tried: int,
    pauses: list[float],
    outcome: str,
    consume: Callable[..., Any],
    slept: list[float],
) -> None:
    inbox, metrics = Inbox(list(errors)), Metrics()
    client = await consume({AT: [Record()]}, inbox=inbox, metrics=metrics)
    assert (inbox.tried, slept) == (tried, pauses)
    assert metrics.counted == [(f"event_{outcome}", 1, {"topic": TOPIC})]
    assert client.committed == {2: [41]}


@pytest.mark.parametrize("value", [b"\xff", b"[1]", b"", None, b"[" * 100_000])
async def test_what_is_no_json_object_is_refused_by_name(value: bytes | None, consume: Callable[..., Any]) -> None:
    inbox, brokers = Inbox(), Brokers()
    selections = {TOPIC: Selection(ModelAmount, condition=lambda _: False)}
    await consume({AT: [Record(value)]}, inbox=inbox, brokers=brokers, terms=replace(TERMS, selections=selections))
    assert inbox.tried == 0
    (letter,) = brokers.published
    assert letter.headers["dead_letter_error"] == "The message is no JSON object."
    assert letter.headers["dead_letter_error_code"] == str(EnumCoreErrorCode.VALIDATION_ERROR)
    assert letter.headers["correlation_id"] == REQUEST


async def test_selections_leave_events_out_or_take_what_they_need(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    inbox, metrics = Inbox(), Metrics()
    selection = Selection(ModelAmount, {"size": Member(("amount", "size"))}, lambda event: event.size > 1)
    records = [Record(b'{"amount": {"size": %d}}' % size, offset=40 + size) for size in (1, 2)]
    sent = TopicPartition(OTHER, 0)
    terms = replace(TERMS, selections={TOPIC: selection})
    client = await consume({AT: records, sent: [Record(topic=OTHER)]}, inbox=inbox, metrics=metrics, terms=terms)
    assert sorted(str(request.payload) for request in inbox.handled) == [
        "{'a': 1}",
        "{'amount': {'size': 2}, 'size': 2}",
    ]
    assert client.committed == {2: [42, 43], 0: [41]}
    assert ("event_left_out", 1, {"topic": TOPIC}) in metrics.counted
    assert caplog.messages == []


async def test_a_dead_letter_is_the_message_with_what_became_of_it(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    brokers, metrics = Brokers(), Metrics()
    brokers.settings = Hidden()
    inbox = Inbox([failure(message="no hidden-word")] * 4)
    record = Record(headers=(CORRELATED, ("other", b"header")))
    await consume({AT: [record]}, inbox=inbox, brokers=brokers, metrics=metrics)
    headers = {
        "correlation_id": REQUEST,
        "dead_letter_topic": TOPIC,
        "dead_letter_partition": 2,
        "dead_letter_offset": 40,
        "dead_letter_attempts": 4,
        "dead_letter_error_code": str(EnumCoreErrorCode.TIMEOUT),
        "dead_letter_error": "no ***",
    }
    assert brokers.published == [KafkaMessage("paid.dead", b'{"a": 1}', b"key", headers, record.headers)]
    assert metrics.counted == [("event_buried", 1, {"topic": TOPIC})]
    ((level, message, told),) = lines(caplog)
    assert (level, message) == (logging.ERROR, "dead_letter")
    assert told.pop("error").startswith("no ")
    assert told == {
        "node": "node_shop_effect",
        "topic": "paid.dead",
        "attempts": 4,
        "correlation_id": str(REQUEST),
    }


async def test_a_dead_letter_that_is_too_large_only_says_where_the_message_is(
    consume: Callable[..., Any],
) -> None:
    brokers = Brokers(failure(EnumCoreErrorCode.VALIDATION_ERROR, "It is too large."))
    client = await consume({AT: [Record(b"no JSON")]}, brokers=brokers)
    (letter,) = brokers.published
    assert (letter.topic, letter.payload, letter.key, letter.repeated) == ("paid.dead", b"", None, ())
    assert letter.headers["dead_letter_left_out"] == "key, value and headers"
    assert letter.headers["dead_letter_offset"] == 40
    assert client.committed == {2: [41]}


async def test_a_message_whose_dead_letter_is_refused_is_not_committed(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture, slept: list[float]
) -> None:
    brokers, metrics = Brokers(failure(EnumCoreErrorCode.SERVICE_UNAVAILABLE, "It is full of hidden-word.")), Metrics()
    brokers.settings = Hidden()
    client = await consume(poison(1), poison(1), brokers=brokers, metrics=metrics)
    assert client.log == ["start", "stop", "start", "stop"]
    assert client.committed == {2: [1]}
    assert metrics.counted == [("event_buried", 1, {"topic": TOPIC})]
    assert slept == [0.1]
    (interrupted, _) = lines(caplog)
    level, message, told = interrupted
    assert (level, message, told["node"]) == (logging.WARNING, "consumer_interrupted", "node_shop_effect")
    assert told["error"].startswith("ModelOnexError: ")
    assert "It is full of ***." in told["error"]


async def test_without_dead_letters_it_is_logged_where_the_message_is(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    brokers, metrics = Brokers(), Metrics()
    terms = replace(TERMS, dead_letters=None, max_retries=1)
    client = await consume(
        {AT: [Record()]}, inbox=Inbox([failure()] * 2), brokers=brokers, metrics=metrics, terms=terms
    )
    assert brokers.published == []
    assert client.committed == {2: [41]}
    assert metrics.counted == [("event_given_up", 1, {"topic": TOPIC})]
    assert lines(caplog) == [
        (
            logging.ERROR,
            "event_given_up",
            {
                "node": "node_shop_effect",
                "topic": TOPIC,
                "partition": 2,
                "offset": 40,
                "attempts": 2,
                "correlation_id": str(REQUEST),
                "error": "It failed.",
            },
        )
    ]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def move(self, seconds: float) -> dict[TopicPartition, list[Record]]:
        """Move on while nothing comes."""
        self.now += seconds
        return {}


def poison(count: int) -> dict[TopicPartition, list[Record]]:
    return {AT: [Record(b"no JSON", offset=offset) for offset in range(count)]}


@pytest.mark.parametrize(("threshold", "alerts"), [(0, []), (1, [0, 1, 1]), (2, [0, 0, 1]), (3, [0, 0, 0])])
async def test_so_many_dead_letters_raise_the_alert(
    threshold: int, alerts: list[float], consume: Callable[..., Any]
) -> None:
    metrics = Metrics()
    await consume(poison(2), metrics=metrics, terms=replace(TERMS, dead_letters=DeadLetters(".dead", threshold)))
    # It is told with the first poll, which finds them, and with each of them.
    assert metrics.values_of("dead_letter_alert")[:3] == alerts


async def test_the_alert_ends_once_letters_are_old(
    consume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, clock = Metrics(), Clock()
    monkeypatch.setattr(consuming, "time", clock)
    terms = replace(TERMS, dead_letters=DeadLetters(".dead", 2, alert_window_seconds=60))

    def moved(seconds: float) -> Callable[[], Mapping[TopicPartition, list[Record]]]:
        return lambda: clock.move(seconds)

    await consume(poison(1), moved(20), poison(1), moved(40), moved(1), poison(1), metrics=metrics, terms=terms)
    assert metrics.values_of("dead_letter_alert")[:9] == [0, 0, 0, 0, 1, 1, 0, 0, 1]


async def test_without_dead_letters_there_is_no_alert(consume: Callable[..., Any]) -> None:
    metrics = Metrics()
    await consume(poison(2), metrics=metrics, terms=replace(TERMS, dead_letters=None))
    assert metrics.measured == []


async def test_brokers_that_are_away_are_asked_again_after_longer_and_longer_pauses(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture, slept: list[float]
) -> None:
    brokers = Brokers()
    brokers.settings = Hidden()
    away = KafkaConnectionError("no hidden-word")
    client = await consume(*[away] * 9, brokers=brokers)
    assert slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert client.log == ["start", "stop"] * 10
    assert lines(caplog)[0] == (
        logging.WARNING,
        "consumer_interrupted",
        {"node": "node_shop_effect", "error": "KafkaConnectionError: KafkaConnectionError: no ***"},
    )


async def test_pauses_are_short_again_once_brokers_were_back(consume: Callable[..., Any], slept: list[float]) -> None:
    away = KafkaConnectionError()
    await consume(away, away, away, {AT: [Record()]}, away)
    assert slept == [0.1, 0.2, 0.4, 0.1]


async def test_whatever_goes_wrong_is_named_and_ends_no_consumer(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox([LookupError("no such thing")])
    client = await consume({AT: [Record()]}, {AT: [Record()]}, inbox=inbox)
    assert len(inbox.handled) == 1
    assert client.committed == {2: [41]}
    assert [told["error"] for _, _, told in lines(caplog)] == ["LookupError: no such thing"]


@pytest.mark.parametrize("error", [KafkaConnectionError(), OSError(), TimeoutError()])
async def test_a_client_that_says_no_goodbye_is_left(
    error: Exception, consume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stop(_client: Client) -> None:
        raise error

    monkeypatch.setattr(Client, "stop", stop)
    await consume({AT: [Record()]})
    assert caplog.messages == []


async def test_a_client_that_hangs_at_its_end_is_left(
    consume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def stop(_client: Client) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Client, "stop", stop)
    monkeypatch.setattr(consuming, "GOODBYE_SECONDS", 0.001)
    client = await consume(LookupError("It broke."), {AT: [Record()]})
    assert client.committed == {2: [41]}
    assert [told["error"] for _, _, told in lines(caplog)] == ["LookupError: It broke."]


def lag(value: float, partition: int = 2) -> tuple[str, float, dict[str, str]]:
    return ("consumer_lag_messages", value, {"topic": TOPIC, "partition": str(partition)})


async def test_what_waits_is_measured_with_each_event_and_each_poll(
    consume: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    records = [Record(offset=40), Record(offset=47), Record(offset=52)]
    # The position of the first is 48, the second has gone, and nobody knows yet where the third ends.
    highwater = {AT: 50, NEXT: 9, NEW: None}
    await consume({AT: records}, metrics=metrics, highwater=highwater)
    assert metrics.measured[:4] == [lag(9), lag(2), lag(0), lag(2)]
    assert all(figure == lag(2) for figure in metrics.measured[4:])
    assert caplog.messages == []


async def test_what_another_process_takes_is_no_lag_of_this_one(
    consume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    commit = Client.commit

    async def lost(client: Client, offsets: dict[TopicPartition, int]) -> None:
        await commit(client, offsets)
        if offsets[AT] == 42:
            client.assigned = set()

    monkeypatch.setattr(Client, "commit", lost)
    batches: list[Batch] = [{}, {AT: [Record(), Record(offset=41)]}, {}, {}]
    await consume(*batches, metrics=metrics, highwater={AT: 50, NEW: None})
    assert metrics.measured == [lag(2), lag(9), lag(0)]


async def test_what_is_at_hand_is_finished_at_the_end_and_nothing_else_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    handled: list[ModelRequest] = []

    async def handle(request: ModelRequest) -> None:
        begun.set()
        await go_on.wait()
        handled.append(request)

    client = Client([{AT: [Record(), Record(offset=41)]}], {})
    monkeypatch.setattr(consuming, "AIOKafkaConsumer", client)
    kafka: Any = Brokers()
    consumer = Consumer(TERMS, kafka, ModelRequest, handle, MixinMetrics())
    await consumer.stop()
    consumer.start()
    await begun.wait()
    stopped = asyncio.create_task(consumer.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopped
    assert (len(handled), client.committed, client.log) == (1, {2: [41]}, ["start", "stop"])
    client.batches.append({AT: [Record(offset=41)]})
    consumer.start()
    await client.all_given.wait()
    await consumer.stop()
    await consumer.stop()
    assert (len(handled), client.committed) == (2, {2: [41, 42]})


async def test_what_takes_too_long_at_the_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def handle(_request: ModelRequest) -> None:
        begun.set()
        await asyncio.Event().wait()

    client = Client([{AT: [Record()]}], {})
    monkeypatch.setattr(consuming, "AIOKafkaConsumer", client)
    kafka: Any = Brokers()
    consumer = Consumer(replace(TERMS, drain_seconds=0.001), kafka, ModelRequest, handle, MixinMetrics())
    consumer.start()
    await begun.wait()
    await consumer.stop()
    assert (client.committed, client.log) == ({}, ["start", "stop"])
