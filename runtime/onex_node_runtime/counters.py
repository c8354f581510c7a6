# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Counters that are there before they count anything."""

from collections.abc import Mapping, Sequence
from itertools import product

from omnibase_core.mixins.mixin_metrics import MixinMetrics

type Counters = Sequence[tuple[str, Mapping[str, Sequence[str]]]]
"""Names of counters, each with the values of its tags."""


def begin_at_zero(metrics: MixinMetrics, counters: Counters) -> None:
    """Show counters from the start: to Prometheus, one that appears with 1 has not changed.

    Args:
        metrics: What counts.
        counters: The counters, with all combinations of the values of their tags.
    """
    for name, tags in counters:
        for values in product(*tags.values()):
            metrics.increment_counter(name, 0, dict(zip(tags, values, strict=True)))
