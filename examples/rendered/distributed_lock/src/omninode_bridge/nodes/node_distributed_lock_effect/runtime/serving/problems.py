# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Answers that tell of a problem, in the form of RFC 9457."""

import math
from collections.abc import Mapping
from http import HTTPStatus

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from starlette.responses import JSONResponse, Response

from ..correlation import CALLER_CORRELATION_ID, CORRELATION_HEADER, CORRELATION_ID

PROBLEM_TYPE = "application/problem+json"
# Members that tell callers what sending the request again would do.
REPEATING = ("safe_to_repeat", "outcome_unknown", "unknown_outcomes")
RETRY_AFTER_SECONDS = "1"
# Where a later attempt may succeed.
_LATER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
STATUS: Mapping[EnumCoreErrorCode, HTTPStatus] = {
    EnumCoreErrorCode.VALIDATION_ERROR: HTTPStatus.UNPROCESSABLE_ENTITY,
    EnumCoreErrorCode.RESOURCE_NOT_FOUND: HTTPStatus.NOT_FOUND,
    EnumCoreErrorCode.DUPLICATE_REGISTRATION: HTTPStatus.CONFLICT,
    EnumCoreErrorCode.INVALID_OPERATION: HTTPStatus.CONFLICT,
    EnumCoreErrorCode.METHOD_NOT_IMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    EnumCoreErrorCode.INVALID_STATE: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.SERVICE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.DATABASE_CONNECTION_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.NETWORK_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.RESOURCE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.RATE_LIMIT_ERROR: HTTPStatus.SERVICE_UNAVAILABLE,
    EnumCoreErrorCode.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
}
"""The status of each code of a failure; 500 for all others."""


def correlation_headers() -> dict[str, str]:
    """Return the header by which a caller finds the request again: with its own id where it gave one."""
    correlation_id = CORRELATION_ID.get()
    value = CALLER_CORRELATION_ID.get() or (str(correlation_id) if correlation_id else "")
    return {CORRELATION_HEADER: value} if value else {}


def problem(status: HTTPStatus, detail: str, **members: object) -> Response:
    """Return an answer that tells of a problem.

    Args:
        status: Its status.
        detail: What happened, for people.
        members: Further members; empty ones are left out.
    """
    correlation_id = CORRELATION_ID.get()
    content = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        **({"correlation_id": str(correlation_id)} if correlation_id else {}),
        **{name: value for name, value in members.items() if value or name == "safe_to_repeat"},
    }
    headers = correlation_headers()
    if status in _LATER and members.get("safe_to_repeat"):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JSONResponse(content, status, headers=headers, media_type=PROBLEM_TYPE)


def failure(error: ModelOnexError) -> Response:
    """Return the answer to a request that failed.

    Args:
        error: What the operation raised.
    """
    code = error.error_code
    status = STATUS.get(code) if isinstance(code, EnumCoreErrorCode) else None
    status = status or HTTPStatus.INTERNAL_SERVER_ERROR
    context = error.context.get("additional_context", {})
    wait = context.get("retry_after_seconds")
    if wait is not None:
        answer = problem(HTTPStatus.TOO_MANY_REQUESTS, error.message, code=str(code))
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    # What went wrong inside is in the log under the correlation id; callers learn what they can act on.
    detail = error.message if status < HTTPStatus.INTERNAL_SERVER_ERROR else status.description
    members: dict[str, object] = {"code": str(code), "problems": context.get("problems", [])}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        members |= {name: context[name] for name in REPEATING if name in context}
    members |= {name: context[name] for name in ("step", "node") if isinstance(context.get(name), str)}
    return problem(status, detail, **members)
