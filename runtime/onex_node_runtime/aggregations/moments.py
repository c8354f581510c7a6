# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Moments in time, and the windows that hold them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC, which one without a time zone is in already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def window_start(moment: datetime, length: timedelta) -> datetime:
    """Return when the window begins that holds a moment.

    Args:
        moment: Any moment; one without a time zone is in UTC.
        length: How long a window is; they are counted from 1970-01-01.

    Returns:
        The beginning, in UTC, which is part of the window; its end is not.
    """
    known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return EPOCH + (known - EPOCH) // length * length
