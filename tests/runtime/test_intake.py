"""What brings work beside requests: when it runs, in which order it begins and ends, and who waits for whom."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.serving import intake as intake_module
from onex_node_runtime.serving.intake import Intake, Invocations, Schedules


class Clock:
    """Lets no time pass: remembers how long was waited for, and ends with the last wait that is allowed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, waits: int, closes: bool = False) -> None:
        self.waited: list[float] = []
        wait_for = asyncio.wait_for

        async def instead(awaitable: Any, seconds: float) -> object:
            self.waited.append(seconds)
            if len(self.waited) < waits:
                awaitable.close()
                raise TimeoutError
            if closes:
                awaitable.close()
                return True
            return await wait_for(awaitable, math.inf)

        monkeypatch.setattr("onex_node_runtime.serving.intake.asyncio.wait_for", instead)


async def run(schedules: Schedules[str], clock: Clock, waits: int) -> None:
    schedules.start()
    async with asyncio.timeout(20):
        while len(clock.waited) < waits:
            await asyncio.sleep(0)
    await schedules.stop()


async def test_pauses_vary_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    called: list[str] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return 1.05

    async def call(operation: str) -> None:
        called.append(operation)
        raise ModelOnexError(message="It failed.", error_code=EnumCoreErrorCode.TIMEOUT)

    monkeypatch.setattr(intake_module.random, "uniform", uniform)  # type: ignore[attr-defined]  # the module's own import
    clock = Clock(monkeypatch, 3)
    await run(Schedules({"echo": 20.0}, call, 1.0), clock, 3)
    assert (asked, clock.waited, called) == ([(0.9, 1.1)] * 3, [21.0] * 3, ["echo"] * 2)


@pytest.mark.parametrize(
    ("pauses", "waited", "times"),
    [
        ([5.0, 61.0], [5.0, 60.0], 1),
        ([60.0, 7.0], [60.0, 7.0], 1),
        ([150.0, 90.5, 30.5, 8.0], [60.0, 60.0, 30.5, 8.0], 1),
    ],
)
async def test_times_of_the_calendar_are_asked_for_again_and_again(
    pauses: list[float], waited: list[float], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    async def call(operation: str) -> None:
        called.append(operation)

    left = list(pauses)
    clock = Clock(monkeypatch, len(waited))
    await run(Schedules({"echo": lambda: left.pop(0)}, call, 1.0), clock, len(waited))
    assert (clock.waited, called) == (waited, ["echo"] * times)


async def test_a_long_pause_ends_with_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    async def call(_operation: str) -> None:
        raise AssertionError("It was not to be called.")

    clock = Clock(monkeypatch, 2, closes=True)
    schedules = Schedules({"echo": lambda: 1000.0}, call, 1.0)
    schedules.start()
    async with asyncio.timeout(20):
        await asyncio.gather(*schedules.tasks)
    assert clock.waited == [60.0, 60.0]


async def test_each_operation_has_a_schedule_and_is_given_to_the_call() -> None:
    called: set[str] = set()

    async def call(operation: str) -> None:
        called.add(operation)

    schedules = Schedules({"a": 0.0001, "b": lambda: 0.0001}, call, 5.0)
    await schedules.stop()
    schedules = Schedules({"a": 0.0001, "b": lambda: 0.0001}, call, 5.0)
    schedules.start()
    async with asyncio.timeout(20):
        while called != {"a", "b"}:
            await asyncio.sleep(0.001)
    await schedules.stop()
    assert [task.done() and not task.cancelled() for task in schedules.tasks] == [True, True]


async def test_runs_have_so_much_time_to_end() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def call(_operation: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    schedules = Schedules({"a": 0.0001}, call, 0.01)
    schedules.start()
    await begun.wait()
    await schedules.stop()
    await ended.wait()


async def test_invocations_end_before_the_service_does() -> None:
    noted: list[str] = []
    released = asyncio.Event()

    async def begin() -> None:
        noted.append("begin")
        await released.wait()
        noted.append("ended")

    async def end() -> None:
        noted.append("end")
        released.set()

    await Invocations(begin, end).stop()
    released.clear()
    invocations = Invocations(begin, end)
    invocations.start()
    await asyncio.sleep(0)
    await invocations.stop()
    assert noted == ["end", "begin", "end", "ended"]


class Source:
    """Notes when it begins and ends, which takes until it is let go."""

    def __init__(self, name: str, noted: list[str]) -> None:
        self.name = name
        self.noted = noted
        self.free = asyncio.Event()

    def start(self) -> None:
        self.noted.append(f"start {self.name}")

    async def stop(self) -> None:
        self.noted.append(f"stop {self.name}")
        await self.free.wait()
        self.noted.append(f"stopped {self.name}")


def announced(noted: list[str], leave: Callable[[], Any]) -> contextlib.AbstractAsyncContextManager[None]:
    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[None]:
        noted.append("announced")
        yield
        noted.append("leaving")
        await leave()
        noted.append("left")

    return context()


async def test_others_are_told_last_and_hear_of_the_end_first() -> None:
    noted: list[str] = []
    sources = [Source("a", noted), Source("b", noted)]
    intake = Intake(sources, announced(noted, lambda: asyncio.sleep(0)))
    async with intake as entered:
        assert entered is intake
        await intake.close()
        await asyncio.sleep(0)
        # What is under way goes on.
        assert noted == ["start a", "start b", "announced", "leaving", "left", "stop a", "stop b"]
        for source in sources:
            source.free.set()
    assert noted[7:] == ["stopped a", "stopped b"]


async def test_who_does_not_hear_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "GOODBYE_SECONDS", 0.01)
    noted: list[str] = []
    source = Source("a", noted)
    source.free.set()
    async with Intake([source], announced(noted, lambda: asyncio.sleep(math.inf))):
        pass
    assert noted == ["start a", "announced", "leaving", "stop a", "stopped a"]


async def test_an_intake_of_nothing_ends_at_once() -> None:
    async with Intake() as intake:
        await intake.close()
