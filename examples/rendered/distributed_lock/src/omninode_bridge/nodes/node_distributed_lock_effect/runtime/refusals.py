# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Which failures are a caller's mistakes, and what is said of failures."""

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

REFUSALS = frozenset(
    {
        EnumCoreErrorCode.VALIDATION_ERROR,
        EnumCoreErrorCode.RESOURCE_NOT_FOUND,
        EnumCoreErrorCode.DUPLICATE_REGISTRATION,
        EnumCoreErrorCode.INVALID_OPERATION,
    }
)
"""Codes of what a caller asked for and should not have: warnings in the log, and no failures of the node."""


def reason_of(error: ModelOnexError) -> str:
    """Return what is said of an error in the log: a server's or a driver's own words, where there are any."""
    return str(error.context.get("additional_context", {}).get("reason") or error.message)
