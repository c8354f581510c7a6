"""A node that is slow to start, that can't start, and a process that something keeps from ending."""

import asyncio
import subprocess
import sys
import time

import httpx
import pytest
from onex_node_runtime.serving import life
from onex_node_runtime.serving.application import application, serve
from onex_node_runtime.serving.intake import Intake
from onex_node_runtime.serving.life import Life

from tests.runtime.serving import served, serving

HANGING = """
import threading, time
from onex_node_runtime.serving.life import LastResort
last = LastResort(0.2)
last.arm()
last.arm()
last.status = {status}
threading.Thread(target=time.sleep, args=(60,)).start()
"""


class SlowNode:
    def __init__(self, error: Exception | None = None) -> None:
        self.released = asyncio.Event()
        self.shut_down = 0
        self.error = error

    async def initialize(self) -> None:
        await self.released.wait()
        if self.error is not None:
            raise self.error

    async def shutdown(self) -> None:
        self.shut_down += 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "PATIENCE_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_service_is_alive_while_its_node_starts() -> None:
    node = SlowNode()
    async with serving(served(node=node)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).json()["status"] == "starting"
        node.released.set()
        async with asyncio.timeout(5):
            while (await client.get("/ready")).status_code != 200:
                await asyncio.sleep(0.01)
    assert node.shut_down == 1


@pytest.mark.usefixtures("impatient")
async def test_start_that_hangs_is_given_up_at_the_end() -> None:
    node = SlowNode()
    async with asyncio.timeout(5), serving(served(node=node)):
        pass
    assert node.shut_down == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("late", [False, True])
async def test_node_that_can_not_start_ends_the_process(late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The process that runs the tests keeps its own.
    monkeypatch.setattr("signal.signal", lambda *_: None)
    node = SlowNode(ValueError("wrong"))
    description = served(node=node)

    async def status() -> object:
        try:
            await serve(application(description), description.settings)
        except SystemExit as error:
            return error.code
        return 0

    if not late:
        node.released.set()
    ending = asyncio.create_task(status())
    await asyncio.sleep(0.1)
    node.released.set()
    async with asyncio.timeout(5):
        assert await ending not in {0, None}


async def test_error_of_a_start_is_raised_at_once() -> None:
    node = SlowNode(ValueError("wrong"))
    node.released.set()
    beginning = Life(node, Intake)
    with pytest.raises(ValueError, match="wrong"):
        await beginning.begin()
    await beginning.end()
    await Life(node, Intake).end()


@pytest.mark.parametrize("status", [0, 1])
def test_process_that_something_keeps_from_ending_ends(status: int) -> None:
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", HANGING.format(status=status)], check=False, timeout=30)
    assert ended.returncode == status
    assert time.monotonic() - started < 20
