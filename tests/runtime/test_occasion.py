"""What belongs to one run of an operation."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.occasion import correlation_id, new_uuid, now


def test_moments_are_in_utc() -> None:
    before = datetime.now(UTC)
    moment = now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.tzinfo is UTC


def test_identities_differ() -> None:
    assert len({new_uuid() for _ in range(100)}) == 100


def test_correlation_is_that_of_the_request() -> None:
    token = CORRELATION_ID.set(identity := uuid4())
    assert correlation_id() == identity
    CORRELATION_ID.reset(token)
    assert isinstance(correlation_id(), UUID)
