"""What callers are told of values that PostgreSQL refuses."""

from typing import Any

import asyncpg
import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.postgres_refusals import NOT_TAKEN, parameters, refusal

TAKEN, INVALID = EnumCoreErrorCode.DUPLICATE_REGISTRATION, EnumCoreErrorCode.VALIDATION_ERROR


def details_of(error: ModelOnexError) -> dict[str, Any]:
    found: dict[str, Any] = error.context["additional_context"]
    return found


def error_of(kind: type[asyncpg.PostgresError], *words: str, **places: str) -> asyncpg.PostgresError:
    """An error as the driver makes it of what the server says."""
    error = kind(*words)
    for name, value in places.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "code", "message", "details"),
    [
        (
            error_of(asyncpg.UniqueViolationError, "Key (name)=(hidden) exists.", constraint_name="shops_pkey"),
            TAKEN,
            "The database refused the values: unique violation, constraint shops_pkey.",
            {"reason": "Key (name)=(***) exists."},
        ),
        (
            error_of(asyncpg.ExclusionViolationError, "overlap"),
            TAKEN,
            "The database refused the values: exclusion violation.",
            {"reason": "overlap"},
        ),
        (
            error_of(asyncpg.NotNullViolationError, "null", column_name="name"),
            INVALID,
            "The database refused the values: not null violation, column name.",
            {"reason": "null"},
        ),
        (
            error_of(asyncpg.CheckViolationError, "check", constraint_name="positive", column_name="n"),
            INVALID,
            "The database refused the values: check violation, constraint positive, column n.",
            {"reason": "check"},
        ),
        (
            error_of(asyncpg.NumericValueOutOfRangeError),
            INVALID,
            "The database refused the values: numeric value out of range.",
            {"reason": "NumericValueOutOfRangeError"},
        ),
        (
            asyncpg.DataError("invalid input for query argument $12: 'hidden' (an integer is required)"),
            INVALID,
            NOT_TAKEN,
            {"reason": "invalid input for query argument $12: '***' (an integer is required)", "parameter": 12},
        ),
    ],
)
def test_what_is_refused_is_told_without_its_values(
    error: asyncpg.PostgresError, code: EnumCoreErrorCode, message: str, details: dict[str, Any]
) -> None:
    found = refusal(error, lambda text: text.replace("hidden", "***"))
    assert found is not None
    assert (found.error_code, found.message) == (code, message)
    assert details_of(found) == {"integration": "postgres", **details}


@pytest.mark.parametrize(
    "error", [None, ValueError("x"), asyncpg.SerializationError("x"), asyncpg.PostgresSyntaxError("x")]
)
def test_other_failures_are_no_refusals(error: BaseException | None) -> None:
    assert refusal(error, str) is None


def named(error: Exception, *fields: str) -> ModelOnexError:
    """What becomes of an error within a statement of these fields."""
    with pytest.raises(ModelOnexError) as caught, parameters(*fields):
        raise error
    return caught.value


def test_the_field_that_is_not_taken_is_named() -> None:
    cause = asyncpg.DataError("invalid input for query argument $2: 'x'")
    given = refusal(cause, str)
    assert given is not None
    given.__cause__ = cause
    found = named(given, "shop", "amount")
    assert (found.error_code, found.message) == (INVALID, "The database does not take the value of amount.")
    assert details_of(found) == {
        **details_of(given),
        "problems": [
            {
                "path": "amount",
                "message": "The database does not take this value. It is $2 of the statement.",
            }
        ],
    }
    assert found.__cause__ is cause


def test_other_errors_pass_as_they_are() -> None:
    for error in (ModelOnexError(message="It is away."), refusal(asyncpg.UniqueViolationError("x"), str)):
        assert error is not None
        assert named(error, "shop") is error
