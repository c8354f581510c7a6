"""Answers that tell of a problem, member by member."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.correlation import CALLER_CORRELATION_ID, CORRELATION_ID
from onex_node_runtime.serving.problems import correlation_headers, failure, problem
from starlette.responses import Response

REQUEST = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
INVALID, AWAY = EnumCoreErrorCode.VALIDATION_ERROR, EnumCoreErrorCode.SERVICE_UNAVAILABLE
PROBLEMS = [{"path": "a", "message": "b"}]
BROKEN = {
    "type": "about:blank",
    "title": "Internal Server Error",
    "status": 500,
    "detail": "Server got itself in trouble",
}


def told(answer: Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The status, the members and the headers that are not those of every answer."""
    assert answer.headers["content-type"] == "application/problem+json"
    usual = {"content-length", "content-type"}
    headers = {name: value for name, value in answer.headers.items() if name not in usual}
    return answer.status_code, json.loads(bytes(answer.body)), headers


@pytest.mark.parametrize(
    ("correlation_id", "own", "header"),
    [(None, "", None), (REQUEST, "", str(REQUEST)), (REQUEST, "order-7", "order-7")],
)
def test_a_problem_names_its_request(correlation_id: UUID | None, own: str, header: str | None) -> None:
    CORRELATION_ID.set(correlation_id)
    token = CALLER_CORRELATION_ID.set(own)
    try:
        headers, answer = correlation_headers(), problem(HTTPStatus.NOT_FOUND, "There is none.")
    finally:
        CALLER_CORRELATION_ID.reset(token)
    assert headers == ({"X-Correlation-ID": header} if header else {})
    assert told(answer) == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is none.",
            **({"correlation_id": str(correlation_id)} if correlation_id else {}),
        },
        {"x-correlation-id": header} if header else {},
    )


@pytest.mark.parametrize(
    ("status", "members", "shown", "headers"),
    [
        (HTTPStatus.CONFLICT, {"code": "", "problems": [], "node": "a"}, {"node": "a"}, {}),
        (HTTPStatus.CONFLICT, {"safe_to_repeat": True}, {"safe_to_repeat": True}, {}),
        (HTTPStatus.SERVICE_UNAVAILABLE, {}, {}, {}),
        (HTTPStatus.SERVICE_UNAVAILABLE, {"safe_to_repeat": False}, {"safe_to_repeat": False}, {}),
        (HTTPStatus.SERVICE_UNAVAILABLE, {"safe_to_repeat": True}, {"safe_to_repeat": True}, {"retry-after": "1"}),
        (HTTPStatus.GATEWAY_TIMEOUT, {"safe_to_repeat": True}, {"safe_to_repeat": True}, {"retry-after": "1"}),
    ],
)
def test_members_without_a_value_are_left_out_and_what_may_be_repeated_is_told_when(
    status: HTTPStatus, members: dict[str, object], shown: dict[str, object], headers: dict[str, str]
) -> None:
    expected = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": "So."}
    assert told(problem(status, "So.", **members)) == (status.value, expected | shown, headers)


@pytest.mark.parametrize(
    ("code", "context", "members", "headers"),
    [
        (
            INVALID,
            {"problems": PROBLEMS, "safe_to_repeat": True, "outcome_unknown": True, "reason": "hidden"},
            {
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "It is so.",
                "code": str(INVALID),
                "problems": PROBLEMS,
            },
            {},
        ),
        (
            EnumCoreErrorCode.INVALID_OPERATION,
            {"step": "charge", "node": "shop"},
            {
                "title": "Conflict",
                "status": 409,
                "detail": "It is so.",
                "code": str(EnumCoreErrorCode.INVALID_OPERATION),
                "step": "charge",
                "node": "shop",
            },
            {},
        ),
        (
            AWAY,
            {
                "safe_to_repeat": False,
                "outcome_unknown": True,
                "unknown_outcomes": ["charge"],
                "reason": "hidden",
                "step": 5,
            },
            {
                "title": "Service Unavailable",
                "status": 503,
                "detail": HTTPStatus.SERVICE_UNAVAILABLE.description,
                "code": str(AWAY),
                "safe_to_repeat": False,
                "outcome_unknown": True,
                "unknown_outcomes": ["charge"],
            },
            {},
        ),
        (
            EnumCoreErrorCode.INTERNAL_ERROR,
            {"safe_to_repeat": True},
            {**BROKEN, "code": str(EnumCoreErrorCode.INTERNAL_ERROR), "safe_to_repeat": True},
            {},
        ),
        (
            EnumCoreErrorCode.RATE_LIMIT_ERROR,
            {"retry_after_seconds": 1.2, "problems": PROBLEMS},
            {
                "title": "Too Many Requests",
                "status": 429,
                "detail": "It is so.",
                "code": str(EnumCoreErrorCode.RATE_LIMIT_ERROR),
            },
            {"retry-after": "2"},
        ),
        (
            EnumCoreErrorCode.RATE_LIMIT_ERROR,
            {"retry_after_seconds": 0},
            {
                "title": "Too Many Requests",
                "status": 429,
                "detail": "It is so.",
                "code": str(EnumCoreErrorCode.RATE_LIMIT_ERROR),
            },
            {"retry-after": "0"},
        ),
    ],
)
def test_failures_tell_what_callers_can_act_on(
    code: EnumCoreErrorCode, context: dict[str, Any], members: dict[str, object], headers: dict[str, str]
) -> None:
    answer = failure(ModelOnexError(message="It is so.", error_code=code, **context))
    assert told(answer) == (members["status"], {"type": "about:blank", **members}, headers)


def test_codes_of_others_are_failures_of_the_node() -> None:
    assert told(failure(ModelOnexError(message="It is so.", error_code="OWN"))) == (500, {**BROKEN, "code": "OWN"}, {})
