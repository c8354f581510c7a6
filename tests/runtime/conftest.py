"""Servers that tests of the runtime share."""

from collections.abc import Iterator

import pytest
from doubles.kafka_server import EmbeddedKafka, embedded_kafka
from doubles.servers import embedded_postgres
from onex_node_runtime.correlation import CORRELATION_ID


@pytest.fixture(autouse=True)
def _nobody_asks() -> None:
    """No test is within a request of another."""
    CORRELATION_ID.set(None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with embedded_postgres() as server:
        yield server.url


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    with embedded_kafka() as broker:
        yield broker
