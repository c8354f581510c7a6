"""Pure handlers run in processes of their own: a long one holds up nothing, and ends with its deadline."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime import compute_pool
from onex_node_runtime.compute_pool import MOST_PROCESSES, ComputePool
from pydantic import BaseModel, Field, ValidationError

IMPORTED = str(uuid4())
# What another process runs: a computation that never ends, told of once it is under way.
ENDLESS = """\
import asyncio, os, sys
from onex_node_runtime.compute_pool import MOST_PROCESSES, ComputePool
from tests.runtime.test_compute_pool import Asked, Endless, Known

async def main():
    pool = ComputePool()
    known = await pool.around(Known)(Asked())
    print(os.getpgid(known.number), flush=True)
    await pool.around(Endless)(Asked())

asyncio.run(main())
"""
pytestmark = pytest.mark.filterwarnings("error")


class Asked(BaseModel):
    """What handlers are asked."""

    number: int = 0
    amount: Decimal = Decimal(0)
    texts: list[str] = []


class Answered(BaseModel):
    """What they answer."""

    number: int = Field(ge=0)
    texts: list[str] = []


class Double:
    """Answers at once."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=round(request.amount * 2) + 2 * request.number)


class Endless:
    """Never leaves a single operation of the interpreter, which no other thread could interrupt."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=(request.number + 3) ** (10**10))


class Huge:
    """Needs all memory."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=0, texts=[text * 10**6 for text in request.texts for _ in range(10**6)])


