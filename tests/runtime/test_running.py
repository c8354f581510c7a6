"""The life of a node, and its entry point, without anything generated."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import new_class
from typing import Any
from unittest.mock import ANY
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.enums.enum_effect_types import EnumEffectType
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.infrastructure.infra_bases import (
    ModelServiceCompute,
    ModelServiceEffect,
    ModelServiceOrchestrator,
    ModelServiceReducer,
)
from omnibase_core.mixins.mixin_health_check import MixinHealthCheck
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from omnibase_core.models.container import ModelONEXContainer
from omnibase_core.models.reducer.model_intent import ModelIntent
from omnibase_core.models.reducer.payloads import ModelPayloadLogEvent
from omnibase_core.nodes import (
    EnumReductionType,
    ModelComputeInput,
    ModelEffectInput,
    ModelReducerInput,
    NodeCompute,
    NodeEffect,
    NodeOrchestrator,
    NodeReducer,
)
from onex_node_runtime.adapters.group import AdapterGroup
from onex_node_runtime.entry import EntryPoint
from onex_node_runtime.hosting import container_of_process
from onex_node_runtime.measuring import Metrics
from onex_node_runtime.nodes.compute import RunningCompute
from onex_node_runtime.nodes.effect import RunningEffect
from onex_node_runtime.nodes.orchestrator import RunningOrchestrator
from onex_node_runtime.nodes.reducer import RunningReducer
from onex_node_runtime.operation import Operation
from onex_node_runtime.rate_limit import RateLimit, admission
from onex_node_runtime.serving.hosted import node_application, serve_node
from onex_node_runtime.serving.intake import Schedules
from onex_node_runtime.serving.measured import metrics_of
from onex_node_runtime.settings.logs import LogSettings
from onex_node_runtime.settings.service import ListenerSettings
from onex_node_runtime.surroundings import EventPublisher, Surroundings
from onex_node_runtime.workflows.company import Company
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, JsonValue
from starlette.applications import Starlette

AWAY = ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)
WRONG = ModelOnexError(message="not a URL", error_code=EnumCoreErrorCode.INVALID_CONFIGURATION)


class Name(StrEnum):
    ECHO = "echo"


class Request(BaseModel):
    operation: Name = Name.ECHO
    payload: dict[str, JsonValue] = {}
    correlation_id: UUID | None = None


class Response(BaseModel):
    operation: Name
    result: dict[str, JsonValue]
    correlation_id: UUID | None = None


class Words(BaseModel):
    said: str = "nothing"


@dataclass
class World:
    """An adapter that can be away; counts how often it is opened and closed."""

    error: ModelOnexError | None = None
    opened: int = 0
    closed: int = 0

    async def open(self) -> None:
        self.opened += 1
        await self.check()

    async def check(self) -> None:
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        self.closed += 1

    def figures(self) -> list[tuple[str, float, dict[str, str]]]:
        return [("opened", self.opened, {"adapter": "world"})]


async def echo(words: Words) -> Words:
    return words


class Settings(ListenerSettings, LogSettings):
    service_host: str = "127.0.0.9"


type Entry = EntryPoint[Request, Response, AdapterGroup | None]


def surroundings(
    metrics: MixinMetrics | None = None, node_id: UUID | None = None, event_bus: EventPublisher | None = None
) -> Surroundings:
    return Surroundings.of(
        Settings(), metrics, node_id, event_bus, node="node_echo_effect", namespace="onex-node-runtime"
    )


def entry(world: World | None = None, around: Surroundings | None = None, **more: Any) -> Entry:
    operations = [Operation(Name.ECHO, Words, echo, timeout_seconds=5)]
    adapters = AdapterGroup(world=world) if world else None
    return EntryPoint(operations, around or surroundings(), Response, adapters, **more)


@dataclass
class Made:
    """Stands in for the class of a handler: keeps what it is given."""

    world: World | None = None
    given: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, **given: Any) -> Entry:
        self.given.append(given)
        return entry(self.world)


class Node(RunningEffect[Request, Response, Settings, AdapterGroup | None], NodeEffect):
    NAME = "node_echo_effect"
    OPERATIONS = Name
    USES_BUS = True
    PUBLISHES = True

    request_model = Request
    settings_model = Settings
    handler_class = Made()


class Patient(Node):
    OPTIONAL_ADAPTERS = frozenset({"world"})


class Quiet(Node):
    USES_BUS = False
    PUBLISHES = False


class Measuring(Node, MixinMetrics):
    METRICS = Metrics(prefix="shop")


def node_of(world: World | None = None, kind: type[Node] = Node, container: ModelONEXContainer | None = None) -> Node:
    node = kind(container or ModelONEXContainer())
    node.handler_class = Made(world)
    return node


async def test_it_answers_while_it_runs() -> None:
    node, correlation_id = node_of(World()), uuid4()
    with pytest.raises(ModelOnexError) as caught:
        await node.handle(Request(correlation_id=correlation_id))
    assert caught.value.error_code is EnumCoreErrorCode.INVALID_STATE
    assert caught.value.context["additional_context"]["safe_to_repeat"] is True
    await node.initialize()
    answer = await node.handle(Request(payload={"said": "hello"}, correlation_id=correlation_id))
    assert (answer.result, answer.correlation_id) == ({"said": "hello"}, correlation_id)
    await node.shutdown()
    with pytest.raises(ModelOnexError, match="not running"):
        _ = node.running


async def test_beginning_and_ending_twice_is_once() -> None:
    world = World()
    node = node_of(world)
    await node.initialize()
    running = node.running
    await node.initialize()
    assert node.running is running
    assert ("opened", 1, {"adapter": "world"}) in node.figures()
    await node.shutdown()
    await node.shutdown()
    assert (world.opened, world.closed) == (1, 1)
    assert node.figures() == []


async def test_health_check_mode_opens_nothing() -> None:
    world, container = World(), ModelONEXContainer()
    container.config.from_dict({"health_check_mode": True})
    node = node_of(world, container=container)
    await node.initialize()
    assert world.opened == 0
    assert (await node.health_check_async()).status == "degraded"


@pytest.mark.parametrize(
    ("kind", "away", "score"), [(Node, "unhealthy", 0.0), (Patient, "degraded", 0.0)], ids=["needed", "optional"]
)
async def test_health_follows_what_it_talks_to(kind: type[Node], away: str, score: float) -> None:
    world = World(error=AWAY)
    node = node_of(world, kind)
    await node.initialize()
    report = await node.health_check_async()
    assert (report.status, report.health_score, len(report.issues)) == (away, score, 1)
    (check,) = node.get_health_checks()
    assert check() is report
    world.error = None
    assert (await node.health_check_async()).status == "healthy"
    await node.shutdown()
    assert (await node.health_check_async()).status == "degraded"


async def test_a_node_that_talks_to_nothing_is_healthy_while_it_runs() -> None:
    node = node_of()
    (check,) = node.get_health_checks()
    before = check()
    await node.initialize()
    after = check()
    assert (before.status, after.status) == ("degraded", "healthy")  # type: ignore[union-attr]  # none of these is a future
    assert (await node.health_check_async()).status == "healthy"


async def test_a_start_with_something_wrong_is_refused() -> None:
    world = World(error=WRONG)
    node = node_of(world)
    with pytest.raises(ModelOnexError):
        await node.initialize()
    assert world.closed == 1
    with pytest.raises(ModelOnexError, match="not running"):
        _ = node.running


async def test_the_bus_of_the_container_is_handed_on() -> None:
    async with container_of_process(with_bus=True) as container:
        settings, made = Settings(service_port=9), Made()
        node = Node(container, settings)
        node.handler_class = made
        await node.initialize()
        bus = container.get_service_optional(EventBusInmemory)
        assert bus is not None
        assert made.given == [{"settings": settings, "metrics": None, "node_id": node.node_id, "event_bus": bus}]
    async with container_of_process() as container:
        assert container.get_service_optional(EventBusInmemory) is None


async def test_a_handler_that_sends_nothing_is_given_no_bus() -> None:
    async with container_of_process(with_bus=True) as container:
        node = Quiet(container)
        node.handler_class = made = Made()
        await node.initialize()
        assert made.given == [{"settings": node.settings, "metrics": None, "node_id": node.node_id}]


async def test_a_node_that_measures_counts_what_its_handler_does() -> None:
    node = Measuring(ModelONEXContainer())
    node.handler_class = made = Made()
    await node.initialize()
    assert made.given[0]["metrics"] is node
    assert metrics_of(node) == (ANY, CONTENT_TYPE_LATEST)
    node.increment_counter("bought")
    assert b"shop_bought_total 1.0" in metrics_of(node)[0]
    assert Node(ModelONEXContainer()).registry is None


async def test_adapters_are_those_of_the_running_node() -> None:
    node = node_of(World())
    with pytest.raises(ModelOnexError, match="not running"):
        _ = node.adapters
    await node.initialize()
    assert node.adapters is node.running.adapters
    assert node.adapters is not None


async def test_a_request_beyond_the_limit_is_refused_and_counted() -> None:
    metrics = MixinMetrics()
    limited = entry(admit=admission(RateLimit(0.01, 1), metrics))
    await limited.handle(Request())
    with pytest.raises(ModelOnexError) as caught:
        await limited.handle(Request())
    assert caught.value.error_code is EnumCoreErrorCode.RATE_LIMIT_ERROR
    assert metrics.get_metrics()["operation_rate_limited"]["value"] == 1


@dataclass
class Calls:
    """Stands in for the other nodes and the engine: notes what is called."""

    made: list[str] = field(default_factory=list)

    async def open(self) -> None:
        self.made.append("open")

    async def close(self) -> None:
        self.made.append("close")

    def start(self, workflows: object) -> None:
        self.made.append(f"start {workflows}")

    async def stop(self) -> None:
        self.made.append("stop")


@pytest.mark.parametrize("kept", [True, False])
async def test_workflows_have_other_nodes_within_reach_and_go_on_with_runs(kept: bool) -> None:
    calls: Any = Calls()
    resumed: Any = {"echo": "workflow"} if kept else None
    point = entry(companion=Company(calls, calls, resumed))
    await point.handle(Request())
    await point.initialize()
    await point.shutdown()
    start = ["start {'echo': 'workflow'}"] if kept else []
    assert calls.made == [*start, "open", *start, *(["stop"] if kept else []), "close"]


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    """Return what was logged, without what ONEX itself says."""
    found = [(record.levelno, json.loads(record.getMessage())) for record in caplog.records]
    return [(level, line["message"], line["context"]) for level, line in found if " " not in line["message"]]


@pytest.mark.parametrize("kind", [Node, Quiet])
async def test_a_start_tells_what_is_missing(kind: type[Node], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="omnibase")
    node = node_of(World(error=AWAY), kind)
    await node.initialize()
    events = {"node": "node_echo_effect", "node_id": str(node.node_id), "events_end": "nowhere"}
    away = {"node_id": str(node.node_id), "adapter": "world", "error": "away"}
    inside = [(logging.WARNING, "events_stay_inside", events)]
    assert lines(caplog) == [*(inside if kind is Node else []), (logging.WARNING, "started_degraded", away)]


async def test_a_start_tells_of_a_bus_within_the_process(caplog: pytest.LogCaptureFixture) -> None:
    async with container_of_process(with_bus=True) as container:
        caplog.set_level(logging.WARNING, logger="omnibase")
        node = node_of(container=container)
        await node.initialize()
    events = {"node": "node_echo_effect", "node_id": str(node.node_id), "events_end": "in this process"}
    assert (logging.WARNING, "events_stay_inside", events) in lines(caplog)


async def test_a_request_before_the_start_may_come_again() -> None:
    node, correlation_id = node_of(World()), uuid4()
    with pytest.raises(ModelOnexError) as caught:
        await node.handle(Request(correlation_id=correlation_id))
    error = caught.value
    assert (error.error_code, error.message) == (EnumCoreErrorCode.INVALID_STATE, "The node is not running.")
    assert error.correlation_id == correlation_id
    assert error.context["additional_context"] == {"operation": "echo", "safe_to_repeat": True}
    with pytest.raises(ModelOnexError) as caught:
        _ = node.running
    assert (caught.value.error_code, caught.value.message) == (error.error_code, error.message)


async def test_a_node_that_is_not_running_says_so_to_who_asks_how_it_is() -> None:
    node = node_of(World())
    (check,) = node.get_health_checks()

    def told(report: Any) -> tuple[str, list[str]]:
        return report.status, [issue.message for issue in report.issues]

    before = [told(check()), told(await node.health_check_async())]
    await node.initialize()
    running = told(await node.health_check_async())
    await node.shutdown()
    assert before == [("degraded", ["not started"])] * 2
    assert running == ("healthy", [])
    assert told(check()) == ("degraded", ["not started"])


class Computing(RunningCompute[Request, Response, Settings, AdapterGroup | None], NodeCompute[Any, Any]):
    NAME = "node_echo_compute"
    OPERATIONS = Name

    request_model = Request
    settings_model = Settings
    handler_class = Made()


def logged(results: Sequence[dict[str, JsonValue]]) -> tuple[ModelIntent, ...]:
    payloads = [ModelPayloadLogEvent(level="INFO", message=str(found)) for found in results]
    return tuple(ModelIntent(intent_type="log_event", target="log", payload=payload) for payload in payloads)


class Reducing(RunningReducer[Request, Response, Settings, AdapterGroup | None], NodeReducer[Any, Any]):
    NAME = "node_echo_reducer"
    OPERATIONS = Name

    request_model = Request
    settings_model = Settings
    handler_class = Made()


class Wanting(Reducing):
    INTENTS = staticmethod(logged)  # type: ignore[assignment]  # mypy takes the base's for a method


ASKED: dict[str, Any] = {"operation": "echo", "payload": {"said": "hello"}}


async def test_inputs_of_onex_are_requests() -> None:
    kinds: tuple[Any, ...] = (Node, Computing, Reducing, Wanting)
    effect, compute, reducer, wanting = nodes = [kind(ModelONEXContainer()) for kind in kinds]
    for node in nodes:
        await node.initialize()
    effected = await effect.process(ModelEffectInput(effect_type=EnumEffectType.API_CALL, operation_data=ASKED))
    computed = await compute.process(ModelComputeInput(data=ASKED))
    items = ModelReducerInput(data=[ASKED, {"operation": "echo"}], reduction_type=EnumReductionType.FOLD)
    reduced, wanted = [await node.process(items) for node in (reducer, wanting)]
    assert (effected.result, computed.result) == ({"said": "hello"}, {"said": "hello"})
    results = [{"said": "hello"}, {"said": "nothing"}]
    assert (reduced.result, wanted.result) == (results, results)
    assert reduced.intents == ()
    assert [intent.payload.message for intent in wanted.intents] == [str(found) for found in results]


SERVED = {
    "effect": (RunningEffect, NodeEffect, ModelServiceEffect),
    "compute": (RunningCompute, NodeCompute, ModelServiceCompute),
    "reducer": (RunningReducer, NodeReducer, ModelServiceReducer),
    "orchestrator": (RunningOrchestrator, NodeOrchestrator, ModelServiceOrchestrator),
}


MIXINS: tuple[tuple[type, ...], ...] = ((), (MixinHealthCheck,), (MixinMetrics,), (MixinHealthCheck, MixinMetrics))


@pytest.mark.parametrize("archetype", SERVED)
@pytest.mark.parametrize("served", [False, True], ids=["node", "service mode"])
@pytest.mark.parametrize(
    "mixins", [(), (MixinHealthCheck,), (MixinMetrics,), (MixinHealthCheck, MixinMetrics)], ids=len
)
def test_every_base_of_a_node_has_an_order_of_methods(archetype: str, served: bool, mixins: tuple[type, ...]) -> None:
    running, plain, service = SERVED[archetype]
    base = service if served else plain
    lifecycle = new_class("Lifecycle", (running, base, *mixins))
    node = new_class("Node", (lifecycle, base, *mixins))
    assert node.__mro__.index(running) < node.__mro__.index(base)


def test_a_process_hosts_the_node_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    async def serve(_app: Starlette, settings: ListenerSettings) -> None:
        made.append(settings.service_host)

    class Hosted(Node):
        def __init__(self, container: ModelONEXContainer, settings: Settings) -> None:
            super().__init__(container, settings)
            made.append(str(container.get_service_optional(EventBusInmemory) is not None))

    @asynccontextmanager
    async def beside(node: Hosted) -> AsyncIterator[None]:
        made.append(node.NAME)
        yield
        made.append("closed")

    @contextmanager
    def around(settings: Settings) -> Iterator[None]:
        made.append(f"around {settings.service_port}")
        yield
        made.append("ended")

    monkeypatch.setenv("SERVICE_PORT", "8999")
    monkeypatch.setattr("onex_node_runtime.serving.hosted.serve", serve)
    monkeypatch.setattr(
        "onex_node_runtime.serving.hosted.configure", lambda settings, _trace: made.append(settings.log_level)
    )
    serve_node(Hosted, node_application, with_bus=True, beside=beside, around=around)
    assert made == ["INFO", "around 8999", "True", "node_echo_effect", "127.0.0.9", "closed", "ended"]


async def test_what_runs_by_itself_is_asked_for_as_requests_are() -> None:
    node = node_of()
    await node.initialize()
    schedules = Schedules.of(node, {Name.ECHO: 0.001})
    schedules.start()
    async with asyncio.timeout(10):
        while "operation_success" not in node.running._surroundings.metrics.get_metrics():
            await asyncio.sleep(0.001)
    await schedules.stop()
    assert all(task.done() for task in schedules.tasks)
