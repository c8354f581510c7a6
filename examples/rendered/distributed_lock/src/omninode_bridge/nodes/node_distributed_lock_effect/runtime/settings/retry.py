# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""When a call is tried again."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, Growth, SecondsOrNone


class RetrySettings(NodeSettings):
    """When a call is tried again."""

    retry_max_attempts: Count = Field(default=3, description="Attempts at one call, the first included.")
    retry_initial_delay_seconds: SecondsOrNone = Field(default=0.1, description="Before the second attempt.")
    retry_max_delay_seconds: SecondsOrNone = Field(default=2.0, description="Longest delay between attempts.")
    retry_backoff_multiplier: Growth = Field(default=2.0, description="Growth of the delay.")
