# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Counters that are there before they count anything."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.mixins.mixin_metrics import MixinMetrics

type Counters = Sequence[tuple[str, Mapping[str, Sequence[str]]]]
"""Names of counters, each with the values of its tags."""


def of_operations(
    operations: Iterable[str], *, success: bool = True, failure: bool = True, more: Sequence[str] = ()
) -> Counters:
    """Return the counters that each operation has.

    Args:
        operations: Their names.
        success: Whether those that succeed are counted.
        failure: Whether those that fail or are refused are; other codes come with what goes wrong.
        more: Names of further counters.
    """
    every = {"operation": tuple(operations)}
    failures = {"operation_failure": EnumCoreErrorCode.INTERNAL_ERROR}
    failures |= {"operation_refused": EnumCoreErrorCode.VALIDATION_ERROR}
    return [
        *([("operation_success", every)] if success else []),
        *([(name, {**every, "code": (str(code),)}) for name, code in failures.items()] if failure else []),
        *((name, every) for name in more),
    ]


def begin_at_zero(metrics: MixinMetrics, counters: Counters) -> None:
    """Show counters from the start: to Prometheus, one that appears with 1 has not changed.

    Args:
        metrics: What counts.
        counters: The counters, with all combinations of the values of their tags.
    """
    for name, tags in counters:
        for values in product(*tags.values()):
            metrics.increment_counter(name, 0, dict(zip(tags, values, strict=True)))
