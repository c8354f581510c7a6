# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What PostgreSQL refuses because of the caller's values, in words that name neither the driver nor the server."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TAKEN = (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError)
# The classes 22 and 23 of SQLSTATE, and what the driver itself refuses to send.
_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
_PARAMETER = re.compile(r"query argument \$(\d+)")
NOT_TAKEN = "The database does not take this value."


def refusal(error: BaseException | None, redact: Callable[[str], str]) -> ModelOnexError | None:
    """Return what to answer to a caller whose values the database refuses, or None when it is not that.

    Args:
        error: The driver's error.
        redact: Masks secrets in text.

    Returns:
        DUPLICATE_REGISTRATION for values that are there already, VALIDATION_ERROR for others. Its context has the
        driver's own words as `reason`, for the log, and the number of the `parameter` where it is known.
    """
    if not isinstance(error, _REFUSED):
        return None
    code = EnumCoreErrorCode.DUPLICATE_REGISTRATION if isinstance(error, _TAKEN) else EnumCoreErrorCode.VALIDATION_ERROR
    reason = str(error.args[0]) if error.args else type(error).__name__
    parameter = _PARAMETER.search(reason)
    details: dict[str, Any] = {"reason": redact(reason)}
    if parameter:
        details["parameter"] = int(parameter[1])
    return ModelOnexError(
        message=NOT_TAKEN if parameter else f"The database refused the values: {_condition(error)}.",
        error_code=code,
        integration="postgres",
        **details,
    )


@contextmanager
def parameters(*fields: str) -> Iterator[None]:
    """Name the field of the input whose value the database does not take.

    Args:
        fields: The fields, in the order of the statement's placeholders.

    Yields:
        Nothing.
    """
    try:
        yield
    except ModelOnexError as error:
        details = error.context.get("additional_context", {})
        if "parameter" not in details:
            raise
        name = fields[details["parameter"] - 1]
        problems = [{"path": name, "message": f"{NOT_TAKEN} It is ${details['parameter']} of the statement."}]
        raise ModelOnexError(
            message=f"The database does not take the value of {name}.",
            error_code=error.error_code,
            **(details | {"problems": problems}),
        ) from error.__cause__


def _condition(error: asyncpg.PostgresError) -> str:
    """Return PostgreSQL's name of the condition, and what it says it is about."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
    parts = (("constraint", error.constraint_name), ("column", error.column_name))
    return ", ".join((words, *(f"{kind} {name}" for kind, name in parts if name)))
