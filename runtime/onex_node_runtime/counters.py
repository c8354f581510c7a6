# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Counters that are there before they count anything."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from omnibase_core.enums import EnumCoreErrorCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from omnibase_core.mixins.mixin_metrics import MixinMetrics

    from .operation import Operation
    from .surroundings import Measured

type Counters = Sequence[tuple[str, Mapping[str, Sequence[str]]]]
"""Names of counters, each with the values of its tags."""


def of_entry(operations: Collection[Operation[Any, Any]], measured: Measured) -> Counters:
    """Return the counters of operations, and of the events that they publish.

    Args:
        operations: The operations.
        measured: What is measured of them. Of those that fail or are refused, other codes come with what goes wrong.
    """
    every = {"operation": tuple(str(operation.name) for operation in operations)}
    failures = {"operation_failure": EnumCoreErrorCode.INTERNAL_ERROR}
    failures |= {"operation_refused": EnumCoreErrorCode.VALIDATION_ERROR}
    topics = tuple(dict.fromkeys(event.topic for operation in operations for event in operation.events))
    return [
        *([("operation_success", every)] if measured.success else []),
        *([(name, {**every, "code": (str(code),)}) for name, code in failures.items()] if measured.failure else []),
        *((f"operation_{field}", every) for field in measured.counted),
        *([("event_publish_failure", {"topic": topics})] if topics else []),
    ]


def of_operations(operations: Iterable[str], *names: str) -> Counters:
    """Return counters that each operation has.

    Args:
        operations: Their names.
        names: Names of counters.
    """
    every = {"operation": tuple(operations)}
    return [(name, every) for name in names]


def begin_at_zero(metrics: MixinMetrics, counters: Counters) -> None:
    """Show counters from the start: to Prometheus, one that appears with 1 has not changed.

    Args:
        metrics: What counts.
        counters: The counters, with all combinations of the values of their tags.
    """
    for name, tags in counters:
        for values in product(*tags.values()):
            metrics.increment_counter(name, 0, dict(zip(tags, values, strict=True)))
