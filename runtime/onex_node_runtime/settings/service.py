# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where the service listens, and its limits."""

from typing import Self

from pydantic import Field, model_validator

from .node import NodeSettings
from .types import Count, PathOrNone, Port, Seconds, SecondsOrNone


class ListenerSettings(NodeSettings):
    """Where the service listens, and its limits."""

    service_host: str = Field(default="127.0.0.1", description="Address that the service binds to.")
    service_port: Port = Field(default=8080, description="Port that the service binds to; 0 takes a free one.")
    service_max_body_bytes: Count = Field(default=1_048_576, description="Largest request body.")
    service_drain_seconds: SecondsOrNone = Field(
        default=10.0, description="Longest wait for work in flight at shutdown."
    )
    service_max_answer_bytes: Count = Field(default=16_777_216, description="Largest answer.")
    service_max_connections: Count = Field(default=1000, description="Connections at once, probes included.")
    service_receive_seconds: Seconds = Field(
        default=10.0, description="Longest wait for the head of a request, and for its body."
    )
    service_send_seconds: Seconds = Field(default=30.0, description="How long a client may leave an answer unread.")
    service_tls_cert_file: PathOrNone = Field(
        default=None, description="Certificate that the service shows, as PEM; when unset, it speaks plain HTTP."
    )
    service_tls_key_file: PathOrNone = Field(
        default=None, description="Key of that certificate; when unset, it is in the same file."
    )

    @model_validator(mode="after")
    def _key_has_certificate(self) -> Self:
        if self.service_tls_key_file is not None and self.service_tls_cert_file is None:
            message = "SERVICE_TLS_KEY_FILE needs SERVICE_TLS_CERT_FILE."
            raise ValueError(message)
        return self
