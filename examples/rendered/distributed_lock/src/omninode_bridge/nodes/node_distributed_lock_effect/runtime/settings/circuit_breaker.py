# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""When calls stop, and begin again."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, Seconds


class CircuitBreakerSettings(NodeSettings):
    """When calls stop, and begin again."""

    circuit_breaker_failure_threshold: Count = Field(default=5, description="Failures that open it.")
    circuit_breaker_recovery_seconds: Seconds = Field(default=60.0, description="Wait before a trial call.")
    circuit_breaker_half_open_max_calls: Count = Field(
        default=1, description="Trial calls that have to succeed to close it."
    )
