# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What lets a node measure, where the contract wants that: nodes without it need no client of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from omnibase_core.mixins.mixin_metrics import MixinMetrics


class Meter(Protocol):
    """Lets a node count and measure."""

    def registry_of(self, node: MixinMetrics) -> Any:
        """Let a node count and measure from now on, and return where that is kept."""
