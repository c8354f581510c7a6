"""What an HTTP API's answers and failures become: errors with all that is told of them, effects, and what is read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_http import AdapterHttp, HttpCall, HttpLimits, HttpStatusError
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.adapters.http_content import HttpAnswer
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.spans import UNTRACED, Spans

from tests.runtime.building import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

URL = "https://api.example/v1"
GET = HttpCall(method="GET", path="/things/1", idempotent=True)
POST = HttpCall(method="POST", path="/things", body={"a": 1})
# How httpcore says that the request's headers leave.
LEAVES = "http11.send_request_headers.started"


class Api:
    """Answers in the place of the network, and remembers the requests and how the client was made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[httpx.Response | Exception] = [httpx.Response(200, json={})]
        self.asked: list[httpx.Request] = []
        self.made: list[dict[str, Any]] = []
        self.leaves = True
        client = httpx.AsyncClient

        def make(**how: Any) -> httpx.AsyncClient:
            self.made.append(how)
            return client(**how, transport=httpx.MockTransport(self._answer))

        monkeypatch.setattr(httpx, "AsyncClient", make)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.leaves and "trace" in request.extensions:
            await request.extensions["trace"](LEAVES, {})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Chunks(httpx.AsyncByteStream):
    """A body in chunks, the last of which may be an error; counts those that were read, and remembers its end."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks = chunks
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            self.read += 1
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(monkeypatch)


def adapter_of(
    name: str = "shop",
    *,
    retry: RetryPolicy | None = None,
    retry_status: frozenset[int] = frozenset(),
    most_bytes: int = 1000,
    health_path: str = "",
    spans: Spans = UNTRACED,
) -> AdapterHttp:
    return AdapterHttp(
        Settings(),
        limits=HttpLimits(timeout_seconds=7.0, max_connections=4, max_answer_bytes=most_bytes),
        base_url=lambda: URL,
        headers=lambda: {"Authorization": "Bearer hidden-word", "Content-Language": "en"},
        guard=Guard(retry),
        check_seconds=1.0,
        name=name,
        health_path=health_path,
        retry_status=retry_status,
        spans=spans,
    )


def policy(attempts: int = 3, most_seconds: float = 0.0, statuses: frozenset[int] = frozenset()) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=attempts,
        initial_delay_seconds=0.0,
        max_delay_seconds=most_seconds,
        backoff_multiplier=1.0,
        retryable_status_codes=statuses,
    )


async def refused(adapter: AdapterHttp, call: HttpCall) -> ModelOnexError:
    with pytest.raises(ModelOnexError) as caught:
        await adapter.ask(call)
    return caught.value


def told(error: ModelOnexError) -> tuple[object, str, Mapping[str, Any]]:
    return error.error_code, error.message, error.context["additional_context"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, EnumCoreErrorCode.OPERATION_FAILED),
        (400, EnumCoreErrorCode.OPERATION_FAILED),
        (401, EnumCoreErrorCode.PERMISSION_DENIED),
        (403, EnumCoreErrorCode.PERMISSION_DENIED),
        (404, EnumCoreErrorCode.RESOURCE_NOT_FOUND),
        (408, EnumCoreErrorCode.TIMEOUT),
        (418, EnumCoreErrorCode.OPERATION_FAILED),
        (429, EnumCoreErrorCode.RATE_LIMIT_ERROR),
        (499, EnumCoreErrorCode.OPERATION_FAILED),
        (500, EnumCoreErrorCode.SERVICE_UNAVAILABLE),
        (504, EnumCoreErrorCode.TIMEOUT),
        (599, EnumCoreErrorCode.SERVICE_UNAVAILABLE),
    ],
)
async def test_a_status_is_told_with_what_the_api_said(api: Api, status: int, code: EnumCoreErrorCode) -> None:
    api.answers = [httpx.Response(status, text=f"no hidden-word\u00e4{'x' * 300}")]
    call = HttpCall(method="PUT", path="/things/1", idempotent=True)
    excerpt = f"no ***\u00e4{'x' * 185}"
    assert told(await refused(adapter_of(), call)) == (
        code,
        f"The API answered with {status}.",
        {
            "integration": "shop",
            "outcome_unknown": status in {408, 500, 504, 599},
            "http_status": status,
            "reason": f"HTTP: HttpStatusError: PUT was answered with {status}: {excerpt}",
        },
    )


@pytest.mark.parametrize(
    ("error", "code", "message", "reason"),
    [
        (
            httpx.ReadTimeout("too late"),
            EnumCoreErrorCode.TIMEOUT,
            "The API gave no answer in time.",
            "HTTP: ReadTimeout: too late",
        ),
        (
            TimeoutError("too late"),
            EnumCoreErrorCode.TIMEOUT,
            "The API gave no answer in time.",
            "HTTP: TimeoutError: too late",
        ),
        (
            httpx.LocalProtocolError("hidden"),
            EnumCoreErrorCode.VALIDATION_ERROR,
            "The API can't be asked with these values.",
            "HTTP: LocalProtocolError",
        ),
        (
            httpx.InvalidURL("no port hidden-word"),
            EnumCoreErrorCode.VALIDATION_ERROR,
            "The API can't be asked with these values.",
            "HTTP: InvalidURL: no port ***",
        ),
        (
            UnicodeEncodeError("ascii", "hidden", 0, 1, "no"),
            EnumCoreErrorCode.VALIDATION_ERROR,
            "The API can't be asked with these values.",
            "HTTP: UnicodeEncodeError",
        ),
        (
            httpx.ConnectError("away"),
            EnumCoreErrorCode.NETWORK_ERROR,
            "The API can't be reached.",
            "HTTP: ConnectError: away",
        ),
        (
            ConnectionResetError("away"),
            EnumCoreErrorCode.NETWORK_ERROR,
            "The API can't be reached.",
            "HTTP: ConnectionResetError: away",
        ),
        (
            httpx.DecodingError("no gzip"),
            EnumCoreErrorCode.CONTRACT_VIOLATION,
            "The answer of the API can't be read.",
            "HTTP: DecodingError: no gzip",
        ),
        (
            LookupError("lost"),
            EnumCoreErrorCode.OPERATION_FAILED,
            "The request to the API failed.",
            "HTTP: LookupError: lost",
        ),
    ],
)
@pytest.mark.parametrize("leaves", [True, False])
async def test_a_failure_is_told_without_values_of_headers(
    api: Api, error: Exception, code: EnumCoreErrorCode, message: str, reason: str, leaves: bool
) -> None:
    api.answers, api.leaves = [error], leaves
    details = {"integration": "shop", "outcome_unknown": leaves, "reason": reason}
    assert told(await refused(adapter_of(), POST)) == (code, message, details)


@pytest.mark.parametrize(
    ("status", "headers", "body", "open_"),
    [
        (301, {}, b"", False),
        (400, {}, b"", False),
        (408, {}, b"", True),
        (429, {}, b"", False),
        (499, {}, b"", False),
        (500, {}, b"", True),
        (500, {}, b'{"safe_to_repeat": true}', False),
        (500, {}, b'{"safe_to_repeat": 1}', True),
        (500, {}, b'[{"safe_to_repeat": true}]', True),
        (500, {}, b"[" * 70_000, True),
        (408, {}, b'{"safe_to_repeat": true}', False),
        (500, {"Retry-After": "1"}, b"", True),
        (503, {}, b"", True),
        (503, {"Retry-After": "1"}, b"", False),
        (503, {"Retry-After": "1"}, b'{"safe_to_repeat": false}', True),
    ],
)
async def test_an_answer_tells_whether_the_request_may_have_had_an_effect(
    api: Api, status: int, headers: dict[str, str], body: bytes, open_: bool
) -> None:
    api.answers = [httpx.Response(status, headers=headers, content=body)]
    for call, lasting in ((POST, open_), (GET, False)):
        EFFECTS.set(effects := Effects())
        assert (await refused(adapter_of(), call)).context["additional_context"]["outcome_unknown"] is open_
        assert (effects.in_doubt, effects.lasting) == (open_, lasting)


async def test_a_request_that_succeeds_has_an_effect_that_lasts(api: Api) -> None:
    for call, lasting in ((POST, True), (GET, False)):
        EFFECTS.set(effects := Effects())
        await adapter_of().ask(call)
        assert (effects.in_doubt, effects.lasting) == (False, lasting)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0.0),
        ("12", 12.0),
        (" 3 ", 3.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
    ],
)
def test_a_pause_that_is_asked_for_is_read(value: str | None, seconds: float) -> None:
    headers = {} if value is None else {"Retry-After": value}
    assert HttpStatusError(GET, httpx.Response(503, headers=headers), b"").retry_after_seconds == seconds


def test_a_pause_may_be_asked_for_by_a_moment() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    error = HttpStatusError(GET, httpx.Response(503, headers={"Retry-After": until}), b"\xff")
    assert 3500 < error.retry_after_seconds <= 3600
    assert str(error) == "GET was answered with 503: \ufffd"


@pytest.mark.parametrize(
    ("answer", "own", "times"),
    [
        (httpx.Response(503), None, 3),
        (httpx.Response(500), None, 1),
        (httpx.Response(404), None, 1),
        (httpx.Response(404), policy(2, statuses=frozenset({404})), 2),
        (httpx.Response(503), policy(2, statuses=frozenset({404})), 1),
        (httpx.Response(503), policy(2), 2),
        (httpx.Response(503, headers={"Retry-After": "1"}), policy(2, 0.9), 1),
        (httpx.ConnectError("away"), None, 3),
        (httpx.LocalProtocolError("no header"), None, 1),
        (LookupError("lost"), None, 1),
    ],
)
async def test_what_may_go_better_is_tried_again(
    api: Api, answer: httpx.Response | Exception, own: RetryPolicy | None, times: int
) -> None:
    api.answers = [answer]
    with pytest.raises(ModelOnexError):
        await adapter_of(retry=policy(), retry_status=frozenset({503})).ask(GET, own)
    assert len(api.asked) == times


async def test_without_a_policy_there_is_one_attempt(api: Api) -> None:
    api.answers = [httpx.Response(503)]
    await refused(adapter_of(retry_status=frozenset({503})), GET)
    assert len(api.asked) == 1


async def test_a_pause_as_long_as_the_policy_allows_is_made(api: Api) -> None:
    api.answers = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200, json=1)]
    assert await adapter_of(retry_status=frozenset({503})).send(POST, policy()) == 1


async def test_a_request_says_what_everyone_and_what_this_call_says(api: Api) -> None:
    traced = Spans(outgoing=lambda: {"traceparent": "00-1", "X-Own": "other"})
    adapter = adapter_of(spans=traced)
    headers = {"X-Own": "own", "X-Number": 5, "X-None": None, "accept": "text/csv"}
    await adapter.ask(HttpCall(method="PATCH", path="a", query={"b": [1, 2], "c": None}, headers=headers, body=[1]))
    await adapter.ask(HttpCall(method="GET", path="/a?page=2"))
    await adapter.ask(HttpCall(method="POST", path="/a", body="x", sent_as="plain"))
    changed, linked, plain = api.asked
    assert (changed.method, str(changed.url), changed.content) == ("PATCH", f"{URL}/a?b=1&b=2", b"[1]")
    sent = {name: changed.headers.get(name) for name in ("X-Own", "X-Number", "X-None", "Accept", "traceparent")}
    assert sent == {"X-Own": "own", "X-Number": "5", "X-None": None, "Accept": "text/csv", "traceparent": "00-1"}
    assert changed.headers["authorization"] == "Bearer hidden-word"
    assert "x-correlation-id" not in changed.headers
    assert (str(linked.url), linked.headers["accept"]) == (f"{URL}/a?page=2", "application/json")
    assert (plain.content, plain.headers["content-type"]) == (b"x", "text/plain; charset=utf-8")


async def test_type_of_every_request_is_that_of_its_body(api: Api) -> None:
    adapter = AdapterHttp(
        Settings(),
        limits=HttpLimits(timeout_seconds=7.0, max_connections=4, max_answer_bytes=1000),
        base_url=lambda: URL,
        headers=lambda: {"Content-Type": "text/csv"},
        guard=Guard(),
        check_seconds=1.0,
    )
    await adapter.ask(HttpCall(method="POST", path="/a", body="x,y"))
    await adapter.ask(HttpCall(method="POST", path="/a", body="x,y", headers={"content-type": "application/json"}))
    assert [(asked.content, asked.headers["content-type"]) for asked in api.asked] == [
        (b"x,y", "text/csv"),
        (b'"x,y"', "application/json"),
    ]
    assert adapter.name == "http"


@pytest.mark.parametrize(
    "url", ["http://api.example/v1/things", "https://api.example:8443/v1/things", "https://elsewhere.example/v1/things"]
)
async def test_no_other_server_gets_the_credentials(api: Api, url: str) -> None:
    assert told(await refused(adapter_of(), HttpCall(method="GET", path=url))) == (
        EnumCoreErrorCode.CONTRACT_VIOLATION,
        "The API leads to another server, which is not asked with the credentials of this one.",
        {"integration": "shop"},
    )
    assert api.asked == []
    await adapter_of().ask(HttpCall(method="GET", path="https://api.example/v2/things"))
    assert [str(asked.url) for asked in api.asked] == ["https://api.example/v2/things"]


async def test_answers_are_read_to_their_limit(api: Api) -> None:
    adapter = adapter_of(most_bytes=10)
    api.answers = [httpx.Response(200, stream=Chunks(b"12345", b"67890"), headers={"X-A": "1"})]
    answer = await adapter.ask(GET)
    assert answer == HttpAnswer(200, True, f"{URL}/things/1", {}, "utf-8", {"x-a": "1"}, b"1234567890")
    longer = Chunks(b"12345", b"678901", b"2")
    api.answers = [httpx.Response(200, stream=longer)]
    assert told(await refused(adapter, POST)) == (
        EnumCoreErrorCode.CONTRACT_VIOLATION,
        "The answer is longer than 10 bytes.",
        {"integration": "shop"},
    )
    assert (longer.read, longer.closed) == (2, True)


@pytest.mark.parametrize(
    ("chunks", "read"),
    [
        ((b"ok",), 1),
        ((b"x" * 32768, b"x" * 32768, b"x"), 3),
        ((b"x" * 65537, b"x"), 1),
        ((b"x", httpx.ReadError("away"), b"x"), 1),
        ((b"x", TimeoutError(), b"x"), 1),
    ],
)
async def test_a_body_that_nobody_asked_for_is_passed_over(
    api: Api, chunks: tuple[bytes | Exception, ...], read: int
) -> None:
    for status, call in (
        (204, HttpCall(method="DELETE", path="/things/1", reads=False)),
        (404, HttpCall(method="GET", path="/things/1", not_found=True)),
        (500, POST),
    ):
        body = Chunks(*chunks)
        api.answers = [httpx.Response(status, stream=body)]
        if status == 500:
            assert (await refused(adapter_of(), call)).context["additional_context"]["http_status"] == 500
        else:
            answer = await adapter_of().ask(call)
            assert (answer.status, answer.found, answer.content) == (status, status == 204, b"")
        assert (body.read, body.closed) == (read, True)


@pytest.mark.parametrize(
    ("status", "success", "not_found", "found"),
    [
        (200, frozenset(), False, True),
        (299, frozenset(), False, True),
        (304, frozenset(), False, None),
        (200, frozenset({201}), False, None),
        (304, frozenset({304}), False, True),
        (404, frozenset({404}), False, True),
        (404, frozenset({404}), True, False),
        (404, frozenset({200}), True, False),
        (410, frozenset(), True, None),
    ],
)
async def test_success_is_what_the_call_says(
    api: Api, status: int, success: frozenset[int], not_found: bool, found: bool | None
) -> None:
    api.answers = [httpx.Response(status, json=1)]
    call = HttpCall(method="GET", path="/", success=success, not_found=not_found)
    if found is None:
        await refused(adapter_of(), call)
    else:
        assert (await adapter_of().ask(call)).found is found


@pytest.mark.parametrize(
    ("health_path", "asked", "status", "alive"),
    [
        ("", f"{URL}/", 200, True),
        ("", f"{URL}/", 499, True),
        ("", f"{URL}/", 500, False),
        ("/health", f"{URL}/health", 204, True),
        ("/health", f"{URL}/health", 399, True),
        ("/health", f"{URL}/health", 400, False),
        ("/health", f"{URL}/health", 404, False),
    ],
)
async def test_a_sign_of_life_is_what_is_asked_for(
    api: Api, health_path: str, asked: str, status: int, alive: bool
) -> None:
    api.answers = [httpx.Response(status, text="no hidden-word")]
    adapter = adapter_of(health_path=health_path)
    if alive:
        await adapter.check()
    else:
        with pytest.raises(ModelOnexError) as caught:
            await adapter.check()
        assert caught.value.message == f"The API answered with {status}."
        assert caught.value.context["additional_context"] == {
            "integration": "shop",
            "outcome_unknown": False,
            "http_status": status,
            "reason": f"HTTP: HttpStatusError: GET was answered with {status}: no ***",
        }
    assert [(request.method, str(request.url)) for request in api.asked] == [("GET", asked)]


async def test_there_is_one_client_until_it_is_closed(api: Api) -> None:
    adapter = adapter_of()
    await adapter.close()
    await adapter.open()
    await adapter.open()
    await adapter.ask(GET)
    (made,) = api.made
    assert made == {
        "base_url": URL,
        "headers": {"Accept": "application/json", "Authorization": "Bearer hidden-word", "Content-Language": "en"},
        "timeout": 7.0,
        "limits": httpx.Limits(max_connections=5),
    }
    await adapter.close()
    await adapter.ask(GET)
    assert len(api.made) == 2
    assert adapter.figures() == [
        ("pool_connections_in_use", 0.0, {"integration": "shop"}),
        ("pool_connections_max", 4.0, {"integration": "shop"}),
    ]


async def test_a_request_is_a_span_of_its_integration(api: Api) -> None:
    spans: list[tuple[str, int]] = []

    @contextmanager
    def call(name: str) -> Iterator[None]:
        yield
        spans.append((name, len(api.asked)))

    await adapter_of(spans=Spans(call=call)).send(GET)
    assert spans == [("shop send", 1)]
