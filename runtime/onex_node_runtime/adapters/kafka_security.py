# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How the brokers are spoken to: encrypted or not, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tls import client_context

if TYPE_CHECKING:
    from ..settings.kafka import KafkaSettings


def security_of(settings: KafkaSettings) -> dict[str, Any]:
    """Return what clients of aiokafka are told.

    Args:
        settings: The protocol, the files and the user.

    Raises:
        ModelOnexError: CONFIGURATION_NOT_FOUND without the user that the protocol needs, INVALID_CONFIGURATION when a
            file can't be used.
    """
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(
            settings.kafka_tls_ca_file, settings.kafka_tls_cert_file, settings.kafka_tls_key_file
        )
    if protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.require("kafka_sasl_username"),
            "sasl_plain_password": settings.require("kafka_sasl_password"),
        }
    return options
