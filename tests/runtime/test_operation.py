"""What every operation has in common: validation, deadline, errors, metrics, logs and events."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.mixins.mixin_metrics import MixinMetrics
from onex_node_runtime.correlation import FOREIGN
from onex_node_runtime.effects import begin, effect
from onex_node_runtime.failure import ModelFailure
from onex_node_runtime.operation import PUBLISH_SECONDS, Event, FailureEvent, Operation
from onex_node_runtime.spans import Spans
from onex_node_runtime.surroundings import Measured, Surroundings
from pydantic import BaseModel, ConfigDict, Field

CORRELATION_ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
NODE_ID = uuid4()
NODE = "node_lock_effect"


class ModelPing(BaseModel):
    """An input."""

    model_config = ConfigDict(extra="forbid")

    n: int = Field(ge=1)


class ModelPong(BaseModel):
    """An output."""

    n: int


class FakeBus:
    """Remembers what was published, as other processes get it, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.error = error

    async def publish_envelope(self, envelope: object, topic: str) -> None:
        if self.error is not None:
            raise self.error
        assert isinstance(envelope, BaseModel)
        self.published.append((topic, json.loads(envelope.model_dump_json())))


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")


def surroundings(
    metrics: MixinMetrics | None = None, bus: FakeBus | None = None, measured: Measured | None = None
) -> Surroundings:
    return Surroundings(
        node=NODE,
        node_id=NODE_ID,
        metrics=metrics or MixinMetrics(),
        event_bus=bus,
        redact=lambda text: text.replace("hidden-word", "***"),
        measured=measured or Measured(),
    )


async def pong(request: ModelPing) -> ModelPong:
    return ModelPong(n=request.n)


async def slow(request: ModelPing) -> ModelPong:
    await asyncio.sleep(10)
    return await pong(request)


async def broken(request: ModelPing) -> ModelPong:
    raise LookupError("no hidden-word")


async def refused(request: ModelPing) -> ModelPong:
    raise ModelOnexError(message="It is away.", error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE, integration="it")


async def misshapen(request: ModelPing) -> ModelPong:
    return ModelPong.model_validate({"n": "hidden-word"})


async def test_output_of_a_valid_input() -> None:
    operation = Operation("ping", ModelPing, pong, timeout_seconds=5)
    assert await operation.invoke({"n": 7}, CORRELATION_ID, surroundings()) == ModelPong(n=7)


@pytest.mark.parametrize("payload", [{}, {"n": 0}, {"n": "hidden-word"}, {"n": 1, "extra": 1}])
async def test_invalid_input_reaches_no_handler(payload: dict[str, object]) -> None:
    operation = Operation("ping", ModelPing, broken, timeout_seconds=5)
    with pytest.raises(ModelOnexError) as caught:
        await operation.invoke(payload, CORRELATION_ID, surroundings())
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert caught.value.correlation_id == CORRELATION_ID
    assert "hidden-word" not in json.dumps(caught.value.model_dump(), default=str)


@pytest.mark.parametrize(
    ("handle", "code", "message"),
    [
        (slow, EnumCoreErrorCode.TIMEOUT, "ping took longer than 0.01 s."),
        (broken, EnumCoreErrorCode.INTERNAL_ERROR, "ping failed: LookupError: no ***"),
        (refused, EnumCoreErrorCode.SERVICE_UNAVAILABLE, "It is away."),
        (misshapen, EnumCoreErrorCode.CONTRACT_VIOLATION, "The result of ping is not valid: n: Input should be"),
    ],
)
async def test_failures_become_onex_errors(
    handle: Callable[[ModelPing], Awaitable[ModelPong]], code: EnumCoreErrorCode, message: str
) -> None:
    operation = Operation("ping", ModelPing, handle, timeout_seconds=0.01)
    with pytest.raises(ModelOnexError) as caught:
        await operation.invoke({"n": 1}, CORRELATION_ID, surroundings())
    error = caught.value
    assert (error.error_code, error.correlation_id) == (code, CORRELATION_ID)
    assert error.message.startswith(message)
    assert error.__cause__ is not None


