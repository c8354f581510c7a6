# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Limits of the client of Redis."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, PathOrNone, Seconds


class RedisSettings(NodeSettings):
    """Limits of the client of Redis."""

    redis_max_connections: Count = Field(
        default=10, description="Connections of calls at once; health checks have one more."
    )
    redis_timeout_seconds: Seconds = Field(default=5.0, description="Longest wait for a reply.")
    redis_tls_ca_file: PathOrNone = Field(
        default=None, description="Certificates that Redis is trusted by, as PEM; when unset, those of the system."
    )
    redis_tls_cert_file: PathOrNone = Field(
        default=None, description="Certificate that the node shows to Redis, as PEM."
    )
    redis_tls_key_file: PathOrNone = Field(
        default=None, description="Key of that certificate; when unset, it is in the same file."
    )
