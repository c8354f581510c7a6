# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What belongs to one run of an operation, and is no input of it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from .correlation import CORRELATION_ID


def now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)


def new_uuid() -> UUID:
    """Return a random UUID."""
    return uuid4()


def correlation_id() -> UUID:
    """Return the correlation id of the request; a random one outside of any."""
    return CORRELATION_ID.get() or uuid4()
