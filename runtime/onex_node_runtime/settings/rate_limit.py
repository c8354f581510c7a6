# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How many operations the process runs."""

from collections.abc import Callable
from uuid import UUID

from omnibase_core.mixins.mixin_metrics import MixinMetrics
from pydantic import Field

from ..entry import admit_all
from ..rate_limit import RateLimit, admission
from .node import NodeSettings
from .types import Count, Rate


class RateLimitSettings(NodeSettings):
    """How many operations the process runs."""

    rate_limit_enabled: bool = Field(default=True, description="Limit how many operations the process runs.")
    rate_limit_requests_per_second: Rate = Field(
        default=100.0, description="Operations each second, of all callers together."
    )
    rate_limit_burst: Count = Field(default=100, description="Operations at once after a pause.")

    def admission(self, metrics: MixinMetrics) -> Callable[[str, UUID], None]:
        """Return what refuses operations beyond the limit, as `rate_limit.admission` describes it.

        Args:
            metrics: Where those that are refused are counted.
        """
        if not self.rate_limit_enabled:
            return admit_all
        return admission(RateLimit(self.rate_limit_requests_per_second, self.rate_limit_burst), metrics)
