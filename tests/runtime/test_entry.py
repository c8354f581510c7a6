"""The entry point: what is asked, opened and told around the run of an operation, and in which order."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.adapters.group import AdapterGroup
from onex_node_runtime.entry import EntryPoint
from onex_node_runtime.operation import Operation
from onex_node_runtime.surroundings import Measured, Surroundings
from pydantic import BaseModel, JsonValue

ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
AWAY = ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)


class Name(StrEnum):
    """Operations."""

    DOUBLE = "double"
    FAIL = "fail"


class Request(BaseModel):
    """A request."""

    operation: Name = Name.DOUBLE
    payload: dict[str, JsonValue] = {"n": 2}
    correlation_id: UUID | None = None


class Response(BaseModel):
    """An answer."""

    operation: Name
    result: dict[str, JsonValue]
    correlation_id: UUID


class Number(BaseModel):
    """An input or output, with something that JSON has another form of."""

    n: int
    id: UUID = ID


class World:
    """Notes what happens, as an adapter and as a companion of it."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    async def double(self, number: Number) -> Number:
        self.noted.append("run")
        return Number(n=number.n * 2)

    async def fail(self, _number: Number) -> Number:
        raise AWAY

    async def open(self) -> None:
        self.noted.append("open")
        raise AWAY

    async def check(self) -> None:
        raise AWAY

    async def close(self) -> None:
        self.noted.append("close")

    def figures(self) -> list[tuple[str, float, dict[str, str]]]:
        return [("pool", 1.0, {})]

    def start(self) -> None:
        self.noted.append("start")

    async def ready(self) -> None:
        self.noted.append("ready")

    async def stop(self) -> None:
        self.noted.append("stop")

    def admit(self, operation: str, correlation_id: UUID) -> None:
        self.noted.append(f"admit {operation} {correlation_id}")

    @contextmanager
    def span(self, node: str, operation: str, correlation_id: UUID) -> Iterator[None]:
        self.noted.append(f"span {node} {operation} {correlation_id}")
        yield
        self.noted.append("end of span")


@pytest.fixture
def world() -> World:
    return World()


type Point = EntryPoint[Request, Response, AdapterGroup | None]


def entry(
    world: World, metrics: MixinMetrics | None = None, adapters: AdapterGroup | None = None, **more: Any
) -> Point:
    operations = [
        Operation(Name.DOUBLE, Number, world.double, timeout_seconds=5),
        Operation(Name.FAIL, Number, world.fail, timeout_seconds=5),
    ]
    surroundings = Surroundings(
        node="node_double_compute",
        node_id=uuid4(),
        metrics=metrics or MixinMetrics(),
        redact=str,
        measured=Measured(failure=False),
    )
    return EntryPoint(operations, surroundings, Response, adapters, **more)


async def test_a_request_passes_all_that_stands_before_its_operation(world: World) -> None:
    point = entry(world, companion=world, admit=world.admit, span=world.span)
    answer = await point.handle(Request(correlation_id=ID))
    assert answer == Response(operation=Name.DOUBLE, result={"n": 4, "id": str(ID)}, correlation_id=ID)
    assert world.noted == ["ready", f"admit double {ID}", f"span node_double_compute double {ID}", "run", "end of span"]


async def test_a_request_without_an_identity_gets_one(world: World) -> None:
    point = entry(world)
    answers = [await point.handle(Request()) for _ in range(2)]
    assert answers[0].correlation_id != answers[1].correlation_id
    assert world.noted == ["run", "run"]


async def test_a_refusal_keeps_the_operation_from_running(world: World) -> None:
    def refuse(_operation: str, _correlation_id: UUID) -> None:
        raise AWAY

    with pytest.raises(ModelOnexError):
        await entry(world, admit=refuse, span=world.span).handle(Request())
    assert world.noted == []


async def test_a_failure_is_told_with_the_identity_of_its_request(world: World) -> None:
    with pytest.raises(ModelOnexError) as caught:
        await entry(world).handle(Request(operation=Name.FAIL, correlation_id=ID))
    assert (caught.value.error_code, caught.value.correlation_id) == (EnumCoreErrorCode.NETWORK_ERROR, ID)


async def test_what_it_talks_to_is_opened_first_and_closed_last(world: World) -> None:
    group = AdapterGroup(world=world)
    point = entry(world, adapters=group, companion=world)
    failures = await point.initialize()
    assert {name: error.message for name, error in failures.items()} == {"world": "away"}
    await point.shutdown()
    assert world.noted == ["open", "start", "stop", "close"]
    assert point.adapters is group
    assert point.figures() == group.figures()
    assert ("pool", 1.0, {}) in point.figures()


async def test_an_entry_that_talks_to_nothing_has_nothing_to_open(world: World) -> None:
    point = entry(world)
    assert (await point.initialize(), point.figures(), point.adapters) == ({}, [], None)
    await point.shutdown()
    assert world.noted == []


def test_counters_of_all_operations_begin_at_zero(world: World) -> None:
    counted: list[tuple[str, int, dict[str, str] | None]] = []

    class Metrics(MixinMetrics):
        """Remembers what is counted."""

        def increment_counter(self, counter_name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
            counted.append((counter_name, value, tags))

    entry(world, Metrics())
    assert counted == [("operation_success", 0, {"operation": name}) for name in ("double", "fail")]
