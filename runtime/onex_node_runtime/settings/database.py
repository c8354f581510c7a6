# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How PostgreSQL is reached, and how long it may take."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, CountOrNone, PathOrNone, Seconds, SecretOrNone


class DatabaseSettings(NodeSettings):
    """How PostgreSQL is reached, and how long it may take."""

    database_url: SecretOrNone = Field(
        default=None, description="PostgreSQL URL; when unset, libpq's PGHOST, PGUSER and the like are read."
    )
    database_pool_min_size: CountOrNone = Field(default=1, description="Connections that are kept open.")
    database_pool_max_size: Count = Field(
        default=10, description="Connections of calls at once; health checks have one more."
    )
    database_connect_timeout_seconds: Seconds = Field(default=5.0, description="Longest wait for a connection.")
    database_statement_timeout_seconds: Seconds = Field(default=30.0, description="Longest run of a statement.")
    database_tls_ca_file: PathOrNone = Field(
        default=None, description="Certificates that PostgreSQL is trusted by, as PEM; when set, TLS is needed."
    )
    database_tls_cert_file: PathOrNone = Field(
        default=None, description="Certificate that the node shows to PostgreSQL, as PEM."
    )
    database_tls_key_file: PathOrNone = Field(
        default=None, description="Key of that certificate; when unset, it is in the same file."
    )