class Known:
    """Tells which import of this module it is of, and which process it runs in."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=os.getpid() + request.number, texts=[IMPORTED])


class Long:
    """Has a long answer."""

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=0, texts=[f"{index:1000}" for index in range(request.number * 1000)])


class Pairs:
    """Looks at all pairs of texts."""

    ROUNDS = ((2, 1), (1, 2))

    async def handle(self, request: Asked) -> Answered:
        return Answered(number=len(request.texts) ** 2)


class Refusing:
    """Has an error of its own."""

    async def handle(self, request: Asked) -> Answered:
        raise ModelOnexError(message="No.", error_code=EnumCoreErrorCode.NOT_FOUND, asked=request.number)


class Waiting:
    """Waits, which no pure handler does."""

    async def handle(self, request: Asked) -> Answered:
        await asyncio.sleep(0)
        return Answered(number=request.number)


@pytest.fixture(scope="module")
def pool() -> Iterator[ComputePool]:
    made = ComputePool()
    yield made
    made.close()


async def _longest_silence(stopped: asyncio.Event) -> float:
    longest = 0.0
    while not stopped.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        longest = max(longest, time.perf_counter() - before)
    return longest


async def test_answers_come_back(pool: ComputePool) -> None:
    handle = pool.around(Double)
    answers = await asyncio.gather(*(handle(Asked(number=number)) for number in range(50)))
    assert [answer.number for answer in answers] == [2 * number for number in range(50)]


async def test_deadline_ends_what_nothing_interrupts_while_the_loop_goes_on(pool: ComputePool) -> None:
    await pool.around(Double)(Asked())
    stopped = asyncio.Event()
    silence = asyncio.create_task(_longest_silence(stopped))
    started = time.perf_counter()
    # More at once than there are processes: some are given up before they have one.
    calls = [asyncio.wait_for(pool.around(Endless)(Asked(number=number)), 0.3) for number in range(5)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    took = time.perf_counter() - started
    stopped.set()
    assert [type(result) for result in results] == [TimeoutError] * 5
    assert took < 1.3
    assert await silence < 0.5
    assert (await pool.around(Double)(Asked(number=4))).number == 8


async def test_long_numbers_are_taken(pool: ComputePool) -> None:
    assert (await pool.around(Double)(Asked(amount=Decimal("1e900"), number=10**900))).number == 4 * 10**900


async def test_loops_inside_of_each_other_are_bounded(pool: ComputePool) -> None:
    assert (await pool.around(Pairs)(Asked(texts=["a"] * 5000))).number == 25_000_000
    with pytest.raises(ModelOnexError, match="too many items for loops"):
        await pool.around(Pairs)(Asked(texts=["a"] * 5001))


async def test_memory_is_bounded(pool: ComputePool) -> None:
    with pytest.raises(ModelOnexError, match="memory"):
        await pool.around(Huge)(Asked(texts=["abc"]))
    assert (await pool.around(Double)(Asked(number=1))).number == 2


async def test_answers_are_bounded(pool: ComputePool) -> None:
    assert len((await pool.around(Long)(Asked(number=1))).texts) == 1000
    with pytest.raises(ModelOnexError, match="too large"):
        await pool.around(Long)(Asked(number=20))


async def test_errors_come_back_with_what_they_say(pool: ComputePool) -> None:
    with pytest.raises(ModelOnexError, match="No") as refused:
        await pool.around(Refusing)(Asked(number=3))
    assert refused.value.error_code is EnumCoreErrorCode.NOT_FOUND
    assert refused.value.context["additional_context"]["asked"] == 3
    with pytest.raises(ValidationError) as invalid:
        await pool.around(Double)(Asked(number=-1))
    assert invalid.value.title == "Answered"
    assert [(error["loc"], error["msg"]) for error in invalid.value.errors()] == [
        (("number",), "Input should be greater than or equal to 0")
    ]
    with pytest.raises(RuntimeError, match="waits"):
        await pool.around(Waiting)(Asked())


async def known(pool: ComputePool) -> Answered:
    """Ask for an answer; a process that ended while it had nothing to do may still be thought to be there."""
    for _ in range(MOST_PROCESSES):
        with suppress(RuntimeError):
            return await pool.around(Known)(Asked())
    return await pool.around(Known)(Asked())


async def test_what_starts_anew_imports_nothing_again(pool: ComputePool) -> None:
    before = await known(pool)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pool.around(Endless)(Asked()), 0.3)
    os.kill(before.number, signal.SIGKILL)
    after = [await known(pool) for _ in range(3)]
    assert {answer.texts[0] for answer in after} == {before.texts[0]}
    assert before.number not in {answer.number for answer in after}


async def test_the_process_that_others_start_from_may_end(pool: ComputePool) -> None:
    before = await known(pool)
    os.killpg(os.getpgid(before.number), signal.SIGKILL)
    assert (await known(pool)).texts != before.texts


async def test_whoever_sees_last_that_it_ended_leaves_the_next_one_alone(
    pool: ComputePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await known(pool)
    ended = vars(pool)["_seed"]
    os.killpg(os.getpgid(before.number), signal.SIGKILL)
    await known(pool)
    current = vars(pool)["_seed"]
    late = iter([ended])
    seeded = ComputePool._seeded
    monkeypatch.setattr(ComputePool, "_seeded", lambda self: next(late, None) or seeded(self))
    ComputePool._started(pool).close()
    assert next(late, None) is None
    assert vars(pool)["_seed"] is current
    assert (await known(pool)).texts != before.texts


async def test_without_forks_each_process_starts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute_pool, "can_fork", lambda: False)
    pool = ComputePool()
    before = await known(pool)
    with suppress(ProcessLookupError):
        os.kill(before.number, signal.SIGKILL)
    assert (await known(pool)).texts != before.texts
    pool.close()


def in_group(group: int) -> bool:
    """Tell whether a process group has processes, ended ones that nobody has waited for among them."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_end_with_the_one_that_they_work_for() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, "-c", ENDLESS]
    with subprocess.Popen(asked, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        assert group not in {os.getpgrp(), process.pid}
        assert in_group(group)
        process.kill()
    ends_at = time.monotonic() + 60
    while in_group(group):
        assert time.monotonic() < ends_at
        time.sleep(0.01)
