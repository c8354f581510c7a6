"""What the engine does with any workflow: order, deadlines, attempts, failures, and undoing."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4, uuid5

import pytest
from doubles.fake_nodes import PERMANENT, RUN_ID, FakeNodes
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.refusals import REFUSALS
from onex_node_runtime.workflows.engine import Engine
from onex_node_runtime.workflows.known import Known, value_at
from onex_node_runtime.workflows.run import Run, StepRecord, failure, load
from onex_node_runtime.workflows.step import Call, Retry, Step, Workflow
from pydantic import BaseModel, JsonValue

PASSING = EnumCoreErrorCode.NETWORK_ERROR


class Order(BaseModel):
    """An input."""

    number: int = 1


class Outcome(BaseModel):
    """An output."""

    total: int | None = None


def given(known: Known[Order]) -> dict[str, object]:
    return {"number": known.request.number, "known": sorted(known.steps)}


UNDO = Call("node_other_effect", "undo", given)


def step(
    name: str,
    *after: str,
    on_failure: Literal["abort", "continue", "compensate"] = "compensate",
    timeout_seconds: float = 5.0,
    retry: Retry | None = None,
    idempotent: bool = False,
    undoes_unknown: bool = False,
) -> Step[Order]:
    return Step(
        name=name,
        does=Call("node_other_effect", "do", given),
        after=after,
        timeout_seconds=timeout_seconds,
        retry=retry or Retry(),
        on_failure=on_failure,
        compensate=UNDO,
        idempotent=idempotent,
        undoes_unknown=undoes_unknown,
    )


def workflow(*steps: Step[Order], timeout_seconds: float | None = None) -> Workflow[Order]:
    return Workflow("order", Order, Outcome, steps, timeout_seconds)


DIAMOND = workflow(step("top"), step("left", "top"), step("right", "top"), step("bottom", "left", "right"))


class Trial:
    """A run of a workflow, and what became known of it on the way."""

    def __init__(self, made: Workflow[Order], run: Run | None = None) -> None:
        self.workflow = made
        self.nodes = FakeNodes((step.name for step in made.steps), {})
        self.run = run or Run(RUN_ID, "order", uuid4(), {"number": 1})
        self.told: list[tuple[str, str]] = []
        self.kept: list[str] = []
        self.ended: list[str] = []

    async def tell(self, run: Run, record: StepRecord, seconds: float) -> None:
        assert run is self.run
        assert 0 <= seconds < 60
        self.told.append((record.name, record.status))

    async def keep(self, run: Run) -> None:
        self.kept.append(run.dump())

    async def advance(self, *, kept: bool = True) -> Run:
        engine = Engine(self.nodes, self.tell, ended=lambda run: self.ended.append(run.status))
        await engine.advance(self.workflow, Order(), self.run, self.keep if kept else None)
        return self.run


async def test_each_step_waits_for_those_before_it_and_no_other() -> None:
    trial = Trial(DIAMOND)
    trial.nodes.delays = {"left": 0.2}
    run = await trial.advance()
    assert (run.status, trial.ended) == ("completed", ["completed"])
    assert trial.nodes.calls == ["top", "left", "right", "bottom"]
    assert [record.name for record in run.steps] == ["top", "right", "left", "bottom"]
    assert trial.nodes.payloads["bottom"] == {"number": 1, "known": ["left", "right", "top"]}
    assert trial.told == [(name, "completed") for name in ("top", "right", "left", "bottom")]


async def test_steps_that_nothing_orders_run_side_by_side() -> None:
    trial = Trial(workflow(*(step(f"step_{number}") for number in range(20))))
    trial.nodes.delays = {f"step_{number}": 0.5 for number in range(20)}
    async with asyncio.timeout(9):
        await trial.advance()
    assert len(trial.run.steps) == 20


async def test_nothing_starts_after_a_failure_and_what_was_done_is_undone_backwards() -> None:
    trial = Trial(workflow(*DIAMOND.steps, step("aside", "left")))
    trial.nodes.delays = {"right": 0.2}
    trial.nodes.failing = {"left": [PERMANENT]}
    run = await trial.advance()
    assert (run.status, run.failed_step, run.error) == ("compensated", "left", "left is broken")
    undoing = {record.name: record.undo is not None for record in run.steps}
    assert undoing == {"top": True, "left": False, "right": True}
    assert trial.nodes.calls == ["top", "left", "right"]
    assert trial.nodes.undone == ["right", "top"]
    assert trial.told[-2:] == [("right", "compensated"), ("top", "compensated")]
    assert trial.nodes.payloads["undo top"] == {"number": 1, "known": ["top"]}


async def test_a_step_under_way_is_waited_for_when_another_fails_and_then_undone() -> None:
    trial = Trial(workflow(step("fast"), step("slow")))
    trial.nodes.delays = {"slow": 0.2}
    trial.nodes.failing = {"fast": [PERMANENT]}
    await trial.advance()
    assert trial.nodes.cancelled == []
    assert trial.nodes.undone == ["slow"]


async def test_abort_undoes_nothing() -> None:
    trial = Trial(workflow(step("first"), step("second", "first", on_failure="abort")))
    trial.nodes.failing = {"second": [PERMANENT]}
    run = await trial.advance()
    assert (run.status, run.failed_step) == ("failed", "second")
    assert trial.nodes.undone == []


async def test_continue_goes_on_without_the_step() -> None:
    trial = Trial(workflow(step("first", on_failure="continue"), step("second", "first")))
    trial.nodes.failing = {"first": [PERMANENT]}
    run = await trial.advance()
    assert (run.status, run.failed_step) == ("completed", None)
    assert [(record.name, record.status) for record in run.steps] == [("first", "failed"), ("second", "completed")]
    assert value_at(run.answers, "first", "anything") is None


async def test_a_failed_compensation_is_reported_and_keeps_no_other_from_running() -> None:
    trial = Trial(workflow(step("first"), step("second", "first"), step("third", "second")))
    trial.nodes.failing = {"third": [PERMANENT], "undo second": [PERMANENT]}
    run = await trial.advance()
    assert trial.nodes.undone == ["second", "first"]
    assert (run.status, run.failed_compensations) == ("failed", ["second"])
    assert ("second", "compensation_failed") in trial.told
    assert failure(run).error_code is EnumCoreErrorCode.OPERATION_FAILED
    assert run.steps[1].error == "undo second is broken"


@pytest.mark.parametrize("undone", [True, False])
@pytest.mark.parametrize("code", [*sorted(REFUSALS), PASSING, EnumCoreErrorCode.CONTRACT_VIOLATION])
async def test_what_a_step_is_refused_is_answered_with_its_place(code: EnumCoreErrorCode, undone: bool) -> None:
    trial = Trial(workflow(step("first"), step("second", "first")))
    trial.nodes.failing = {"second": [code]} | ({} if undone else {"undo first": [PERMANENT]})
    error = failure(load((await trial.advance()).dump()))
    context = error.context["additional_context"]
    # Where something is left of the run, it is no mere refusal.
    expected = code if undone and code in REFUSALS else EnumCoreErrorCode.OPERATION_FAILED
    assert error.error_code is expected
    assert (context["step"], context["node"]) == ("second", "node_other_effect")
    assert error.message == "The step second of order failed: second is broken"


async def test_a_first_step_that_fails_leaves_nothing_to_undo() -> None:
    trial = Trial(workflow(step("only")))
    trial.nodes.failing = {"only": [PERMANENT]}
    assert (await trial.advance()).status == "failed"


async def test_attempts_are_made_until_one_succeeds() -> None:
    trial = Trial(workflow(step("only", retry=Retry(3, 0.001))))
    trial.nodes.failing = {"only": [PASSING, PASSING]}
    assert (await trial.advance()).status == "completed"
    assert trial.nodes.calls == ["only"] * 3


async def test_attempts_end() -> None:
    trial = Trial(workflow(step("only", retry=Retry(3, 0.001))))
    trial.nodes.failing = {"only": [PASSING] * 3}
    assert (await trial.advance()).status == "failed"
    assert trial.nodes.calls == ["only"] * 3


async def test_no_second_attempt_at_what_would_fail_again() -> None:
    trial = Trial(workflow(step("only", retry=Retry(3, 0.001))))
    trial.nodes.failing = {"only": [PERMANENT]}
    await trial.advance()
    assert trial.nodes.calls == ["only"]


@pytest.mark.parametrize("idempotent", [False, True])
async def test_an_attempt_has_a_deadline_and_is_repeated_only_where_that_does_no_harm(idempotent: bool) -> None:
    trial = Trial(workflow(step("only", timeout_seconds=0.01, retry=Retry(2, 0.001), idempotent=idempotent)))
    trial.nodes.delays = {"only": 5}
    run = await trial.advance()
    assert run.error == "node_other_effect gave no answer within 0.01 s."
    assert trial.nodes.cancelled == ["only"] * (2 if idempotent else 1)


@pytest.mark.parametrize(
    ("details", "attempts", "unknown"),
    [
        ({}, 2, False),
        ({"outcome_unknown": True}, 1, True),
        ({"safe_to_repeat": False}, 1, True),
        ({"outcome_unknown": True, "safe_to_repeat": True}, 2, True),
        ({"outcome_unknown": False, "safe_to_repeat": True}, 2, False),
    ],
)
async def test_what_an_error_says_is_obeyed(details: dict[str, bool], attempts: int, unknown: bool) -> None:
    trial = Trial(workflow(step("only", retry=Retry(2, 0.001))))
    trial.nodes.failing = {"only": [PASSING, PASSING]}
    trial.nodes.details = details
    run = await trial.advance()
    assert trial.nodes.calls == ["only"] * attempts
    assert run.unknown_outcomes == (["only"] if unknown else [])
    assert failure(run).context["additional_context"]["unknown_outcomes"] == run.unknown_outcomes


@pytest.mark.parametrize("undoes_unknown", [False, True])
async def test_a_step_that_ran_out_of_time_is_undone_where_the_contract_says_so(undoes_unknown: bool) -> None:
    late = step("second", "first", timeout_seconds=0.1, undoes_unknown=undoes_unknown)
    trial = Trial(workflow(step("first"), late))
    trial.nodes.delays = {"second": 5}
    effects = Effects()
    EFFECTS.set(effects)
    run = await trial.advance()
    assert trial.nodes.undone == (["second", "first"] if undoes_unknown else ["first"])
    assert run.status == ("compensated" if undoes_unknown else "failed")
    assert run.unknown_outcomes == ([] if undoes_unknown else ["second"])
    assert (run.steps[1].node, run.steps[1].code) == ("node_other_effect", str(EnumCoreErrorCode.TIMEOUT))
    assert (effects.lasting, effects.in_doubt) == (not undoes_unknown, not undoes_unknown)


@pytest.mark.parametrize("before", [Effects(), Effects(lasting=True), Effects(in_doubt=True)], ids=str)
@pytest.mark.parametrize("fails", [False, True])
async def test_what_a_request_did_before_its_run_stays(before: Effects, fails: bool) -> None:
    trial = Trial(workflow(step("first")))
    trial.nodes.failing = {"first": [PERMANENT]} if fails else {}
    effects = replace(before)
    EFFECTS.set(effects)
    await trial.advance()
    assert (effects.lasting, effects.in_doubt) == (before.lasting or not fails, before.in_doubt)


async def test_a_run_that_stops_as_it_is_leaves_its_effects_in_doubt() -> None:
    effects = Effects()
    EFFECTS.set(effects)
    trial = Trial(workflow(step("first")))

    async def refuse(_run: Run) -> None:
        raise ConnectionError("away")

    with pytest.raises(ConnectionError):
        await Engine(trial.nodes, trial.tell).advance(trial.workflow, Order(), trial.run, refuse)
    assert (effects.lasting, effects.in_doubt) == (True, True)


async def test_a_run_kept_without_what_undoes_it_is_undone_with_what_it_answered() -> None:
    """As versions did that worked it out when it was undone; a step that the contract has no more is passed over."""

    def known_then(known: Known[Order]) -> dict[str, object]:
        id_of_call = known.uuid("input.id")
        return {
            "id": value_at(known.steps, "first", "id"),
            "number": known.request.number,
            "at": known.now,
            "own": str(id_of_call),
        }

    first = Step(
        "first", Call("node_other_effect", "do", given), compensate=Call("node_other_effect", "undo", known_then)
    )
    records = [
        StepRecord("first", "completed", {"id": 7}),
        StepRecord("gone", "completed"),
        StepRecord("go-ne", "failed"),
    ]
    run = Run(
        RUN_ID, "order", uuid4(), {}, "undoing", records, "second", "away", started_at=datetime(2024, 2, 29, tzinfo=UTC)
    )
    trial = Trial(workflow(first), run)
    await trial.advance()
    assert run.status == "compensated"
    assert trial.nodes.payloads["undo first"] == {
        "id": 7,
        "number": 1,
        "at": "2024-02-29T00:00:00Z",
        "own": str(uuid5(RUN_ID, "first input.id")),
    }


async def test_a_compensation_is_repeated_until_it_answers() -> None:
    trial = Trial(workflow(step("first", timeout_seconds=0.1, retry=Retry(3, 0.001)), step("second", "first")))
    trial.nodes.failing = {"second": [PERMANENT]}
    trial.nodes.delays = {"undo first": 5}
    run = await trial.advance()
    assert trial.nodes.cancelled == ["undo first"] * 3
    assert (run.status, run.failed_compensations) == ("failed", ["first"])


@pytest.mark.parametrize("undoes_unknown", [False, True])
async def test_the_workflow_has_a_deadline_after_which_what_was_done_is_undone(undoes_unknown: bool) -> None:
    second = step("second", "first", undoes_unknown=undoes_unknown)
    trial = Trial(workflow(step("first"), second, timeout_seconds=0.2))
    trial.nodes.delays = {"second": 5, "undo first": 0.4}
    run = await trial.advance()
    assert (run.status, run.failed_step) == ("compensated" if undoes_unknown else "failed", "second")
    assert run.error == "order took longer than 0.2 s."
    assert trial.nodes.cancelled == ["second"]
    assert trial.nodes.undone == (["second", "first"] if undoes_unknown else ["first"])
    assert run.unknown_outcomes == ([] if undoes_unknown else ["second"])
    assert (run.steps[1].error, run.steps[1].node) == ("It was cancelled.", "node_other_effect")
    told = [("second", "compensated")] if undoes_unknown else []
    assert trial.told == [("first", "completed"), ("second", "failed"), *told, ("first", "compensated")]
    assert trial.ended == [run.status]


@pytest.mark.parametrize("answer", [{}, {"inner": 1}, {"inner": {}}], ids=str)
async def test_an_answer_without_what_others_need_is_a_failure(answer: dict[str, JsonValue]) -> None:
    needed = Step("only", Call("node_other_effect", "do", given), needed=(("inner", "total"),))
    trial = Trial(workflow(needed))
    trial.nodes = FakeNodes(["only"], {"only": answer})
    run = await trial.advance()
    assert run.error == "node_other_effect: The answer has no inner.total."


async def test_an_answer_that_does_not_fit_the_output_is_a_failure() -> None:
    filling = Step("only", Call("node_other_effect", "do", given), fills=(("total", ("sum",)),))
    trial = Trial(workflow(filling))
    trial.nodes = FakeNodes(["only"], {"only": {"sum": "many"}})
    run = await trial.advance()
    assert run.error.startswith("node_other_effect: sum does not fit total: ")


async def test_the_run_is_kept_after_each_step_and_each_compensation() -> None:
    trial = Trial(workflow(step("first"), step("second", "first"), step("third", "second")))
    trial.nodes.failing = {"third": [PERMANENT]}
    await trial.advance()
    kept = [load(text) for text in trial.kept]
    assert [len(run.steps) for run in kept[:3]] == [1, 2, 3]
    assert [record.status for record in kept[-1].steps] == ["compensated", "compensated", "failed"]
    assert [run.finished for run in kept] == [False] * (len(kept) - 1) + [True]
    assert kept[-1] == trial.run


@pytest.mark.parametrize("kept", range(5))
async def test_a_run_goes_on_from_wherever_it_stopped_and_repeats_nothing(kept: int) -> None:
    whole = Trial(workflow(step("first"), step("second", "first"), step("third", "second")))
    whole.nodes.failing = {"third": [PERMANENT]}
    await whole.advance()
    before = load(whole.kept[kept])
    over = [record.name for record in before.steps]
    undone = [record.name for record in reversed(before.steps) if record.status == "compensated"]

    rest = Trial(whole.workflow, before)
    rest.nodes.failing = {"third": [PERMANENT]}
    run = await rest.advance()

    assert run.status == "compensated"
    assert over + rest.nodes.calls == ["first", "second", "third"]
    assert undone + rest.nodes.undone == ["second", "first"]


async def test_a_run_that_is_kept_stops_when_it_is_cancelled() -> None:
    trial = Trial(workflow(step("first"), step("second", "first")))
    trial.nodes.delays = {"second": 5}
    task = asyncio.create_task(trial.advance())
    while trial.nodes.calls != ["first", "second"]:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert trial.nodes.cancelled == ["second"]
    assert trial.nodes.undone == []
    assert trial.run.status == "running"


async def test_a_run_that_nothing_keeps_is_undone_when_it_is_cancelled() -> None:
    trial = Trial(workflow(step("first"), step("second", "first")))
    trial.nodes.delays = {"second": 5}
    task = asyncio.create_task(trial.advance(kept=False))
    while trial.nodes.calls != ["first", "second"]:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert trial.nodes.undone == ["first"]
    assert (trial.run.status, trial.run.unknown_outcomes) == ("failed", ["second"])
    assert (trial.run.failed_step, trial.run.error) == (None, "The run was cancelled.")


async def test_a_run_that_cannot_be_kept_stops_as_it_is() -> None:
    trial = Trial(workflow(step("first"), step("second", "first")))

    async def refuse(_run: Run) -> None:
        raise ModelOnexError(message="away", error_code=EnumCoreErrorCode.DATABASE_CONNECTION_ERROR)

    with pytest.raises(ModelOnexError):
        await Engine(trial.nodes, trial.tell).advance(trial.workflow, Order(), trial.run, refuse)
    assert trial.nodes.calls == ["first"]
    assert not trial.run.finished


@pytest.mark.parametrize("on_failure", ["abort", "compensate"])
async def test_killed_at_every_point_beside_a_step_that_fails(on_failure: Literal["abort", "compensate"]) -> None:
    """What was under way when another failed is asked again, in the process that goes on: its effect is known."""
    slow, after = step("slow", "first"), step("after", "slow")
    made = workflow(step("first"), step("fails", "first", on_failure=on_failure), slow, after)

    def trial(run: Run | None = None) -> Trial:
        found = Trial(made, run)
        found.nodes.delays = {"slow": 0.1}
        found.nodes.failing = {"fails": [PERMANENT]}
        return found

    whole = trial()
    await whole.advance()
    assert whole.nodes.calls == ["first", "fails", "slow"]
    assert len(whole.kept) > 3
    for point, text in enumerate(whole.kept):
        before = load(text)
        rest = trial(load(text))
        run = await rest.advance()
        assert (run.status, run.answers, run.error) == (whole.run.status, whole.run.answers, whole.run.error), point
        assert [(record.name, record.status) for record in run.steps] == [
            (record.name, record.status) for record in whole.run.steps
        ], point
        assert [record.name for record in before.steps] + rest.nodes.calls == ["first", "fails", "slow"], point
        assert run.under_way == []
