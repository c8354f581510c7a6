"""Redis goes away under load and comes back."""

from uuid import uuid4

import pytest

from tests.faults.harness import UNAVAILABLE, Figures, Projects, Scale, outage, running, start_without, starter

pytestmark = pytest.mark.slow


async def run(projects: Projects, scale: Scale) -> Figures:
    """Stop and start Redis under load, then start a node without it."""
    project = projects("session_cache")
    figures = Figures("Redis crashes")
    with starter(project, "redis_server").embedded_redis() as server:
        settings = {"REDIS_URL": server.url, "REDIS_TIMEOUT_SECONDS": "1"}
        async with running(project, **settings) as process:

            async def call() -> int:
                payload = {"session_id": str(uuid4()), "user_name": "Ada"}
                return await process.call("put_session", payload, figures)

            await outage(process, scale, call, (server.crash, server.start))
            await process.stop()
            server.crash()
            await process.start()
            without, _ = await start_without(process, call, server.start)
            figures.facts["start without it"] = without
    return figures


async def test_redis_away(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() <= {"200", "503", "504"}, figures
    assert figures.facts["start without it"] == UNAVAILABLE
    assert figures.leaks == set()
