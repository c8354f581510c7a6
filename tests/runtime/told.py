"""What a part tells those who operate it: lines of the log, and figures with the tags that tell series apart."""

import json
from typing import Any

import pytest
from omnibase_core.mixins.mixin_metrics import MixinMetrics


class Figures(MixinMetrics):
    """Remembers counters and histograms, with their tags."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, float, dict[str, str] | None]] = []

    def increment_counter(self, counter_name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
        self.told.append((counter_name, value, tags))

    def record_histogram(self, histogram_name: str, value: float, tags: dict[str, str] | None = None) -> None:
        self.told.append((histogram_name, value, tags))


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what was logged, each line with its level, its message and its fields."""
    found = []
    for record in caplog.records:
        if record.name == "omnibase":
            line = json.loads(record.getMessage())
            found.append((record.levelname, line["message"], line["context"]))
    return found
