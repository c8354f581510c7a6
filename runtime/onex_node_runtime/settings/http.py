# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Limits of the client of an HTTP API."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, Seconds


class HttpSettings(NodeSettings):
    """Limits of the client of an HTTP API."""

    http_timeout_seconds: Seconds = Field(default=30.0, description="Longest wait for an answer.")
    http_max_connections: Count = Field(
        default=100, description="Connections of calls at once; health checks have one more."
    )
    http_max_answer_bytes: Count = Field(default=10_485_760, description="Largest answer that is read.")
