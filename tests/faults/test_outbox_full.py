"""More events than the outbox holds are published while the brokers are silent."""

import pytest

from tests.faults.harness import UNAVAILABLE, Figures, Projects, Scale, running, starter, until
from tests.faults.kafka import ORDERS, SETTINGS, compare, publish_some, received, records_of, write_handler

pytestmark = pytest.mark.slow
BOUND = 10


async def run(projects: Projects, scale: Scale) -> Figures:
    """Publish beyond the bound, then let the brokers answer again and publish once more."""
    project = write_handler(projects("order_events"))
    figures = Figures(f"Outbox bounded to {BOUND} events")
    published: dict[str, list[int]] = {}
    settings = SETTINGS | {"OUTBOX_MAX_MESSAGES": str(BOUND)}
    with starter(project, "kafka_server").embedded_kafka() as broker:
        async with running(project, KAFKA_BOOTSTRAP_SERVERS=broker.servers, **settings) as process:
            await until(process.ready)
            broker.pause()
            try:
                await until(process.unready)
                await publish_some(process, figures, max(scale.messages, 2 * BOUND), published)
                assert await process.alive()
                figures.facts["accepted while full"] = sum(map(len, published.values())) - BOUND
            finally:
                broker.go_on()
            await until(process.ready)

            async def empty() -> bool:
                return await process.metric("onex_outbox_messages") == 0

            await until(empty)
            await publish_some(process, figures, 1, published)
            wanted = sum(map(len, published.values()))
            compare(published, received(await records_of(broker.servers, ORDERS, wanted)), figures)
    return figures


async def test_outbox_full(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() == {"200", str(UNAVAILABLE)}, figures
    assert figures.facts["accepted while full"] == 0
    assert figures.facts["published"] == BOUND + 1
    assert (figures.facts["lost"], figures.facts["keys out of order"]) == (0, 0), figures
    assert figures.leaks == set()
