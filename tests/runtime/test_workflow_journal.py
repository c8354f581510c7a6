"""What a journal takes in of a run, when it keeps it, and what begins after a failure."""

import asyncio
from uuid import uuid4

import pytest
from onex_node_runtime.workflows.journal import Journal
from onex_node_runtime.workflows.run import Run, StepRecord

type Told = list[tuple[Run, StepRecord, float]]


def run(*steps: StepRecord, under_way: tuple[str, ...] = (), error: str = "") -> Run:
    return Run(uuid4(), "order", uuid4(), {}, steps=list(steps), under_way=list(under_way), error=error)


@pytest.fixture
def told() -> Told:
    return []


def journal(noted: Run, told: Told) -> Journal:
    async def tell(run: Run, record: StepRecord, seconds: float) -> None:
        told.append((run, record, seconds))

    return Journal(noted, tell, None)


@pytest.mark.parametrize(
    ("name", "begun"),
    [
        ("pay", True),
        ("group", True),
        ("group.inner", True),
        ("lines", True),
        ("lines[1]", True),
        ("lines[1]#2", True),
        ("calls", True),
        # Other names that begin in the same way.
        ("pa", False),
        ("grou", False),
        ("lines[11]", False),
        ("lines[", False),
        ("X", False),
        ("after", False),
    ],
)
@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("error", ["", "there is none"])
def test_after_a_failure_only_what_had_begun_goes_on(
    name: str, begun: bool, failed: bool, error: str, told: Told
) -> None:
    steps = [StepRecord("pay", "completed"), StepRecord("group.inner", "failed"), StepRecord("XX", "completed")]
    noted = journal(run(*steps, under_way=("lines[1]#2.write", "calls#1"), error=error), told)
    assert noted.begins(name, failed=failed) is (begun or not (failed or error))


def test_what_begins_in_this_process_had_not_begun_before(told: Told) -> None:
    noted = journal(run(error="there is none"), told)
    noted.begin("pay")
    noted.begin("pay")
    assert noted.run.under_way == ["pay"]
    assert not noted.begins("pay")


async def test_a_record_is_taken_in_once_and_told_of(told: Told) -> None:
    noted = journal(run(under_way=("pay", "aside")), told)
    record = StepRecord("pay", "completed", {"id": 1})
    await noted.note(record, 0.25)
    await noted.note(StepRecord("pay", "failed"), 0.5)
    assert (noted.run.steps, noted.run.under_way, noted.ended) == ([record], ["aside"], {"pay": record})
    assert told == [(noted.run, record, 0.25)]


def test_the_first_failure_counts(told: Told) -> None:
    noted = journal(run(), told)
    noted.fail("pay", "there is none")
    noted.fail("aside", "away")
    assert (noted.run.failed_step, noted.run.error) == ("pay", "there is none")


async def test_what_ends_while_the_run_is_being_kept_is_kept_at_once(told: Told) -> None:
    free = asyncio.Event()
    kept: list[list[str]] = []

    async def keep(run: Run) -> None:
        kept.append([record.name for record in run.steps])
        await free.wait()

    noted = journal(run(), told)
    noted.keep = keep
    noting = [asyncio.create_task(noted.note(StepRecord(name, "completed"), 0.0)) for name in "abcd"]
    while not kept:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*noting)
    assert kept == [["a"], ["a", "b", "c", "d"]]
    assert [record.name for _, record, _ in told] == ["a", "b", "c", "d"]
    await noted.save()
    assert len(kept) == 3


async def test_what_could_not_be_kept_is_tried_by_the_next(told: Told) -> None:
    failures = [ConnectionError("away")]
    kept: list[int] = []

    async def keep(run: Run) -> None:
        if failures:
            raise failures.pop()
        kept.append(len(run.steps))

    noted = journal(run(), told)
    noted.keep = keep
    with pytest.raises(ConnectionError):
        await noted.note(StepRecord("a", "completed"), 0.0)
    await noted.note(StepRecord("b", "completed"), 0.0)
    assert kept == [2]
