# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How PostgreSQL is reached, and how long it may take."""

from pydantic import Field, SecretStr

from .node import NodeSettings
from .types import Count, CountOrNone, Seconds


class DatabaseSettings(NodeSettings):
    """How PostgreSQL is reached, and how long it may take."""

    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL URL; when unset, libpq's PGHOST, PGUSER and the like are read."
    )
    database_pool_min_size: CountOrNone = Field(default=1, description="Connections that are kept open.")
    database_pool_max_size: Count = Field(
        default=10, description="Connections of calls at once; health checks have one more."
    )
    database_connect_timeout_seconds: Seconds = Field(default=5.0, description="Longest wait for a connection.")
    database_statement_timeout_seconds: Seconds = Field(default=30.0, description="Longest run of a statement.")
