"""PostgreSQL goes away under load and comes back."""

from uuid import uuid4

import pytest

from tests.faults.harness import UNAVAILABLE, Figures, Projects, Scale, outage, running, start_without, starter

pytestmark = pytest.mark.slow
SETTINGS = {
    "DATABASE_CONNECT_TIMEOUT_SECONDS": "2",
    "RETRY_INITIAL_DELAY_SECONDS": "0.01",
    "RETRY_MAX_DELAY_SECONDS": "0.02",
    "CIRCUIT_BREAKER_RECOVERY_SECONDS": "0.3",
}


async def run(projects: Projects, scale: Scale) -> Figures:
    """Crash and start PostgreSQL under load, then start a node without it."""
    project = projects("distributed_lock")
    figures = Figures("PostgreSQL crashes")
    with starter(project, "servers").embedded_postgres() as server:
        async with running(project, DATABASE_URL=server.url, **SETTINGS) as process:

            async def call() -> int:
                payload = {"lock_name": str(uuid4()), "owner": "Ada", "lease_seconds": 30}
                return await process.call("acquire_lock", payload, figures)

            await outage(process, scale, call, (server.crash, server.start))
            await process.stop()
            server.crash()
            await process.start()
            without, _ = await start_without(process, call, server.start)
            figures.facts["start without it"] = without
    return figures


async def test_postgres_away(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() <= {"200", "503", "504"}, figures
    assert figures.facts["start without it"] == UNAVAILABLE
    assert figures.leaks == set()
