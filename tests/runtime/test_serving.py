"""The HTTP application and its server: answers, problems, and clients that are slow, many, large or false."""

import asyncio
import contextlib
import gc
import json
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.correlation import LONGEST_CALLER_ID
from onex_node_runtime.payloads import problems_of, validated
from onex_node_runtime.refusals import REFUSALS
from onex_node_runtime.serving.application import Readiness, application, metrics_served
from onex_node_runtime.serving.intake import Intake, Schedules
from onex_node_runtime.serving.problems import STATUS
from pydantic import BaseModel, ConfigDict, ValidationError

from tests.runtime.serving import Operations, echo, served, serving

PATH = "/operations/echo"


def client_of(**values: Any) -> httpx.AsyncClient:
    app = application(served(**values))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_operation_answers_with_its_output() -> None:
    async with client_of() as client:
        answer = await client.post(PATH, json={"a": 1})
    assert (answer.status_code, answer.json()) == (200, {"a": 1})
    assert UUID(answer.headers["X-Correlation-ID"]).int


async def fails(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
    raise RuntimeError


@pytest.mark.parametrize(
    "own", ["order-7", "a b", "x" * LONGEST_CALLER_ID, "0F8FAD5B-D9CB-469F-A165-70867728950E", "0" * 31 + "1"]
)
async def test_callers_own_id_comes_back(own: str) -> None:
    headers = {"X-Correlation-ID": own}
    async with client_of(service_max_body_bytes=9) as client:
        answers = [await client.post(PATH, headers=headers) for _ in range(2)]
        asked = [("POST", "/operations/none", b""), ("POST", PATH, b" " * 10), ("POST", PATH, b"{"), ("GET", PATH, b"")]
        asked += [("GET", "/nothing", b""), ("POST", "/health", b"")]
        problems = [
            await client.request(method, path, content=content, headers=headers) for method, path, content in asked
        ]
    transport = httpx.ASGITransport(application(served(handle=fails)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        problems.append(await client.post(PATH, headers=headers))
    assert [problem.status_code for problem in problems] == [404, 413, 400, 405, 404, 405, 500]
    assert {answer.headers["X-Correlation-ID"] for answer in (*answers, *problems)} == {own}
    assert len({UUID(problem.json()["correlation_id"]) for problem in problems}) == 1


@pytest.mark.parametrize("own", [b"", b"x" * (LONGEST_CALLER_ID + 1), b"\xff\xfe"])
async def test_id_that_can_not_be_kept_is_replaced(own: bytes) -> None:
    async with client_of() as client:
        answer = await client.post(PATH, headers=[(b"X-Correlation-ID", own)])
    assert UUID(answer.headers["X-Correlation-ID"]).int


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status"),
    [
        ("GET", "/", b"", {}, 404),
        ("GET", "/nothing", b"", {}, 404),
        ("GET", PATH, b"", {}, 405),
        ("DELETE", PATH, b"", {}, 405),
        ("POST", "/health", b"", {}, 405),
        ("POST", "/operations/none", b"{}", {}, 404),
        ("POST", "/operations/%00", b"{}", {}, 404),
        ("POST", PATH, b"{", {}, 400),
        ("POST", PATH, b"[1]", {}, 400),
        ("POST", PATH, b"null", {}, 400),
        ("POST", PATH, b"\xff", {}, 400),
        ("POST", PATH, b"\x00", {}, 400),
        ("POST", PATH, b"[" * 900, {}, 400),
        ("POST", PATH, b'{"a": NaN}', {}, 400),
        ("POST", PATH, b'{"a": -Infinity}', {}, 400),
        ("POST", PATH, b" " * 1001, {}, 413),
        ("POST", PATH, b"{}", {"content-type": "text/plain"}, 415),
        ("POST", PATH, b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("POST", PATH, b"{}", {"content-encoding": "gzip"}, 415),
        ("POST", PATH, b"{}", {"host": "attacker.example"}, 421),
        ("POST", PATH, b"{}", {"host": "127.0.0.1.attacker.example"}, 421),
        ("POST", PATH, b"{}", {"origin": "https://attacker.example"}, 403),
        ("POST", PATH, b"{}", {"origin": "null"}, 403),
        ("POST", PATH, b"{}", {"origin": "http://[nonsense"}, 403),
    ],
)
async def test_what_is_refused_is_a_problem(
    method: str, path: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with client_of(service_max_body_bytes=1000) as client:
        answer = await client.request(method, path, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
async def test_json_by_other_names_is_taken(kind: str) -> None:
    async with client_of() as client:
        assert (await client.post(PATH, content=b"{}", headers={"content-type": kind})).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:80", "LOCALHOST"])
async def test_names_of_this_machine_are_taken(host: str) -> None:
    async with client_of() as client:
        headers = {"host": host, "origin": "http://localhost:3000"}
        assert (await client.post(PATH, json={}, headers=headers)).status_code == 200


async def test_service_that_others_reach_takes_any_name() -> None:
    async with client_of(service_host="0.0.0.0") as client:
        assert (await client.post(PATH, json={}, headers={"host": "shop.example"})).status_code == 200


@pytest.mark.parametrize("code", list(STATUS))
async def test_failures_are_problems_that_leak_nothing(code: EnumCoreErrorCode) -> None:
    problems = [{"path": "a", "message": "b"}]

    async def fail(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        raise ModelOnexError(
            message="It is so.", error_code=code, problems=problems, safe_to_repeat=True, step="charge"
        )

    async with client_of(handle=fail) as client:
        answer = await client.post(PATH)
    body = answer.json()
    assert (answer.status_code, body["code"], body["problems"]) == (STATUS[code], str(code), problems)
    assert body["step"] == "charge"
    assert (body["detail"] == "It is so.") == (STATUS[code] < 500)
    assert ("Retry-After" in answer.headers) == (STATUS[code] in {503, 504})
    assert (code in REFUSALS) == (STATUS[code] < 500)


async def test_rate_limit_tells_when_to_come_back() -> None:
    async def fail(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        limit = EnumCoreErrorCode.RATE_LIMIT_ERROR
        raise ModelOnexError(message="Too many.", error_code=limit, retry_after_seconds=1.2)

    async with client_of(handle=fail) as client:
        answer = await client.post(PATH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


async def test_answers_have_a_size() -> None:
    async with client_of(service_max_answer_bytes=100) as client:
        assert (await client.post(PATH, json={"a": "x" * 50})).status_code == 200
        assert (await client.post(PATH, json={"a": "x" * 100})).status_code == 500


async def test_ready_tells_what_is_wrong() -> None:
    async def away() -> Readiness:
        return Readiness(ready=False, status="unhealthy", issues=("postgres: DATABASE_CONNECTION_ERROR",))

    async with client_of(readiness=away) as client:
        answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unhealthy", "issues": ["postgres: DATABASE_CONNECTION_ERROR"]}


async def test_metrics_are_there_where_the_node_has_some() -> None:
    async with client_of(metrics=lambda: (b"some 1\n", "text/plain")) as client:
        assert (await client.get("/metrics")).text == "some 1\n"
    async with client_of() as client:
        assert (await client.get("/metrics")).status_code == 404


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # uvicorn leaves the socket open
async def test_port_of_the_metrics_that_is_taken_ends_the_process() -> None:
    async def is_refused(port: int) -> bool:
        try:
            async with metrics_served(lambda: (b"", "text/plain"), served().settings, port):
                return False
        except SystemExit:
            return True

    async with serving(served()) as port:
        assert await is_refused(port)
    gc.collect()


async def test_request_under_way_is_answered_and_others_are_refused() -> None:
    released, called = asyncio.Event(), asyncio.Event()

    async def wait(_name: str, payload: dict[str, Any]) -> dict[str, Any]:
        called.set()
        await released.wait()
        return payload

    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(served(wait)))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            asking = asyncio.create_task(client.post(PATH, json={}))
            await called.wait()
            closing = asyncio.create_task(stack.aclose())
            async with asyncio.timeout(30):
                with contextlib.suppress(httpx.TransportError):
                    while (await client.get("/health")).status_code:
                        await asyncio.sleep(0.01)
            assert not asking.done()
            released.set()
            assert (await asking).status_code == 200
            await closing


async def test_schedules_run_until_the_service_ends() -> None:
    calls: list[Operations] = []

    async def call(operation: Operations) -> None:
        calls.append(operation)
        raise ModelOnexError(message="It failed.", error_code=EnumCoreErrorCode.TIMEOUT)

    async with asyncio.timeout(10), Intake([Schedules({Operations.ECHO: 0.001}, call, 1.0)]):
        while len(calls) < 3:
            await asyncio.sleep(0.001)
    done = len(calls)
    await asyncio.sleep(0.02)
    assert len(calls) == done


async def test_schedule_that_does_not_end_is_cut_off() -> None:
    started = asyncio.Event()

    async def call(_operation: Operations) -> None:
        started.set()
        await asyncio.Event().wait()

    schedules = Schedules({Operations.ECHO: 0.001}, call, 0.01)
    async with asyncio.timeout(10), Intake([schedules]):
        await started.wait()
    await asyncio.sleep(0)
    assert all(task.cancelled() or task.cancelling() for task in schedules.tasks)


async def health_of(port: int) -> float:
    """Return how long `/health` took to answer, on a connection of its own."""
    began = time.perf_counter()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200
    return time.perf_counter() - began


async def left(writer: asyncio.StreamWriter) -> None:
    """Close a connection, which the other side may have cut."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass
    return True


@pytest.mark.parametrize("sent", [b"", b"POST /operations/echo HTTP/1.1\r\nHost: localhost\r\n", b"GET"])
async def test_head_that_does_not_arrive_ends_the_connection(sent: bytes) -> None:
    async with serving(served(service_receive_seconds=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(10):
            assert await closed(reader)
        await left(writer)


async def test_head_that_trickles_ends_the_connection() -> None:
    async with serving(served(service_receive_seconds=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.create_task(closed(reader))
        with contextlib.suppress(ConnectionError):
            writer.write(b"GET /health HTTP/1.1\r\n")
            for number in range(100):
                writer.write(f"X-{number}: 1\r\n".encode())
                await writer.drain()
                if ended.done():
                    break
                await asyncio.sleep(0.02)
        async with asyncio.timeout(10):
            assert await ended
        await left(writer)


async def test_body_that_does_not_arrive_is_a_problem() -> None:
    async with serving(served(service_receive_seconds=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /operations/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        async with asyncio.timeout(10):
            assert b" 408 " in await reader.readline()
        await left(writer)


async def test_second_request_on_a_connection_has_its_own_time() -> None:
    async with serving(served(service_receive_seconds=0.3)) as port, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            assert (await client.post(f"http://127.0.0.1:{port}{PATH}", json={"a": 1})).status_code == 200
            await asyncio.sleep(0.2)


async def test_half_sent_requests_do_not_silence_the_service() -> None:
    async with serving(served(service_max_connections=20, service_receive_seconds=30)) as port:
        writers = []
        for _ in range(60):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /operations/echo HTTP/1.1\r\n")
            writers.append(writer)
        assert await health_of(port) < 5
        for writer in writers:
            await left(writer)


async def test_client_that_does_not_read_is_cut_off() -> None:
    answered = asyncio.Event()

    async def large(_name: str, _payload: dict[str, Any]) -> dict[str, Any]:
        answered.set()
        return {"text": "x" * 15_000_000}

    async with serving(served(large, service_send_seconds=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"POST /operations/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        await answered.wait()
        await asyncio.sleep(1.0)
        received = 0
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                while chunk := await reader.read(65536):
                    received += len(chunk)
        assert received < 15_000_000
        await left(writer)


async def test_unknown_keys_by_the_thousand_give_a_short_answer() -> None:
    class Nothing(BaseModel):
        model_config = ConfigDict(extra="forbid")

    async def strict(name: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            validated(Nothing, payload)
        except ValidationError as error:
            code = EnumCoreErrorCode.VALIDATION_ERROR
            raise ModelOnexError(message="No.", error_code=code, problems=problems_of(error)) from error
        return await echo(name, payload)

    body = json.dumps({f"key{number}": 1 for number in range(60_000)}).encode()
    async with client_of(handle=strict) as client:
        answer = await client.post(PATH, content=body)
    assert answer.status_code == 422
    assert len(answer.content) < 20_000


async def test_process_stops_the_node() -> None:
    node = served()
    app = application(node)
    async with app.router.lifespan_context(app):
        assert node.node.running  # type: ignore[attr-defined]  # the stub's
    assert not node.node.running  # type: ignore[attr-defined]
