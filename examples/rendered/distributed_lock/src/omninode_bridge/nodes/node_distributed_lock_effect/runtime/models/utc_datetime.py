# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Moments: one that comes without an offset is in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator


def _with_offset(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


UtcDatetime = Annotated[datetime, AfterValidator(_with_offset)]
