# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How messages reach the brokers."""

from pathlib import Path

from pydantic import Field

from .node import NodeSettings
from .types import Count, KafkaProtocol, MessageBytes, PathOrNone, SaslMechanism, Seconds, SecretOrNone


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
    kafka_security_protocol: KafkaProtocol = Field(
        default="PLAINTEXT", description="How the brokers are spoken to: with TLS where it ends in SSL."
    )
    kafka_sasl_mechanism: SaslMechanism = Field(
        default="SCRAM-SHA-512", description="How the node says who it is, where the protocol begins with SASL."
    )
    kafka_sasl_username: str | None = Field(default=None, description="User for the brokers.")
    kafka_sasl_password: SecretOrNone = Field(default=None, description="Password for the brokers.")
    kafka_tls_ca_file: PathOrNone = Field(
        default=None,
        description="Certificates that the brokers are trusted by, as PEM; when unset, those of the system.",
    )
    kafka_tls_cert_file: PathOrNone = Field(
        default=None, description="Certificate that the node shows to the brokers, as PEM."
    )
    kafka_tls_key_file: PathOrNone = Field(
        default=None, description="Key of that certificate; when unset, it is in the same file."
    )
