"""Tool invocations over an event bus: which are taken, what they become, and what is answered."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.tool_server import ToolBus, ToolServing, ToolTerms
from pydantic import BaseModel, JsonValue

NODE_ID, REQUESTER, ID = uuid4(), uuid4(), uuid4()


class Name(StrEnum):
    ECHO = "echo"


class Request(BaseModel):
    """An operation and its payload."""

    operation: Name
    payload: dict[str, JsonValue]
    correlation_id: UUID


@dataclass
class Message:
    """What a bus brings."""

    value: bytes


class Bus:
    """Remembers what was published, and who takes which messages."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Any]] = []
        self.subscribed: list[tuple[str, str]] = []
        self.ended = 0
        self.take: Callable[[Any], Awaitable[None]]

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        self.published.append((topic, envelope))

    async def subscribe(
        self, topic: str, *, on_message: Callable[[Any], Awaitable[None]], group_id: str
    ) -> Callable[[], Awaitable[None]]:
        self.subscribed.append((topic, group_id))
        self.take = on_message

        async def end() -> None:
            self.ended += 1

        return end


class Node(ToolServing):
    """A node that answers with what it was asked, and remembers it."""

    def __init__(self, bus: Bus | None, drain_seconds: float = 5.0) -> None:
        super().__init__()
        self.node_id = NODE_ID
        self.asked: list[Request] = []
        self.pause = asyncio.Event()
        self.pause.set()
        self.take_invocations(ToolTerms("node_echo_effect", NODE_ID, Request, drain_seconds), bus)

    async def run(self, request: Request) -> Request:
        self.asked.append(request)
        await self.pause.wait()
        return request


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
async def node(bus: Bus) -> AsyncIterator[Node]:
    found = Node(bus)
    serving = await started(found, bus)
    yield found
    found.pause.set()
    await found.stop_service_mode()
    await serving


async def started(node: Node, bus: Bus) -> asyncio.Task[None]:
    before = len(bus.subscribed)
    serving = asyncio.create_task(node.start_service_mode())
    async with asyncio.timeout(20):
        while len(bus.subscribed) == before:
            await asyncio.sleep(0.001)
    return serving


def parameter(name: str, value: object, kind: str) -> dict[str, object]:
    return {"name": name, "value": value, "parameter_type": kind}


def invocation(*parameters: dict[str, object], target: UUID = NODE_ID, name: str = "other", **others: Any) -> bytes:
    event = {
        "node_id": str(REQUESTER),
        "correlation_id": str(ID),
        "target_node_id": str(target),
        "target_node_name": name,
        "tool_name": "tool",
        "action": "echo",
        "parameters": {"parameters": list(parameters)},
        "requester_id": str(REQUESTER),
        "requester_node_id": str(REQUESTER),
        **others,
    }
    return json.dumps(event).encode()


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    found = [
        (record.levelno, json.loads(record.getMessage())) for record in caplog.records if record.name == "omnibase"
    ]
    return [(level, line["message"], line["context"]) for level, line in found]


def answer(bus: Bus) -> tuple[str, Any, Any]:
    """Return the topic, the envelope and the event of the only thing that was published."""
    ((topic, envelope),) = bus.published
    return topic, envelope, envelope.payload


async def test_an_invocation_is_answered(node: Node, bus: Bus) -> None:
    assert bus.subscribed == [("tool_invocation", "node_echo_effect")]
    payload = [
        parameter("text", "[1]", "string"),
        parameter("number", 5, "integer"),
        parameter("list", ["a"], "array"),
        parameter("deep", '{"a": [{"b": 1}]}', "object"),
    ]
    await bus.take(Message(invocation(*payload)))
    asked: dict[str, JsonValue] = {"text": "[1]", "number": 5, "list": ["a"], "deep": {"a": [{"b": 1}]}}
    assert node.asked == [Request(operation=Name.ECHO, payload=asked, correlation_id=ID)]
    topic, envelope, event = answer(bus)
    assert (topic, envelope.source_tool, envelope.event_type) == ("tool_response", "node_echo_effect", "tool_response")
    assert (envelope.correlation_id, event.correlation_id) == (ID, ID)
    assert (event.success, event.source_node_id, event.source_node_name) == (True, NODE_ID, "node_echo_effect")
    assert event.result == {"operation": "echo", "payload": asked, "correlation_id": str(ID)}


@pytest.mark.parametrize(
    ("others", "taken"),
    [({}, True), ({"target": uuid4()}, False), ({"target": uuid4(), "name": "node_echo_effect"}, True)],
)
async def test_every_node_hears_all_and_takes_its_own(
    node: Node, bus: Bus, others: dict[str, Any], taken: bool
) -> None:
    bare = invocation(**others)
    envelope = json.dumps({"payload": json.loads(bare), "envelope_timestamp": "now"}).encode()
    for value in (bare, envelope):
        await bus.take(Message(value))
    assert len(node.asked) == len(bus.published) == (2 if taken else 0)


