"""What an operation tells of itself: counters with their tags, lines of the log with their level, events."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.correlation import CORRELATION_ID, FOREIGN
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.failure import ModelFailure
from onex_node_runtime.idempotency.keyed import KEYED, KeyedRequest
from onex_node_runtime.operation import Event, FailureEvent, Operation
from onex_node_runtime.surroundings import Measured, Surroundings
from pydantic import BaseModel, Field

REQUEST = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
NODE_ID = uuid4()


class ModelPing(BaseModel):
    """An input."""

    n: int = Field(ge=1)


class ModelPong(BaseModel):
    """An output."""

    n: int
    rows: int = 0


class ModelPingFailure(BaseModel):
    """What an event says of a failure."""

    input: ModelPing
    error: ModelFailure


class Metrics(MixinMetrics):
    """Remembers what is counted, with the tags that tell one series from another."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[tuple[str, int, dict[str, str] | None]] = []

    def increment_counter(self, counter_name: str, value: int = 1, tags: dict[str, str] | None = None) -> None:
        self.counted.append((counter_name, value, tags))


class Bus:
    """Remembers what was published, or fails for topics that say so."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        if topic.startswith("away"):
            raise ConnectionError("no hidden-word")
        assert isinstance(envelope, BaseModel)
        self.published.append({"topic": topic, **json.loads(envelope.model_dump_json())})


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


def around(
    metrics: MixinMetrics | None = None, bus: Bus | None = None, measured: Measured | None = None
) -> Surroundings:
    return Surroundings(
        node="node_ping_effect",
        node_id=NODE_ID,
        metrics=metrics or MixinMetrics(),
        redact=lambda text: text.replace("hidden-word", "***"),
        event_bus=bus,
        measured=measured or Measured(),
    )


async def pong(request: ModelPing) -> ModelPong:
    return ModelPong(n=request.n, rows=request.n)


async def broken(_request: ModelPing) -> ModelPong:
    raise LookupError("no hidden-word")


async def missing(_request: ModelPing) -> ModelPong:
    raise ModelOnexError(message="There is none.", error_code=EnumCoreErrorCode.RESOURCE_NOT_FOUND)


async def unexplained(_request: ModelPing) -> ModelPong:
    raise ModelOnexError(
        message="It is away.", error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE, reason="the driver says so"
    )


async def in_doubt(_request: ModelPing) -> ModelPong:
    raise ModelOnexError(
        message="It may be done.",
        error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
        outcome_unknown=True,
        safe_to_repeat=False,
    )


def ping(handle: Any = pong, **given: Any) -> Operation[ModelPing, ModelPong]:
    return Operation(name="ping", input_model=ModelPing, handle=handle, timeout_seconds=5, **given)


def done(topic: str) -> Event[ModelPing, ModelPong]:
    return Event(topic, lambda _, output: output)


async def tried(operation: Operation[ModelPing, ModelPong], surroundings: Surroundings, n: int = 3) -> ModelOnexError:
    with pytest.raises(ModelOnexError) as caught:
        await operation.invoke({"n": n}, REQUEST, surroundings)
    return caught.value


OUTCOMES = [
    (pong, 3, "success", {}, logging.INFO),
    (pong, 0, "refused", {"code": EnumCoreErrorCode.VALIDATION_ERROR}, logging.WARNING),
    (missing, 3, "refused", {"code": EnumCoreErrorCode.RESOURCE_NOT_FOUND}, logging.WARNING),
    (broken, 3, "failure", {"code": EnumCoreErrorCode.INTERNAL_ERROR}, logging.ERROR),
    (unexplained, 3, "failure", {"code": EnumCoreErrorCode.SERVICE_UNAVAILABLE}, logging.ERROR),
]


@pytest.mark.parametrize(("handle", "n", "outcome", "code", "level"), OUTCOMES)
async def test_outcomes_are_counted_by_operation_and_code_and_logged_at_their_level(
    handle: Any, n: int, outcome: str, code: Mapping[str, object], level: int, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    if outcome == "success":
        await ping(handle).invoke({"n": n}, REQUEST, around(metrics))
    else:
        await tried(ping(handle), around(metrics), n)
    tags = {"operation": "ping", **{name: str(value) for name, value in code.items()}}
    assert metrics.counted == [(f"operation_{outcome}", 1, tags)]
    assert [record.levelno for record in caplog.records] == [level]
    line = json.loads(caplog.messages[-1])
    assert line["message"] == f"operation_{outcome}"
    told = line["context"]
    assert told.pop("duration_ms") >= 0
    assert {name: told.pop(name) for name in ("node", "node_id", "operation", "correlation_id")} == {
        "node": "node_ping_effect",
        "node_id": str(NODE_ID),
        "operation": "ping",
        "correlation_id": str(REQUEST),
    }
    assert told.get("error_code") == (str(code["code"]) if code else None)
    assert ("error" in told) == bool(code)
    assert told.get("reason") == ("the driver says so" if handle is unexplained else None)


async def test_time_is_logged_in_milliseconds_and_measured_in_seconds(caplog: pytest.LogCaptureFixture) -> None:
    async def slow(request: ModelPing) -> ModelPong:
        await asyncio.sleep(0.02)
        return await pong(request)

    metrics = MixinMetrics()
    await ping(slow).invoke({"n": 1}, REQUEST, around(metrics))
    logged = json.loads(caplog.messages[-1])["context"]["duration_ms"]
    measured = metrics.get_metrics()["operation_duration_seconds"]["value"]
    assert logged == round(measured * 1000, 3)
    assert 0.02 <= measured < 5


@pytest.mark.parametrize(("n", "added"), [(1, [("operation_rows", 1)]), (7, [("operation_rows", 7)])])
async def test_counted_fields_are_added_under_their_operation(n: int, added: list[tuple[str, int]]) -> None:
    metrics = Metrics()
    measured = Measured(success=False, counted=("rows", "unheard_of"))
    await ping().invoke({"n": n}, REQUEST, around(metrics, measured=measured))
    assert metrics.counted == [(name, value, {"operation": "ping"}) for name, value in added]


async def test_a_counted_field_of_nothing_adds_nothing() -> None:
    async def none(_request: ModelPing) -> ModelPong:
        return ModelPong(n=0)

    metrics = Metrics()
    await ping(none).invoke({"n": 1}, REQUEST, around(metrics, measured=Measured(success=False, counted=("rows",))))
    assert metrics.counted == []


async def test_what_an_error_says_of_its_outcome_reaches_the_caller_and_the_event() -> None:
    failed: FailureEvent[ModelPing] = FailureEvent(
        "failed", lambda request, error: ModelPingFailure(input=request, error=error)
    )
    bus = Bus()
    error = await tried(ping(in_doubt, events=(failed,)), around(bus=bus))
    assert error.context["additional_context"]["outcome_unknown"] is True
    assert error.context["additional_context"]["safe_to_repeat"] is False
    (envelope,) = bus.published
    assert envelope["payload"]["error"] == {
        "code": str(EnumCoreErrorCode.SERVICE_UNAVAILABLE),
        "message": "It may be done.",
        "outcome_unknown": True,
        "safe_to_repeat": False,
    }


async def test_each_problem_of_a_result_is_told() -> None:
    async def misshapen(_request: ModelPing) -> ModelPong:
        return ModelPong.model_validate({"n": "x", "rows": "y"})

    error = await tried(ping(misshapen), around())
    assert error.message.startswith("The result of ping is not valid: n: ")
    assert "; rows: " in error.message


async def test_an_operation_that_was_undone_is_told_as_a_failure_between_other_events() -> None:
    def failure(topic: str, *, undone: bool | None) -> FailureEvent[ModelPing]:
        # Undone or not is for the output to say.
        tells = None if undone is None else (lambda output: (output.n == 3) is undone)
        return FailureEvent(topic, lambda request, error: ModelPingFailure(input=request, error=error), tells)

    quiet: Event[ModelPing, ModelPong] = Event("quiet", lambda _, output: output, lambda output: output.n != 3)
    loud: Event[ModelPing, ModelPong] = Event("done", lambda _, output: output, lambda output: output.n == 3)
    events = (failure("never", undone=None), failure("not", undone=False), failure("undone", undone=True), quiet, loud)
    bus = Bus()
    await ping(events=events).invoke({"n": 3}, REQUEST, around(bus=bus))
    assert [(envelope["topic"], envelope["event_type"]) for envelope in bus.published] == [
        ("undone", "undone"),
        ("done", "done"),
    ]
    assert bus.published[0]["payload"] == {
        "input": {"n": 3},
        "error": {
            "code": str(EnumCoreErrorCode.RESOURCE_NOT_FOUND),
            "message": "ping was undone: what it requires was not there.",
            "outcome_unknown": False,
            "safe_to_repeat": True,
        },
    }


async def test_an_event_that_is_lost_is_counted_by_topic_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    metrics, bus = Metrics(), Bus()
    await ping(events=(done("away"), done("kept"))).invoke(
        {"n": 3}, REQUEST, around(metrics, bus, Measured(success=False))
    )
    assert [envelope["topic"] for envelope in bus.published] == ["kept"]
    assert metrics.counted == [("event_publish_failure", 1, {"topic": "away"})]
    assert caplog.records[-1].levelno == logging.WARNING
    line = json.loads(caplog.messages[-1])
    assert (line["message"], line["context"]) == (
        "event_not_published",
        {
            "node": "node_ping_effect",
            "topic": "away",
            "correlation_id": str(REQUEST),
            "error": "ConnectionError: no ***",
        },
    )


@pytest.mark.parametrize(
    ("topics", "bus", "noted"),
    [(["kept"], Bus(), 1), (["away", "kept"], Bus(), 0), (["kept"], None, 0), ([], Bus(), 0)],
    ids=["all", "one is lost", "no bus", "none"],
)
async def test_events_of_a_keyed_request_are_noted_once_all_are_out(
    topics: list[str], bus: Bus | None, noted: int
) -> None:
    notes: list[str] = []

    async def note() -> None:
        notes.append("announced")

    KEYED.set(KeyedRequest("key", note_announced=note))
    await ping(events=tuple(map(done, topics))).invoke({"n": 3}, REQUEST, around(bus=bus))
    assert len(notes) == noted


async def test_events_of_a_keyed_request_that_are_out_stay_one_time() -> None:
    KEYED.set(KeyedRequest("key", announced=True))
    bus = Bus()
    await ping(events=(done("done"),)).invoke({"n": 3}, REQUEST, around(bus=bus))
    assert bus.published == []


async def test_what_runs_knows_its_request_and_its_deadline_and_leaves_the_outer_one_alone() -> None:
    seen: list[tuple[UUID | None, bool, Effects | None]] = []

    async def looks(request: ModelPing) -> ModelPong:
        seen.append((CORRELATION_ID.get(), FOREIGN.get(), EFFECTS.get()))
        return await pong(request)

    checked: list[Mapping[str, object]] = []
    outer = Effects()
    EFFECTS.set(outer)
    FOREIGN.set(True)
    now = asyncio.get_running_loop().time()
    await ping(looks, idempotent=True).invoke({"n": 3}, REQUEST, replace(around(), check=checked.append))
    ((correlation_id, foreign, effects),) = seen
    assert (correlation_id, foreign) == (REQUEST, False)
    assert effects is not None
    assert effects.repeatable
    assert now + 4 < effects.ends_at < now + 60
    assert EFFECTS.get() is outer
    assert checked == [{"n": 3}]


async def test_without_an_outer_operation_its_own_effects_stay_for_those_who_answer() -> None:
    EFFECTS.set(None)
    await ping().invoke({"n": 3}, REQUEST, around())
    assert EFFECTS.get() is not None
