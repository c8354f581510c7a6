"""Clients that mean harm or are broken: hostile bodies, half requests, answers that nobody reads, floods."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from tests.faults.harness import UNANSWERED, Figures, Process, Projects, Scale, running

pytestmark = pytest.mark.slow
# The memory that the manifest grants the process.
MOST_MEMORY_KIB = 512 * 1024
MOST_LOG_BYTES = 2 * 1024 * 1024
OPERATION = "/operations/quote"
JSON = {"content-type": "application/json"}
FLOOD = json.dumps({f"key{number}": number for number in range(50_000)}).encode()
HOSTILE: tuple[bytes, ...] = (
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"\x00",
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a": NaN}',
    b'{"a": 1e999999}',
    b'{"a": ' + b"9" * 100_000 + b"}",
    b'{"lines": [{"sku": "a", "quantity": 1, "unit_cents": 1}], "tax_percent": 1e308}',
    b'{"lines": [{"sku": "a", "quantity": 9223372036854775807, "unit_cents": 9223372036854775807}]}',
    b'{"lines": [{"sku": "a", "quantity": true, "unit_cents": 1}]}',
    b'{"lines": [{"sku": "a", "quantity": "5", "unit_cents": 1}]}',
    b'{"lines": [{"sku": "a", "quantity": 9223372036854775808, "unit_cents": 1}]}',
    b'{"lines": [{"sku": "\\ud800", "quantity": 1, "unit_cents": 1}]}',
    b'{"lines": [{"sku": "a\\u0000b", "quantity": 1, "unit_cents": 1}]}',
    FLOOD,
    b'{"lines": "' + b"x" * 900_000 + b'"}',
    b" " * 2_000_000,
)
FALSE_HEADERS: tuple[dict[str, str], ...] = (
    {"content-type": "text/plain"},
    {"content-type": "multipart/form-data; boundary=x"},
    JSON | {"host": "attacker.example"},
    JSON | {"origin": "https://attacker.example"},
    JSON | {"content-encoding": "gzip"},
    JSON | {"x-correlation-id": "x" * 10_000},
)


@asynccontextmanager
async def watched(process: Process, figures: Figures, name: str) -> AsyncIterator[None]:
    """Ask for `/health` all the time, on connections of their own, and note the longest silence in milliseconds."""
    longest = 0.0

    async def ask() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            async with httpx.AsyncClient(base_url=process.client.base_url, trust_env=False, timeout=60) as client:
                with suppress(httpx.TransportError):
                    await client.get("/health")
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        figures.facts[f"longest silence, {name} (ms)"] = round(longest * 1000)


async def send(process: Process, figures: Figures, body: bytes, headers: dict[str, str]) -> None:
    """Send a body, and count the answer."""
    try:
        answer = await process.client.post(OPERATION, content=body, headers=headers)
    except httpx.TransportError:
        figures.answers[UNANSWERED] += 1
        return
    figures.answers[str(answer.status_code)] += 1
    assert len(answer.content) < 100_000
    assert answer.headers["content-type"] in {"application/problem+json", "application/json"}


@asynccontextmanager
async def connections(process: Process, count: int, sent: bytes) -> AsyncIterator[None]:
    """Hold connections that have sent so much, and read nothing, for as long as the context lasts."""
    writers = []
    for _ in range(count):
        with suppress(OSError):
            _, writer = await asyncio.open_connection(process.client.base_url.host, process.client.base_url.port)
            writer.write(sent)
            writers.append(writer)
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def run(projects: Projects, scale: Scale) -> Figures:
    """Attack one service in all ways, one after another."""
    figures = Figures("Attacks on the service")
    async with running(projects("price_quote"), SERVICE_RECEIVE_SECONDS="2", SERVICE_SEND_SECONDS="2") as process:
        async with watched(process, figures, "hostile bodies"):
            for body in HOSTILE:
                await send(process, figures, body, JSON)
            for headers in FALSE_HEADERS:
                await send(process, figures, b"{}", headers)
        async with watched(process, figures, "floods"):
            await asyncio.gather(*(send(process, figures, FLOOD, JSON) for _ in range(scale.workers)))
        head = f"POST {OPERATION} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        for name, sent in {
            "half heads": b"POST ",
            "half bodies": f"{head}Content-Length: 1000\r\n\r\n{{".encode(),
            "unread answers": b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50,
        }.items():
            async with watched(process, figures, name), connections(process, scale.crowd, sent):
                await asyncio.sleep(scale.seconds)
        assert await process.alive()
        figures.facts["most memory (KiB)"] = process.resident_kib
        figures.facts["log (bytes)"] = process.log.stat().st_size
    return figures


async def test_attacks(projects: Projects) -> None:
    figures = await run(projects, Scale(crowd=200))

    assert figures.statuses() <= {"200", "400", "403", "408", "413", "415", "421", "422", UNANSWERED}, figures
    assert int(figures.facts["most memory (KiB)"]) < MOST_MEMORY_KIB
    assert int(figures.facts["log (bytes)"]) < MOST_LOG_BYTES
