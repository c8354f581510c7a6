# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What the outcome of a call says: whether it is tried again, and whether it may have taken effect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from .known import value_at
from .step import Retry, Step

# Another attempt would fail in the same way.
_PERMANENT = frozenset(
    {
        EnumCoreErrorCode.CONTRACT_VIOLATION,
        EnumCoreErrorCode.INVALID_INPUT,
        EnumCoreErrorCode.INVALID_OPERATION,
        EnumCoreErrorCode.INVALID_PARAMETER,
        EnumCoreErrorCode.NOT_FOUND,
        EnumCoreErrorCode.VALIDATION_ERROR,
    }
)
_MOST_PROBLEMS = 3
_SAID = {"path", "message"}


class RefusedError(Exception):
    """Something that the contract asks for did not hold, or could not be worked out; nothing was done for it."""


async def repeated[T](attempt: Callable[[], Awaitable[T]], retry: Retry, *, idempotent: bool) -> T:
    """Make attempts until one succeeds, or another would do harm or fail in the same way.

    Args:
        attempt: Makes one.
        retry: How often, and with what delays.
        idempotent: Whether one more does no harm where nobody knows what the last one did.

    Returns:
        What the one that succeeded returned.
    """
    attempts = AsyncRetrying(
        stop=stop_after_attempt(retry.max_attempts),
        wait=wait_exponential(
            multiplier=retry.initial_delay_seconds,
            exp_base=retry.backoff_multiplier,
            max=retry.max_delay_seconds,
        ),
        retry=retry_if_exception(lambda error: _is_retryable(error, idempotent=idempotent)),
        reraise=True,
    )
    return await attempts(attempt)


def check[InputT: BaseModel](model: type[BaseModel], step: Step[InputT], node: str, answer: JsonValue) -> None:
    """Refuse an answer that lacks what later steps refer to, or that does not fit the output fields that take it.

    Args:
        model: The type of the operation's output.
        step: The step.
        node: Who answered.
        answer: The answer.

    Raises:
        ModelOnexError: CONTRACT_VIOLATION.
    """
    for path in step.needed:
        if not _has(answer, path):
            raise unfit(node, f"The answer has no {'.'.join(map(str, path))}.")
    for name, path in step.fills:
        try:
            # Other nodes may say more than the contract asks for.
            _adapter(model, name).validate_python(value_at(answer, *path), extra="ignore")
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise unfit(node, f"{'.'.join(map(str, path))} does not fit {name}: {problem}") from error


@asynccontextmanager
async def deadline(seconds: float, what: str, correlation_id: UUID) -> AsyncIterator[None]:
    """Give up what takes too long.

    Args:
        seconds: How long it may take.
        what: Whom the answer is waited for.
        correlation_id: Identity of the request.

    Raises:
        ModelOnexError: TIMEOUT.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise ModelOnexError(
            message=f"{what} gave no answer within {seconds:g} s.",
            error_code=EnumCoreErrorCode.TIMEOUT,
            correlation_id=correlation_id,
            outcome_unknown=True,
        ) from error


def unfit(node: str, message: str) -> ModelOnexError:
    """Return the error of a node whose answer is of no use; it answered, so it did something."""
    return ModelOnexError(
        message=f"{node}: {message}", error_code=EnumCoreErrorCode.CONTRACT_VIOLATION, outcome_unknown=True
    )


def leaves_open(error: BaseException) -> bool:
    """Tell whether a call that ended in an error may have taken effect, as far as the error says."""
    details = _details(error)
    if isinstance(error, RefusedError):
        return False
    return (
        not isinstance(error, ModelOnexError)
        or details.get("outcome_unknown") is True
        or details.get("safe_to_repeat") is False
    )


def told(error: BaseException) -> str:
    """Return what an error says, for records and logs."""
    if isinstance(error, ModelOnexError):
        return " ".join([error.message, *_problems(error)])
    return str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"


def code_of(error: BaseException) -> str:
    """Return the code of an error; empty where it has none."""
    return str(error.error_code) if isinstance(error, ModelOnexError) and error.error_code else ""


def _is_retryable(error: BaseException, *, idempotent: bool) -> bool:
    if isinstance(error, ModelOnexError) and error.error_code in _PERMANENT:
        return False
    safe = _details(error).get("safe_to_repeat")
    return idempotent or (safe if isinstance(safe, bool) else not leaves_open(error))


def _problems(error: ModelOnexError) -> list[str]:
    """Return what a node says is wrong with its input, as one text where it says so; values are no part of it."""
    listed = _details(error).get("problems")
    if error.error_code is not EnumCoreErrorCode.VALIDATION_ERROR or not isinstance(listed, list):
        return []
    found = [
        f"{each['path']}: {each['message']}" for each in listed if isinstance(each, Mapping) and each.keys() >= _SAID
    ]
    return ["; ".join(found[:_MOST_PROBLEMS])] if found else []


def _details(error: BaseException) -> Mapping[str, object]:
    details: Mapping[str, object] = {}
    if isinstance(error, ModelOnexError):
        details = error.context.get("additional_context", {})
    return details


def _has(value: JsonValue, path: tuple[str | int, ...]) -> bool:
    for key in path:
        if isinstance(key, int):
            if not isinstance(value, list) or key >= len(value):
                return False
            value = value[key]
        else:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
    return True


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotated)
