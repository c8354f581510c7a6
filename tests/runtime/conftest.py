"""Servers that tests of the runtime share."""

from collections.abc import Iterator

import pytest
from doubles.servers import embedded_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with embedded_postgres() as server:
        yield server.url
