"""The queue on disk: what is in it survives, in order, and a disk that takes nothing loses nothing."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.outbox import Outbox, OutboxMessage

FULL_DISK = "CREATE TRIGGER full_disk BEFORE {} ON messages BEGIN SELECT RAISE(ABORT, 'disk is full'); END"


def message(number: int) -> OutboxMessage:
    return OutboxMessage("t", b"k", str(number).encode(), (("a", b"\xff"), ("a", b"")))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "not" / "yet" / "outbox"


@pytest.fixture
async def outbox(path: Path) -> AsyncIterator[Outbox]:
    found = Outbox(path, 4)
    await found.open()
    yield found
    await found.close()


async def disk(outbox: Outbox, statement: str) -> None:
    """Change the file in which nobody else may write."""
    await outbox._call(lambda: outbox._db.execute(statement))


async def waiting(outbox: Outbox, count: int = 10) -> list[OutboxMessage]:
    return [found for _, found in await outbox.oldest(count)]


async def refused(attempt: Any) -> tuple[object, str, Mapping[str, Any]]:
    with pytest.raises(ModelOnexError) as caught:
        await attempt
    return caught.value.error_code, caught.value.message, caught.value.context["additional_context"]


async def test_messages_wait_in_order_and_survive(outbox: Outbox, path: Path) -> None:
    numbers = [await outbox.append(message(number)) for number in range(2)]
    empty = OutboxMessage("other", None, None)
    numbers.append(await outbox.append(empty))
    assert numbers == sorted(set(numbers))
    assert outbox.size == 3
    assert await outbox.oldest(2) == [(numbers[0], message(0)), (numbers[1], message(1))]
    await outbox.close()
    again = Outbox(path, 4)
    await again.open()
    await again.open()
    assert (again.size, again.set_aside, again.fault) == (3, 0, "")
    await again.remove(numbers[:2])
    assert (again.size, await again.oldest(10)) == (1, [(numbers[2], empty)])
    await again.close()


def test_an_outbox_that_is_not_open_yet_has_nothing(path: Path) -> None:
    outbox = Outbox(path, 4)
    assert (outbox.size, outbox.set_aside, outbox.fault) == (0, 0, "")


async def test_messages_of_a_crowd_get_their_own_numbers(path: Path) -> None:
    outbox = Outbox(path, 100)
    await outbox.open()
    numbers = await asyncio.gather(*(outbox.append(message(number)) for number in range(50)))
    assert list(numbers) == sorted(set(numbers))
    assert await waiting(outbox, 50) == [message(number) for number in range(50)]
    # One thread keeps them in order.
    await asyncio.gather(*(outbox.oldest(1) for _ in range(10)))
    assert sum(thread.name.startswith("outbox") for thread in threading.enumerate()) == 1
    await outbox.close()


async def test_a_message_whose_sender_leaves_is_kept(outbox: Outbox, path: Path) -> None:
    sending = asyncio.create_task(outbox.append(message(0)))
    await asyncio.sleep(0)
    sending.cancel()
    # At the end it is waited for.
    await outbox.close()
    again = Outbox(path, 4)
    await again.open()
    assert await waiting(again) == [message(0)]
    await again.close()


async def test_so_many_messages_wait(outbox: Outbox) -> None:
    full = (
        EnumCoreErrorCode.SERVICE_UNAVAILABLE,
        "The outbox is full: 4 messages wait for the brokers, or were refused.",
        {"integration": "kafka"},
    )
    first = await outbox.append(message(0))
    await outbox.put_aside([first])
    assert (outbox.size, outbox.set_aside) == (0, 1)
    # Those that are not written yet count as well.
    sending = [asyncio.create_task(outbox.append(message(number))) for number in range(1, 4)]
    await asyncio.sleep(0)
    assert await refused(outbox.append(message(4))) == full
    await asyncio.gather(*sending)
    assert await refused(outbox.append(message(4))) == full
    assert outbox.size == 3


async def test_what_was_put_aside_waits_again_at_the_next_start(outbox: Outbox, path: Path) -> None:
    numbers = [await outbox.append(message(number)) for number in range(3)]
    for number in numbers[1:]:
        await outbox.put_aside([number])
    assert (outbox.size, outbox.set_aside, await waiting(outbox)) == (1, 2, [message(0)])
    await outbox.close()
    again = Outbox(path, 4)
    await again.open()
    assert (again.size, again.set_aside) == (3, 0)
    assert await waiting(again) == [message(number) for number in range(3)]
    await again.close()


async def test_what_is_off_the_queue_does_not_come_back_while_the_disk_is_full(outbox: Outbox, path: Path) -> None:
    numbers = [await outbox.append(message(number)) for number in range(4)]
    await disk(outbox, FULL_DISK.format("DELETE"))
    await outbox.remove(numbers[:1])
    await outbox.put_aside(numbers[1:2])
    assert (outbox.size, outbox.set_aside, outbox.fault) == (2, 1, "disk is full")
    assert [await waiting(outbox, count) for count in (1, 2, 3)] == [
        [message(2)],
        [message(2), message(3)],
        [message(2), message(3)],
    ]
    told = (
        EnumCoreErrorCode.FILE_WRITE_ERROR,
        "The outbox can't be written to: disk is full",
        {"integration": "kafka"},
    )
    assert await refused(outbox.check()) == told
    await disk(outbox, "DROP TRIGGER full_disk")
    await outbox.check()
    assert outbox.fault == ""
    assert await waiting(outbox) == [message(2), message(3)]
    await outbox.close()
    # What is gone is gone; what was held back waits again.
    again = Outbox(path, 4)
    await again.open()
    assert await waiting(again) == [message(1), message(2), message(3)]
    await again.close()


async def test_a_message_that_can_not_be_written_is_refused(outbox: Outbox) -> None:
    await outbox.check()
    await disk(outbox, FULL_DISK.format("INSERT"))
    told = (
        EnumCoreErrorCode.FILE_WRITE_ERROR,
        "The outbox can't be written to: disk is full",
        {"integration": "kafka"},
    )
    attempts = await asyncio.gather(*(refused(outbox.append(message(number))) for number in range(2)))
    assert attempts == [told, told]
    assert (outbox.size, outbox.fault) == (0, "disk is full")
    await disk(outbox, "DROP TRIGGER full_disk")
    await outbox.append(message(2))
    assert (outbox.size, outbox.fault, await waiting(outbox)) == (1, "", [message(2)])


async def test_a_sender_that_left_changes_nothing_for_the_others(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    await disk(outbox, FULL_DISK.format("INSERT"))
    sending = [asyncio.create_task(outbox.append(message(number))) for number in range(2)]
    await asyncio.sleep(0)
    sending[0].cancel()
    assert (await refused(sending[1]))[1] == "The outbox can't be written to: disk is full"
    gc.collect()
    assert caplog.messages == []


async def test_one_process_has_it(outbox: Outbox, path: Path) -> None:
    assert any(thread.name.startswith("outbox") for thread in threading.enumerate())
    second = Outbox(path, 4)
    assert await refused(second.open()) == (
        EnumCoreErrorCode.RESOURCE_UNAVAILABLE,
        "Another process uses the outbox.",
        {"path": str(path)},
    )
    await second.close()
    await outbox.close()
    await second.open()
    await second.close()
    assert not any(thread.name.startswith("outbox") for thread in threading.enumerate())


async def test_a_path_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path, "unable to open database file"),
        (tmp_path / "file" / "outbox", f"[Errno 17] File exists: '{tmp_path / 'file'}'"),
    ):
        outbox = Outbox(path, 4)
        assert await refused(outbox.open()) == (
            EnumCoreErrorCode.FILE_ACCESS_ERROR,
            f"The outbox can't be opened: {said}",
            {"path": str(path)},
        )
    (tmp_path / "locked").write_text("this is locked, and no database of SQLite")
    assert (await refused(Outbox(tmp_path / "locked", 4).open()))[0] is EnumCoreErrorCode.FILE_ACCESS_ERROR


async def test_an_outbox_that_is_closed_says_so(path: Path) -> None:
    outbox = Outbox(path, 4)
    await outbox.close()
    with pytest.raises(sqlite3.ProgrammingError, match=r"^The outbox is closed\.$"):
        await outbox.oldest(1)


async def test_what_is_written_is_on_the_disk(outbox: Outbox, path: Path) -> None:
    modes = {}
    for name in ("journal_mode", "synchronous", "locking_mode"):
        modes[name] = await outbox._call(lambda name=name: outbox._db.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]  # mypy knows no types of defaults
    assert modes == {"journal_mode": "wal", "synchronous": 2, "locking_mode": "exclusive"}
    assert path.is_file()
