# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Kafka: messages that reach the brokers in order and at least once, also those from while the brokers are away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from pydantic import BaseModel

from ..correlation import CORRELATION_ID
from ..effects import effect
from ..json_values import json_values
from ..refusals import reason_of
from ..spans import UNTRACED
from .kafka_security import security_of
from .outbox import Outbox, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..settings.kafka import KafkaSettings
    from ..spans import Spans
    from .group import Figure

type Outcome = Exception | None
"""What went wrong with a message; None where it was delivered."""

CORRELATION_NAME = "correlation_id"
BATCH = 500
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
CLOSE_SECONDS = 1.5
# How long a client may take to end, which has nothing to send any more.
STOP_SECONDS = 0.5
# What Kafka adds to a message, and to each of its headers, at most.
OVERHEAD_BYTES = 100
HEADER_OVERHEAD_BYTES = 10
# Nothing but a change of the topic lets such a message pass; it must not hold up the others. The last three are what
# the client finds before it asks the brokers.
_REFUSED = (
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
    AssertionError,
    TypeError,
    ValueError,
)
_AWAY = (KafkaError, OSError, TimeoutError)
_MESSAGES = {
    EnumCoreErrorCode.TIMEOUT: "The brokers gave no answer in time.",
    EnumCoreErrorCode.NETWORK_ERROR: "The brokers can't be reached.",
    EnumCoreErrorCode.OPERATION_FAILED: "The brokers refused the message.",
}


@dataclass(frozen=True, slots=True)
class KafkaMessage:
    """One message.

    Attributes:
        topic: Full name of the topic.
        payload: Bytes as they are, anything else as JSON; None for no value.
        key: Messages with the same key stay in order; None spreads them.
        headers: Values by name, as text; one whose value is None is left out.
        repeated: Headers of the message that this one repeats, as they were; they come first.
    """

    topic: str
    payload: object
    key: str | bytes | None = None
    headers: Mapping[str, object] = field(default_factory=dict)
    repeated: tuple[tuple[str, bytes | None], ...] = ()

    def stored(self) -> OutboxMessage:
        """Return the message as it is kept and sent."""
        value = self.payload
        repeated = tuple((name, item or b"") for name, item in self.repeated)
        added = tuple((name, _bytes(item)) for name, item in self.headers.items() if item is not None)
        return OutboxMessage(
            topic=self.topic,
            key=self.key.encode() if isinstance(self.key, str) else self.key,
            value=value if isinstance(value, bytes) or value is None else _json(value).encode(),
            headers=repeated + added,
        )


