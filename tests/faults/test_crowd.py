"""Many requests at once to one process."""

import asyncio
from uuid import uuid4

import pytest

from tests.faults.harness import Figures, Projects, Scale, running, starter, until

pytestmark = pytest.mark.slow
# What a thousand requests may hold: no request keeps more than about a hundred KiB.
GROWTH_KIB_PER_REQUEST = 128


async def run(projects: Projects, scale: Scale) -> Figures:
    """Send all requests at once, twice, so that what the first crowd leaves behind would show."""
    project = projects("distributed_lock")
    figures = Figures("Crowd of requests on PostgreSQL")
    with starter(project, "servers").embedded_postgres() as server:
        async with running(project, DATABASE_URL=server.url) as process:
            await until(process.ready)
            before = process.resident_kib
            for _ in range(2):
                payloads = [{"lock_name": str(uuid4()), "owner": "Ada"} for _ in range(scale.crowd)]
                await asyncio.gather(*(process.call("acquire_lock", payload, figures) for payload in payloads))
                assert await process.alive()
                await until(process.ready)
            figures.facts["requests"] = 2 * scale.crowd
            figures.facts["most memory before (KiB)"] = before
            figures.facts["most memory after (KiB)"] = process.resident_kib
    return figures


async def test_crowd(projects: Projects) -> None:
    scale = Scale()
    figures = await run(projects, scale)
    assert sum(figures.answers.values()) == figures.facts["requests"]
    assert figures.statuses() <= {"200", "429", "503"}, figures
    assert figures.leaks == set()
    growth = int(figures.facts["most memory after (KiB)"]) - int(figures.facts["most memory before (KiB)"])
    assert growth < GROWTH_KIB_PER_REQUEST * scale.crowd
