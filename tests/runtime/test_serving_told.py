"""What the service answers word by word, what an operation knows of its request, and what the process is made of."""

import asyncio
import contextlib
import gc
import json
import logging
import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.correlation import CALLER, CALLER_CORRELATION_ID, CORRELATION_ID
from onex_node_runtime.serving import application as application_module
from onex_node_runtime.serving import server as server_module
from onex_node_runtime.serving.application import (
    BudgetedResponse,
    Readiness,
    application,
    limits_of,
    metrics_route,
    metrics_served,
    serve,
    server_of,
)
from onex_node_runtime.serving.server import BoundedProtocol, Limits, NodeServer, connections_within, server_config
from onex_node_runtime.serving.turns import Budget
from onex_node_runtime.settings.service import ListenerSettings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from uvicorn.server import ServerState

from tests.runtime.serving import StubNode, served

PATH = "/operations/echo"
ID = {"X-Correlation-ID": "7d444840-9dc0-11d1-b245-5ffdce74fad2"}


def client_of(app: Starlette | None = None, **values: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app or application(served(**values)), client=("10.1.2.3", 5))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    found = [
        (record.levelno, json.loads(record.getMessage())) for record in caplog.records if record.name == "omnibase"
    ]
    return [(level, line["message"], line["context"]) for level, line in found]


async def never(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError("It was not to be called.")


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "title", "detail"),
    [
        ("GET", "/nothing", b"", {}, 404, "Not Found", "There is nothing at this path."),
        ("GET", PATH, b"", {}, 405, "Method Not Allowed", "The path does not take this method."),
        ("POST", "/operations/none", b"{}", {}, 404, "Not Found", "There is no such operation."),
        ("POST", PATH, b"{", {}, 400, "Bad Request", "The body is not JSON."),
        ("POST", PATH, b" " * 101, {}, 413, "Request Entity Too Large", "The body is too large."),
        (
            "POST",
            PATH,
            b"{}",
            {"host": "shop.example"},
            421,
            "Misdirected Request",
            "The service is bound to this machine, which Host does not name.",
        ),
        (
            "POST",
            PATH,
            b"{}",
            {"idempotency-key": ""},
            400,
            "Bad Request",
            "Idempotency-Key takes one text of 1 to 255 printable characters of ASCII, in quotation marks or not.",
        ),
    ],
)
async def test_a_request_that_no_operation_gets_is_told_why(
    method: str, path: str, content: bytes, headers: dict[str, str], status: int, title: str, detail: str
) -> None:
    async with client_of(handle=never, service_max_body_bytes=100, keyed={"echo"}) as client:
        answer = await client.request(method, path, content=content, headers=headers)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert UUID(told.pop("correlation_id")).int
    assert told == {"type": "about:blank", "title": title, "status": status, "detail": detail}
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


async def test_an_operation_knows_whose_request_it_answers() -> None:
    known: list[tuple[object, ...]] = []

    async def handle(name: str, payload: dict[str, Any]) -> dict[str, Any]:
        known.append((name, payload, str(CORRELATION_ID.get()), CALLER_CORRELATION_ID.get(), CALLER.get()))
        return {}

    async with client_of(handle=handle) as client:
        await client.post(PATH, json={"a": 1}, headers=ID)
        await client.post(PATH, headers={"X-Correlation-ID": "order-7"})
    own = ID["X-Correlation-ID"]
    assert known[0] == ("echo", {"a": 1}, own, known[0][3], "10.1.2.3")
    assert known[1][1:2] + known[1][3:] == ({}, "order-7", "10.1.2.3")


async def test_a_request_of_nobody_is_answered() -> None:
    async def handle(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        return {"caller": CALLER.get()}

    transport = httpx.ASGITransport(application(served(handle)), client=None)  # type: ignore[arg-type]  # a socket's
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.post(PATH)).json() == {"caller": ""}


