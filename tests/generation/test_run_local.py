"""`make run` in a generated project: one command, and every integration is there."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from examples.rendering import read_contract
from tests.conftest import Generate
from tests.faults.harness import PATIENCE_SECONDS, until

pytestmark = pytest.mark.slow
ORDER = str(uuid4())
CALLS = {
    "keep_order": {"order_id": ORDER, "total_cents": 3},
    "cache_order": {"order_id": ORDER, "total_cents": 3},
    "announce_order": {"order_id": ORDER},
    "quote_order": {"order_id": ORDER},
    "write_order": {"order_id": ORDER, "text": "three"},
}


async def test_every_integration_is_there(generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(read_contract(Path(__file__).with_name("order_hub.yaml")), tmp_path / "order_hub")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    named = {"DATABASE_URL", "REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS", "SHOP_API_URL", "FILES_ROOT"}
    environment = {name: value for name, value in os.environ.items() if name not in named}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    environment |= {"SERVICE_PORT": str(port), "OUTBOX_PATH": str(tmp_path / "outbox")}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - it only forks
            ["make", "--silent", "run"],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:

            async def ready() -> bool:
                assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
                try:
                    return (await client.get("/ready")).is_success
                except httpx.TransportError:
                    return False

            await until(ready)
            answers = {name: await client.post(f"/operations/{name}", json=payload) for name, payload in CALLS.items()}
        assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(CALLS, 200)
    finally:
        # As Ctrl-C does it: everyone in the foreground hears of it.
        os.killpg(process.pid, signal.SIGINT)
        status = await asyncio.to_thread(process.wait, PATIENCE_SECONDS)
    # Make ends by the signal, once what it runs has ended in order.
    assert status in {0, -signal.SIGINT}
    told = log.read_text(encoding="utf-8")
    assert "Finished server process" in told, told[-3000:]
    assert "Traceback" not in told, told[-3000:]
