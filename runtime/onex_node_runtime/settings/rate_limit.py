# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How many operations the process runs."""

from pydantic import Field

from .node import NodeSettings
from .types import Count, Rate


class RateLimitSettings(NodeSettings):
    """How many operations the process runs."""

    rate_limit_enabled: bool = Field(default=True, description="Limit how many operations the process runs.")
    rate_limit_requests_per_second: Rate = Field(
        default=100.0, description="Operations each second, of all callers together."
    )
    rate_limit_burst: Count = Field(default=100, description="Operations at once after a pause.")
