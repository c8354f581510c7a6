# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Which failures are a caller's mistakes."""

from omnibase_core.enums import EnumCoreErrorCode

REFUSALS = frozenset(
    {
        EnumCoreErrorCode.VALIDATION_ERROR,
        EnumCoreErrorCode.RESOURCE_NOT_FOUND,
        EnumCoreErrorCode.DUPLICATE_REGISTRATION,
        EnumCoreErrorCode.INVALID_OPERATION,
    }
)
"""Codes of what a caller asked for and should not have: warnings in the log, and no failures of the node."""
