"""Clients that mean harm or are broken: hostile bodies, half requests, answers that nobody reads, floods."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from examples.rendering import CONTRACTS, read_contract
from tests.faults.harness import INTERNALS, UNANSWERED, Figures, Process, Projects, Scale, running
from tests.faults.ledger import CONTRACT as LEDGER
from tests.faults.silence import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

pytestmark = pytest.mark.slow
# The memory that the manifest grants, which all processes of a container share.
MOST_MEMORY_KIB = 512 * 1024
MOST_LOG_BYTES = 2 * 1024 * 1024
LONGEST_ANSWER_BYTES = 20_000
LONGEST_SILENCE_SECONDS = 0.5
GRACE_SECONDS = 1.0
# What a loaded machine may add to an answer.
LOAD_SECONDS = 2.0
DEADLINE_SECONDS = 2.0
HALF_SENT = 1100
JSON = {"content-type": "application/json"}
FLOOD = json.dumps({f"key{number}": number for number in range(50_000)}).encode()
HEAVY = read_contract(Path(__file__).with_name("heavy.yaml"))

# What no operation takes.
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
    b'{"\\ud800": 1}',
    b'{"a\\u0000b": 1}',
    FLOOD,
    b'{"a": "' + b"x" * 900_000 + b'"}',
    b" " * 2_000_000,
    b"{}" * 2_000_000,
)
# What the operations of the nodes do not take, or answer within their deadline.
SENT: Mapping[str, tuple[bytes, ...]] = {
    "sum_amounts": (
        b'{"amounts": [9223372036854775807, 9223372036854775807], "share": 1e308}',
        b'{"amounts": [true]}',
        b'{"amounts": ["5"]}',
        b'{"amounts": [9223372036854775808]}',
        b'{"amounts": [], "note": "\\ud800"}',
        b'{"amounts": [], "note": "a\\u0000b"}',
        b'{"amounts": [' + b"1," * 400_000 + b"1]}",
    ),
    "count_cents": (b'{"amount": "1e999900"}', b'{"amount": "-1e-999900"}', b'{"amount": "' + b"9" * 5000 + b'"}'),
    "pair_up": (
        json.dumps({"amounts": list(range(4900))}).encode(),
        json.dumps({"amounts": list(range(30_000))}).encode(),
    ),
    "raise_power": (b'{"base": 9223372036854775807}', b'{"base": "1e999"}'),
    "round_off": (b'{"amount": "0.5", "places": -1000000000}', b'{"amount": "1e999900", "places": 1000000000}'),
    "aggregate": (
        b'{"events": [' + b"{}," * 100_000 + b"{}]}",
        b'{"events": [{"occurred_at": "0001-01-01T00:00:00+14:00"}]}',
        b'{"events": "' + b"x" * 900_000 + b'"}',
    ),
    "apply_event": (
        b'{"order_id": "x", "trigger": "pay"}',
        b'{"order_id": "' + b"1" * 900_000 + b'", "trigger": "pay"}',
        json.dumps({"order_id": "00000000-0000-0000-0000-000000000000", "trigger": "x" * 100_000}).encode(),
    ),
    "place_order": (
        b'{"order_id": "x", "lines": [{}]}',
        b'{"order_id": "00000000-0000-0000-0000-000000000000", "lines": []}',
        b'{"order_id": "00000000-0000-0000-0000-000000000000", "lines": [{}], "tax_percent": 1e999}',
        b'{"order_id": "00000000-0000-0000-0000-000000000000", "lines": [' + b"1," * 100_000 + b"1]}",
        b'{"order_id": "00000000-0000-0000-0000-000000000000", "lines": [' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"]}",
    ),
    "write_entry": (b'{"entry_id": "../../etc/passwd"}', b'{"entry_id": null}', b'{"entry_id": "' + b"a" * 300 + b'"}'),
    "count_entry": (b'{"entry_id": 5}',),
}
FALSE_HEADERS: tuple[dict[str, str], ...] = (
    {"content-type": "text/plain"},
    {"content-type": "multipart/form-data; boundary=x"},
    JSON | {"host": "attacker.example"},
    JSON | {"origin": "https://attacker.example"},
    JSON | {"content-encoding": "gzip"},
    JSON | {"x-correlation-id": "x" * 10_000},
)
IMPATIENT = {"SERVICE_RECEIVE_SECONDS": "2", "SERVICE_SEND_SECONDS": "2"}


class Attack:
    """Attacks one process, and keeps what came of it.

    Attributes:
        figures: What is counted.
        silence: The longest silence of /health, in seconds.
        longest: The longest time to an answer, in seconds.
        memory_kib: The most memory that the processes of the service had together.
    """

    def __init__(self, process: Process, figures: Figures) -> None:
        """Keep the process."""
        self._process = process
        self.figures = figures
        self.silence = 0.0
        self.longest = 0.0
        self.memory_kib = 0

    @asynccontextmanager
    async def watched(self, name: str) -> AsyncIterator[None]:
        """Listen for silences of /health, and look at the memory afterwards."""
        async with listening(self._process.client.base_url.port or 0, self._process.id) as heard:
            yield
        self.memory_kib = max(self.memory_kib, self._process.resident_kib)
        self.silence = max(self.silence, heard.seconds)
        self.figures.facts[f"longest silence, {name} (ms)"] = round(heard.seconds * 1000)

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str] = JSON) -> str:
        """Send a body, and count the answer.

        Returns:
            Its status.
        """
        began = time.monotonic()
        try:
            answer = await self._process.client.post(f"/operations/{operation}", content=body, headers=dict(headers))
        except httpx.TransportError:
            self.figures.answers[UNANSWERED] += 1
            return UNANSWERED
        self.longest = max(self.longest, time.monotonic() - began)
        status = str(answer.status_code)
        self.figures.answers[status] += 1
        assert len(answer.content) < LONGEST_ANSWER_BYTES
        assert not [word for word in INTERNALS if word in answer.text], answer.text
        assert answer.headers["content-type"] in {"application/problem+json", "application/json"}
        return status

    @asynccontextmanager
    async def connections(self, count: int, sent: bytes) -> AsyncIterator[None]:
        """Hold connections that have sent so much, and read nothing, for as long as the context lasts."""
        url = self._process.client.base_url
        writers = []
        for _ in range(count):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(sent)
                writers.append(writer)
        try:
            yield
        finally:
            for writer in writers:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def bodies(attack: Attack, operations: tuple[str, ...], workers: int) -> None:
    """Send what no caller would mean, one by one, and then a flood of it side by side."""
    async with attack.watched("hostile bodies"):
        for operation in operations:
            mistakes = [await attack.send(operation, body) for body in HOSTILE]
            mistakes += [await attack.send(operation, b"{}", headers) for headers in FALSE_HEADERS]
            mistakes += [await attack.send(operation, body) for body in SENT.get(operation, ())]
            wrong = [status for status in mistakes if status[0] not in "24" and status not in {UNANSWERED, "504"}]
            assert wrong == [], (operation, mistakes)
    async with attack.watched("floods"):
        flood = [(operation, body) for operation in operations for body in (*SENT.get(operation, ()), FLOOD)]
        await asyncio.gather(*(attack.send(operation, body) for operation, body in flood * workers))


async def half_requests(attack: Attack, operation: str, scale: Scale) -> None:
    """Begin requests and do not go on, and ask without reading the answers."""
    head = f"POST /operations/{operation} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for name, sent in {
        "half heads": b"POST ",
        "half bodies": f"{head}Content-Length: 1000\r\n\r\n{{".encode(),
        "unread answers": b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50,
    }.items():
        async with attack.watched(name), attack.connections(scale.crowd, sent):
            await asyncio.sleep(scale.seconds)


async def attacked(name: str, project: Path, operations: tuple[str, ...], scale: Scale, **settings: str) -> Figures:
    """Attack one service in all ways, one after another."""
    figures = Figures(f"Attacks on the {name}")
    async with running(project, **IMPATIENT, **settings) as process:
        attack = Attack(process, figures)
        await bodies(attack, operations, scale.workers)
        await half_requests(attack, operations[0], scale)
        issues = (await process.client.get("/ready")).text
        assert not [word for word in INTERNALS if word in issues], issues
        assert await process.alive()
        figures.facts["most memory (KiB)"] = attack.memory_kib
        figures.facts["log (bytes)"] = process.log.stat().st_size
    figures.facts["longest answer (ms)"] = round(attack.longest * 1000)
    assert attack.silence < LONGEST_SILENCE_SECONDS + LOAD_SECONDS, figures
    assert attack.longest < DEADLINE_SECONDS + GRACE_SECONDS + LOAD_SECONDS, figures
    assert attack.memory_kib < MOST_MEMORY_KIB, figures
    assert int(figures.facts["log (bytes)"]) < MOST_LOG_BYTES, figures
    assert figures.answers[UNANSWERED] == 0, figures
    # The last two are of operations that took too long, and of floods that wait too long for room.
    assert all(status[0] in "24" or status in {"503", "504"} for status in figures.statuses()), figures
    return figures


async def compute(projects: Projects, scale: Scale) -> Figures:
    """Attack a compute node whose expressions take long."""
    operations = ("sum_amounts", "count_cents", "pair_up", "raise_power", "round_off")
    return await attacked("compute node", projects("heavy_sums", HEAVY), operations, scale)


async def aggregation(projects: Projects, scale: Scale) -> Figures:
    """Attack a reducer that aggregates."""
    return await attacked("reducer", projects("codegen_metrics"), ("aggregate",), scale)


async def state_machine(projects: Projects, scale: Scale) -> Figures:
    """Attack a reducer that keeps states."""
    contract: dict[str, Any] = dict(read_contract(CONTRACTS / "order_state.yaml"))
    contract["subcontracts"] |= {"state_management": {"backend": "memory"}}
    return await attacked("state machine", projects("states_in_memory", contract), ("apply_event",), scale)


async def effect(projects: Projects, scale: Scale) -> Figures:
    """Attack a node whose servers are away: a mistake is one all the same."""
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
    settings = away | {"BOOKS_URL": "http://127.0.0.1:9", "FILES_ROOT": "entries"}
    operations = ("write_entry", "count_entry", "commit_entry", "post_entry")
    return await attacked("effect node", projects("ledger", LEDGER), operations, scale, **settings)


async def workflow(projects: Projects, scale: Scale) -> Figures:
    """Attack an orchestrator: no step is asked for what no workflow takes."""
    return await attacked("orchestrator", projects("order_workflow"), ("place_order",), scale)


@pytest.mark.parametrize("attack", [compute, aggregation])
async def test_attacks(attack: object, projects: Projects) -> None:
    assert callable(attack)
    await attack(projects, Scale(seconds=0.5, workers=3, crowd=HALF_SENT))
