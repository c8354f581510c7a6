"""A flood of messages that can't be handled, with good ones between them."""

import json
from uuid import uuid4

import pytest

from tests.faults.harness import Figures, Projects, Scale, running, starter, until
from tests.faults.kafka import DEAD_LETTERS, PAYMENTS, SETTINGS, records_of, send, write_handler

pytestmark = pytest.mark.slow
# Too deep for Python's JSON; many of them must fit into the few MiB that the mock cluster keeps of a partition.
DEPTH = 20_000
ERRORS = ("dead_letter_topic", "dead_letter_offset", "dead_letter_attempts", "dead_letter_error_code")


def payment(method: str) -> bytes:
    return json.dumps({"order_id": str(uuid4()), "amount_cents": 1, "method": method}).encode()


def poison(number: int) -> bytes:
    """Return one of the kinds of messages that can't be handled: no JSON, no text, too deep, not fitting, failing."""
    kinds = (b"{", b"\xff\x00", b"[" * DEPTH, b"[]", b"", b'{"order_id": 1}', payment("fails"))
    return kinds[number % len(kinds)]


async def run(projects: Projects, scale: Scale) -> Figures:
    """Send three bad messages for each good one, all into one partition."""
    project = write_handler(projects("order_events"))
    figures = Figures("Flood of poison messages")
    bad = [poison(number) for number in range(scale.messages)]
    messages = []
    good = 0
    for number, value in enumerate(bad):
        # A name may come more than once, and a trace of an earlier stop stays what it was.
        messages.append((value, [("number", str(number).encode()), ("hop", b"a"), ("hop", b"b")]))
        if number % 3 == 2:
            messages.append((payment("card"), []))
            good += 1
    with starter(project, "kafka_server").embedded_kafka() as broker:
        async with running(project, KAFKA_BOOTSTRAP_SERVERS=broker.servers, **SETTINGS) as process:
            await until(process.ready)
            await send(broker.servers, PAYMENTS, [*messages, (payment("card"), [])])
            good += 1
            records = await records_of(broker.servers, DEAD_LETTERS, len(bad))

            async def handled() -> bool:
                return await process.metric("onex_operation_success_total") >= good

            await until(handled)
            assert await process.ready()
            figures.facts["handled"] = int(await process.metric("onex_operation_success_total"))
    buried = {int(dict(record.headers)["number"]): record for record in records}
    kept = [buried[number].value == value for number, value in enumerate(bad) if number in buried]
    hops = [[text for name, text in record.headers if name == "hop"] for record in buried.values()]
    told = [all(dict(record.headers).get(name) for name in ERRORS) for record in buried.values()]
    figures.facts |= {
        "poison sent": len(bad),
        "good sent": good,
        "dead letters": len(buried),
        "duplicates": len(records) - len(buried),
        "with the original bytes": sum(kept),
        "with all headers": sum(hop == [b"a", b"b"] for hop in hops),
        "with the error": sum(told),
    }
    return figures


async def test_poison(projects: Projects) -> None:
    facts = (await run(projects, Scale())).facts
    assert facts["handled"] == facts["good sent"]
    for name in ("dead letters", "with the original bytes", "with all headers", "with the error"):
        assert facts[name] == facts["poison sent"], (name, facts)
