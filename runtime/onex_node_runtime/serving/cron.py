# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Times of a calendar at which operations run by themselves."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim


class Cron:
    """The times that a cron expression means in a time zone, changes of the clocks included."""

    def __init__(self, expression: str, time_zone: str = "UTC") -> None:
        """Keep what is asked for.

        Args:
            expression: Minute, hour, day of the month, month and day of the week.
            time_zone: A name of the IANA time zone database.
        """
        self._expression = expression
        self._zone = ZoneInfo(time_zone)

    def __call__(self) -> float:
        """Return the seconds until the next of them."""
        now = datetime.now(UTC)
        return (self.after(now) - now).total_seconds()

    def after(self, moment: datetime) -> datetime:
        """Return the first of them after a moment.

        Args:
            moment: With an offset.
        """
        return next(CronSim(self._expression, moment.astimezone(self._zone)))
