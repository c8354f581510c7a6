# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Events that a node consumes: each handled by its operation, committed afterwards, and buried when it can't be."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from pydantic import BaseModel, ValidationError

from .adapters.adapter_kafka import KafkaMessage
from .adapters.kafka_security import security_of
from .correlation import CALLER_CORRELATION_ID, FOREIGN, correlation_of
from .json_values import parsed
from .spans import UNTRACED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from aiokafka import ConsumerRecord, TopicPartition
    from omnibase_core.mixins.mixin_metrics import MixinMetrics

    from .adapters.adapter_kafka import AdapterKafka
    from .serving.selection import Selection
    from .spans import Spans

POLL_SECONDS = 0.5
GOODBYE_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
# Another attempt at the same message would fail in the same way.
_HOPELESS = {
    EnumCoreErrorCode.VALIDATION_ERROR,
    EnumCoreErrorCode.CONTRACT_VIOLATION,
    EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED,
}


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where messages go that can't be handled.

    Attributes:
        topic_suffix: What follows the name of the message's topic.
        alert_threshold: So many of them raise the alert, a gauge; 0 for no alert.
        alert_window_seconds: Within so many seconds.
    """

    topic_suffix: str
    alert_threshold: int = 0
    alert_window_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a node consumes, and how.

    Attributes:
        node: The node's name.
        group: The consumer group.
        operations: The operation that handles the events of a topic, by the topic.
        drain_seconds: How long the events at hand may take at the end.
        max_retries: Attempts after the first one.
        retry_delay_seconds: Pause between attempts.
        dead_letters: Where messages go that can't be handled; None logs them only.
        selections: What operations take of the events of a topic, by the topic; everything where nothing is said.
    """

    node: str
    group: str
    operations: Mapping[str, object]
    drain_seconds: float
    max_retries: int = 3
    retry_delay_seconds: float = 1.0
    dead_letters: DeadLetters | None = None
    selections: Mapping[str, Selection[Any]] = field(default_factory=dict)


