"""How other nodes are reached: in the process, and over the event bus."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from onex_node_runtime.workflows import nodes_in_process
from onex_node_runtime.workflows.calling import leaves_open
from onex_node_runtime.workflows.connection import Connection
from onex_node_runtime.workflows.nodes_in_process import NodesInProcess
from onex_node_runtime.workflows.nodes_on_bus import NodesOnBus
from onex_node_runtime.workflows.peer import Peer
from pydantic import BaseModel, JsonValue

NODE, PEER = "node_near_effect", Peer("shop-nodes", "near")
PEERS = {NODE: PEER, "node_far_effect": Peer("shop-nodes", "far")}
OWN = "node_order_orchestrator"
CALL_ID = uuid4()


class PeerRequest(BaseModel):
    """A request to the other node."""

    operation: Literal["double"]
    payload: dict[str, int]
    correlation_id: UUID


class PeerResponse(BaseModel):
    """What the other node answers."""

    result: dict[str, int]
    correlation_id: UUID


class HandlerPeer:
    """The handler of an installed node."""

    def __init__(self, event_bus: object | None = None) -> None:
        self.event_bus = event_bus
        self.running = False

    async def initialize(self) -> None:
        self.running = True

    async def shutdown(self) -> None:
        self.running = False

    async def handle(self, request: PeerRequest) -> PeerResponse:
        assert self.running
        return PeerResponse(result={"number": 2 * request.payload["number"]}, correlation_id=request.correlation_id)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package, handler = ModuleType("installed_peer"), ModuleType("installed_peer.handler")
    handler.__dict__.update({"__all__": ["HandlerPeer"], "HandlerPeer": HandlerPeer})
    monkeypatch.setitem(sys.modules, "installed_peer", package)
    monkeypatch.setitem(sys.modules, "installed_peer.handler", handler)
    monkeypatch.setattr(nodes_in_process, "_installed", lambda: {NODE: "installed_peer"})


@pytest_asyncio.fixture
async def bus() -> AsyncIterator[EventBusInmemory]:
    bus = EventBusInmemory()
    await bus.start()
    yield bus
    await bus.close()


async def answer_on(bus: EventBusInmemory, *replies: Mapping[str, JsonValue] | bytes) -> None:
    """Let the other node answer each request with these, its correlation id filled in where one is missing."""

    async def receive(message: Any) -> None:
        request = json.loads(message.value)["payload"]
        assert request["operation"] == "double"
        for reply in replies:
            value = reply
            if not isinstance(value, bytes):
                value = json.dumps({"correlation_id": request["correlation_id"], **value}).encode()
            await bus.publish(PEER.completed_topic, None, value)

    await bus.subscribe(PEER.command_topic, on_message=receive, group_id="peer")


@pytest.mark.usefixtures("installed")
async def test_an_installed_node_is_loaded_once_and_shut_down() -> None:
    nodes = NodesInProcess(event_bus="the bus")
    for number in (1, 2):
        assert await nodes.call(NODE, "double", {"number": number}, CALL_ID) == {"number": 2 * number}
    (handler,) = nodes._loaded
    assert (handler.event_bus, handler.running) == ("the bus", True)
    await nodes.close()
    assert not handler.running


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("operation", "payload"), [("treble", {}), ("", {}), ("double", [1])])
async def test_an_operation_that_is_not_there_is_not_begun(operation: str, payload: Any) -> None:
    with pytest.raises(ModelOnexError, match=f"no operation {operation} that") as caught:
        await NodesInProcess().call(NODE, operation, payload, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.NOT_FOUND
    assert not leaves_open(caught.value)


async def test_a_registered_node_is_called() -> None:
    async def double(operation: str, payload: Mapping[str, JsonValue], call_id: UUID) -> dict[str, JsonValue]:
        return {"operation": operation, "given": dict(payload), "call_id": str(call_id)}

    nodes = NodesInProcess()
    nodes.register(NODE, double)
    assert nodes.has(NODE)
    answer = await nodes.call(NODE, "double", {"number": 1}, CALL_ID)
    assert answer == {"operation": "double", "given": {"number": 1}, "call_id": str(CALL_ID)}


async def test_a_node_that_is_nowhere_is_said_to_be() -> None:
    with pytest.raises(ModelOnexError) as caught:
        await NodesInProcess().call("node_absent_effect", "double", {}, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.NOT_FOUND


@pytest.mark.parametrize("enveloped", [False, True])
async def test_the_reply_with_the_same_correlation_id_is_the_answer(bus: EventBusInmemory, enveloped: bool) -> None:
    foreign: dict[str, JsonValue] = {"correlation_id": str(uuid4()), "result": {"number": 3}}
    own: dict[str, JsonValue] = {"result": {"number": 2}}
    if enveloped:
        own = {"payload": {**own, "correlation_id": str(CALL_ID)}}
    await answer_on(bus, foreign, own, {"result": {"number": 4}})
    nodes = NodesOnBus(bus, PEERS, OWN)
    assert await nodes.call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    await nodes.close()
    assert await bus.get_subscriber_count(PEER.completed_topic) == 0


async def test_calls_at_once_get_their_own_answers(bus: EventBusInmemory) -> None:
    async def receive(message: Any) -> None:
        request = json.loads(message.value)["payload"]
        reply = {"correlation_id": request["correlation_id"], "result": {"number": 2 * request["payload"]["number"]}}
        await bus.publish(PEER.completed_topic, None, json.dumps(reply).encode())

    await bus.subscribe(PEER.command_topic, on_message=receive, group_id="peer")
    nodes = NodesOnBus(bus, PEERS, OWN)
    calls = (nodes.call(NODE, "double", {"number": number}, uuid4()) for number in range(10))
    assert await asyncio.gather(*calls) == [{"number": 2 * number} for number in range(10)]
    assert await bus.get_subscriber_count(PEER.completed_topic) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ({"error": "out of stock"}, "out of stock"),
        # As ONEX's kernel tells of a handler that raised.
        ({"status": "failed", "failure_reason": "out of stock"}, "out of stock"),
        ({"status": "failed", "result": {}}, "no result"),
        ({"result": None}, "no result"),
    ],
    ids=str,
)
async def test_a_reply_that_tells_of_a_failure_is_one(
    bus: EventBusInmemory, reply: dict[str, JsonValue], told: str
) -> None:
    await answer_on(bus, reply)
    with pytest.raises(ModelOnexError, match=told) as caught:
        await NodesOnBus(bus, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.OPERATION_FAILED


async def test_messages_that_are_no_replies_are_passed_over(
    bus: EventBusInmemory, caplog: pytest.LogCaptureFixture
) -> None:
    await answer_on(bus, b"no JSON", b"[]", b'{"correlation_id": "none"}', {"result": {"number": 2}})
    assert await NodesOnBus(bus, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    assert caplog.text.count("reply_not_understood") == 3


async def test_no_reply_is_waited_for_until_the_caller_gives_up(bus: EventBusInmemory) -> None:
    nodes = NodesOnBus(bus, PEERS, OWN)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await nodes.call(NODE, "double", {"number": 1}, CALL_ID)
    assert nodes._replies == {}


class SlowBus(EventBusInmemory):
    """A bus that is joined slowly, as Kafka's groups are, and at first not at all."""

    failures = 0
    joined = 0

    async def subscribe(
        self,
        topic: str,
        node_identity: object | None = None,  # noqa: ARG002 - the bus gives it
        on_message: Callable[[Any], Awaitable[None]] | None = None,
        **options: Any,
    ) -> Callable[[], Awaitable[None]]:
        await asyncio.sleep(0.02)
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.joined += 1
        return await super().subscribe(topic, on_message=on_message, group_id=options["group_id"])


