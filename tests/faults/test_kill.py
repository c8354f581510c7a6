"""The process is killed with events in its outbox, and started again."""

import asyncio
import sqlite3

import pytest

from tests.faults.harness import Figures, Projects, Scale, running, starter, until
from tests.faults.kafka import ORDERS, SETTINGS, compare, publish_some, received, records_of, write_handler

pytestmark = pytest.mark.slow


async def run(projects: Projects, scale: Scale) -> Figures:
    """Publish while the brokers are silent, kill the process, start it, and let them answer again."""
    project = write_handler(projects("order_events"))
    figures = Figures("`kill -9` with events in the outbox")
    published: dict[str, list[int]] = {}
    with starter(project, "kafka_server").embedded_kafka() as broker:
        async with running(project, KAFKA_BOOTSTRAP_SERVERS=broker.servers, **SETTINGS) as process:
            await until(process.ready)
            broker.pause()
            try:
                await until(process.unready)
                each = max(1, scale.messages // scale.workers)
                await asyncio.gather(*(publish_some(process, figures, each, published) for _ in range(scale.workers)))
                await process.kill()
                with sqlite3.connect(process.log.with_name("outbox")) as outbox:
                    (figures.facts["in the outbox"],) = outbox.execute("SELECT count(*) FROM messages").fetchone()
                outbox.close()
                # It comes up while the brokers are still silent.
                await process.start()
                assert await process.unready()
            finally:
                broker.go_on()
            await until(process.ready)
            wanted = sum(map(len, published.values()))
            compare(published, received(await records_of(broker.servers, ORDERS, wanted)), figures)
    return figures


async def test_kill(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() == {"200"}, figures
    assert figures.facts["in the outbox"] == figures.facts["published"]
    assert (figures.facts["lost"], figures.facts["keys out of order"]) == (0, 0), figures
