# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""How long runs of an operation take."""

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

RUNS = 200


@dataclass(frozen=True)
class Measured:
    """Figures of runs, one after another.

    Attributes:
        p50_ms: How long half of them take at most.
        p95_ms: How long 95 of 100 take at most.
        per_second: How many end in a second.
    """

    p50_ms: float
    p95_ms: float
    per_second: float

    @classmethod
    async def of(cls, run: Callable[[], Awaitable[object]]) -> Self:
        """Measure runs, after some that nobody measures."""
        for _ in range(RUNS // 10):
            await run()
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            await run()
            times.append((time.perf_counter() - started) * 1000)
        return cls.of_times(times)

    @classmethod
    def of_times(cls, times: Sequence[float]) -> Self:
        """Return the figures of so many milliseconds for each run."""
        p95 = statistics.quantiles(times, n=20)[-1]
        return cls(statistics.median(times), p95, 1000 * len(times) / sum(times))

    def report(self, operation: str) -> None:
        """Print the figures."""
        shown = f"p50 {self.p50_ms:.2f} ms, p95 {self.p95_ms:.2f} ms, {self.per_second:.0f} a second"
        print(f"\n{operation}: {shown}")  # noqa: T201 - the report

    def meets(self, p95_ms: float | None, per_second: float | None) -> bool:
        """Tell whether objectives are met; without PERFORMANCE_GATE=1 in the environment, none counts."""
        if not os.environ.get("PERFORMANCE_GATE"):
            return True
        return (p95_ms is None or self.p95_ms <= p95_ms) and (per_second is None or self.per_second >= per_second)
