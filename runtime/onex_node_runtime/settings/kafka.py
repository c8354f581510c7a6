# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How messages reach the brokers."""

from pathlib import Path

from pydantic import Field

from .node import NodeSettings
from .types import Count, MessageBytes, Seconds


class KafkaSettings(NodeSettings):
    """How messages reach the brokers."""

    kafka_publish_timeout_seconds: Seconds = Field(
        default=5.0, description="Longest wait for the brokers before a message is left to the outbox."
    )
    kafka_max_message_bytes: MessageBytes = Field(
        default=1_048_576,
        description="Largest message, with key and headers; not more than brokers and topics take.",
    )
    outbox_path: Path = Field(
        default=Path("var/node.outbox"),
        description="File that keeps messages until the brokers have them; each process needs one of its own.",
    )
    outbox_max_messages: Count = Field(
        default=10_000, description="Messages that may wait; beyond that, publishing fails."
    )
