"""Times of the calendar at which operations run."""

from datetime import UTC, datetime, timedelta

import pytest
from onex_node_runtime.serving.cron import Cron


@pytest.mark.parametrize(
    ("expression", "zone", "moment", "following"),
    [
        ("0 6 * * mon", "Europe/Berlin", "2026-01-01T00:00:00Z", ["2026-01-05T05:00:00Z", "2026-01-12T05:00:00Z"]),
        # The clocks go forward: 02:30 is none of the times of that day.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
        # They go back: 02:30 is there twice, and runs once.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        ("*/15 8-9 * * *", "UTC", "2026-01-01T08:20:00Z", ["2026-01-01T08:30:00Z", "2026-01-01T08:45:00Z"]),
    ],
)
def test_times_are_those_of_the_zone(expression: str, zone: str, moment: str, following: list[str]) -> None:
    cron, now, found = Cron(expression, zone), datetime.fromisoformat(moment), []
    for _ in following:
        now = cron.after(now)
        found.append(now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert found == following


def test_the_next_minute_is_near() -> None:
    assert 0 < Cron("* * * * *")() <= timedelta(minutes=1).total_seconds()


def test_seconds_are_counted_from_now_in_utc_by_default() -> None:
    now = datetime.now(UTC)
    # Months away, so that it is not reached meanwhile.
    expression = f"0 6 1 {now.month % 12 + 2 if now.month < 11 else 6} *"
    cron = Cron(expression)
    before, seconds, after = datetime.now(UTC), cron(), datetime.now(UTC)
    following = cron.after(now)
    assert following.astimezone(UTC).hour == 6
    assert (following - after).total_seconds() <= seconds <= (following - before).total_seconds()