async def test_details_of_an_onex_error_are_kept() -> None:
    operation = Operation("ping", ModelPing, refused, timeout_seconds=5)
    with pytest.raises(ModelOnexError) as caught:
        await operation.invoke({"n": 1}, CORRELATION_ID, surroundings())
    assert caught.value.context["additional_context"] == {
        "integration": "it",
        "operation": "ping",
        "outcome_unknown": False,
        "safe_to_repeat": True,
    }


async def changing(request: ModelPing) -> ModelPong:
    with effect():
        return await pong(request)


async def hanging(_request: ModelPing) -> ModelPong:
    with effect():
        await asyncio.Event().wait()
    raise AssertionError


async def losing(_request: ModelPing) -> ModelPong:
    with effect(lambda error: True):
        raise ConnectionError("lost")


async def refusing(_request: ModelPing) -> ModelPong:
    with effect(lambda error: False):
        raise ConnectionError("refused")


async def preparing(_request: ModelPing) -> ModelPong:
    with effect(begun=False):
        await asyncio.Event().wait()
    raise AssertionError


async def beginning(_request: ModelPing) -> ModelPong:
    with effect(lambda error: True, begun=False):
        begin()
        raise ConnectionError("lost")


async def changing_then_failing(request: ModelPing) -> ModelPong:
    await changing(request)
    return await refused(request)


@pytest.mark.parametrize(
    ("handle", "unknown", "safe"),
    [
        (slow, False, True),
        (hanging, True, False),
        (losing, True, False),
        (refusing, False, True),
        (preparing, False, True),
        (beginning, True, False),
        (changing_then_failing, False, False),
    ],
)
async def test_failure_says_whether_the_operation_may_run_again(
    handle: Callable[[ModelPing], Awaitable[ModelPong]], unknown: bool, safe: bool
) -> None:
    for idempotent in (False, True):
        operation = Operation("ping", ModelPing, handle, timeout_seconds=0.01, idempotent=idempotent)
        with pytest.raises(ModelOnexError) as caught:
            await operation.invoke({"n": 1}, CORRELATION_ID, surroundings())
        told = caught.value.context["additional_context"]
        assert (told["outcome_unknown"], told["safe_to_repeat"]) == (unknown, safe or idempotent)


async def test_success_and_failure_are_counted_and_timed() -> None:
    metrics = MixinMetrics()
    await Operation("ping", ModelPing, pong, timeout_seconds=5).invoke({"n": 1}, CORRELATION_ID, surroundings(metrics))
    with pytest.raises(ModelOnexError):
        await Operation("ping", ModelPing, broken, timeout_seconds=5).invoke(
            {"n": 1}, CORRELATION_ID, surroundings(metrics)
        )
    counted = metrics.get_metrics()
    assert counted["operation_success"]["value"] == counted["operation_failure"]["value"] == 1
    assert counted["operation_duration_seconds"]["value"] > 0
    assert counted["operation_duration_seconds"]["tags"] == {"operation": "ping"}


class ModelCounted(BaseModel):
    rows: int = 3


async def counted(_request: ModelPing) -> ModelCounted:
    return ModelCounted()


async def test_values_of_counted_fields_are_added_up() -> None:
    metrics = MixinMetrics()
    operation = Operation("ping", ModelPing, counted, timeout_seconds=5)
    for _ in range(2):
        await operation.invoke(
            {"n": 1}, CORRELATION_ID, surroundings(metrics, measured=Measured(counted=("rows", "n")))
        )
    assert metrics.get_metrics()["operation_rows"]["value"] == 6


@pytest.mark.parametrize(
    ("measured", "left_out"),
    [
        (Measured(success=False), {"operation_success"}),
        (Measured(failure=False), {"operation_failure", "operation_refused"}),
        (Measured(latency=False), {"operation_duration_seconds"}),
    ],
)
async def test_what_is_not_measured_is_not_there(measured: Measured, left_out: set[str]) -> None:
    metrics = MixinMetrics()
    around = surroundings(metrics, measured=measured)
    await Operation("ping", ModelPing, pong, timeout_seconds=5).invoke({"n": 1}, CORRELATION_ID, around)
    for handle, code in ((broken, EnumCoreErrorCode.INTERNAL_ERROR), (pong, EnumCoreErrorCode.VALIDATION_ERROR)):
        with pytest.raises(ModelOnexError) as caught:
            await Operation("ping", ModelPing, handle, timeout_seconds=5).invoke(
                {"n": 1 if handle is broken else 0}, CORRELATION_ID, around
            )
        assert caught.value.error_code is code
    all_of_them = {"operation_success", "operation_failure", "operation_refused", "operation_duration_seconds"}
    assert set(metrics.get_metrics()) == all_of_them - left_out


