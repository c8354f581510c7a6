"""Logs, metrics and events of steps."""

import json
import logging
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.operation import Surroundings
from onex_node_runtime.workflows.announcer import Announcer
from onex_node_runtime.workflows.run import Run, StepRecord, StepStatus
from pydantic import BaseModel

STEP_TOPIC = "onex.evt.shop-nodes.order-step.v1"
RUN = Run(uuid4(), "order", uuid4(), {})


class StepEvent(BaseModel):
    """The event."""

    run_id: UUID
    operation: str
    step: str
    status: str
    error: str
    outcome_unknown: bool
    duration_ms: float


def announcer(bus: EventBusInmemory | None) -> Announcer:
    return Announcer(
        Surroundings(
            node="node_order_orchestrator",
            node_id=uuid4(),
            metrics=MixinMetrics(),
            event_bus=bus,
            redact=lambda text: text.replace("hidden-word", "***"),
        ),
        STEP_TOPIC,
        StepEvent,
    )


def test_each_run_that_ended_is_counted() -> None:
    telling = announcer(None)
    telling.ended(replace(RUN, status="completed"))
    telling.ended(replace(RUN, status="failed"))
    assert telling._surroundings.metrics.get_metrics()["workflow_run"]["value"] == 2


async def test_each_step_is_an_event() -> None:
    bus = EventBusInmemory()
    await bus.start()
    await announcer(bus).tell(RUN, StepRecord("pay", "failed", error="no hidden-word"), 0.25)
    (message,) = await bus.get_event_history(topic=STEP_TOPIC)
    envelope = json.loads(message.value)
    assert envelope["correlation_id"] == str(RUN.correlation_id)
    assert envelope["payload"] == {
        "run_id": str(RUN.run_id),
        "operation": "order",
        "step": "pay",
        "status": "failed",
        "error": "no ***",
        "outcome_unknown": False,
        "duration_ms": 250.0,
    }


async def test_a_bus_that_is_away_fails_no_step(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stopped = EventBusInmemory()
    await announcer(stopped).tell(RUN, StepRecord("pay", "completed"), 0.25)
    assert "step_completed" in caplog.text
    assert "event_not_published" in caplog.text


async def test_without_a_bus_steps_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await announcer(None).tell(RUN, StepRecord("pay", "compensation_failed", error="away"), 0.25)
    assert "step_compensation_failed" in caplog.text
    assert "event_not_published" not in caplog.text


@pytest.mark.parametrize(
    ("code", "status", "level"),
    [
        (EnumCoreErrorCode.VALIDATION_ERROR, "failed", "WARNING"),
        (EnumCoreErrorCode.RESOURCE_NOT_FOUND, "failed", "WARNING"),
        (EnumCoreErrorCode.TIMEOUT, "failed", "ERROR"),
        (EnumCoreErrorCode.VALIDATION_ERROR, "compensation_failed", "ERROR"),
    ],
)
async def test_what_a_node_refuses_is_a_warning_with_its_code(
    code: EnumCoreErrorCode, status: StepStatus, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await announcer(None).tell(RUN, StepRecord("pay", status, error="no", code=str(code)), 0.25)
    (line,) = [record for record in caplog.records if f"step_{status}" in record.getMessage()]
    assert line.levelname == level
    assert str(code) in line.getMessage()
