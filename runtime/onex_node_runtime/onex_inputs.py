# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Inputs of ONEX's nodes as requests, and answers as their outputs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.enums.enum_effect_types import EnumTransactionState
from omnibase_core.errors import ModelOnexError
from omnibase_core.nodes import ModelComputeOutput, ModelEffectOutput, ModelReducerOutput
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from omnibase_core.models.reducer.model_intent import ModelIntent
    from omnibase_core.nodes import ModelComputeInput, ModelEffectInput, ModelReducerInput
    from pydantic import JsonValue

    from .node_request import NodeRequest
    from .node_response import NodeResponse


async def effect_output[RequestT: NodeRequest](
    given: ModelEffectInput, model: type[RequestT], handle: Callable[[RequestT], Awaitable[NodeResponse]]
) -> ModelEffectOutput:
    """Run the operation that the input of an effect node asks for.

    Args:
        given: Its `operation_data` holds `operation` and `payload`; its metadata the correlation id.
        model: What a request is.
        handle: Runs an operation.

    Returns:
        The operation's output as `result`.

    Raises:
        ModelOnexError: VALIDATION_ERROR for an input that names no operation; else what the operation raises.
    """
    started = time.perf_counter()
    identity = given.metadata.correlation_id or given.operation_id
    answer = await handle(_request(model, given.operation_data, identity, given.operation_id, "operation_data"))
    return ModelEffectOutput(
        result=answer.result,
        operation_id=given.operation_id,
        effect_type=given.effect_type,
        transaction_state=EnumTransactionState.COMMITTED,
        processing_time_ms=(time.perf_counter() - started) * 1000,
    )


async def compute_output[RequestT: NodeRequest](
    given: ModelComputeInput[Any], model: type[RequestT], handle: Callable[[RequestT], Awaitable[NodeResponse]]
) -> ModelComputeOutput[Any]:
    """Run the operation that the input of a compute node asks for.

    Args:
        given: Its `data` holds `operation` and `payload`; its metadata the correlation id.
        model: What a request is.
        handle: Runs an operation.

    Returns:
        The operation's output as `result`.

    Raises:
        ModelOnexError: VALIDATION_ERROR for an input that names no operation; else what the operation raises.
    """
    started = time.perf_counter()
    identity = given.metadata.get("correlation_id") or given.operation_id
    answer = await handle(_request(model, given.data, identity, given.operation_id, "data"))
    return ModelComputeOutput(
        result=answer.result,
        operation_id=given.operation_id,
        computation_type=given.computation_type,
        processing_time_ms=(time.perf_counter() - started) * 1000,
    )


def no_intents(_results: Sequence[dict[str, JsonValue]]) -> tuple[ModelIntent, ...]:
    """Want nothing to be done."""
    return ()


async def reducer_output[RequestT: NodeRequest](
    given: ModelReducerInput[Any],
    model: type[RequestT],
    handle: Callable[[RequestT], Awaitable[NodeResponse]],
    intents: Callable[[Sequence[dict[str, JsonValue]]], tuple[ModelIntent, ...]] = no_intents,
) -> ModelReducerOutput[Any]:
    """Run the operations that the input of a reducer asks for, one after another.

    Args:
        given: Each item of its `data` holds `operation` and `payload`; its metadata the correlation id.
        model: What a request is.
        handle: Runs an operation.
        intents: Makes ONEX's intents of the operations' outputs.

    Returns:
        The operations' outputs as `result`, in the same order, and their intents.

    Raises:
        ModelOnexError: VALIDATION_ERROR for an item that names no operation; else what the operation raises.
    """
    started = time.perf_counter()
    identity, operation_id = given.metadata.correlation_id or given.operation_id, given.operation_id
    requests = [_request(model, item, identity, operation_id, "An item of data") for item in given.data]
    results = [(await handle(request)).result for request in requests]
    return ModelReducerOutput(
        result=results,
        operation_id=operation_id,
        reduction_type=given.reduction_type,
        processing_time_ms=(time.perf_counter() - started) * 1000,
        items_processed=len(results),
        intents=intents(results),
    )


def _request[RequestT: NodeRequest](
    model: type[RequestT], data: Any, correlation_id: object, operation_id: UUID, what: str
) -> RequestT:
    values = data if isinstance(data, dict) else data.model_dump()
    try:
        return model.model_validate({"correlation_id": correlation_id, **values})
    except ValidationError as error:
        raise ModelOnexError(
            message=f"{what} is not a request to this node.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            correlation_id=operation_id,
        ) from error
