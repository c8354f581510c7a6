# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How many operations the process runs each second, and that no caller takes the turns of others."""

import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics

from .correlation import CALLER

KNOWN_CALLERS = 1000
"""Callers that are told apart; beyond that, the one that asked least recently is forgotten."""


class RateLimit:
    """Lets so many operations pass each second, and after a pause so many at once.

    It keeps the moment at which all that passed would be through at the even rate (GCRA); an operation passes while
    that moment is close enough. A caller alone may take all of it. When several ask, each has an even part: a caller
    that has not used its part up passes although others have used up the whole, who then wait for longer.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let a whole burst pass at first.

        Args:
            per_second: Operations each second in the long run.
            burst: Operations at once after a pause.
            clock: Tells the time in seconds.
        """
        self._interval = 1 / per_second
        self._burst = burst
        self._clock = clock
        self._due = clock()
        # When all that a caller passed would be through at the rate of its part.
        self._callers: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str = "") -> float:
        """Let an operation pass if one may.

        Args:
            caller: Who asks; all that nobody knows are one.

        Returns:
            0 when it passes, else the seconds until one may.
        """
        now = self._clock()
        due = max(self._due, now)
        own_due = max(self._callers.get(caller, now), now)
        wait = _wait(due, now, self._interval, self._burst)
        if wait:
            active = self._active(now, caller)
            # Together, callers may be ahead by one more burst at the most.
            if active == 1 or _wait(due, now, self._interval, 2 * self._burst):
                return wait
            part, own_burst = self._interval * active, max(1, self._burst // active)
            if own_wait := _wait(own_due, now, part, own_burst):
                return min(wait, own_wait)
        self._due = due + self._interval
        self._callers[caller] = own_due + self._interval * self._active(now, caller)
        self._callers.move_to_end(caller)
        while len(self._callers) > KNOWN_CALLERS:
            self._callers.popitem(last=False)
        return 0.0

    def _active(self, now: float, caller: str) -> int:
        return sum(1 for name, other in self._callers.items() if other > now and name != caller) + 1


def _wait(due: float, now: float, interval: float, burst: int) -> float:
    wait = due - now - (burst - 1) * interval
    # Sums of many intervals are a little off.
    return wait if wait > interval * 1e-9 else 0.0


def admission(limit: RateLimit, metrics: MixinMetrics) -> Callable[[str, UUID], None]:
    """Return what refuses operations beyond the limit.

    Args:
        limit: How many pass.
        metrics: Where those that do not are counted.

    Returns:
        A function of the operation's name and the request's identity, which raises a `ModelOnexError` with
        RATE_LIMIT_ERROR, and the seconds until one may pass, where it refuses.
    """

    def admit(operation: str, correlation_id: UUID) -> None:
        wait = limit.take(CALLER.get())
        if wait > 0:
            metrics.increment_counter("operation_rate_limited", tags={"operation": operation})
            raise ModelOnexError(
                message="There are too many requests.",
                error_code=EnumCoreErrorCode.RATE_LIMIT_ERROR,
                correlation_id=correlation_id,
                operation=operation,
                retry_after_seconds=wait,
            )

    return admit
