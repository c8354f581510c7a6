# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Results that are kept by their inputs."""

from pydantic import Field

from .node import NodeSettings
from .types import Count


class CacheSettings(NodeSettings):
    """Results that are kept by their inputs."""

    cache_enabled: bool = Field(default=True, description="Keep results by their inputs.")
    cache_ttl_seconds: Count = Field(default=300, description="How long a result is kept.")
    cache_max_entries: Count = Field(
        default=1000, description="Results that are kept at most; the least recently used goes first."
    )
