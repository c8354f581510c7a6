"""An HTTP API, played by a local server, that fails in every way."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from doubles.http_server import Answer, LocalApi, local_api
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_http import AdapterHttp, HttpCall
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.correlation import CORRELATION_ID

from tests.runtime.building import RETRY_STATUS, Settings
from tests.runtime.building import http as adapter_of

GET = HttpCall(method="GET", path="/things/1", idempotent=True)
POST = HttpCall(method="POST", path="/things", body={"a": 1})


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as api:
        yield api


@pytest.fixture
def settings(api: LocalApi) -> Settings:
    return Settings(
        http_base_url=api.url,
        http_timeout_seconds=0.5,
        retry_initial_delay_seconds=0.01,
        retry_max_delay_seconds=2,
        circuit_breaker_recovery_seconds=0.2,
    )


async def code_of(adapter: AdapterHttp, call: HttpCall) -> object:
    """Return the code of the error that a request ends in, or None."""
    try:
        await adapter.send(call)
    except ModelOnexError as error:
        return error.error_code
    return None


async def test_request_is_sent_as_it_was_meant(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(body={"b": 2})]
    call = HttpCall(
        method="POST",
        path="/a%2Fb",
        query={"page": 1, "tags": ["x", "y"], "none": None, "word": "a&b"},
        headers={"X-Own": "own", "X-None": None},
        body={"a": [1, None]},
    )
    assert await adapter.send(call) == {"b": 2}
    (asked,) = api.asked
    assert (asked.method, asked.json) == ("POST", {"a": [1, None]})
    assert asked.path == "/a%2Fb?page=1&tags=x&tags=y&word=a%26b"
    assert asked.headers["x-own"] == "own"
    assert "x-none" not in asked.headers
    assert asked.headers["authorization"] == "Bearer hidden-word"
    await adapter.close()


async def test_correlation_id_is_passed_on(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    correlation_id = uuid4()
    CORRELATION_ID.set(correlation_id)
    await adapter.send(GET)
    await adapter.send(HttpCall(method="GET", path="/", headers={"x-correlation-id": "own"}))
    assert [asked.headers["x-correlation-id"] for asked in api.asked] == [str(correlation_id), "own"]
    await adapter.close()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, EnumCoreErrorCode.PERMISSION_DENIED),
        (404, EnumCoreErrorCode.RESOURCE_NOT_FOUND),
        (418, EnumCoreErrorCode.OPERATION_FAILED),
        (504, EnumCoreErrorCode.TIMEOUT),
        (599, EnumCoreErrorCode.SERVICE_UNAVAILABLE),
    ],
)
async def test_status_becomes_an_error(
    api: LocalApi,
    settings: Settings,
    status: int,
    code: EnumCoreErrorCode,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(status)]
    assert await code_of(adapter, POST) in {code, EnumCoreErrorCode.SERVICE_UNAVAILABLE}
    await adapter.close()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("identity", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress), ("gzip", bytes), ("unknown", bytes)],
    ids=["identity", "gzip", "deflate", "broken gzip", "unknown"],
)
async def test_encoding_of_an_answer_changes_nothing(
    api: LocalApi,
    settings: Settings,
    encoding: str,
    encode: Callable[[bytes], bytes],
) -> None:
    content = encode(json.dumps({"said": "x" * 1000}).encode())
    headers = {"Content-Encoding": encoding}
    for status, code in {
        302: EnumCoreErrorCode.OPERATION_FAILED,
        403: EnumCoreErrorCode.PERMISSION_DENIED,
        404: EnumCoreErrorCode.RESOURCE_NOT_FOUND,
        422: EnumCoreErrorCode.OPERATION_FAILED,
        500: EnumCoreErrorCode.SERVICE_UNAVAILABLE,
    }.items():
        # One of its own for each, so that no circuit breaker opens.
        adapter = adapter_of(settings)
        api.answers = [Answer(status, content, headers)]
        assert await code_of(adapter, POST) is code
        await adapter.close()
    adapter = adapter_of(settings)
    api.answers = [Answer(200, content, headers)]
    unreadable = encode is bytes and encoding == "gzip"
    assert await code_of(adapter, GET) is (EnumCoreErrorCode.CONTRACT_VIOLATION if unreadable else None)
    await adapter.close()


async def test_encoded_answer_of_an_api_that_is_too_busy_is_tried_again(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(min(RETRY_STATUS), gzip.compress(b"later"), {"Content-Encoding": "gzip"}), Answer()]
    assert await code_of(adapter, POST) is None
    assert len(api.asked) == 2
    await adapter.close()


@pytest.mark.parametrize("body", [b"ok", b"", b"\xff", b'{"a": ', b"[" * 100_000, b"x" * 200_000])
async def test_answer_that_nobody_reads_may_be_anything(
    api: LocalApi,
    settings: Settings,
    body: bytes,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(200, body), Answer(200, body, {"Content-Encoding": "gzip"})]
    for _ in range(2):
        assert await adapter.send(HttpCall(method="DELETE", path="/things/1", reads=False)) is None
    await adapter.close()


@pytest.mark.parametrize(
    ("content_type", "body", "sent"),
    [
        (None, "text", b'"text"'),
        ("application/problem+json", "text", b'"text"'),
        ("application/x-www-form-urlencoded", "a=1&b=2", b"a=1&b=2"),
        ("text/plain; charset=utf-16-be", "a", b"\0a"),
        ("application/octet-stream", b"\xff\xfe", b"\xff\xfe"),
        ("application/json", [b"\xfb\xff\xfe"], b'["+//+"]'),
    ],
)
async def test_body_is_what_its_type_says(
    api: LocalApi,
    settings: Settings,
    content_type: str | None,
    body: object,
    sent: bytes,
) -> None:
    adapter = adapter_of(settings)
    await adapter.send(HttpCall(method="POST", path="/", headers={"content-type": content_type}, body=body))
    assert api.asked[0].body == sent
    assert api.asked[0].headers["content-type"] == (content_type or "application/json")
    await adapter.close()


async def test_values_are_no_body_of_another_type_than_json(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    call = HttpCall(method="POST", path="/", headers={"Content-Type": "text/plain"}, body={"a": 1})
    assert await code_of(adapter, call) is EnumCoreErrorCode.VALIDATION_ERROR
    assert api.asked == []
    await adapter.close()


async def test_other_answers_than_json_are_refused(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(body=b"<html>")]
    assert await code_of(adapter, GET) is EnumCoreErrorCode.CONTRACT_VIOLATION
    await adapter.close()


async def test_answers_without_end_are_refused(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings.model_copy(update={"http_max_answer_bytes": 10}))
    api.answers = [Answer(body=["x" * 100])]
    assert await code_of(adapter, GET) is EnumCoreErrorCode.CONTRACT_VIOLATION
    await adapter.close()


async def test_header_that_smuggles_another_is_refused(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    call = HttpCall(method="GET", path="/", headers={"X-Own": "a\r\nX-Other: b"})
    assert await code_of(adapter, call) is EnumCoreErrorCode.VALIDATION_ERROR
    assert api.asked == []
    await adapter.close()


async def test_api_that_is_late_is_a_timeout(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings.model_copy(update={"http_timeout_seconds": 0.25}))
    api.answers = [Answer(pause=0.5)]
    assert await code_of(adapter, POST) is EnumCoreErrorCode.TIMEOUT
    async with asyncio.timeout(60):
        while not api.asked:
            await asyncio.sleep(0.02)
    assert len(api.asked) == 1
    await adapter.close()


async def test_check_tells_whether_the_api_is_there(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    await adapter.open()
    await adapter.check()
    assert api.asked[0].path == "/health"
    api.answers = [Answer(500)]
    with pytest.raises(ModelOnexError):
        await adapter.check()
    api.stop()
    with pytest.raises(ModelOnexError) as caught:
        await adapter.check()
    assert caught.value.error_code is EnumCoreErrorCode.NETWORK_ERROR
    api.start()
    await adapter.close()


async def test_secrets_stay_out_of_errors(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(400, body={"error": "key hidden-word is unknown"})]
    with pytest.raises(ModelOnexError) as caught:
        await adapter.send(POST)
    assert "hidden-word" not in str(caught.value)
    assert "key *** is unknown" in caught.value.context["additional_context"]["reason"]
    assert "unknown" not in caught.value.message
    await adapter.close()


async def test_missing_secret_is_named(settings: Settings) -> None:
    adapter = adapter_of(settings.model_copy(update={"api_key": None}))
    with pytest.raises(ModelOnexError) as caught:
        await adapter.open()
    assert caught.value.error_code is EnumCoreErrorCode.CONFIGURATION_NOT_FOUND


async def test_too_busy_is_tried_again(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    status = min(RETRY_STATUS)
    api.answers = [Answer(status), Answer(status, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Answer()]
    assert await code_of(adapter, GET) is None
    assert len(api.asked) == 3
    await adapter.close()


async def test_statuses_of_an_operation_are_its_own(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    own = RetryPolicy(
        max_attempts=2,
        initial_delay_seconds=0.01,
        max_delay_seconds=1,
        backoff_multiplier=2,
        retryable_status_codes=frozenset({404}),
    )
    api.answers = [Answer(404), Answer(), Answer(404)]
    await adapter.send(GET, own)
    with pytest.raises(ModelOnexError):
        await adapter.send(GET)
    assert len(api.asked) == 3
    await adapter.close()


async def test_retry_after_is_waited_for(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(min(RETRY_STATUS), headers={"Retry-After": "1"}), Answer()]
    started = asyncio.get_running_loop().time()
    assert await code_of(adapter, GET) is None
    assert asyncio.get_running_loop().time() - started >= 1
    await adapter.close()


async def test_retry_after_that_is_too_long_ends_it(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(min(RETRY_STATUS), headers={"Retry-After": "3600"})]
    assert await code_of(adapter, GET) is not None
    assert len(api.asked) == 1
    await adapter.close()


@pytest.mark.parametrize(
    ("headers", "body", "repeated"),
    [
        ({}, None, False),
        ({"Retry-After": "0"}, None, True),
        ({}, {"safe_to_repeat": True}, True),
        ({"Retry-After": "0"}, {"safe_to_repeat": False}, False),
    ],
)
async def test_request_that_must_not_be_made_twice_is_repeated_where_the_answer_allows_it(
    api: LocalApi,
    settings: Settings,
    headers: dict[str, str],
    body: object,
    repeated: bool,
) -> None:
    adapter = adapter_of(settings)
    api.answers = [Answer(503, body, headers=headers), Answer()]
    await code_of(adapter, POST)
    assert len(api.asked) == (2 if repeated and 503 in RETRY_STATUS else 1)
    await adapter.close()


async def test_request_that_may_have_been_taken_up_is_not_repeated(
    api: LocalApi,
    settings: Settings,
) -> None:
    changes: dict[str, object] = {"http_timeout_seconds": 0.25}
    changes["circuit_breaker_failure_threshold"] = 10
    adapter = adapter_of(settings.model_copy(update=changes))
    api.answers = [Answer(pause=0.5)]
    for call, asked in ((POST, 1), (GET, 4)):
        await code_of(adapter, call)
        # The last request may reach a slow machine's API after it was given up.
        async with asyncio.timeout(60):
            while len(api.asked) < asked:
                await asyncio.sleep(0.02)
        assert len(api.asked) == asked
    await adapter.close()


async def test_outage_and_recovery(
    api: LocalApi,
    settings: Settings,
) -> None:
    adapter = adapter_of(settings)
    assert await code_of(adapter, GET) is None
    api.stop()
    assert await code_of(adapter, GET) in {EnumCoreErrorCode.NETWORK_ERROR, EnumCoreErrorCode.SERVICE_UNAVAILABLE}
    for _ in range(3):
        await code_of(adapter, GET)
    assert await code_of(adapter, GET) is EnumCoreErrorCode.SERVICE_UNAVAILABLE
    api.start()
    async with asyncio.timeout(60):
        while await code_of(adapter, GET) is not None:
            await asyncio.sleep(0.02)
    await adapter.close()
