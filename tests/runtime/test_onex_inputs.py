"""ONEX's inputs are requests, and answers are its outputs, with the identities of both."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.enums.enum_effect_types import EnumEffectType, EnumTransactionState
from omnibase_core.enums.enum_reducer_types import EnumReductionType
from omnibase_core.errors import ModelOnexError
from omnibase_core.models.reducer.model_intent import ModelIntent
from omnibase_core.models.reducer.payloads import ModelPayloadLogEvent
from omnibase_core.nodes import ModelComputeInput, ModelEffectInput, ModelReducerInput
from onex_node_runtime import onex_inputs
from onex_node_runtime.onex_inputs import compute_output, effect_output, reducer_output
from pydantic import BaseModel, JsonValue

BEGAN, ENDED = 5.0, 5.25
OPERATION_ID, CORRELATION_ID, OTHER_ID = uuid4(), uuid4(), uuid4()


class EnumOperation(StrEnum):
    COUNT = "count"


class Request(BaseModel):
    operation: EnumOperation
    payload: dict[str, JsonValue] = {}
    correlation_id: UUID | None = None


class Response(BaseModel):
    result: dict[str, JsonValue]


async def answer(request: Request) -> Response:
    return Response(result={"echo": request.payload, "correlation_id": str(request.correlation_id)})


def asked(**others: Any) -> dict[str, Any]:
    return {"operation": "count", "payload": {"a": 1}, **others}


def given[ModelT: BaseModel](model: type[ModelT], identity: UUID | None, **values: Any) -> ModelT:
    metadata = {"correlation_id": str(identity)} if identity else {}
    return model.model_validate(values | {"operation_id": OPERATION_ID, "metadata": metadata})


async def effect(data: Any, identity: UUID | None = None) -> Any:
    values = {"operation_data": data, "effect_type": EnumEffectType.FILE_OPERATION}
    return await effect_output(given(ModelEffectInput, identity, **values), Request, answer)


async def compute(data: Any, identity: UUID | None = None) -> Any:
    values = {"data": data, "computation_type": "count"}
    return await compute_output(given(ModelComputeInput[Any], identity, **values), Request, answer)


async def reduced(data: Any, identity: UUID | None = None, **others: Any) -> Any:
    values = {"data": data if isinstance(data, list) else [data], "reduction_type": EnumReductionType.AGGREGATE}
    return await reducer_output(given(ModelReducerInput[Any], identity, **values), Request, answer, **others)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([BEGAN, ENDED])
    monkeypatch.setattr(onex_inputs, "time", SimpleNamespace(perf_counter=lambda: next(times)))


def echo(number: int = 1, identity: UUID = OPERATION_ID) -> dict[str, JsonValue]:
    return {"echo": {"a": number}, "correlation_id": str(identity)}


def assert_taken_in_time(output: Any) -> None:
    assert output.operation_id == OPERATION_ID
    assert output.processing_time_ms == 250


async def test_an_effect_is_done_and_committed() -> None:
    output = await effect(asked())
    assert (output.result, output.effect_type) == (echo(), EnumEffectType.FILE_OPERATION)
    assert output.transaction_state is EnumTransactionState.COMMITTED
    assert_taken_in_time(output)


async def test_a_computation_is_made() -> None:
    output = await compute(asked())
    assert (output.result, output.computation_type) == (echo(), "count")
    assert_taken_in_time(output)


async def test_items_are_reduced_one_after_another() -> None:
    output = await reduced([asked(), asked(payload={"a": 2})])
    assert (output.result, output.items_processed) == ([echo(), echo(2)], 2)
    assert (output.reduction_type, output.intents) == (EnumReductionType.AGGREGATE, ())
    assert_taken_in_time(output)


async def test_what_others_are_to_do_is_made_of_all_results() -> None:
    payload = ModelPayloadLogEvent(level="INFO", message="counted")
    intent = ModelIntent(intent_type="log_event", target="store", payload=payload)

    def intents(results: Sequence[dict[str, JsonValue]]) -> tuple[ModelIntent, ...]:
        assert results == [echo(), echo(2)]
        return (intent,)

    assert (await reduced([asked(), asked(payload={"a": 2})], intents=intents)).intents == (intent,)


@pytest.mark.parametrize("run", [effect, compute, reduced])
@pytest.mark.parametrize(
    ("data", "told", "identity"),
    [
        (asked(), None, OPERATION_ID),
        (asked(), CORRELATION_ID, CORRELATION_ID),
        (asked(correlation_id=OTHER_ID), CORRELATION_ID, OTHER_ID),
        (Request(operation=EnumOperation.COUNT, payload={"a": 1}, correlation_id=OTHER_ID), None, OTHER_ID),
    ],
    ids=["none", "of the input", "of the request", "of a model"],
)
async def test_a_request_has_the_identity_that_is_nearest(
    run: Callable[..., Any], data: Any, told: UUID | None, identity: UUID
) -> None:
    if run is effect and isinstance(data, Request):
        data = data.model_dump()  # the only models that an effect's input takes are ONEX's own
    result = (await run(data, told)).result
    assert result in (echo(1, identity), [echo(1, identity)])


@pytest.mark.parametrize(("run", "what"), [(effect, "operation_data"), (compute, "data"), (reduced, "An item of data")])
@pytest.mark.parametrize("data", [{"operation": "no such operation"}, {"payload": {}}], ids=str)
async def test_what_is_no_request_is_refused(run: Callable[..., Any], what: str, data: dict[str, Any]) -> None:
    with pytest.raises(ModelOnexError) as caught:
        await run(data)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert caught.value.message == f"{what} is not a request to this node."
    assert caught.value.correlation_id == OPERATION_ID