async def test_a_trace_goes_on_while_the_operation_runs() -> None:
    noted: list[object] = []

    @contextlib.contextmanager
    def continued(headers: Mapping[str, str]) -> Iterator[None]:
        noted.append(headers["traceparent"])
        yield
        noted.append("end")

    async def handle(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
        noted.append("run")
        return payload

    async with client_of(handle=handle, continued=continued) as client:
        await client.post(PATH, headers={"traceparent": "00-1"})
    assert noted == ["00-1", "run", "end"]


async def test_another_refusal_is_told_by_its_status() -> None:
    async def refuse(_request: object) -> Any:
        raise HTTPException(status_code=410, headers={"X-Gone": "now"})

    async with client_of(documents=[Route("/old", refuse)]) as client:
        answer = await client.get("/old")
    assert (answer.status_code, answer.headers["x-gone"]) == (410, "now")
    assert answer.json()["detail"] == HTTPStatus.GONE.description


async def test_an_unexpected_failure_tells_nothing_of_itself() -> None:
    async def fail(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        raise LookupError("hidden")

    transport = httpx.ASGITransport(application(served(fail)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post(PATH)
    assert answer.status_code == 500
    told = answer.json()
    assert told["detail"] == "Server got itself in trouble"
    assert "hidden" not in answer.text


@pytest.mark.parametrize("safe", [True, False])
async def test_a_request_that_is_cut_off_says_whether_it_may_be_sent_again(safe: bool) -> None:
    async def cut(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        raise asyncio.CancelledError

    app = application(served(cut, safe_to_stop=lambda: safe))
    async with client_of(app) as client:
        with pytest.raises(asyncio.CancelledError):
            await client.post(PATH)
        app.state.leaving = True
        answer = await client.post(PATH)
    assert (answer.status_code, answer.json()["detail"]) == (503, "The service is stopping.")
    assert answer.json()["safe_to_repeat"] is safe
    assert ("retry-after" in answer.headers) is safe


async def test_health_and_readiness_are_told() -> None:
    async def asked() -> Readiness:
        return Readiness(ready=True, status="degraded", issues=("redis: TIMEOUT",))

    app = application(served(readiness=asked))
    async with client_of(app) as client:
        answers = [await client.get("/health"), await client.get("/ready")]
        app.state.leaving = True
        answers.append(await client.get("/ready"))
        app.state.leaving = False
        app.state.life = type("Life", (), {"started": False})
        answers.append(await client.get("/ready"))
        app.state.life.started = True
        answers.append(await client.get("/ready"))
    degraded = (200, {"status": "degraded", "issues": ["redis: TIMEOUT"]})
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"status": "alive", "node": "node_stub_effect"}),
        degraded,
        (503, {"status": "stopping", "issues": []}),
        (503, {"status": "starting", "issues": []}),
        degraded,
    ]
    async with client_of() as client:
        assert (await client.get("/ready")).json() == {"status": "healthy", "issues": []}


async def test_documents_are_routes_of_the_application() -> None:
    async def shown(_request: object) -> Any:
        return BudgetedResponse({"a": 1}, Budget(10, ""), 100)

    async with client_of(documents=[Route("/openapi.json", shown)]) as client:
        assert (await client.get("/openapi.json")).json() == {"a": 1}


async def test_answers_that_are_too_large_are_told_as_done() -> None:
    size = len(b'{"a":"x"}')
    answers = []
    for limit in (size, size - 1):
        async with client_of(service_max_answer_bytes=limit) as client:
            answers.append(await client.post(PATH, json={"a": "x"}, headers=ID))
    assert [answer.status_code for answer in answers] == [200, 500]
    assert {answer.headers["x-correlation-id"] for answer in answers} == {ID["X-Correlation-ID"]}
    assert answers[1].json()["detail"] == "The operation is done, and its answer is too large to send."


async def test_answers_that_there_is_no_room_for_are_told_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onex_node_runtime.serving.turns.PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(application_module, "ANSWER_BYTES", 10)
    app = application(served())
    taken, sent = asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"a": "0123456789"}', "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sent.set()
            await taken.wait()

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    slow = asyncio.ensure_future(app(scope, receive, send))  # type: ignore[arg-type]  # starlette asks for more
    await sent.wait()
    async with client_of(app) as client:
        answer = await client.post(PATH, json={"a": "0123456789"})
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "The operation is done, and there is no room for its answer.",
    )
    assert "retry-after" not in answer.headers
    taken.set()
    await slow


