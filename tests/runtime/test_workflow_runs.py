"""Runs that are kept: who works on them, and who goes on with those that were left unfinished."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from doubles.fake_nodes import PERMANENT, FakeNodes
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.workflows.engine import Engine
from onex_node_runtime.workflows.known import Known
from onex_node_runtime.workflows.run import Run, StepRecord, load
from onex_node_runtime.workflows.run_store import Lease
from onex_node_runtime.workflows.run_store_memory import RunStoreMemory as Store
from onex_node_runtime.workflows.step import Call, Step, Workflow
from onex_node_runtime.workflows.workflows import LeaseLostError, Workflows, new_run
from pydantic import BaseModel

from tests.runtime.told import lines

LEASE_SECONDS = 0.3
OWN = "node_order_orchestrator"


class Order(BaseModel):
    """An input."""

    number: int = 1
    wanted_at: datetime = datetime(2024, 2, 29, tzinfo=UTC)
    notes: dict[str, int] = {}


class Outcome(BaseModel):
    """An output."""


def given(known: Known[Order]) -> dict[str, object]:
    return {"number": known.request.number}


CALL = Call("node_other_effect", "do", given)
WORKFLOW = Workflow("order", Order, Outcome, (Step("first", CALL), Step("second", CALL, ("first",))))
WORKFLOWS = {"order": WORKFLOW}
FIRST, SECOND = uuid4(), uuid4()


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


@pytest.fixture
def nodes() -> FakeNodes:
    CORRELATION_ID.set(uuid4())
    return FakeNodes(("first", "second"), {}, new_run(WORKFLOW, Order()).run_id)


@pytest.fixture
def store() -> Store:
    return Store()


async def tell(_run: Run, _record: StepRecord, _seconds: float) -> None:
    """Nobody listens."""


def process(nodes: FakeNodes, store: Store, lease_seconds: float = LEASE_SECONDS) -> Workflows:
    return Workflows(Engine(nodes, tell), OWN, store, lease_seconds)


async def stop_in_second_step(nodes: FakeNodes, store: Store) -> None:
    nodes.delays = {"second": 5}
    task = asyncio.create_task(process(nodes, store).run(WORKFLOW, Order()))
    while nodes.calls != ["first", "second"]:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    nodes.delays = {}


async def test_the_same_request_again_gets_the_same_run(nodes: FakeNodes, store: Store) -> None:
    first = await process(nodes, store).run(WORKFLOW, Order())
    again = await process(nodes, store).run(WORKFLOW, Order())
    assert again == first
    assert nodes.calls == ["first", "second"]


def test_a_run_holds_what_was_asked_for_as_json() -> None:
    correlation_id = uuid4()
    CORRELATION_ID.set(correlation_id)
    run = new_run(WORKFLOW, Order(notes={"b": 1}))
    assert (run.operation, run.correlation_id) == ("order", correlation_id)
    assert run.payload == {"number": 1, "wanted_at": "2024-02-29T00:00:00Z", "notes": {"b": 1}}


def test_the_same_request_is_the_same_run_and_any_other_another() -> None:
    def run_id(correlation_id: UUID | None = FIRST, operation: str = "order", **given: Any) -> UUID:
        CORRELATION_ID.set(correlation_id)
        return new_run(Workflow(operation, Order, Outcome, ()), Order(**given)).run_id

    assert run_id(notes={"a": 1, "b": 2}) == run_id(notes={"b": 2, "a": 1})
    others = [run_id(), run_id(SECOND), run_id(operation="orders"), run_id(number=2), run_id(None), run_id(None)]
    assert len(set(others)) == len(others)


async def test_a_run_that_stopped_is_gone_on_with_and_nothing_is_repeated(
    nodes: FakeNodes, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    assert await process(nodes, store).resume(WORKFLOWS) == 1
    fields = {"node": OWN, "run_id": str(load_first(store).run_id), "operation": "order"}
    assert lines(caplog) == [("INFO", "run_resumed", fields)]
    assert nodes.calls == ["second"]
    assert await process(nodes, store).resume(WORKFLOWS) == 0
    run = await process(nodes, store).run(WORKFLOW, Order())
    assert run.status == "completed"
    assert nodes.calls == ["second"]


async def test_all_runs_that_were_left_unfinished_are_gone_on_with(store: Store) -> None:
    for number in range(3):
        CORRELATION_ID.set(uuid4())
        run = new_run(WORKFLOW, Order(number=number))
        await store.claim(run, Lease(uuid4(), 0))
    assert await process(FakeNodes((), {}), store).resume({}) == 3
    assert {load(kept.text).status for kept in store._runs.values()} == {"failed"}


async def test_the_same_request_goes_on_with_a_run_that_stopped(nodes: FakeNodes, store: Store) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    assert (await process(nodes, store).run(WORKFLOW, Order())).status == "completed"
    assert nodes.calls == ["second"]


async def test_nobody_else_has_a_run_that_is_under_way(nodes: FakeNodes, store: Store) -> None:
    nodes.delays = {"first": 4 * LEASE_SECONDS}
    task = asyncio.create_task(process(nodes, store).run(WORKFLOW, Order()))
    await asyncio.sleep(2 * LEASE_SECONDS)
    other = process(nodes, store)
    assert await other.resume(WORKFLOWS) == 0
    with pytest.raises(ModelOnexError) as caught:
        await other.run(WORKFLOW, Order())
    assert caught.value.error_code is EnumCoreErrorCode.RESOURCE_UNAVAILABLE
    assert caught.value.message == "The same request to order is under way already."
    assert (await task).status == "completed"
    assert nodes.calls == ["first", "second"]


@pytest.mark.parametrize("racers", [20])
async def test_of_many_that_go_on_with_a_run_one_does(nodes: FakeNodes, store: Store, racers: int) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    counts = await asyncio.gather(*(process(nodes, store).resume(WORKFLOWS) for _ in range(racers)))
    assert sum(counts) == 1
    assert nodes.calls == ["second"]


async def refuse(*_: object) -> bool:
    return False


async def away(*_: object) -> bool:
    raise ModelOnexError(message="away", error_code=EnumCoreErrorCode.DATABASE_CONNECTION_ERROR)


@pytest.mark.parametrize("noticed_by", ["renew", "save"])
async def test_a_process_that_lost_its_lease_stops(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch, noticed_by: str
) -> None:
    nodes.delays = {"first" if noticed_by == "renew" else "second": 5}
    # As if another process had taken it.
    monkeypatch.setattr(store, noticed_by, refuse)
    with pytest.raises(ModelOnexError) as caught:
        await process(nodes, store, 0.03).run(WORKFLOW, Order())
    assert isinstance(caught.value.__cause__, LeaseLostError)
    assert caught.value.error_code is EnumCoreErrorCode.RESOURCE_UNAVAILABLE
    assert caught.value.message == "Another process went on with the run of order."
    assert nodes.cancelled == (["first"] if noticed_by == "renew" else [])
    assert nodes.calls == ["first"]


async def test_a_run_that_another_process_took_meanwhile_is_left_to_it(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stop_in_second_step(nodes, store)
    monkeypatch.setattr(store, "save", refuse)
    monkeypatch.setattr(store, "release", refuse)
    assert await process(nodes, store, 60).resume(WORKFLOWS) == 1
    assert not load_first(store).finished


async def test_a_store_that_is_away_for_a_renewal_costs_no_lease(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, asked = store.renew, list[UUID]()

    async def away_at_first(run_id: UUID, lease: Lease) -> bool:
        asked.append(run_id)
        return await (away() if len(asked) == 1 else renew(run_id, lease))

    monkeypatch.setattr(store, "renew", away_at_first)
    nodes.delays = {"first": 0.05}
    assert (await process(nodes, store, 0.03).run(WORKFLOW, Order())).status == "completed"
    assert len(asked) > 1


async def test_a_store_that_is_away_when_a_run_stops_hides_not_why(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> bool:
        raise ModelOnexError(message="full", error_code=EnumCoreErrorCode.DATABASE_OPERATION_ERROR)

    monkeypatch.setattr(store, "save", full)
    monkeypatch.setattr(store, "release", away)
    with pytest.raises(ModelOnexError, match="full"):
        await process(nodes, store).run(WORKFLOW, Order())
    # Its lease goes on, so nobody takes it for a while.
    assert await process(nodes, store).resume(WORKFLOWS) == 0


async def test_unfinished_runs_are_looked_for_until_it_is_stopped(nodes: FakeNodes, store: Store) -> None:
    await stop_in_second_step(nodes, store)
    running = process(nodes, store)
    running.start(WORKFLOWS)
    running.start(WORKFLOWS)
    async with asyncio.timeout(60):
        while not load_first(store).finished:
            await asyncio.sleep(0.001)
    await running.stop()
    await running.stop()
    assert load_first(store).status == "completed"


async def test_a_store_that_is_away_is_asked_again(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    async def refuse(_lease: Lease) -> Run | None:
        if "resume_failed" in caplog.text:
            asked.set()
        return await away()  # type: ignore[return-value]  # it never returns

    monkeypatch.setattr(store, "claim_abandoned", refuse)
    running = process(nodes, store, 0.01)
    running.start(WORKFLOWS)
    async with asyncio.timeout(60):
        await asked.wait()
    await running.stop()
    assert lines(caplog)[0] == ("WARNING", "resume_failed", {"node": OWN, "error": "ModelOnexError"})


class Narrowed(Order):
    """The input, of which the contract asks for more since."""

    reason: str


@pytest.mark.parametrize("workflows", [{}, {"order": Workflow("order", Narrowed, Outcome, ())}], ids=["gone", "other"])
async def test_a_run_that_the_contract_has_no_workflow_for_is_given_up(
    nodes: FakeNodes, store: Store, caplog: pytest.LogCaptureFixture, workflows: dict[str, Workflow[Any]]
) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    assert await process(nodes, store).resume(workflows) == 1
    run = load_first(store)
    assert (run.status, run.error) == ("failed", "The contract has no workflow for this run any more.")
    assert lines(caplog) == [("ERROR", "run_given_up", {"node": OWN, "run_id": str(run.run_id), "operation": "order"})]
    assert nodes.calls == []
    assert await process(nodes, store).resume(WORKFLOWS) == 0


async def test_a_failed_run_is_kept_as_one(nodes: FakeNodes, store: Store) -> None:
    nodes.failing = {"second": [PERMANENT]}
    assert (await process(nodes, store).run(WORKFLOW, Order())).status == "failed"
    assert (await process(nodes, store).run(WORKFLOW, Order())).failed_step == "second"
    assert nodes.calls == ["first", "second"]


def load_first(store: Store) -> Run:
    return load(next(iter(store._runs.values())).text)


async def test_a_lease_that_ended_is_taken_over(store: Store) -> None:
    CORRELATION_ID.set(uuid4())
    run = new_run(WORKFLOW, Order())
    dead, alive = Lease(uuid4(), 0.01), Lease(uuid4(), 60)
    assert await store.claim(run, alive) == run
    assert await store.claim_abandoned(Lease(uuid4(), 60)) is None
    await store.release(run.run_id, alive)
    assert await store.claim(run, dead) == run
    await asyncio.sleep(0.02)
    assert await store.claim_abandoned(alive) == run
    assert not await store.save(run, dead)
    assert await store.save(run, alive)


async def test_the_latest_runs_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{Store.__module__}.MOST_RUNS", 2)
    lease = Lease(uuid4(), 5)
    for number in range(4):
        CORRELATION_ID.set(uuid4())
        run = new_run(WORKFLOW, Order(number=number))
        await store.claim(run, lease)
        run.status = "completed"
        await store.save(run, lease)
    assert [load(kept.text).payload["number"] for kept in store._runs.values()] == [2, 3]


async def test_without_a_store_nothing_is_kept_and_nothing_gone_on_with(nodes: FakeNodes) -> None:
    running = Workflows(Engine(nodes, tell), OWN)
    assert (await running.run(WORKFLOW, Order())).status == "completed"
    assert (await running.run(WORKFLOW, Order())).status == "completed"
    assert nodes.calls == ["first", "second"] * 2
    assert await running.resume(WORKFLOWS) == 0
