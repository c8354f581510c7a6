"""What is asked of a request before the node sees it."""

import asyncio
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from onex_node_runtime.serving.admission import (
    LONGEST_INTEGER,
    ClientDisconnect,
    RefusedError,
    body_of,
    check_media_type,
    check_origin,
    is_loopback,
    payload_of,
)
from starlette.requests import Request

ELSEWHERE = (421, "The service is bound to this machine, which Host does not name.")
FOREIGN = (403, "The service is bound to this machine, and Origin is another.")
NO_JSON = (415, "The body has to be application/json.")
ENCODED = (415, "The body has to be sent without a content encoding.")
LARGE, LATE = (413, "The body is too large."), (408, "The body took too long to arrive.")
UNREADABLE, NO_OBJECT = (400, "The body is not JSON."), (400, "The body is not a JSON object.")


def request_of(*parts: Any, **headers: str) -> Request:
    """A request whose body comes in parts; at None the caller leaves, and at ... nothing more comes."""
    coming = list(enumerate(parts, 1))

    async def receive() -> dict[str, Any]:
        number, part = coming.pop(0)
        if part is ...:
            await asyncio.Event().wait()
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": number < len(parts)}

    named = [(name.replace("_", "-").encode(), value.encode("utf-8")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": named}, receive)


def refusal_of(call: Callable[[], object]) -> tuple[int, str] | None:
    """What a request is refused with."""
    try:
        call()
    except RefusedError as error:
        return error.status.value, error.detail
    return None


def test_a_refusal_keeps_what_the_caller_is_told() -> None:
    headers = {"Retry-After": "1"}
    refusal = RefusedError(HTTPStatus.CONFLICT, "It is so.", code=EnumCoreErrorCode.INVALID_STATE, headers=headers)
    assert (refusal.status, refusal.detail, str(refusal)) == (HTTPStatus.CONFLICT, "It is so.", "It is so.")
    assert (refusal.code, refusal.headers) == (EnumCoreErrorCode.INVALID_STATE, {"Retry-After": "1"})
    plain = RefusedError(HTTPStatus.CONFLICT, "It is so.")
    assert (plain.code, plain.headers) == (None, {})


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
    ],
)
def test_names_of_this_machine_are_known(host: str, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"host": "localhost:8080"}, None),
        ({"host": "[::1]:8080", "origin": "http://127.0.0.1:3000"}, None),
        ({"host": "localhost", "origin": "https://localhost"}, None),
        ({}, ELSEWHERE),
        ({"host": ""}, ELSEWHERE),
        ({"host": "shop.example:80"}, ELSEWHERE),
        ({"host": "localhost@shop.example"}, ELSEWHERE),
        ({"host": "[nonsense"}, ELSEWHERE),
        ({"host": "shop.example", "origin": "https://shop.example"}, ELSEWHERE),
        ({"host": "localhost", "origin": "https://shop.example"}, FOREIGN),
        ({"host": "localhost", "origin": "null"}, FOREIGN),
        ({"host": "localhost", "origin": ""}, FOREIGN),
        ({"host": "localhost", "origin": "localhost"}, FOREIGN),
        ({"host": "localhost", "origin": "http://[nonsense"}, FOREIGN),
    ],
)
def test_pages_of_others_do_not_reach_this_machine(headers: dict[str, str], refusal: tuple[int, str] | None) -> None:
    assert refusal_of(lambda: check_origin(request_of(**headers))) == refusal


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, None),
        ({"content_type": ""}, None),
        ({"content_type": "Application/JSON"}, None),
        ({"content_type": " application/json ; charset=utf-8"}, None),
        ({"content_type": "application/problem+json"}, None),
        ({"content_type": "text/plain"}, NO_JSON),
        ({"content_type": "application/xml"}, NO_JSON),
        ({"content_type": "image/own+json"}, NO_JSON),
        ({"content_type": "application/json, text/plain"}, NO_JSON),
        ({"content_encoding": "Identity"}, None),
        ({"content_encoding": "gzip"}, ENCODED),
        ({"content_encoding": ""}, ENCODED),
        ({"content_type": "text/plain", "content_encoding": "gzip"}, NO_JSON),
    ],
)
def test_only_json_is_taken(headers: dict[str, str], refusal: tuple[int, str] | None) -> None:
    assert refusal_of(lambda: check_media_type(request_of(**headers))) == refusal


@pytest.mark.parametrize(
    ("parts", "length"), [([b""], ""), ([b"12345", b"67890"], ""), ([b"1234567890"], "10"), ([b"1"], "0")]
)
async def test_a_body_is_all_its_parts(parts: list[bytes], length: str) -> None:
    headers = {"content_length": length} if length else {}
    assert await body_of(request_of(*parts, **headers), 10, 60) == b"".join(parts)


@pytest.mark.parametrize(
    ("parts", "length", "refusal"),
    [
        ([b"1234567890", b"1"], "", LARGE),
        ([b"12345678901"], "", LARGE),
        ([b"12345678901", None], "5", LARGE),
        ([None], "11", LARGE),
        ([None], "1" * 19, LARGE),
        ([b"1", ...], "", LATE),
    ],
)
async def test_a_body_that_is_large_or_late_is_refused(parts: list[Any], length: str, refusal: tuple[int, str]) -> None:
    headers = {"content_length": length} if length else {}
    with pytest.raises(RefusedError) as caught:
        await body_of(request_of(*parts, **headers), 10, 0.01 if refusal == LATE else 60)
    assert (caught.value.status.value, caught.value.detail) == refusal


@pytest.mark.parametrize("length", ["-11", "eleven", "\u0661\u0661", "1" * 20, "10"])
async def test_a_caller_who_leaves_is_not_refused(length: str) -> None:
    with pytest.raises(ClientDisconnect):
        await body_of(request_of(b"1", None, content_length=length), 10, 60)


LONGEST = "9" * LONGEST_INTEGER


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"", {}),
        (b" {} ", {}),
        (b'{"a": [1, -2, 0.5, true, null, "\xc3\xa4"]}', {"a": [1, -2, 0.5, True, None, "ä"]}),
        (f'{{"a": {LONGEST}, "b": 7}}'.encode(), {"a": int(LONGEST), "b": 7}),
        (f'{{"a": {LONGEST}9, "b": 7}}'.encode(), {"a": math.inf, "b": 7}),
        (f'{{"a": {"9" * 9999}}}'.encode(), {"a": math.inf}),
    ],
)
def test_a_body_is_an_object(body: bytes, payload: dict[str, Any]) -> None:
    assert payload_of(body) == payload


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"{", UNREADABLE),
        (b"\xff", UNREADABLE),
        (b'{"a": NaN}', UNREADABLE),
        (b'{"a": -Infinity}', UNREADABLE),
        (b"[" * 100_000, UNREADABLE),
        (b"[1]", NO_OBJECT),
        (b"null", NO_OBJECT),
        (b"5", NO_OBJECT),
    ],
)
def test_other_bodies_are_refused(body: bytes, refusal: tuple[int, str]) -> None:
    assert refusal_of(lambda: payload_of(body)) == refusal