class AdapterKafka:
    """The brokers that the node publishes to.

    Every message goes to the outbox first, and from there to the brokers, in order; one that was published is
    delivered at least once, even if the process ends in between.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        node: str,
        servers: Callable[[], str],
        check_seconds: float,
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep the settings; nothing is opened before `open` or the first message.

        Args:
            settings: Where the outbox is, and limits of messages.
            node: The node's name, for the brokers and for logs.
            servers: Gives the brokers' addresses, with commas between them; asked when they are connected to.
            check_seconds: How long a sign of life may take.
            spans: How messages are traced.
        """
        self.settings = settings
        self.servers = servers
        self._node = node
        self._check_seconds = check_seconds
        self._spans = spans
        self.outbox = Outbox(settings.outbox_path, settings.outbox_max_messages)
        self.refused = 0
        self._producer: AIOKafkaProducer | None = None
        self._relay: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._arrived = asyncio.Event()
        # Set while there is nothing that could be delivered now.
        self._idle = asyncio.Event()
        self._away = False
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start to deliver; does nothing when it goes on already.

        Raises:
            ModelOnexError: NETWORK_ERROR or TIMEOUT when the brokers are away; what is published waits for them.
        """
        await self._start()
        await self.check()

    async def close(self) -> None:
        """Deliver what waits while the brokers are there, at most for `CLOSE_SECONDS`; the rest stays on disk."""
        if self._relay is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._idle.wait()
        self._relay.cancel()
        await asyncio.wait([self._relay], timeout=STOP_SECONDS)
        self._relay = None
        await self._drop_producer(STOP_SECONDS)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=STOP_SECONDS)
        await self.outbox.close()

    async def check(self) -> None:
        """Ask the brokers for a sign of life.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND, NETWORK_ERROR or TIMEOUT when none comes; FILE_WRITE_ERROR when
                the outbox can't be written to.
        """
        try:
            async with asyncio.timeout(self._check_seconds):
                await self._start()
                producer = await self._ready_producer()
                await producer.client.fetch_all_metadata()
                await self.outbox.check()
        except Exception as error:
            raise self._translated(error) from error

    def figures(self) -> list[Figure]:
        """Return gauges: name, value and tags."""
        return [
            ("outbox_messages", float(self.outbox.size), {}),
            ("outbox_messages_refused", float(self.refused), {}),
            ("outbox_messages_set_aside", float(self.outbox.set_aside), {}),
        ]

    async def publish(self, message: KafkaMessage) -> None:
        """Publish a message.

        Returns when all replicas in sync have it or, while the brokers are away, when it is on disk.

        Args:
            message: The message.

        Raises:
            ModelOnexError: VALIDATION_ERROR for a message that is too large or empty, SERVICE_UNAVAILABLE when the
                outbox is full, OPERATION_FAILED when the brokers refuse it.
        """
        with self._spans.call("kafka publish"):
            handed_on = {**self._spans.outgoing(), CORRELATION_NAME: CORRELATION_ID.get()}
            stored = replace(message, headers={**handed_on, **message.headers}).stored()
            self._bound(stored)
            with effect():
                await self._deliver_or_keep(stored)

    def _bound(self, message: OutboxMessage) -> None:
        # Whatever the brokers' state: what they would refuse later must not be accepted now.
        size = OVERHEAD_BYTES + len(message.key or b"") + len(message.value or b"")
        size += sum(HEADER_OVERHEAD_BYTES + len(name.encode()) + len(value) for name, value in message.headers)
        wrong = ""
        if size > self.settings.kafka_max_message_bytes:
            wrong = f"The message has {size} bytes; {self.settings.kafka_max_message_bytes} is the limit."
        elif message.key is None and message.value is None:
            wrong = "The message has neither key nor value."
        if wrong:
            raise ModelOnexError(
                message=wrong, error_code=EnumCoreErrorCode.VALIDATION_ERROR, integration="kafka", topic=message.topic
            )

    async def _deliver_or_keep(self, message: OutboxMessage) -> None:
        await self._start()
        number = await self.outbox.append(message)
        delivered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = delivered
        self._idle.clear()
        self._arrived.set()
        if self._away:
            self._waiting.pop(number, None)
            return
        try:
            async with asyncio.timeout(self.settings.kafka_publish_timeout_seconds):
                await delivered
        except TimeoutError:
            if delivered.done() and not delivered.cancelled():
                delivered.result()
            # It is on disk, and goes on from there.
            return
        finally:
            self._waiting.pop(number, None)

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        """Publish an event, as ONEX's event buses do.

        Args:
            envelope: The event.
            topic: Full name of the topic.

        Raises:
            ModelOnexError: As `publish`.
        """
        correlation_id = getattr(envelope, "correlation_id", None)
        await self.publish(KafkaMessage(topic, envelope, headers={CORRELATION_NAME: correlation_id}))

    async def _start(self) -> None:
        async with self._opening:
            if self._relay is None:
                await self.outbox.open()
                # It outlives the request that starts it.
                self._relay = asyncio.create_task(self._deliver_for_ever(), context=Context())

    async def _deliver_for_ever(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._arrived.clear()
                while batch := await self.outbox.oldest(BATCH):
                    await self._deliver(await self._ready_producer(), batch)
                    pause = FIRST_PAUSE_SECONDS
                    self._note(None)
                self._idle.set()
                if self.outbox.fault:
                    # The disk may have room again.
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._arrived.wait(), LONGEST_PAUSE_SECONDS)
                    await self.outbox.tidy()
                else:
                    await self._arrived.wait()
            except Exception as error:
                self._note(error)
                await self._drop_producer(self.settings.kafka_publish_timeout_seconds)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _deliver(self, producer: AIOKafkaProducer, batch: list[tuple[int, OutboxMessage]]) -> None:
        sent: list[Coroutine[object, object, Outcome]] = []
        numbers: list[int] = []
        failure: Outcome = None
        for number, message in batch:
            try:
                acknowledged = await producer.send(
                    message.topic, value=message.value, key=message.key, headers=list(message.headers)
                )
            except _REFUSED as error:
                sent.append(_failed(error))
            except _AWAY as error:
                failure = error
                break
            else:
                sent.append(_outcome(acknowledged))
            numbers.append(number)
        outcomes = dict(zip(numbers, await asyncio.gather(*sent), strict=True))
        settled = {n: error for n, error in outcomes.items() if error is None or isinstance(error, _REFUSED)}
        # Those who wait learn it first: what then becomes of the disk changes nothing for them.
        told = {number for number, refusal in settled.items() if self._settle(number, refusal)}
        kept = {number for number, refusal in settled.items() if refusal is not None and number not in told}
        await self.outbox.remove(settled.keys() - kept)
        if kept:
            await self.outbox.put_aside(kept)
        failure = failure or next((error for n, error in outcomes.items() if n not in settled), None)
        if failure is not None:
            raise failure

    def _settle(self, number: int, error: Outcome) -> bool:
        """Tell whoever waits for a message; false where nobody does."""
        delivered = self._waiting.pop(number, None)
        waited_for = delivered is not None and not delivered.done()
        if error is not None:
            self.refused += 1
            refusal = self._translated(error)
            emit_log_event_sync(
                EnumLogLevel.ERROR,
                "message_refused",
                {"node": self._node, "number": number, "kept": not waited_for, "error": reason_of(refusal)},
            )
            if delivered is not None and waited_for:
                delivered.set_exception(refusal)
        elif delivered is not None and waited_for:
            delivered.set_result(None)
        return waited_for

    def _note(self, error: Outcome) -> None:
        if (error is not None) != self._away:
            level = EnumLogLevel.INFO if error is None else EnumLogLevel.WARNING
            line: dict[str, object] = {"node": self._node, "waiting": self.outbox.size}
            if error is not None:
                line["error"] = reason_of(self._translated(error))
            emit_log_event_sync(level, "kafka_back" if error is None else "kafka_away", line)
        self._away = error is not None
        if self._away:
            self._idle.set()
            # What waits is on disk: those who wait for the brokers need not wait any longer.
            for delivered in self._waiting.values():
                if not delivered.done():
                    delivered.set_result(None)

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.servers(),
                client_id=self._node,
                acks="all",
                enable_idempotence=True,
                max_request_size=self.settings.kafka_max_message_bytes,
                request_timeout_ms=int(self.settings.kafka_publish_timeout_seconds * 1000),
                **security_of(self.settings),
            )
            try:
                await producer.start()
            except BaseException:
                self._let_go(producer)
                raise
            if self._producer is None:
                self._producer = producer
            else:
                self._let_go(producer)
        return self._producer

    def _let_go(self, producer: AIOKafkaProducer) -> None:
        # It has sent nothing, so that nobody has to wait for brokers that may hang.
        leaving = asyncio.create_task(_stop(producer, STOP_SECONDS), context=Context())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _drop_producer(self, seconds: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer, seconds)

    def _translated(self, error: Exception) -> ModelOnexError:
        if isinstance(error, ModelOnexError):
            return error
        if isinstance(error, TimeoutError):
            code = EnumCoreErrorCode.TIMEOUT
        elif isinstance(error, _REFUSED):
            code = EnumCoreErrorCode.OPERATION_FAILED
        elif isinstance(error, _AWAY):
            code = EnumCoreErrorCode.NETWORK_ERROR
        else:
            code = EnumCoreErrorCode.OPERATION_FAILED
        return ModelOnexError(
            message=_MESSAGES[code],
            error_code=code,
            integration="kafka",
            reason=self.settings.redact(f"Kafka: {type(error).__name__}: {error}"),
        )


async def _stop(producer: AIOKafkaProducer, seconds: float) -> None:
    with suppress(*_AWAY):
        await asyncio.wait_for(producer.stop(), seconds)


async def _outcome(acknowledged: asyncio.Future[object]) -> Outcome:
    try:
        await acknowledged
    except _AWAY as error:
        return error
    return None


async def _failed(error: Exception) -> Exception:
    return error


def _json(value: object) -> str:
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(json_values(value), ensure_ascii=False)


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    plain = json_values(value)
    return (plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)).encode()