async def test_requests_that_there_is_no_room_for_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onex_node_runtime.serving.turns.PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(application_module, "REQUEST_BYTES", 10)
    released, begun = asyncio.Event(), asyncio.Event()

    async def wait(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
        begun.set()
        await released.wait()
        return payload

    async with client_of(handle=wait) as client:
        asking = asyncio.create_task(client.post(PATH, json={"a": 1}))
        await begun.wait()
        answer = await client.post(PATH, json={"a": 1})
        released.set()
        assert (await asking).status_code == 200
    assert (answer.status_code, answer.json()["detail"]) == (503, "Too many large requests are under way.")
    assert (answer.json()["safe_to_repeat"], "code" in answer.json()) == (True, False)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_large_body_that_is_not_read_in_time_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never_read(_call: Callable[[], object]) -> object:
        await asyncio.sleep(60)
        return {}

    large = {"a": "x" * application_module.LARGE_BODY_BYTES}
    async with client_of() as client:
        assert (await client.post(PATH, json=large)).json() == large
        monkeypatch.setattr(application_module, "one_after_another", never_read)
        monkeypatch.setattr(application_module, "PATIENCE_SECONDS", 0.01)
        answer = await client.post(PATH, json=large)
        fits = b'{"a":"' + b"x" * (application_module.LARGE_BODY_BYTES - 8) + b'"}'
        assert (await client.post(PATH, content=fits)).status_code == 200
    assert (answer.status_code, answer.json()["detail"]) == (503, "Too many large requests are under way.")
    assert answer.json()["safe_to_repeat"] is True


async def test_a_refused_operation_is_a_problem() -> None:
    async def fail(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        raise ModelOnexError(message="There is none.", error_code=EnumCoreErrorCode.RESOURCE_NOT_FOUND)

    async with client_of(handle=fail) as client:
        answer = await client.post(PATH)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is none.")


async def test_metrics_that_are_asked_for_together_are_looked_at_once() -> None:
    looked: list[int] = []

    def metrics() -> tuple[bytes, str]:
        looked.append(1)
        return b"a 1\n", "text/plain; version=9"

    async with client_of(Starlette(routes=[metrics_route(metrics)])) as client:
        answers = await asyncio.gather(*(client.get("/metrics") for _ in range(3)))
        assert {(answer.text, answer.headers["content-type"]) for answer in answers} == {
            ("a 1\n", "text/plain; version=9; charset=utf-8")
        }
        assert len(looked) < 3
        before = len(looked)
        await asyncio.sleep(0)
        await client.get("/metrics")
        assert len(looked) == before + 1


@pytest.mark.parametrize(("host", "level"), [("localhost", logging.INFO), ("10.1.2.3", logging.WARNING)])
async def test_an_open_port_is_told_with_its_host(host: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    app = application(served(service_host=host))
    async with app.router.lifespan_context(app):
        pass
    told = {"host": host, "may_call": "anyone who reaches the port", "asks_who": "service.auth"}
    assert lines(caplog) == [(level, "callers_unknown", told)]


def settings_of(**values: Any) -> ListenerSettings:
    return ListenerSettings.model_validate({"service_host": "127.0.0.1", "service_port": 0, **values})


def test_limits_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_module, "connections_within", lambda wanted: wanted + 1)
    settings = settings_of(service_max_connections=20, service_receive_seconds=3, service_send_seconds=4)
    assert limits_of(settings) == Limits(max_connections=21, head_seconds=3.0, write_seconds=4.0)


@pytest.mark.parametrize(("drain", "seconds"), [(0.5, 1), (1.9, 1), (7.0, 7)])
def test_the_server_is_made_as_settings_say(drain: float, seconds: int) -> None:
    app = application(served())
    server = server_of(app, settings_of(service_host="127.0.0.9", service_port=81, service_drain_seconds=drain))
    config = server.config
    assert (config.app, config.host, config.port) == (app, "127.0.0.9", 81)
    assert (config.ws, config.log_config, config.access_log, config.server_header) == ("none", None, False, False)
    assert config.h11_max_incomplete_event_size == server_module.LARGEST_HEAD_BYTES
    assert config.timeout_graceful_shutdown == seconds
    protocol: Any = config.http
    assert set(protocol.keywords) == {"limits"}


UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "raised", "connections"),
    [
        (1024, 4096, 10_000, (4096, 4096), 4096 - 128),
        (1024, 4096, 100, (4096, 4096), 100),
        (1024, UNLIMITED, 100_000, (16_384, UNLIMITED), 16_384 - 128),
        (1024, 100_000, 100_000, (16_384, 100_000), 16_384 - 128),
        (16_384, 16_384, 100_000, None, 16_384 - 128),
        (64, 64, 10, (64, 64), 1),
        (UNLIMITED, UNLIMITED, 100_000, None, 100_000),
    ],
)
def test_connections_are_as_many_as_the_process_may_hold(
    soft: int, hard: int, wanted: int, raised: tuple[int, int] | None, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, asked = [(soft, hard)], []

    def setrlimit(kind: int, limits: tuple[int, int]) -> None:
        assert kind == resource.RLIMIT_NOFILE
        asked.append(limits)
        now[0] = limits

    monkeypatch.setattr(resource, "getrlimit", lambda kind: now[0] if kind == resource.RLIMIT_NOFILE else ())
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    assert connections_within(wanted) == connections
    assert asked == ([] if raised is None else [raised])


@pytest.mark.parametrize("error", [OSError(), ValueError()])
def test_a_limit_that_can_not_be_raised_stays(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise error

    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert connections_within(10_000) == 1024 - 128
    monkeypatch.setattr(server_module, "resource", None)
    assert connections_within(10_000) == 10_000


class Certificate:
    """Counts how often it is looked after."""

    context = object()

    def __init__(self) -> None:
        self.looked = 0

    def refresh(self) -> None:
        self.looked += 1


async def test_the_server_looks_after_its_certificate_each_minute() -> None:
    certificate: Any = Certificate()
    app = application(served())
    server = NodeServer(server_config(app, "127.0.0.1", 0, Limits(1, 1.0, 1.0), 1.0), app, certificate)
    context: object = server.config.ssl
    assert context is certificate.context
    ticks = [tick for tick in range(1, 1801) if await looked(server, certificate, tick)]
    assert ticks == [600, 1200, 1800]


async def looked(server: NodeServer, certificate: Certificate, tick: int) -> bool:
    before = certificate.looked
    assert await server.on_tick(tick) is False
    return certificate.looked > before


def test_the_server_shows_the_certificate_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate: Any = Certificate()
    monkeypatch.setattr(application_module, "certificate_of", lambda _settings: certificate)
    context: object = server_of(application(served()), settings_of()).config.ssl
    assert context is certificate.context


class Transport:
    """A connection of a client, which notes whether it was cut."""

    def __init__(self) -> None:
        self.aborted = 0
        self.written = b""

    def get_extra_info(self, _name: str, default: object = None) -> object:
        return default

    def is_closing(self) -> bool:
        return self.aborted > 0

    def write(self, content: bytes) -> None:
        self.written += content

    def abort(self) -> None:
        self.aborted += 1

    def close(self) -> None:
        self.aborted += 1

    def pause_reading(self) -> None:
        """Go on: a client that is played sends no more than it is told to."""

    def resume_reading(self) -> None:
        """Go on."""


POST = b"POST /operations/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"


class Connections:
    """Connections to a server with limits, and those that wait for their client."""

    def __init__(self, most: int) -> None:
        self.limits = Limits(most, 60.0, 60.0)
        app = application(served())
        self.config = server_config(app, "127.0.0.1", 0, self.limits, 1.0)
        self.config.load()
        self.state = ServerState()

    def made(self) -> tuple[Any, Transport]:
        protocol, transport = BoundedProtocol(self.config, self.state, {}, limits=self.limits), Transport()
        protocol.connection_made(transport)  # type: ignore[arg-type]  # as much of one as is needed
        return protocol, transport

    async def answered(self) -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(*self.state.tasks)


async def test_a_connection_waits_for_its_client_until_its_request_is_there() -> None:
    connections = Connections(10)
    waiting = connections.limits.waiting
    protocol, transport = connections.made()
    assert list(waiting) == [protocol]
    protocol.data_received(POST)
    assert list(waiting) == [protocol]
    protocol.data_received(b"{}")
    assert list(waiting) == []
    await connections.answered()
    # The next request is the client's again.
    assert (transport.written.partition(b"\r\n")[0], list(waiting)) == (b"HTTP/1.1 200 OK", [protocol])
    protocol.connection_lost(None)
    assert list(waiting) == []


async def test_a_connection_waits_for_a_client_that_does_not_read() -> None:
    connections = Connections(10)
    waiting = connections.limits.waiting
    protocol, _ = connections.made()
    protocol.data_received(POST)
    protocol.pause_writing()
    protocol.data_received(b"{}")
    assert list(waiting) == [protocol]
    protocol.resume_writing()
    assert list(waiting) == []
    protocol.pause_writing()
    assert list(waiting) == [protocol]
    protocol.resume_writing()
    await connections.answered()
    protocol.connection_lost(None)


async def test_who_has_let_the_service_wait_longest_makes_room() -> None:
    connections = Connections(2)
    made = [connections.made() for _ in range(2)]
    made[0][0].data_received(POST + b"{}")
    made += [connections.made() for _ in range(2)]
    # The first is being answered; of the others, those that came first go.
    assert [transport.aborted for _, transport in made] == [0, 1, 1, 0]
    assert list(connections.limits.waiting) == [made[3][0]]
    made[1][0].cut()
    await connections.answered()
    for protocol, _ in made:
        protocol.connection_lost(None)


async def test_the_server_ends_where_its_node_failed_to_start() -> None:
    app = application(served())
    server = NodeServer(server_config(app, "127.0.0.1", 0, Limits(1, 1.0, 1.0), 1.0), app)
    assert await server.on_tick(1) is False
    app.state.life = type("Life", (), {"failure": None})
    assert await server.on_tick(1) is False
    app.state.life.failure = LookupError()
    assert await server.on_tick(1) is True


def test_who_is_told_to_stop_tells_first(monkeypatch: pytest.MonkeyPatch) -> None:
    app = application(served())
    server = NodeServer(server_config(app, "127.0.0.1", 0, Limits(1, 1.0, 1.0), 1.0), app)
    noted: list[bool] = []
    server.handle_exit(signal.SIGTERM, None)
    server.should_exit = False
    server.told_to_stop = lambda: noted.append(server.should_exit)
    server.handle_exit(signal.SIGTERM, None)
    assert (noted, server.should_exit) == ([False], True)


class Process:
    """Stands in for the process that serves: notes what is done, and ends at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: Exception | None = None) -> None:
        self.noted: list[object] = []
        self.resort: Any = None
        noted = self.noted

        async def served_once(server: uvicorn.Server) -> None:
            noted.append("serve")
            app: Any = server.config.app
            app.state.life = type("Life", (), {"failure": failure})
            assert isinstance(server, NodeServer)
            server.told_to_stop()

        def last_resort(seconds: float) -> Any:
            self.resort = type("Resort", (), {"status": 1, "arm": lambda: noted.append(f"arm {seconds}")})
            return self.resort

        def taken(number: int, call: Any) -> None:
            # The event loop gives the first back at its end.
            if call is not signal.default_int_handler:
                noted.append((number, call()))

        monkeypatch.setattr(signal, "signal", taken)
        monkeypatch.setattr(gc, "freeze", lambda: noted.append("freeze"))
        monkeypatch.setattr(uvicorn.Server, "serve", served_once)
        monkeypatch.setattr(application_module, "LastResort", last_resort)


async def test_a_process_that_served_ends_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(monkeypatch)
    settings = settings_of(service_drain_seconds=2.0)
    await serve(application(served()), settings)
    assert process.noted == [(signal.SIGINT, None), (signal.SIGTERM, None), "freeze", "serve", "arm 6.5"]
    assert process.resort.status == 0


async def test_a_process_whose_node_did_not_start_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(monkeypatch, LookupError("hidden"))
    with pytest.raises(SystemExit) as ended:
        await serve(application(served()), settings_of())
    assert (ended.value.code, process.resort.status) == (1, 1)
    assert lines(caplog) == [(logging.ERROR, "start_failed", {"error": "LookupError"})]


async def test_a_process_without_its_certificate_does_not_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    process = Process(monkeypatch)
    with pytest.raises(SystemExit) as ended:
        await serve(application(served()), settings_of(service_tls_cert_file=tmp_path / "none.pem"))
    told = {"error": "FileNotFoundError", "file": str(tmp_path / "none.pem")}
    assert (ended.value.code, lines(caplog)) == (1, [(logging.ERROR, "certificate_unusable", told)])
    assert "serve" not in process.noted


async def test_metrics_have_a_port_of_their_own() -> None:
    async with metrics_served(lambda: (b"a 1\n", "text/plain"), settings_of(service_drain_seconds=9.0), 0) as server:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.005)
        host, port = server.servers[0].sockets[0].getsockname()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False) as client:
            assert (await client.get("/metrics")).text == "a 1\n"
            missing = await client.get("/operations/echo")
        assert (missing.status_code, missing.json()["detail"]) == (404, "There is nothing at this path.")
        assert (host, server.config.timeout_graceful_shutdown) == ("127.0.0.1", 1)
    assert not server.servers[0].is_serving()


async def test_a_node_is_initialized_and_shut_down_with_its_application() -> None:
    node = StubNode()
    app = application(served(node=node))
    async with app.router.lifespan_context(app):
        assert (node.running, app.state.life.started, app.state.leaving) == (True, True, False)
    assert not node.running