async def test_payload_that_is_not_allowed_reaches_no_handler() -> None:
    def check(payload: Mapping[str, object]) -> None:
        raise ModelOnexError(message=f"Not {payload}.", error_code=EnumCoreErrorCode.VALIDATION_ERROR)

    operation = Operation("ping", ModelPing, broken, timeout_seconds=5)
    with pytest.raises(ModelOnexError, match="Not"):
        await operation.invoke({"n": 1}, CORRELATION_ID, replace(surroundings(), check=check))


async def test_details_are_cleaned() -> None:
    around = replace(surroundings(), cleaned=lambda details: details | {"integration": "***"})
    with pytest.raises(ModelOnexError) as caught:
        await Operation("ping", ModelPing, refused, timeout_seconds=5).invoke({"n": 1}, CORRELATION_ID, around)
    assert caught.value.context["additional_context"]["integration"] == "***"


async def test_fields_that_events_have_beside_those_asked_for_are_left_out() -> None:
    operation = Operation("ping", ModelPing, pong, timeout_seconds=5)
    FOREIGN.set(True)
    assert await operation.invoke({"n": 1, "more": 2}, CORRELATION_ID, surroundings()) == ModelPong(n=1)
    assert not FOREIGN.get()


async def test_only_log_lines_that_somebody_reads_are_made(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr("onex_node_runtime.operation.emit_log_event_sync", lambda level, *_event: made.append(level))
    caplog.set_level(logging.WARNING, logger="omnibase")
    await Operation("ping", ModelPing, pong).invoke({"n": 1}, CORRELATION_ID, surroundings())
    for payload in ({"n": 1}, {"n": 0}):
        with pytest.raises(ModelOnexError):
            await Operation("ping", ModelPing, broken).invoke(payload, CORRELATION_ID, surroundings())
    assert made == [EnumLogLevel.ERROR, EnumLogLevel.WARNING]


async def test_log_line_says_who_did_what_for_whom_and_how_long(caplog: pytest.LogCaptureFixture) -> None:
    await Operation("ping", ModelPing, pong, timeout_seconds=5).invoke({"n": 1}, CORRELATION_ID, surroundings())
    line = json.loads(caplog.messages[-1])
    assert line["message"] == "operation_success"
    assert line["context"]["node_id"] == str(NODE_ID)
    assert line["context"]["operation"] == "ping"
    assert line["context"]["correlation_id"] == str(CORRELATION_ID)
    assert line["context"]["duration_ms"] > 0


def announced(occurred: bool = True) -> Operation[ModelPing, ModelPong]:
    event: Event[ModelPing, ModelPong] = Event("topic", lambda request, output: output, lambda output: occurred)
    return Operation("ping", ModelPing, pong, timeout_seconds=5, events=(event,))


async def test_event_follows_success() -> None:
    bus = FakeBus()
    await announced().invoke({"n": 3}, CORRELATION_ID, surroundings(bus=bus))
    ((topic, envelope),) = bus.published
    assert topic == "topic"
    assert envelope["payload"] == {"n": 3}
    assert envelope["correlation_id"] == str(CORRELATION_ID)
    assert envelope["source_tool"] == "node_lock_effect"


async def test_event_hands_on_the_trace() -> None:
    bus = FakeBus()
    around = replace(surroundings(bus=bus), spans=Spans(outgoing=lambda: {"traceparent": "00-1-1-01"}))
    await announced().invoke({"n": 3}, CORRELATION_ID, around)
    ((_, envelope),) = bus.published
    assert envelope["metadata"]["headers"] == {"traceparent": "00-1-1-01"}


async def test_no_event_where_nothing_happened() -> None:
    bus = FakeBus()
    await announced(occurred=False).invoke({"n": 3}, CORRELATION_ID, surroundings(bus=bus))
    assert bus.published == []


async def test_no_event_after_failure() -> None:
    bus = FakeBus()
    with pytest.raises(ModelOnexError):
        await announced().invoke({"n": 0}, CORRELATION_ID, surroundings(bus=bus))
    assert bus.published == []


class ModelPingFailure(BaseModel):
    input: ModelPing
    error: ModelFailure


def telling(handle: Callable[[ModelPing], Awaitable[ModelPong]]) -> Operation[ModelPing, ModelPong]:
    done: Event[ModelPing, ModelPong] = Event("done", lambda request, output: output)
    more: Event[ModelPing, ModelPong] = Event("done-too", lambda request, output: output)
    failed: FailureEvent[ModelPing] = FailureEvent(
        "failed", lambda request, error: ModelPingFailure(input=request, error=error)
    )
    return Operation("ping", ModelPing, handle, timeout_seconds=0.2, events=(done, more, failed))


async def test_several_events_follow_success() -> None:
    bus = FakeBus()
    await telling(pong).invoke({"n": 3}, CORRELATION_ID, surroundings(bus=bus))
    assert [topic for topic, _ in bus.published] == ["done", "done-too"]


@pytest.mark.parametrize("handle", [broken, slow, refused, misshapen])
async def test_an_event_follows_failure(handle: Callable[[ModelPing], Awaitable[ModelPong]]) -> None:
    bus = FakeBus()
    with pytest.raises(ModelOnexError) as caught:
        await telling(handle).invoke({"n": 3}, CORRELATION_ID, surroundings(bus=bus))
    ((topic, envelope),) = bus.published
    assert topic == "failed"
    assert envelope["payload"]["input"] == {"n": 3}
    error = envelope["payload"]["error"]
    assert (error["code"], error["message"]) == (str(caught.value.error_code), caught.value.message)
    assert error["safe_to_repeat"] is caught.value.context["additional_context"]["safe_to_repeat"]
    assert envelope["correlation_id"] == str(CORRELATION_ID)


async def test_no_event_follows_an_invalid_input() -> None:
    bus = FakeBus()
    with pytest.raises(ModelOnexError):
        await telling(pong).invoke({"n": "three"}, CORRELATION_ID, surroundings(bus=bus))
    assert bus.published == []


async def test_envelopes_say_what_they_are_and_whose() -> None:
    bus = FakeBus()
    await announced().invoke({"n": 3}, CORRELATION_ID, replace(surroundings(bus=bus), namespace="acme-shop"))
    ((_, envelope),) = bus.published
    assert envelope["metadata"]["tags"] == {"message_category": "event", "namespace": "acme-shop"}


async def test_event_bus_that_is_away_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    metrics = MixinMetrics()
    bus = FakeBus(ConnectionError("no hidden-word"))
    output = await announced().invoke({"n": 3}, CORRELATION_ID, surroundings(metrics, bus))
    assert output == ModelPong(n=3)
    assert metrics.get_metrics()["event_publish_failure"]["value"] == 1
    line = json.loads(caplog.messages[-1])
    assert (line["message"], line["context"]["error"]) == ("event_not_published", "ConnectionError: no ***")


async def test_without_event_bus_nothing_is_published() -> None:
    assert await announced().invoke({"n": 3}, CORRELATION_ID, surroundings()) == ModelPong(n=3)


@pytest.mark.parametrize("fails", [False, True])
async def test_events_of_an_operation_share_the_time_that_is_left(*, fails: bool) -> None:
    class Hanging(FakeBus):
        async def publish_envelope(self, envelope: object, topic: str) -> None:
            await super().publish_envelope(envelope, topic)
            await asyncio.Event().wait()

    async def handle(request: ModelPing) -> ModelPong:
        if fails:
            raise ValueError
        return await pong(request)

    bus = Hanging()
    events: list[Event[ModelPing, ModelPong] | FailureEvent[ModelPing]] = []
    for number in range(20):
        if fails:
            events.append(FailureEvent(topic=str(number), build=lambda request, _: request))
        else:
            events.append(Event(topic=str(number), build=lambda request, _: request))
    operation = Operation(name="op", input_model=ModelPing, handle=handle, timeout_seconds=1.0, events=tuple(events))
    # As long as they take where each has a time of its own.
    late = asyncio.create_task(asyncio.sleep(20 * PUBLISH_SECONDS))
    with suppress(ModelOnexError):
        await operation.invoke({"n": 1}, uuid4(), surroundings(bus=bus))
    assert not late.done()
    late.cancel()
    assert [topic for topic, _ in bus.published] == [str(number) for number in range(20)]
