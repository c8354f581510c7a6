"""What the runs with Kafka share: a project whose payments are handled, and what is in a topic."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.faults.harness import PATIENCE_SECONDS, Figures, Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ORDERS = "onex.evt.shop-nodes.order-placed.v1"
PAYMENTS = "onex.evt.shop-nodes.payment-received.v1"
DEAD_LETTERS = PAYMENTS + ".dlq"
QUIET_POLLS = 5
SETTINGS = {
    "KAFKA_PUBLISH_TIMEOUT_SECONDS": "1",
    "HEALTH_CHECK_TIMEOUT_SECONDS": "2",
    "DEAD_LETTER_RETRY_DELAY_SECONDS": "0.01",
    "OUTBOX_PATH": "outbox",
}
_STILL = "        raise ModelOnexError("
_ACCEPTED = '        if request.method != "fails":\n            return ModelRecordPaymentOutput(accepted=True)\n'


def write_handler(project: Path) -> Path:
    """Write the payments' handler, as its owner would: it accepts all but those that it is told to fail at."""
    (handler,) = project.glob("src/*/nodes/*/handlers/custom/handler_record_payment.py")
    text = handler.read_text(encoding="utf-8")
    if _ACCEPTED not in text:
        head, still, tail = text.partition(_STILL)
        assert still
        # A failure that another attempt might cure, so that there are some.
        tail = tail.replace("METHOD_NOT_IMPLEMENTED", "OPERATION_FAILED")
        handler.write_text(head + _ACCEPTED + still + tail, encoding="utf-8")
    return project


def order(key: str, number: int) -> dict[str, object]:
    """Return an order whose number tells its place among those of its key."""
    line = {"sku": "a", "quantity": number + 1, "unit_cents": 1}
    return {"order_id": key, "customer_id": str(uuid4()), "lines": [line]}


async def publish_until(
    process: Process, figures: Figures, enough: asyncio.Event, published: dict[str, list[int]]
) -> None:
    """Publish orders of one key, one after the other, and note those that were answered with 200."""
    key = str(uuid4())
    numbers = published.setdefault(key, [])
    number = 0
    while not enough.is_set():
        if await process.call("publish_order_placed", order(key, number), figures) == 200:
            numbers.append(number)
        number += 1


async def publish_some(process: Process, figures: Figures, count: int, published: dict[str, list[int]]) -> None:
    """Publish orders of one key, one after the other, and note those that were answered with 200."""
    key = str(uuid4())
    for number in range(count):
        if await process.call("publish_order_placed", order(key, number), figures) == 200:
            published.setdefault(key, []).append(number)


async def records_of(servers: str, topic: str, count: int) -> list[Any]:
    """Read a topic from its beginning, until it has at least so many messages and then is silent."""
    # A topic that is made later is seen with the next metadata.
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest", metadata_max_age_ms=500)
    found: list[Any] = []
    quiet = 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await consumer.start()
            while len(found) < count or quiet < QUIET_POLLS:
                batches = await consumer.getmany(timeout_ms=200)
                quiet = 0 if batches else quiet + 1
                for records in batches.values():
                    found += records
    finally:
        await consumer.stop()
    return found


def received(records: Sequence[Any]) -> dict[str, list[int]]:
    """Return the numbers of orders by key, in the order in which they came."""
    found: dict[str, list[int]] = {}
    for record in records:
        found.setdefault(record.key.decode(), []).append(json.loads(record.value)["lines"][0]["quantity"] - 1)
    return found


def compare(published: Mapping[str, Sequence[int]], found: Mapping[str, Sequence[int]], figures: Figures) -> None:
    """Count what was lost, what came twice, and the keys whose messages first came in another order."""
    firsts = {key: list(dict.fromkeys(numbers)) for key, numbers in found.items()}
    figures.facts["published"] = sum(map(len, published.values()))
    figures.facts["received"] = sum(map(len, found.values()))
    figures.facts["lost"] = sum(len(set(numbers) - set(found.get(key, ()))) for key, numbers in published.items())
    figures.facts["duplicates"] = sum(len(numbers) - len(firsts[key]) for key, numbers in found.items())
    figures.facts["keys out of order"] = sum(numbers != sorted(numbers) for numbers in firsts.values())


async def send(servers: str, topic: str, messages: Sequence[tuple[bytes, list[tuple[str, bytes]]]]) -> None:
    """Put messages into one partition of a topic, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    try:
        for value, headers in messages:
            await producer.send(topic, value=value, key=b"key", headers=headers, partition=0)
        await producer.flush()
    finally:
        await producer.stop()