@pytest.mark.parametrize("value", [b"{", b"\xff", b"[]", b'{"payload": {"a": 1}}', b'{"payload": 1}', b"[" * 100_000])
async def test_what_is_no_invocation_is_logged(
    node: Node, bus: Bus, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    await bus.take(Message(value))
    told = (logging.WARNING, "invocation_not_understood", {"node": "node_echo_effect"})
    assert (lines(caplog), node.asked, bus.published) == ([told], [], [])


@pytest.mark.parametrize(
    ("parameters", "others"),
    [
        ([], {"action": "unheard_of"}),
        ([parameter("deep", "{", "object")], {}),
        ([parameter("deep", "[" * 100_000, "object")], {}),
    ],
    ids=["operation", "no JSON", "too deep"],
)
async def test_what_is_no_request_is_refused(
    node: Node, bus: Bus, parameters: list[dict[str, object]], others: dict[str, Any]
) -> None:
    await bus.take(Message(invocation(*parameters, **others)))
    _, _, event = answer(bus)
    code = EnumCoreErrorCode.VALIDATION_ERROR
    assert (event.success, event.error) == (False, f"[{code}] The invocation is not a request to this node.")
    assert node.asked == []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass a hundred times as fast as invocations say, and give the seconds that they said."""
    said: list[float] = []
    timeout = asyncio.timeout

    def shortened(seconds: float) -> asyncio.Timeout:
        said.append(seconds)
        return timeout(seconds / 100)

    monkeypatch.setattr("onex_node_runtime.tool_server.asyncio.timeout", shortened)
    return said


async def test_an_invocation_has_its_time(node: Node, bus: Bus, quick: list[float]) -> None:
    node.pause.clear()
    await bus.take(Message(invocation(timeout_ms=1500)))
    _, _, event = answer(bus)
    code = EnumCoreErrorCode.TIMEOUT
    assert (event.success, event.error) == (False, f"[{code}] The invocation took longer than 1500 ms.")
    assert quick == [1.5]


async def test_errors_hold_the_identity_of_their_invocation(node: Node, bus: Bus, quick: list[float]) -> None:
    node.pause.clear()
    raised: list[ModelOnexError] = []
    execute, convert = node._execute_tool, node._convert_event_to_input_state

    def kept(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def made(*given: Any) -> Any:
            try:
                return await call(*given)
            except ModelOnexError as error:
                raised.append(error)
                raise

        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "_execute_tool", kept(execute))
        patch.setattr(node, "_convert_event_to_input_state", kept(convert))
        await bus.take(Message(invocation(timeout_ms=1000)))
        await bus.take(Message(invocation(action="unheard_of")))
    assert [(error.error_code, error.correlation_id) for error in raised] == [
        (EnumCoreErrorCode.TIMEOUT, ID),
        (EnumCoreErrorCode.VALIDATION_ERROR, ID),
    ]
    assert quick == [1.0]


async def test_service_mode_ends_and_begins_again(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    node = Node(bus)
    await node.stop_service_mode()
    for times in (1, 2):
        serving = await started(node, bus)
        await asyncio.sleep(0)
        assert not serving.done()
        await node.stop_service_mode()
        await serving
        assert bus.ended == times
    told = {"node_id": str(NODE_ID), "pattern": ""}
    assert (logging.INFO, "Service started successfully", told) in lines(caplog)
    assert [message for level, message, _ in lines(caplog) if level > logging.INFO] == []


async def test_what_is_under_way_is_waited_for(bus: Bus) -> None:
    for drain_seconds, waited in ((20.0, True), (0.0, False)):
        node = Node(bus, drain_seconds)
        serving = await started(node, bus)
        node.pause.clear()
        bus.published.clear()
        working = asyncio.ensure_future(bus.take(Message(invocation())))
        async with asyncio.timeout(20):
            while not node.asked:
                await asyncio.sleep(0.001)
        ending = asyncio.create_task(node.stop_service_mode())
        if waited:
            await asyncio.sleep(0.01)
            assert not ending.done()
            node.pause.set()
        await ending
        topics = [topic for topic, _ in bus.published]
        assert ("tool_response" in topics) is waited
        node.pause.set()
        await asyncio.gather(working, serving)


async def test_without_a_bus_service_mode_does_not_start(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(None)
    with pytest.raises(ModelOnexError) as caught:
        await node.start_service_mode()
    message = "The container has no event bus, over which tool invocations could come."
    assert (caught.value.error_code, caught.value.message) == (EnumCoreErrorCode.SERVICE_UNAVAILABLE, message)
    failed = next(line for line in lines(caplog) if line[0] == logging.ERROR)
    assert failed[2] == {"node_id": str(NODE_ID), "pattern": "", "error": None}


def test_an_error_in_the_log_is_told_by_its_class(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(None)
    node._log_error("failed", "tool", ValueError("hidden"))
    node._log_info("done", "tool")
    told = {"node_id": str(NODE_ID), "pattern": "tool"}
    assert lines(caplog) == [
        (logging.ERROR, "failed", {**told, "error": "ValueError"}),
        (logging.INFO, "done", told),
    ]


async def test_events_go_to_the_topic_of_their_type(bus: Bus, node: Node) -> None:
    await bus.take(Message(invocation()))
    _, _, event = answer(bus)
    bus.published.clear()
    await ToolBus(bus, "node_other").publish(event)
    topic, envelope, payload = answer(bus)
    assert (topic, envelope.source_tool, envelope.correlation_id, payload) == ("tool_response", "node_other", ID, event)
