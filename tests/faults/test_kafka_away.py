"""The brokers fall silent while events are published, and come back."""

import asyncio
import time
from uuid import uuid4

import pytest

from tests.faults.harness import Figures, Projects, Scale, running, starter, until
from tests.faults.kafka import ORDERS, SETTINGS, compare, order, publish_until, received, records_of, write_handler

pytestmark = pytest.mark.slow
DRAIN_SECONDS = 2.0
END_SECONDS = 5.0
# What a loaded machine may add.
LOAD_SECONDS = 2.0


async def run(projects: Projects, scale: Scale) -> Figures:
    """Publish while the brokers are there, silent, and there again."""
    project = write_handler(projects("order_events"))
    figures = Figures("Kafka falls silent")
    published: dict[str, list[int]] = {}
    enough = asyncio.Event()
    with starter(project, "kafka_server").embedded_kafka() as broker:
        async with running(project, KAFKA_BOOTSTRAP_SERVERS=broker.servers, **SETTINGS) as process:
            await until(process.ready)

            async def has(count: int) -> bool:
                return sum(map(len, published.values())) >= count

            async with asyncio.TaskGroup() as group:
                for _ in range(scale.workers):
                    group.create_task(publish_until(process, figures, enough, published))
                try:
                    await until(lambda: has(scale.messages))
                    broker.pause()
                    await until(process.unready)
                    assert await process.alive()
                    before = sum(map(len, published.values()))
                    await asyncio.sleep(scale.seconds)
                    await until(lambda: has(before + scale.messages))
                    assert await process.unready()
                    assert await process.alive()
                    figures.facts["published while away"] = sum(map(len, published.values())) - before
                    broker.go_on()
                    await until(process.ready)
                    after = sum(map(len, published.values()))
                    await until(lambda: has(after + scale.messages))
                finally:
                    broker.go_on()
                    enough.set()
            wanted = sum(map(len, published.values()))
            compare(published, received(await records_of(broker.servers, ORDERS, wanted)), figures)
            broker.pause()
            try:
                await process.call("publish_order_placed", order(str(uuid4()), 1), figures)
                started = time.monotonic()
                process.terminate()
                status = await process.ended()
            finally:
                broker.go_on()
            figures.facts["end while silent"] = f"{time.monotonic() - started:.1f} s, status {status}"
            assert time.monotonic() - started < DRAIN_SECONDS + END_SECONDS + LOAD_SECONDS, figures
    return figures


async def test_kafka_away(projects: Projects) -> None:
    figures = await run(projects, Scale())
    assert figures.statuses() == {"200"}, figures
    assert str(figures.facts["end while silent"]).endswith("status 0"), figures
    assert int(figures.facts["published while away"]) > 0
    assert (figures.facts["lost"], figures.facts["keys out of order"]) == (0, 0), figures
