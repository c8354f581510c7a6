"""Logs, metrics and events of steps."""

import json
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from onex_node_runtime.surroundings import Surroundings
from onex_node_runtime.workflows.announcer import Announcer
from onex_node_runtime.workflows.run import Run, StepRecord, StepStatus
from pydantic import BaseModel

from tests.runtime.told import Figures, lines

STEP_TOPIC = "onex.evt.shop-nodes.order-step.v1"
NODE, NODE_ID = "node_order_orchestrator", uuid4()
RUN = Run(uuid4(), "order", uuid4(), {})
STEP_TAGS = {"operation": "order", "step": "pay"}


class StepEvent(BaseModel):
    """The event."""

    run_id: UUID
    operation: str
    step: str
    status: str
    error: str
    outcome_unknown: bool
    duration_ms: float


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


@pytest.fixture
def figures() -> Figures:
    return Figures()


def announcer(bus: EventBusInmemory | None, figures: Figures) -> Announcer:
    surroundings = Surroundings(
        node=NODE,
        node_id=NODE_ID,
        metrics=figures,
        event_bus=bus,
        redact=lambda text: text.replace("hidden-word", "***"),
    )
    return Announcer(surroundings, STEP_TOPIC, StepEvent)


async def published(bus: EventBusInmemory, topic: str) -> dict[str, Any]:
    (message,) = await bus.get_event_history(topic=topic)
    envelope: dict[str, Any] = json.loads(message.value)
    return envelope


def test_each_run_that_ended_is_counted(figures: Figures) -> None:
    telling = announcer(None, figures)
    telling.ended(replace(RUN, status="completed"))
    telling.ended(replace(RUN, status="failed"))
    assert figures.told == [
        ("workflow_run", 1, {"operation": "order", "status": "completed"}),
        ("workflow_run", 1, {"operation": "order", "status": "failed"}),
    ]


STEPS = [
    (StepRecord("pay", "completed"), "INFO", {}),
    (StepRecord("pay", "skipped"), "INFO", {}),
    (StepRecord("pay", "failed", error="no hidden-word"), "ERROR", {"error": "no ***"}),
    (
        StepRecord("pay", "failed", error="late", outcome_unknown=True),
        "ERROR",
        {"error": "late", "outcome_unknown": True},
    ),
    (StepRecord("pay", "compensation_failed", error="away"), "ERROR", {"error": "away"}),
]


@pytest.mark.parametrize(("record", "level", "said"), STEPS)
async def test_each_step_is_counted_measured_and_logged(
    record: StepRecord, level: str, said: dict[str, object], figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    await announcer(None, figures).tell(RUN, record, 0.1234567)
    name = f"step_{record.status}"
    assert figures.told == [(name, 1, STEP_TAGS), ("step_duration_seconds", 0.1234567, STEP_TAGS)]
    fields = {
        "node": NODE,
        "node_id": str(NODE_ID),
        "operation": "order",
        "step": "pay",
        "run_id": str(RUN.run_id),
        "correlation_id": str(RUN.correlation_id),
        "duration_ms": 123.457,
    }
    assert lines(caplog) == [(level, name, fields | said)]


@pytest.mark.parametrize("unknown", [False, True])
async def test_each_step_is_an_event(unknown: bool, figures: Figures) -> None:
    bus = EventBusInmemory()
    await bus.start()
    record = StepRecord("pay", "failed", error="no hidden-word", outcome_unknown=unknown)
    await announcer(bus, figures).tell(RUN, record, 0.25)
    envelope = await published(bus, STEP_TOPIC)
    assert envelope["correlation_id"] == str(RUN.correlation_id)
    assert (envelope["source_tool"], envelope["event_type"]) == (NODE, STEP_TOPIC)
    assert envelope["payload"] == {
        "run_id": str(RUN.run_id),
        "operation": "order",
        "step": "pay",
        "status": "failed",
        "error": "no ***",
        "outcome_unknown": unknown,
        "duration_ms": 250.0,
    }
    await bus.close()


class HiddenAwayError(Exception):
    """What a bus that is away raises, with something in it that nobody is to see."""


async def test_a_bus_that_is_away_fails_no_step(
    figures: Figures, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = EventBusInmemory()

    async def refuse(_envelope: object, _topic: str) -> None:
        raise HiddenAwayError("no hidden-word")

    monkeypatch.setattr(bus, "publish_envelope", refuse)
    await announcer(bus, figures).tell(RUN, StepRecord("pay", "completed"), 0.25)
    assert figures.told[-1] == ("event_publish_failure", 1, {"topic": STEP_TOPIC})
    assert [line[:2] for line in lines(caplog)] == [("INFO", "step_completed"), ("WARNING", "event_not_published")]
    assert lines(caplog)[-1][2] == {
        "node": NODE,
        "topic": STEP_TOPIC,
        "correlation_id": str(RUN.correlation_id),
        "error": "HiddenAwayError: no ***",
    }


async def test_an_event_of_an_intent_is_published_as_it_is(figures: Figures) -> None:
    bus = EventBusInmemory()
    await bus.start()
    await announcer(bus, figures).publish("counted.v1", {"target": "bus"}, RUN.correlation_id)
    envelope = await published(bus, "counted.v1")
    assert envelope["payload"] == {"target": "bus"}
    assert envelope["correlation_id"] == str(RUN.correlation_id)
    assert (envelope["source_tool"], envelope["event_type"]) == (NODE, "counted.v1")
    await bus.close()


async def test_without_a_bus_there_is_nowhere_to_publish_the_event_of_an_intent(figures: Figures) -> None:
    with pytest.raises(ModelOnexError) as caught:
        await announcer(None, figures).publish("counted.v1", {}, RUN.correlation_id)
    assert caught.value.error_code is EnumCoreErrorCode.NOT_FOUND
    assert caught.value.message == "There is no event bus to publish counted.v1 on."


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
    code: EnumCoreErrorCode, status: StepStatus, level: str, figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await announcer(None, figures).tell(RUN, StepRecord("pay", status, error="no", code=str(code)), 0.25)
    (line,) = [record for record in caplog.records if f"step_{status}" in record.getMessage()]
    assert line.levelname == level
    assert str(code) in line.getMessage()
