# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Expressions that follow what an operation has done."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from .outcome import NO_RESULT, refusal


def followed[InputT, ResultT, OutputT](
    operation: str,
    handle: Callable[[InputT], Awaitable[ResultT]],
    then: Callable[[InputT, ResultT], OutputT],
) -> Callable[[InputT], Coroutine[Any, Any, OutputT]]:
    """Return a handler that works its output out of the result of another one.

    Args:
        operation: The operation's name in the contract.
        handle: The handler of the operation.
        then: Makes the output of the input and the result.

    Returns:
        The handler. It raises CONTRACT_VIOLATION where the expressions have no value for a result, or none that meets
        the contract: what was done is done, and no input was wrong.
    """

    async def both(request: InputT) -> OutputT:
        result = await handle(request)
        try:
            return then(request, result)
        except NO_RESULT as error:
            raise ModelOnexError(
                message=f"{operation} was done, but nothing can be worked out of its result.",
                error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
                reason=refusal(operation, error).message,
            ) from error

    return both
