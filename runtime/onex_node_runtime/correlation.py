# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The request that is being worked on, for what has to know it and is not handed it."""

from contextvars import ContextVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

CORRELATION_HEADER = "X-Correlation-ID"
"""The HTTP header that carries the id of a request, in and out."""

LONGEST_CALLER_ID = 128
"""Characters of an id of a caller's own that is kept."""

CORRELATION_ID: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
"""The correlation id of the request; None outside of one."""

CALLER_CORRELATION_ID: ContextVar[str] = ContextVar("caller_correlation_id", default="")
"""The id that the caller gave the request, where it is not written as the correlation id is; empty else."""

FOREIGN: ContextVar[bool] = ContextVar("foreign", default=False)
"""Whether the request was made of an event of others, who may add to it; a caller's unknown fields are mistakes."""

CALLER: ContextVar[str] = ContextVar("caller", default="")
"""Who asks, such as the address of an HTTP client; empty where nobody knows."""


def correlation_of(*given: str) -> tuple[UUID, str]:
    """Return the ids of a request.

    Args:
        given: What the caller calls it; any texts, of which the first that can be kept counts.

    Returns:
        The correlation id, and the caller's own id where it is not written as that one is: printable ASCII of bounded
        length; else empty. The same id of a caller's own always gives the same correlation id.
    """
    return next(filter(None, map(_kept, given)), None) or (uuid4(), "")


def _kept(given: str) -> tuple[UUID, str] | None:
    if not (0 < len(given) <= LONGEST_CALLER_ID and given.isascii() and given.isprintable()):
        return None
    try:
        correlation_id = UUID(given)
    except ValueError:
        return uuid5(NAMESPACE_URL, given), given
    # Such as the 32 digits of a trace: callers look for what they wrote.
    return correlation_id, "" if str(correlation_id) == given else given
