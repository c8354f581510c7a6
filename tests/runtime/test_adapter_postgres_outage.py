"""A database goes away and comes back, and an adapter goes on without a restart."""

import asyncio
from collections.abc import Iterator

import pytest
from doubles.servers import EmbeddedPostgres, embedded_postgres
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.group import AdapterGroup
from pydantic import SecretStr

from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

OUTAGE = {
    EnumCoreErrorCode.DATABASE_CONNECTION_ERROR,
    EnumCoreErrorCode.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.TIMEOUT,
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with embedded_postgres() as server:
        yield server


def adapter_on(server: EmbeddedPostgres) -> AdapterPostgres:
    return adapter_of(Settings(database_url=SecretStr(server.url), circuit_breaker_recovery_seconds=0.1))


async def code_of(postgres: AdapterPostgres) -> object:
    """Return the code of the error that a statement ends in, or None."""
    try:
        await postgres.fetch_one("SELECT 1", idempotent=True)
    except ModelOnexError as error:
        return error.error_code
    return None


async def recover(postgres: AdapterPostgres) -> None:
    async with asyncio.timeout(60):
        while await code_of(postgres) is not None:
            await asyncio.sleep(0.05)


async def test_crash_and_recovery(server: EmbeddedPostgres) -> None:
    postgres = adapter_on(server)
    adapters = AdapterGroup(postgres=postgres)
    assert await adapters.open() == {}
    assert await code_of(postgres) is None
    server.crash()
    assert await code_of(postgres) in OUTAGE
    assert "postgres" in await adapters.check()
    server.start()
    await recover(postgres)
    assert await adapters.check() == {}
    await adapters.close()


async def test_start_without_the_database(server: EmbeddedPostgres) -> None:
    postgres = adapter_on(server)
    adapters = AdapterGroup(postgres=postgres)
    server.crash()
    assert "postgres" in await adapters.open()
    assert await code_of(postgres) in OUTAGE
    server.start()
    await recover(postgres)
    await adapters.close()
