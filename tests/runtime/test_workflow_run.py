"""What a run says of itself: what is left of it, what its steps answered, and the error that a caller gets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from onex_node_runtime.workflows.run import Run, StepRecord, StepStatus, failure, load

NOT_FOUND = str(EnumCoreErrorCode.RESOURCE_NOT_FOUND)


def run(*steps: StepRecord, **others: Any) -> Run:
    return Run(uuid4(), "order", uuid4(), {"number": 1}, steps=list(steps), **others)


def refused(code: str = NOT_FOUND, **others: Any) -> StepRecord:
    return StepRecord("pay", "failed", error="there is none", node="node_pay_effect", code=code, **others)


@pytest.mark.parametrize(
    ("status", "said", "lasting"),
    [
        ("completed", {}, True),
        ("completed", {"composite": True}, False),
        ("compensation_failed", {}, True),
        ("compensation_failed", {"composite": True}, False),
        ("compensated", {}, False),
        ("skipped", {}, False),
        ("failed", {}, False),
        ("failed", {"answered": True}, True),
        ("failed", {"answered": True, "composite": True}, False),
        ("failed", {"outcome_unknown": True}, True),
        ("compensated", {"answered": True}, False),
    ],
)
def test_what_is_left_of_a_step(status: StepStatus, said: Mapping[str, Any], lasting: bool) -> None:
    record = StepRecord("pay", status, **said)
    assert record.lasting is lasting
    assert run(StepRecord("before", "skipped"), record).lasting is lasting


def test_answers_are_those_of_the_own_steps_that_took_effect() -> None:
    answered = run(
        StepRecord("first", "completed", {"a": 1}),
        StepRecord("lines", "completed", [1], composite=True),
        StepRecord("lines[0]", "completed", {"a": 2}),
        StepRecord("group.inner", "completed", {"a": 3}),
        StepRecord("skipped", "skipped"),
        StepRecord("failed", "failed", {"a": 4}),
        StepRecord("undone", "compensated", {"a": 5}),
        StepRecord("stuck", "compensation_failed", {"a": 6}),
    )
    assert answered.answers == {"first": {"a": 1}, "lines": [1], "undone": {"a": 5}, "stuck": {"a": 6}}


def test_a_run_that_is_kept_is_the_same_when_it_is_read() -> None:
    whole = run(
        refused(outcome_unknown=True, undo={"id": 1}),
        status="undoing",
        failed_step="pay",
        error="there is none",
        started_at=datetime(2024, 2, 29, tzinfo=UTC),
        under_way=["aside"],
    )
    assert load(whole.dump()) == whole


@pytest.mark.parametrize(
    ("status", "finished"),
    [("running", False), ("undoing", False), ("completed", True), ("failed", True), ("compensated", True)],
)
def test_what_is_finished(status: Any, finished: bool) -> None:
    assert run(status=status).finished is finished


PLACE = {"step": "pay", "node": "node_pay_effect"}
NOTHING_LEFT: dict[str, object] = {"failed_compensations": [], "unknown_outcomes": []}
FAILURES = [
    ([refused()], "pay", EnumCoreErrorCode.RESOURCE_NOT_FOUND, PLACE | NOTHING_LEFT),
    # Its place is that of the step that ended it, not that of one that it went on without.
    (
        [StepRecord("aside", "failed", node="node_aside_effect", code=NOT_FOUND), refused("")],
        "pay",
        EnumCoreErrorCode.OPERATION_FAILED,
        PLACE | NOTHING_LEFT,
    ),
    ([refused("ONEX_OF_ITS_OWN")], "pay", EnumCoreErrorCode.OPERATION_FAILED, PLACE | NOTHING_LEFT),
    # A refusal would say that nothing was done.
    ([StepRecord("first", "completed"), refused()], "pay", EnumCoreErrorCode.OPERATION_FAILED, PLACE | NOTHING_LEFT),
    (
        [StepRecord("first", "compensation_failed"), refused(outcome_unknown=True)],
        "pay",
        EnumCoreErrorCode.OPERATION_FAILED,
        PLACE | {"failed_compensations": ["first"], "unknown_outcomes": ["pay"]},
    ),
    # No node is to blame for a condition that did not hold, and no step for a run that took too long.
    ([StepRecord("pay", "failed", code=NOT_FOUND)], "pay", EnumCoreErrorCode.OPERATION_FAILED, NOTHING_LEFT),
    ([], None, EnumCoreErrorCode.OPERATION_FAILED, NOTHING_LEFT),
]


@pytest.mark.parametrize(("steps", "failed_step", "code", "said"), FAILURES)
def test_the_error_of_a_run_says_where_it_failed_and_what_is_left(
    steps: list[StepRecord], failed_step: str | None, code: EnumCoreErrorCode, said: dict[str, object]
) -> None:
    failed = run(*steps, status="failed", failed_step=failed_step, error="there is none")
    error = failure(failed)
    assert error.error_code is code
    assert error.message == f"The step {failed_step} of order failed: there is none"
    assert error.correlation_id == failed.correlation_id
    assert error.context["additional_context"] == said | {"run_status": "failed", "failed_step": failed_step}
