"""Kafka, for real: what is published arrives, in order, also when the brokers fall silent or the process dies."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest
from doubles.kafka_server import EmbeddedKafka
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_kafka import KafkaMessage
from onex_node_runtime.correlation import CORRELATION_ID

from tests.runtime.building import Settings, kafka_settings, messages_of
from tests.runtime.building import kafka as adapter_of


@pytest.fixture
def settings(broker: EmbeddedKafka, tmp_path: Path) -> Settings:
    return kafka_settings(broker.servers, tmp_path)


async def test_message_arrives_as_it_was_meant(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    await adapter.open()
    identity = uuid4()
    await adapter.publish(KafkaMessage("t.one", {"id": identity, "n": 1}, key="key", headers={"h": "v", "none": None}))
    assert adapter.outbox.size == 0
    (record,) = await messages_of(broker.servers, "t.one", 1)
    assert json.loads(record.value) == {"id": str(identity), "n": 1}
    assert (record.key, record.headers) == (b"key", (("h", b"v"),))
    await adapter.close()
    await adapter.close()


async def test_correlation_id_is_passed_on(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    correlation_id = uuid4()
    CORRELATION_ID.set(correlation_id)
    await adapter.publish(KafkaMessage("t.of", {}, key="a"))
    await adapter.publish(KafkaMessage("t.of", {}, key="a", headers={"correlation_id": "own"}))
    found = [dict(record.headers) for record in await messages_of(broker.servers, "t.of", 2)]
    assert [headers["correlation_id"] for headers in found] == [str(correlation_id).encode(), b"own"]
    await adapter.close()


async def test_messages_of_a_crowd_arrive_once_and_each_sender_in_order(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)

    async def send(sender: int) -> None:
        for number in range(20):
            await adapter.publish(KafkaMessage("t.crowd", {"sender": sender, "number": number}, key=str(sender)))

    await asyncio.gather(*(send(sender) for sender in range(20)))
    found = [json.loads(record.value) for record in await messages_of(broker.servers, "t.crowd", 400)]
    assert len(found) == 400
    for sender in range(20):
        assert [item["number"] for item in found if item["sender"] == sender] == list(range(20))
    await adapter.close()


async def test_what_is_published_while_the_brokers_are_silent_arrives_in_order(
    broker: EmbeddedKafka,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    await adapter.publish(KafkaMessage("t.silent", {"number": 0}, key="a"))
    broker.pause()
    for number in range(1, 4):
        await adapter.publish(KafkaMessage("t.silent", {"number": number}, key="a"))
    assert adapter.outbox.size >= 1
    broker.go_on()
    async with asyncio.timeout(30):
        while adapter.outbox.size:
            await asyncio.sleep(0.05)
    found = [json.loads(record.value)["number"] for record in await messages_of(broker.servers, "t.silent", 4)]
    assert list(dict.fromkeys(found)) == list(range(4))
    await adapter.close()


async def test_what_waits_survives_the_process(broker: EmbeddedKafka, tmp_path: Path) -> None:
    away = adapter_of(kafka_settings("127.0.0.1:1", tmp_path))
    with pytest.raises(ModelOnexError) as caught:
        await away.open()
    assert caught.value.error_code in {EnumCoreErrorCode.NETWORK_ERROR, EnumCoreErrorCode.TIMEOUT}
    for number in range(3):
        await away.publish(KafkaMessage("t.later", {"number": number}, key="a"))
    await away.close()
    adapter = adapter_of(kafka_settings(broker.servers, tmp_path))
    await adapter.open()
    found = [json.loads(record.value)["number"] for record in await messages_of(broker.servers, "t.later", 3)]
    assert found == [0, 1, 2]
    await adapter.close()


async def test_full_outbox_refuses(tmp_path: Path) -> None:
    adapter = adapter_of(kafka_settings("127.0.0.1:1", tmp_path, outbox_max_messages=2))
    for _ in range(2):
        await adapter.publish(KafkaMessage("t.full", {}))
    with pytest.raises(ModelOnexError, match="full") as caught:
        await adapter.publish(KafkaMessage("t.full", {}))
    assert caught.value.error_code is EnumCoreErrorCode.SERVICE_UNAVAILABLE
    await adapter.close()


async def test_what_can_not_be_accepted_is_refused_whatever_the_brokers_do(
    broker: EmbeddedKafka,
    tmp_path: Path,
) -> None:
    for name, servers_of in (("there", broker.servers), ("away", "127.0.0.1:1")):
        (tmp_path / name).mkdir()
        adapter = adapter_of(kafka_settings(servers_of, tmp_path / name, kafka_max_message_bytes=2000))
        for message in (
            KafkaMessage("t.large", "x" * 2000),
            KafkaMessage("t.large", {}, key="x" * 2000),
            KafkaMessage("t.large", {}, headers={"x": "x" * 2000}),
            KafkaMessage("t.large", None),
        ):
            with pytest.raises(ModelOnexError) as caught:
                await adapter.publish(message)
            assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
        await adapter.publish(KafkaMessage("t.large", None, key="gone"))
        await adapter.publish(KafkaMessage("t.large", "x" * 1500))
        await adapter.close()
    found = await messages_of(broker.servers, "t.large", 2)
    assert sorted(len(record.value or b"") for record in found) == [0, 1502]


async def test_what_was_accepted_is_kept_when_the_brokers_refuse_it(broker: EmbeddedKafka, tmp_path: Path) -> None:
    away = adapter_of(kafka_settings("127.0.0.1:1", tmp_path, kafka_max_message_bytes=10_000))
    with pytest.raises(ModelOnexError):
        await away.open()
    for size in (1, 5000, 2):
        await away.publish(KafkaMessage("t.kept", "x" * size, key="a"))
    await away.close()
    # A limit that is lower by now, as an administrator may set it for a topic.
    lower = adapter_of(kafka_settings(broker.servers, tmp_path, kafka_max_message_bytes=2000))
    await lower.open()
    assert [len(record.value) for record in await messages_of(broker.servers, "t.kept", 2)] == [3, 4]
    async with asyncio.timeout(30):
        while lower.outbox.size:
            await asyncio.sleep(0.02)
    assert (lower.refused, lower.outbox.set_aside) == (1, 1)
    await lower.close()
    again = adapter_of(kafka_settings(broker.servers, tmp_path, kafka_max_message_bytes=10_000))
    await again.open()
    assert [len(record.value) for record in await messages_of(broker.servers, "t.kept", 3)] == [3, 4, 5002]
    assert again.outbox.set_aside == 0
    await again.close()


async def test_full_disk_sends_nothing_twice(
    broker: EmbeddedKafka,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter = adapter_of(settings)
    await adapter.publish(KafkaMessage("t.disk", 0, key="a"))
    monkeypatch.setattr("onex_node_runtime.adapters.adapter_kafka.LONGEST_PAUSE_SECONDS", 0.05)
    full = "CREATE TRIGGER full_disk BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    await adapter.outbox._call(lambda: adapter.outbox._db.execute(full))
    for number in range(1, 6):
        await adapter.publish(KafkaMessage("t.disk", number, key="a"))
    # What was delivered is told before it is taken off the queue.
    async with asyncio.timeout(30):
        while not adapter.outbox.fault:
            await asyncio.sleep(0.02)
    with pytest.raises(ModelOnexError) as caught:
        await adapter.check()
    assert caught.value.error_code is EnumCoreErrorCode.FILE_WRITE_ERROR
    # The queue is read once more for the last one, which comes next where nothing is sent twice.
    await adapter.publish(KafkaMessage("t.disk", 6, key="a"))
    assert [json.loads(record.value) for record in await messages_of(broker.servers, "t.disk", 7)] == list(range(7))
    assert adapter.outbox.size == 0
    await adapter.outbox._call(lambda: adapter.outbox._db.execute("DROP TRIGGER full_disk"))
    await adapter.check()
    await adapter.close()
    again = adapter_of(settings)
    await again.open()
    assert again.outbox.size == 0
    await again.close()


async def test_outbox_belongs_to_one_process(tmp_path: Path) -> None:
    first, second = (adapter_of(kafka_settings("127.0.0.1:1", tmp_path)) for _ in range(2))
    await first.publish(KafkaMessage("t.one", {}))
    with pytest.raises(ModelOnexError) as caught:
        await second.publish(KafkaMessage("t.one", {}))
    assert caught.value.error_code is EnumCoreErrorCode.RESOURCE_UNAVAILABLE
    await first.close()
