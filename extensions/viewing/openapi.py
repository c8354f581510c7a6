"""The service's interface as an OpenAPI 3.1 document."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from ..text.json_data import laid_out
from .json_types import Types, reference, side

if TYPE_CHECKING:
    from .node import NodeView
    from .operation import OperationView

_PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "What went wrong, in the form of RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, for people."},
        "code": {"type": "string", "description": "ONEX's code of the error."},
        "correlation_id": {"type": "string", "format": "uuid", "description": "By which logs tell of the request."},
        "problems": {
            "type": "array",
            "description": "What is wrong with the input.",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
                "required": ["path", "message"],
            },
        },
        "safe_to_repeat": {"type": "boolean", "description": "Whether the request can be sent again without harm."},
        "outcome_unknown": {"type": "boolean", "description": "Whether the operation may have taken effect."},
        "unknown_outcomes": {"type": "array", "description": "The steps whose outcome is unknown."},
        "step": {"type": "string", "description": "The step of a workflow that failed."},
        "node": {"type": "string", "description": "The node that the step called."},
    },
    "required": ["type", "title", "status", "detail"],
}
_STATUS: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "status": {"type": "string"},
        "issues": {"type": "array", "items": {"type": "string"}},
        "node": {"type": "string"},
    },
    "required": ["status"],
}
_CORRELATION: Final = "X-Correlation-ID"
_CORRELATION_HEADER: Final[Mapping[str, Any]] = {
    "description": "The request's identity: the caller's own, or one that was made for it.",
    "schema": {"type": "string"},
}
_KEY: Final = "Idempotency-Key"
_KEY_PARAMETER: Final[Mapping[str, Any]] = {
    "name": _KEY,
    "in": "header",
    "description": "A text of the caller's own, new for each request: sent again with it, the request takes effect once"
    " and gets the first one's answer. In quotation marks or not.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 512},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
_REPLAYED: Final = "Idempotency-Replayed"
_REPLAYED_HEADER: Final[Mapping[str, Any]] = {
    "description": "Whether the answer is the one that was kept from an earlier request with the same key.",
    "schema": {"const": "true"},
}
# Answers that are no success, which each operation may have.
_ALWAYS: Final[Mapping[int, str]] = {
    400: "The body is no JSON object.",
    403: "The service is bound to its machine, and `Origin` is another.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    415: "The body is not application/json, or has a content encoding.",
    422: "The input does not meet the contract, or holds what the operation can't take.",
    421: "The service is bound to its machine, which `Host` does not name.",
    500: "The operation failed.",
    503: "The service, or what it needs, is not there now; `Retry-After` says when to come back, where that is safe.",
    504: "The deadline passed.",
}
# Those that some nodes have, as their README says.
_SOMETIMES: Final[Mapping[int, str]] = {
    404: "What the operation needs is not there.",
    409: "The state of things does not allow the operation.",
    429: "There are too many requests.",
    501: "The operation is still to be written.",
}
# Those of services that ask who callers are.
_OF_CALLERS: Final[Mapping[int, str]] = {
    401: "Nobody knows the caller: it has no credentials, or none that are good.",
    403: "The caller lacks a scope; or the service is bound to its machine, and `Origin` is another.",
}
# Those of services with operations that keep answers by the keys of their requests.
_OF_KEYS: Final[Mapping[int, str]] = {
    400: "The body is no JSON object; or `Idempotency-Key` is no key.",
    409: "The state of things does not allow the operation; or a request with the same `Idempotency-Key` is under way.",
    422: "The input does not meet the contract, or holds what the operation can't take; or `Idempotency-Key` belongs to"
    " a request with another input.",
}
_KEY_SCHEME: Final = "api_key"
_LONGEST_SUMMARY: Final = 120
_REPEATED_LATER: Final = (429, 503, 504)


def document(node: "NodeView") -> str:
    """Return the document as JSON with one line for each path, schema and answer, so that merges see these apart.

    Args:
        node: The view of the contract.
    """
    errors = {
        status: {
            "description": text,
            "headers": _headers(status),
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        }
        for status, text in _answers(node).items()
    }
    types = Types(node.contract)
    schemes = _schemes(node)
    operations: dict[str, Any] = {
        f"/operations/{one.name}": {"post": _operation(one, errors, types) | _security(schemes, one.scopes)}
        for one in node.operations
    }
    return laid_out(
        {
            "openapi": "3.1.1",
            "info": {
                "title": node.full_name,
                "version": node.version,
                **({"description": node.description} if node.description else {}),
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": "operations"}, {"name": "service"}],
            "paths": operations | _service(node),
            "components": {
                "schemas": {**types.schemas, "Problem": dict(_PROBLEM), "ServiceStatus": dict(_STATUS)},
                "responses": {_word(status): answer for status, answer in errors.items()},
                "headers": {
                    _CORRELATION: dict(_CORRELATION_HEADER),
                    **({_REPLAYED: dict(_REPLAYED_HEADER)} if node.keyed else {}),
                },
                "parameters": {
                    _CORRELATION: {"name": _CORRELATION, "in": "header", **_CORRELATION_HEADER},
                    **({_KEY: dict(_KEY_PARAMETER)} if node.keyed else {}),
                },
                **({"securitySchemes": schemes} if schemes else {}),
            },
        },
        depth=3,
    )


def _answers(node: "NodeView") -> dict[int, str]:
    known = {status for _, status, _ in node.readme.all_errors}
    if node.custom_operations or node.workflows:
        # Handlers and other nodes refuse as they see fit.
        known |= {404, 409}
    found = {**_ALWAYS, **{status: text for status, text in _SOMETIMES.items() if status in known}}
    found |= _OF_KEYS if node.keyed else {}
    return dict(sorted({**found, **(_OF_CALLERS if node.auth else {})}.items()))


def _schemes(node: "NodeView") -> dict[str, Any]:
    auth, found = node.auth, {}
    if auth and auth.bearer:
        found["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if auth and auth.api_keys:
        found[_KEY_SCHEME] = {"type": "apiKey", "in": "header", "name": auth.api_keys.header}
    return found


def _security(schemes: Mapping[str, object], scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return what an operation needs: one of the schemes, with all of the scopes."""
    return {"security": [{name: list(scopes)} for name in schemes]} if schemes else {}


