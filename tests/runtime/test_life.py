"""A node that is slow to start, that can't start, and a process that something keeps from ending."""

import asyncio
import subprocess
import sys
import threading
import time
from queue import SimpleQueue
from typing import Self

import httpx
import pytest
from onex_node_runtime.serving import life
from onex_node_runtime.serving.application import application, serve
from onex_node_runtime.serving.intake import Intake
from onex_node_runtime.serving.life import LastResort, Life

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


class Told(Intake):
    """Tells when it begins and ends."""

    def __init__(self, told: list[str], error: Exception | None = None) -> None:
        super().__init__()
        self._told, self._error = told, error

    async def __aenter__(self) -> Self:
        self._told.append("intake begins")
        if self._error is not None:
            raise self._error
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        self._told.append("intake ends")


class ToldNode(SlowNode):
    """Tells when it begins and ends."""

    def __init__(self, told: list[str], error: Exception | None = None, at_end: Exception | None = None) -> None:
        super().__init__(error)
        self.told, self.at_end = told, at_end
        self.released.set()

    async def initialize(self) -> None:
        self.told.append("node begins")
        await super().initialize()

    async def shutdown(self) -> None:
        self.told.append("node ends")
        if self.at_end is not None:
            raise self.at_end


async def test_intake_lives_within_its_node() -> None:
    told: list[str] = []
    beginning = Life(ToldNode(told), lambda: Told(told))
    assert (beginning.started, beginning.failure, beginning.intake, told) == (False, None, None, [])
    await beginning.begin()
    assert (beginning.started, beginning.failure, type(beginning.intake)) == (True, None, Told)
    assert told == ["node begins", "intake begins"]
    await beginning.end()
    assert told == ["node begins", "intake begins", "intake ends", "node ends"]


async def test_node_that_can_not_start_has_no_intake() -> None:
    told: list[str] = []
    wrong = ValueError("wrong")
    beginning = Life(ToldNode(told, wrong), lambda: Told(told))
    with pytest.raises(ValueError, match="wrong"):
        await beginning.begin()
    await beginning.end()
    assert (beginning.started, beginning.failure, beginning.intake) == (False, wrong, None)
    assert told == ["node begins", "node ends"]


async def test_intake_that_can_not_begin_ends_the_node() -> None:
    told: list[str] = []
    beginning = Life(ToldNode(told), lambda: Told(told, ValueError("wrong")))
    with pytest.raises(ValueError, match="wrong"):
        await beginning.begin()
    assert (beginning.started, beginning.failure) == (False, None)
    assert told == ["node begins", "intake begins", "node ends"]


async def test_node_that_can_not_end_says_so() -> None:
    beginning = Life(ToldNode([], at_end=ValueError("stuck")), Intake)
    await beginning.begin()
    with pytest.raises(ValueError, match="stuck"):
        await beginning.end()


@pytest.mark.usefixtures("impatient")
async def test_late_failure_is_kept_and_raised_no_more() -> None:
    wrong = ValueError("wrong")
    node = SlowNode(wrong)
    beginning = Life(node, Intake)
    await beginning.begin()
    assert (beginning.started, beginning.failure) == (False, None)
    node.released.set()
    async with asyncio.timeout(5):
        while not node.shut_down:
            await asyncio.sleep(0)
        await beginning.end()
    assert (beginning.started, beginning.failure) == (False, wrong)


@pytest.mark.usefixtures("impatient")
async def test_slow_start_is_given_up_at_the_end_without_a_failure() -> None:
    node = SlowNode()
    beginning = Life(node, Intake)
    await beginning.begin()
    async with asyncio.timeout(5):
        await beginning.end()
    assert (node.shut_down, beginning.started, beginning.failure) == (1, False, None)


async def test_begin_waits_no_longer_than_the_node_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "PATIENCE_SECONDS", 60.0)
    beginning = Life(ToldNode([]), Intake)
    async with asyncio.timeout(20):
        await beginning.begin()
        await beginning.end()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.cancelling()]


@pytest.mark.parametrize("status", [None, 0])
def test_last_resort_ends_the_process_by_itself(status: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: SimpleQueue[tuple[int, bool]] = SimpleQueue()
    monkeypatch.setattr("os._exit", lambda found: ended.put((found, threading.current_thread().daemon)))
    last = LastResort(0.001)
    if status is not None:
        last.status = status
    last.arm()
    # A thread that is no daemon would keep the process itself.
    assert ended.get(timeout=20) == (1 if status is None else status, True)


def test_end_in_order_is_not_kept_waiting() -> None:
    assert LastResort(60).status == 1
    armed = "from onex_node_runtime.serving.life import LastResort; LastResort(60).arm()"
    assert subprocess.run([sys.executable, "-c", armed], check=False, timeout=30).returncode == 0


@pytest.mark.parametrize("status", [0, 1])
def test_process_that_something_keeps_from_ending_ends(status: int) -> None:
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", HANGING.format(status=status)], check=False, timeout=30)
    assert ended.returncode == status
    assert time.monotonic() - started < 20
