"""Runs that are kept: who works on them, and who goes on with those that were left unfinished."""

import asyncio
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

LEASE_SECONDS = 0.3


class Order(BaseModel):
    """An input."""

    number: int = 1


class Outcome(BaseModel):
    """An output."""


def given(known: Known[Order]) -> dict[str, object]:
    return {"number": known.request.number}


CALL = Call("node_other_effect", "do", given)
WORKFLOW = Workflow("order", Order, Outcome, (Step("first", CALL), Step("second", CALL, ("first",))))
WORKFLOWS = {"order": WORKFLOW}


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
    return Workflows(Engine(nodes, tell), "node_order_orchestrator", store, lease_seconds)


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


async def test_another_input_is_another_run() -> None:
    CORRELATION_ID.set(uuid4())
    assert new_run(WORKFLOW, Order()).run_id != new_run(WORKFLOW, Order(number=2)).run_id


async def test_a_run_that_stopped_is_gone_on_with_and_nothing_is_repeated(nodes: FakeNodes, store: Store) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    assert await process(nodes, store).resume(WORKFLOWS) == 1
    assert nodes.calls == ["second"]
    assert await process(nodes, store).resume(WORKFLOWS) == 0
    run = await process(nodes, store).run(WORKFLOW, Order())
    assert run.status == "completed"
    assert nodes.calls == ["second"]


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
    assert (await task).status == "completed"
    assert nodes.calls == ["first", "second"]


@pytest.mark.parametrize("racers", [20])
async def test_of_many_that_go_on_with_a_run_one_does(nodes: FakeNodes, store: Store, racers: int) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    counts = await asyncio.gather(*(process(nodes, store).resume(WORKFLOWS) for _ in range(racers)))
    assert sum(counts) == 1
    assert nodes.calls == ["second"]


async def test_a_process_that_lost_its_lease_stops(
    nodes: FakeNodes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.delays = {"first": 5}
    task = asyncio.create_task(process(nodes, store).run(WORKFLOW, Order()))
    while not nodes.calls:
        await asyncio.sleep(0.001)

    async def refuse(_run_id: UUID, _lease: Lease) -> bool:
        return False

    # As if another process had taken it.
    monkeypatch.setattr(store, "renew", refuse)
    with pytest.raises(ModelOnexError) as caught:
        await task
    assert isinstance(caught.value.__cause__, LeaseLostError)
    assert nodes.cancelled == ["first"]


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
        raise ModelOnexError(message="away", error_code=EnumCoreErrorCode.DATABASE_CONNECTION_ERROR)

    monkeypatch.setattr(store, "claim_abandoned", refuse)
    running = process(nodes, store, 0.01)
    running.start(WORKFLOWS)
    async with asyncio.timeout(60):
        await asked.wait()
    await running.stop()


async def test_a_run_that_the_contract_has_no_workflow_for_is_given_up(
    nodes: FakeNodes, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await stop_in_second_step(nodes, store)
    nodes.calls.clear()
    assert await process(nodes, store).resume({}) == 1
    assert load_first(store).status == "failed"
    assert "run_given_up" in caplog.text
    assert nodes.calls == []


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
    running = Workflows(Engine(nodes, tell), "node_order_orchestrator")
    assert (await running.run(WORKFLOW, Order())).status == "completed"
    assert (await running.run(WORKFLOW, Order())).status == "completed"
    assert nodes.calls == ["first", "second"] * 2
    assert await running.resume(WORKFLOWS) == 0
