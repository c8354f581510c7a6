# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What becomes of an input that expressions have no result for."""

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import ValidationError

# What expressions raise where they have no value, and their outputs where it does not meet the contract.
NO_RESULT = (ArithmeticError, LookupError, TypeError, ValueError)
# The first that fits says why.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ZeroDivisionError, "a division by zero"),
    (OverflowError, "a number that is too large"),
    (ArithmeticError, "arithmetic without a result"),
    (IndexError, "an index that is out of range"),
    (LookupError, "a key that is not there"),
    (TypeError, "moments with and without a time zone"),
)


def refusal(operation: str, error: Exception) -> ModelOnexError:
    """Return the error for an input that an operation has no result for, or none that meets the contract.

    Args:
        operation: The operation's name in the contract.
        error: What was raised, one of NO_RESULT.

    Returns:
        VALIDATION_ERROR, without values of the input, which may be secret.
    """
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return ModelOnexError(
            message=f"{operation} has no result for this input that meets the contract.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            problems=[{"path": ".".join(map(str, problem["loc"])), "message": problem["msg"]} for problem in found],
        )
    words = (reason for kind, reason in _REASONS if isinstance(error, kind))
    return ModelOnexError(
        message=f"{operation} has no result for this input: {next(words, 'a value that does not fit')}.",
        error_code=EnumCoreErrorCode.VALIDATION_ERROR,
    )