class Consumer[RequestT: BaseModel]:
    """Takes events from Kafka in a consumer group, partitions side by side, each in order."""

    def __init__(
        self,
        terms: Consumption,
        kafka: AdapterKafka,
        model: type[RequestT],
        handle: Callable[[RequestT], Awaitable[object]],
        metrics: MixinMetrics,
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep what events are handled with; nothing is taken before `start`.

        Args:
            terms: What is consumed.
            kafka: Knows the brokers, and takes dead letters.
            model: A request: an operation, its payload and a correlation id.
            handle: Handles a request.
            metrics: Where events are counted.
            spans: Goes on with the trace that an event is part of.
        """
        self._terms = terms
        self._kafka = kafka
        self._model = model
        self._handle = handle
        self._metrics = metrics
        self._spans = spans
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False
        self._pause = FIRST_PAUSE_SECONDS
        self.dead_letters = 0
        self._measured: set[TopicPartition] = set()
        # Only whether there are so many is asked.
        self._buried: deque[float] = deque(maxlen=terms.dead_letters.alert_threshold if terms.dead_letters else 0)

    def start(self) -> None:
        """Start to take events; brokers that are away are tried again and again."""
        self._stopping = False
        self._loop = asyncio.create_task(self._consume_for_ever())

    async def stop(self) -> None:
        """Finish the events at hand, within the time of a shutdown, then stop taking any."""
        if self._loop is None:
            return
        self._stopping = True
        await asyncio.wait([self._loop], timeout=self._terms.drain_seconds)
        self._loop.cancel()
        await asyncio.wait([self._loop])
        self._loop = None

    async def _consume_for_ever(self) -> None:
        while not self._stopping:
            try:
                await self._consume()
            # Whatever it is, it must not end the consumer for good.
            except Exception as error:
                line = {
                    "node": self._terms.node,
                    "error": self._kafka.settings.redact(f"{type(error).__name__}: {error}"),
                }
                emit_log_event_sync(EnumLogLevel.WARNING, "consumer_interrupted", line)
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    async def _consume(self) -> None:
        consumer = AIOKafkaConsumer(
            *self._terms.operations,
            bootstrap_servers=self._kafka.servers(),
            group_id=self._terms.group,
            client_id=self._terms.node,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **security_of(self._kafka.settings),
        )
        try:
            await consumer.start()
            while not self._stopping:
                batches = await consumer.getmany(timeout_ms=int(POLL_SECONDS * 1000))
                self._watch()
                async with asyncio.TaskGroup() as group:
                    for partition, records in batches.items():
                        group.create_task(self._take(consumer, partition, records))
                await self._measure_lag(consumer)
                self._pause = FIRST_PAUSE_SECONDS
        except* Exception as errors:
            raise errors.exceptions[0] from errors
        finally:
            # Brokers that hang say no goodbye.
            with suppress(KafkaError, OSError):
                await asyncio.wait_for(consumer.stop(), GOODBYE_SECONDS)

    async def _take(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> None:
        for record in records:
            if self._stopping:
                return
            await self._settle(record)
            await consumer.commit({partition: record.offset + 1})
            self._note_lag(consumer, partition, record.offset + 1)

    async def _measure_lag(self, consumer: AIOKafkaConsumer) -> None:
        """Note how many events wait in the partitions that the process has; all that came so far is handled."""
        assigned = consumer.assignment()
        self._forget_lag(assigned)
        for partition in assigned:
            # Partitions go while one asks.
            with suppress(IllegalStateError):
                if partition in consumer.assignment() and consumer.highwater(partition) is not None:
                    self._note_lag(consumer, partition, await consumer.position(partition))

    def _note_lag(self, consumer: AIOKafkaConsumer, partition: TopicPartition, position: int) -> None:
        end = consumer.highwater(partition) if partition in consumer.assignment() else None
        if end is not None:
            self._measured.add(partition)
            self._record_lag(partition, max(0, end - position))

    def _forget_lag(self, kept: Collection[TopicPartition]) -> None:
        """Note that the lag of partitions which another process has is not this one's."""
        for partition in self._measured - set(kept):
            self._record_lag(partition, 0)
        self._measured &= set(kept)

    def _record_lag(self, partition: TopicPartition, messages: int) -> None:
        tags = {"topic": partition.topic, "partition": str(partition.partition)}
        self._metrics.record_metric("consumer_lag_messages", float(messages), tags)

    async def _settle(self, record: ConsumerRecord) -> None:
        """Handle a message, again after a pause where that may help, and bury it or give it up when nothing does."""
        correlation_id, own = _ids(record)
        CALLER_CORRELATION_ID.set(own)
        if not self._takes(record):
            self._count("left_out", record)
            return
        attempt = 0
        while True:
            attempt += 1
            FOREIGN.set(True)
            try:
                with self._spans.incoming(_texts(record)):
                    await self._handle(self._request(record, correlation_id))
            except ModelOnexError as error:
                # Events wait for their turn, which is no failure of theirs.
                if wait := error.context.get("additional_context", {}).get("retry_after_seconds"):
                    attempt -= 1
                    await asyncio.sleep(wait)
                    continue
                failure = error
            else:
                self._count("handled", record)
                return
            if failure.error_code in _HOPELESS or not _may_repeat(failure) or attempt > self._terms.max_retries:
                break
            await asyncio.sleep(self._terms.retry_delay_seconds)
        if self._terms.dead_letters is not None:
            await self._bury(self._terms.dead_letters, record, failure, attempt, correlation_id)
            return
        self._count("given_up", record)
        line = {
            "node": self._terms.node,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "attempts": attempt,
            "correlation_id": str(correlation_id),
            "error": failure.message,
        }
        emit_log_event_sync(EnumLogLevel.ERROR, "event_given_up", line)

    async def _bury(
        self,
        letters: DeadLetters,
        record: ConsumerRecord,
        failure: ModelOnexError,
        attempts: int,
        correlation_id: UUID,
    ) -> None:
        headers: dict[str, object] = {
            "correlation_id": correlation_id,
            "dead_letter_topic": record.topic,
            "dead_letter_partition": record.partition,
            "dead_letter_offset": record.offset,
            "dead_letter_attempts": attempts,
            "dead_letter_error_code": str(failure.error_code),
            "dead_letter_error": self._kafka.settings.redact(failure.message),
        }
        topic = f"{record.topic}{letters.topic_suffix}"
        try:
            await self._kafka.publish(KafkaMessage(topic, record.value, record.key, headers, tuple(record.headers)))
        except ModelOnexError as error:
            if error.error_code is not EnumCoreErrorCode.VALIDATION_ERROR:
                raise
            # With what comes on top it is too large; the headers say where the original is.
            headers["dead_letter_left_out"] = "key, value and headers"
            await self._kafka.publish(KafkaMessage(topic, b"", None, headers))
        self.dead_letters += 1
        self._count("buried", record)
        self._buried.append(time.monotonic())
        self._watch()
        line = {
            "node": self._terms.node,
            "topic": topic,
            "attempts": attempts,
            "correlation_id": str(correlation_id),
            "error": failure.message,
        }
        emit_log_event_sync(EnumLogLevel.ERROR, "dead_letter", line)

    def _watch(self) -> None:
        letters = self._terms.dead_letters
        if letters is None or not letters.alert_threshold:
            return
        since = time.monotonic() - letters.alert_window_seconds
        while self._buried and self._buried[0] < since:
            self._buried.popleft()
        self._metrics.record_metric("dead_letter_alert", float(len(self._buried) >= letters.alert_threshold))

    def _takes(self, record: ConsumerRecord) -> bool:
        """Tell whether the operation takes a message; what is no event is taken, so that it is refused by name."""
        selection = self._terms.selections.get(record.topic)
        if selection is None:
            return True
        try:
            payload = _payload(record)
        except (ValueError, RecursionError):
            return True
        return not isinstance(payload, dict) or selection.takes(payload)

    def _request(self, record: ConsumerRecord, correlation_id: UUID) -> RequestT:
        try:
            payload = _payload(record)
            selection = self._terms.selections.get(record.topic)
            if selection and isinstance(payload, dict):
                payload = selection.payload(payload)
            return self._model.model_validate(
                {
                    "operation": self._terms.operations[record.topic],
                    "payload": payload,
                    "correlation_id": correlation_id,
                }
            )
        # JSON that is nested too deeply is a RecursionError.
        except (ValueError, ValidationError, RecursionError) as error:
            raise ModelOnexError(
                message="The message is no JSON object.", error_code=EnumCoreErrorCode.VALIDATION_ERROR
            ) from error

    def _count(self, outcome: str, record: ConsumerRecord) -> None:
        self._metrics.increment_counter(f"event_{outcome}", tags={"topic": record.topic})


def _may_repeat(failure: ModelOnexError) -> bool:
    return failure.context.get("additional_context", {}).get("safe_to_repeat") is not False


def _payload(record: ConsumerRecord) -> Any:
    payload: Any = parsed(record.value or b"")
    if isinstance(payload, dict) and "payload" in payload and "envelope_timestamp" in payload:
        return payload["payload"]
    return payload


def _texts(record: ConsumerRecord) -> dict[str, str]:
    return {name.lower(): (value or b"").decode(errors="replace") for name, value in record.headers}


def _ids(record: ConsumerRecord) -> tuple[UUID, str]:
    named = (value for name, value in record.headers if name.lower() in {"correlation_id", "x-correlation-id"})
    return correlation_of(*((value or b"").decode(errors="replace") for value in named))
