"""Tells who listens that a node was generated, where `ONEX_EVENTS` says where: `kafka://HOST:PORT/TOPIC`."""

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from .generation import Generation

VARIABLE: Final = "ONEX_EVENTS"
EVENT_TYPE: Final = "node_generation_completed"
_SECONDS: Final = 5.0


class EventError(Exception):
    """An event could not be sent; the node is there."""


def event(made: Generation, seconds: float | None) -> dict[str, Any]:
    """Return the event: what was generated, in an envelope.

    Args:
        made: What was generated.
        seconds: How long it took, where that is known.
    """
    return {
        "message_category": "event",
        "event_type": EVENT_TYPE,
        "event_id": str(uuid.uuid4()),
        "correlation_id": os.environ.get("ONEX_CORRELATION_ID") or str(uuid.uuid4()),
        "occurred_at": datetime.now(UTC).isoformat(),
        "source": "copier-onex",
        "payload": made.as_values() | {"generation_time_ms": None if seconds is None else round(seconds * 1000, 1)},
    }


def destination(text: str) -> tuple[str, str]:
    """Return the broker and the topic that `ONEX_EVENTS` names.

    Raises:
        EventError: When it names none.
    """
    parts = urlsplit(text)
    topic = parts.path.strip("/")
    if parts.scheme != "kafka" or not parts.netloc or not topic or "@" in parts.netloc:
        raise EventError(f"{VARIABLE} is {text!r}, expected kafka://HOST:PORT/TOPIC")
    return parts.netloc, topic


def send(made: Generation, seconds: float | None = None) -> None:
    """Send the event, where the environment says where.

    Raises:
        EventError: When it can't be sent within a few seconds.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return
    broker, topic = destination(text)
    content = json.dumps(event(made, seconds), separators=(",", ":")).encode()
    try:
        # It comes with the extra `events`, and most people need it not; nor what it needs of the standard library.
        import asyncio  # noqa: PLC0415

        from aiokafka import AIOKafkaProducer  # noqa: PLC0415
        from aiokafka.errors import KafkaError  # noqa: PLC0415
    except ImportError as error:
        raise EventError(f"{VARIABLE} needs aiokafka: install copier-onex[events]") from error

    async def produce() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
        try:
            await producer.start()
            await producer.send_and_wait(topic, content, key=made.node.encode())
        finally:
            await producer.stop()

    try:
        asyncio.run(asyncio.wait_for(produce(), _SECONDS))
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        raise EventError(f"the event is not sent to {topic} at {broker}: {error or type(error).__name__}") from error