async def test_replies_are_listened_to_beyond_the_call_that_began_it() -> None:
    bus = SlowBus()
    await bus.start()
    nodes = NodesOnBus(bus, PEERS, OWN)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await nodes.call(NODE, "double", {"number": 1}, CALL_ID)
    await nodes.open([NODE])
    assert bus.joined == await bus.get_subscriber_count(PEER.completed_topic) == 1
    await nodes.close()
    assert await bus.get_subscriber_count(PEER.completed_topic) == 0
    await bus.close()


async def test_listening_is_tried_again() -> None:
    bus = SlowBus()
    await bus.start()
    bus.failures = 2
    nodes = NodesOnBus(bus, PEERS, OWN)
    await nodes.open([NODE])
    with pytest.raises(ConnectionError):
        await nodes.call(NODE, "double", {"number": 1}, CALL_ID)
    await answer_on(bus, {"result": {"number": 2}})
    assert await nodes.call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    await nodes.close()
    await bus.close()


@pytest.mark.usefixtures("installed")
async def test_only_nodes_behind_the_bus_are_listened_to(bus: EventBusInmemory) -> None:
    connection = Connection("auto", bus, PEERS, OWN)
    await connection.open()
    listening = {peer.completed_topic: await bus.get_subscriber_count(peer.completed_topic) for peer in PEERS.values()}
    assert listening == {peer.completed_topic: int(node != NODE) for node, peer in PEERS.items()}
    await connection.close()
    await Connection("auto", None, PEERS, OWN).open()


@pytest.mark.usefixtures("installed")
async def test_auto_prefers_this_process(bus: EventBusInmemory) -> None:
    connection = Connection("auto", bus, PEERS, OWN)
    assert await connection.call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    assert await bus.get_event_history() == []
    await connection.close()


@pytest.mark.parametrize("transport", ["auto", "event_bus"])
async def test_what_is_not_in_this_process_is_asked_over_the_bus(
    bus: EventBusInmemory, transport: Literal["auto", "event_bus"]
) -> None:
    await answer_on(bus, {"result": {"number": 2}})
    connection = Connection(transport, bus, PEERS, OWN)
    assert await connection.call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    await connection.close()


async def test_without_a_bus_a_node_that_is_not_installed_is_out_of_reach() -> None:
    with pytest.raises(ModelOnexError) as caught:
        await Connection("auto", None, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.NOT_FOUND
