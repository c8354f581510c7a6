"""How other nodes are reached: in the process, and over the event bus."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.workflows import nodes_in_process
from onex_node_runtime.workflows.calling import leaves_open
from onex_node_runtime.workflows.connection import Connection
from onex_node_runtime.workflows.nodes_in_process import NodesInProcess
from onex_node_runtime.workflows.nodes_on_bus import NodesOnBus
from onex_node_runtime.workflows.peer import Peer
from onex_node_runtime.workflows.spans import NodeSpans
from pydantic import BaseModel, JsonValue

from tests.runtime.told import lines

NODE, PEER = "node_near_effect", Peer("shop-nodes", "near")
PEERS = {NODE: PEER, "node_far_effect": Peer("shop-nodes", "far")}
OWN, PLAIN = "node_order_orchestrator", "node_plain_compute"
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


class PlainResponse(BaseModel):
    """What a node answers that says no more than it has to."""

    result: dict[str, UUID]


class HandlerPlain:
    """The handler of an installed node that takes no bus, and has nothing to open or close."""

    async def handle(self, request: PeerRequest) -> PlainResponse:
        return PlainResponse(result={"call_id": request.correlation_id})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = {"installed_peer": HandlerPeer, "installed_plain": HandlerPlain}
    for name, made in packages.items():
        handler = ModuleType(f"{name}.handler")
        handler.__dict__.update({"__all__": [made.__name__], made.__name__: made})
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setitem(sys.modules, f"{name}.handler", handler)
    monkeypatch.setattr(nodes_in_process, "_installed", lambda: {NODE: "installed_peer", PLAIN: "installed_plain"})


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
    assert await nodes.call(NODE, "double", {"number": 3}, CALL_ID) == {"number": 6}
    (again,) = nodes._loaded
    assert again is not handler


@pytest.mark.usefixtures("installed")
async def test_calls_at_once_load_a_node_once() -> None:
    nodes = NodesInProcess()
    await asyncio.gather(*(nodes.call(NODE, "double", {"number": 1}, CALL_ID) for _ in range(5)))
    assert len(nodes._loaded) == 1


@pytest.mark.usefixtures("installed")
async def test_an_installed_node_may_take_no_bus_and_answers_json() -> None:
    nodes = NodesInProcess(event_bus="the bus")
    assert await nodes.call(PLAIN, "double", {}, CALL_ID) == {"call_id": str(CALL_ID)}
    await nodes.close()


@pytest.mark.usefixtures("installed")
def test_what_is_installed_or_registered_can_be_reached() -> None:
    nodes = NodesInProcess()
    assert [nodes.has(node) for node in (NODE, PLAIN, "node_far_effect")] == [True, True, False]


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
    assert caught.value.message == "node_absent_effect is neither registered nor installed here."


async def test_a_request_says_who_asks_for_what_and_hands_the_trace_on(bus: EventBusInmemory) -> None:
    await answer_on(bus, {"result": {}})
    nodes = NodesOnBus(bus, PEERS, OWN, NodeSpans(outgoing=lambda: {"traceparent": "00-ab-cd-01"}))
    await nodes.call(NODE, "double", {"number": 1}, CALL_ID)
    (request,) = await bus.get_event_history(topic=PEER.command_topic)
    envelope = json.loads(request.value)
    assert envelope["payload"] == {"operation": "double", "payload": {"number": 1}, "correlation_id": str(CALL_ID)}
    assert envelope["correlation_id"] == str(CALL_ID)
    assert (envelope["source_tool"], envelope["event_type"]) == (OWN, PEER.command_topic)
    assert envelope["metadata"]["headers"] == {"traceparent": "00-ab-cd-01"}


REPLY: dict[str, JsonValue] = {"result": {"number": 2}}
OWN_ID: dict[str, JsonValue] = {"correlation_id": str(CALL_ID)}
OTHER_ID: dict[str, JsonValue] = {"correlation_id": str(uuid4())}


@pytest.mark.parametrize(
    "own",
    [
        REPLY | OWN_ID,
        {"payload": REPLY | OWN_ID} | OTHER_ID,
        {"payload": REPLY | OWN_ID, "correlation_id": None},
        {"payload": REPLY} | OWN_ID,
        # Neither is an envelope.
        REPLY | OWN_ID | {"payload": None},
        REPLY | OWN_ID | {"payload": "of text"},
    ],
    ids=["bare", "wrapped", "wrapped without an id", "wrapped with its id", "of null", "of text"],
)
async def test_the_reply_with_the_same_correlation_id_is_the_answer(
    bus: EventBusInmemory, own: dict[str, JsonValue]
) -> None:
    foreign: list[dict[str, JsonValue]] = [{"result": {"number": 3}}, {"payload": {"result": {"number": 5}}}]
    await answer_on(bus, *(reply | OTHER_ID for reply in foreign), own, {"result": {"number": 4}})
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


UNKNOWN: dict[str, JsonValue] = {"outcome_unknown": True, "safe_to_repeat": False}


@pytest.mark.parametrize(
    ("reply", "told", "said"),
    [
        ({"error": "out of stock", "result": {}}, "out of stock", {}),
        ({"error_message": "out of stock", "error": "no"}, "out of stock", {}),
        ({"error": {"code": 3}}, "{'code': 3}", {}),
        # As ONEX's kernel tells of a handler that raised.
        ({"status": "failed", "failure_reason": "out of stock"}, "out of stock", {}),
        ({"status": "failed", "result": {}}, "the reply has no result", {}),
        ({"status": "failure", "result": {}}, "the reply has no result", {}),
        ({"status": "error", "result": {}}, "the reply has no result", {}),
        ({"result": None}, "the reply has no result", {}),
        ({"result": [1]}, "the reply has no result", {}),
        ({}, "the reply has no result", {}),
        ({"error": "late"} | UNKNOWN, "late", UNKNOWN),
        ({"error": "late", "outcome_unknown": False, "safe_to_repeat": "no"}, "late", {"outcome_unknown": False}),
    ],
    ids=str,
)
async def test_a_reply_that_tells_of_a_failure_is_one(
    bus: EventBusInmemory, reply: dict[str, JsonValue], told: str, said: dict[str, JsonValue]
) -> None:
    await answer_on(bus, reply)
    with pytest.raises(ModelOnexError) as caught:
        await NodesOnBus(bus, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.OPERATION_FAILED
    assert caught.value.message == f"{NODE} failed: {told}"
    assert caught.value.context.get("additional_context", {}) == said


async def test_a_reply_of_another_status_is_an_answer(bus: EventBusInmemory) -> None:
    await answer_on(bus, {"status": "success", "result": {"number": 2}, "error": None})
    assert await NodesOnBus(bus, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}


async def test_messages_that_are_no_replies_are_passed_over(
    bus: EventBusInmemory, caplog: pytest.LogCaptureFixture
) -> None:
    await answer_on(bus, b"no JSON", b"[]", b'{"correlation_id": "none"}', {"result": {"number": 2}})
    assert await NodesOnBus(bus, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 2}
    assert lines(caplog) == [("WARNING", "reply_not_understood", {"node": OWN})] * 3


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


async def test_what_is_not_listened_to_yet_when_it_is_closed_is_given_up() -> None:
    joining = asyncio.Event()

    class Stuck(EventBusInmemory):
        async def subscribe(self, *_: Any, **__: Any) -> Callable[[], Awaitable[None]]:
            joining.set()
            return await asyncio.Future()

    nodes = NodesOnBus(Stuck(), PEERS, OWN)
    opening = asyncio.create_task(nodes.open([NODE]))
    await joining.wait()
    async with asyncio.timeout(9):
        await nodes.close()
        await opening


async def test_replies_are_listened_to_on_behalf_of_no_request(
    bus: EventBusInmemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe, found = bus.subscribe, list[UUID | None]()

    async def seen(*args: Any, **options: Any) -> Callable[[], Awaitable[None]]:
        found.append(CORRELATION_ID.get())
        return await subscribe(*args, **options)

    monkeypatch.setattr(bus, "subscribe", seen)
    CORRELATION_ID.set(uuid4())
    await NodesOnBus(bus, PEERS, OWN).open([NODE])
    assert found == [None]


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


@pytest.mark.usefixtures("installed")
async def test_in_process_asks_nothing_over_the_bus(bus: EventBusInmemory) -> None:
    connection = Connection("in_process", bus, PEERS, OWN)
    await connection.open()
    with pytest.raises(ModelOnexError) as caught:
        await connection.call("node_far_effect", "double", {"number": 1}, CALL_ID)
    assert caught.value.message == "node_far_effect is neither registered nor installed here."
    assert await bus.get_event_history() == []


@pytest.mark.usefixtures("installed")
async def test_over_the_bus_an_installed_node_is_asked_there(bus: EventBusInmemory) -> None:
    await answer_on(bus, {"result": {"number": 7}})
    connection = Connection("event_bus", bus, PEERS, OWN)
    assert await connection.call(NODE, "double", {"number": 1}, CALL_ID) == {"number": 7}
    await connection.close()


@pytest.mark.usefixtures("installed")
async def test_each_call_is_a_span_and_installed_nodes_get_the_bus(bus: EventBusInmemory) -> None:
    spans: list[str] = []

    @contextmanager
    def span(node: str, operation: str) -> Iterator[None]:
        spans.append(f"{node} {operation} begins")
        yield
        spans.append("ends")

    await answer_on(bus, {"result": {}})
    headers = NodeSpans(span, lambda: {"traceparent": spans[-1]})
    connection = Connection("auto", bus, {**PEERS, "node_behind_effect": PEER}, OWN, headers)
    await connection.call(NODE, "double", {"number": 1}, CALL_ID)
    await connection.call("node_behind_effect", "double", {"number": 1}, CALL_ID)
    assert spans == [f"{NODE} double begins", "ends", "node_behind_effect double begins", "ends"]
    (request,) = await bus.get_event_history(topic=PEER.command_topic)
    envelope = json.loads(request.value)
    assert envelope["metadata"]["headers"] == {"traceparent": "node_behind_effect double begins"}
    assert envelope["source_tool"] == OWN
    (handler,) = connection.in_process._loaded
    assert handler.event_bus is bus
    assert await bus.get_subscriber_count(PEER.completed_topic) == 1
    await connection.close()
    assert not handler.running
    assert await bus.get_subscriber_count(PEER.completed_topic) == 0


async def test_without_a_bus_a_node_that_is_not_installed_is_out_of_reach() -> None:
    with pytest.raises(ModelOnexError) as caught:
        await Connection("auto", None, PEERS, OWN).call(NODE, "double", {"number": 1}, CALL_ID)
    assert caught.value.error_code is EnumCoreErrorCode.NOT_FOUND
    assert caught.value.message == f"{NODE} is not installed here, and there is no event bus to reach it by."