def _word(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _headers(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {_CORRELATION: {"$ref": f"#/components/headers/{_CORRELATION}"}}
    if status == HTTPStatus.UNAUTHORIZED:
        found["WWW-Authenticate"] = {"description": "How callers say who they are.", "schema": {"type": "string"}}
    if status in _REPEATED_LATER:
        found["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
    return found


def _operation(operation: "OperationView", errors: Mapping[int, object], types: Types) -> dict[str, Any]:
    examples = {
        f"example_{number}": {
            **({"summary": example.description} if example.description else {}),
            "value": dict(example.input),
        }
        for number, example in enumerate(operation.shown_examples, start=1)
    }
    if not examples and operation.shown is not None:
        examples = {"example_1": {"value": operation.shown}}
    # No body is an empty object.
    needed = types.schemas[side(operation.name, "Input")].get("required")
    body = {"schema": reference(side(operation.name, "Input")), **({"examples": examples} if examples else {})}
    return {
        "operationId": operation.name,
        "tags": ["operations"],
        **_told(operation),
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"}
            for name in (_CORRELATION, *((_KEY,) if operation.keyed else ()))
        ],
        "requestBody": {"required": bool(needed), "content": {"application/json": body}},
        "responses": {
            "200": {
                "description": "What came of it.",
                "headers": _headers(200)
                | ({_REPLAYED: {"$ref": f"#/components/headers/{_REPLAYED}"}} if operation.keyed else {}),
                "content": {"application/json": {"schema": reference(side(operation.name, "Output"))}},
            },
            **{str(status): {"$ref": f"#/components/responses/{_word(status)}"} for status in errors},
        },
    }


def _told(operation: "OperationView") -> dict[str, str]:
    text = operation.description
    if 0 < len(text) <= _LONGEST_SUMMARY and "\n" not in text:
        return {"summary": text}
    return {"summary": operation.title, **({"description": text} if text else {})}


def _service(node: "NodeView") -> dict[str, Any]:
    status = {"application/json": {"schema": reference("ServiceStatus")}}
    paths: dict[str, Any] = {
        "/health": _get("health", "Whether the process is alive.", {"200": ("It is.", status)}),
        "/ready": _get(
            "ready",
            "Whether the node can serve.",
            {"200": ("It can.", status), "503": ("It can't now, or is about to stop.", status)},
        ),
        "/openapi.json": _get(
            "openapi", "This document.", {"200": ("It.", {"application/json": {"schema": {"type": "object"}}})}
        ),
    }
    if node.has_metrics_mixin and node.metrics_port is None:
        text = {"text/plain": {"schema": {"type": "string"}}}
        paths["/metrics"] = _get("metrics", "Metrics, for Prometheus.", {"200": ("They.", text)})
        if node.auth and node.auth.metrics_scopes is not None:
            paths["/metrics"]["get"] |= _security(_schemes(node), node.auth.metrics_scopes)
            paths["/metrics"]["get"]["responses"] |= {
                str(status): {"$ref": f"#/components/responses/{_word(status)}"} for status in (*_OF_CALLERS, 503)
            }
    return paths


def _get(name: str, summary: str, answers: Mapping[str, tuple[str, object]]) -> dict[str, Any]:
    responses = {status: {"description": text, "content": content} for status, (text, content) in answers.items()}
    return {"get": {"operationId": f"get_{name}", "tags": ["service"], "summary": summary, "responses": responses}}
