# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Messages on disk, in order, until the brokers have them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

_TABLE = """\
CREATE TABLE IF NOT EXISTS {name} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    key BLOB,
    value BLOB,
    headers TEXT NOT NULL
)
"""
_COLUMNS = "topic, key, value, headers"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message.

    Attributes:
        topic: Full name of the topic.
        key: Messages with the same key stay in order; None for no key.
        value: What consumers get; None for nothing.
        headers: Pairs of name and value.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Outbox:
    """A queue in a SQLite file, which one process at a time may use.

    A message that was appended survives the end of the process and of the machine. Appends that come together share
    one transaction, and with it the wait for the disk.

    Attributes:
        size: How many messages wait.
        set_aside: How many the brokers refused; they stay in the file, and wait again when it is opened next.
        fault: Why the last attempt to write failed; empty after one that did not.
    """

    def __init__(self, path: Path, max_messages: int) -> None:
        """Keep the settings; the file is opened with `open`.

        Args:
            path: The file.
            max_messages: How many messages may wait.
        """
        self._path = path
        self._max_messages = max_messages
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._arrived: list[tuple[OutboxMessage, asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None
        self.size = 0
        self.set_aside = 0
        self.fault = ""
        # Off the queue, and still in the file, which could not be written to: for good, and until the next start.
        self._gone: set[int] = set()
        self._held: set[int] = set()

    async def open(self) -> None:
        """Open the file, and make it where it is missing; does nothing when it is open.

        Raises:
            ModelOnexError: RESOURCE_UNAVAILABLE when another process has it, FILE_ACCESS_ERROR when it can't be used.
        """
        if self._connection is not None:
            return
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        try:
            self._connection = await self._call(self._connect)
        except (OSError, sqlite3.Error) as error:
            self._thread.shutdown(wait=False)
            locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
            raise ModelOnexError(
                message="Another process uses the outbox." if locked else f"The outbox can't be opened: {error}",
                error_code=EnumCoreErrorCode.RESOURCE_UNAVAILABLE if locked else EnumCoreErrorCode.FILE_ACCESS_ERROR,
                path=str(self._path),
            ) from error
        self.size = await self._call(lambda: int(self._db.execute("SELECT count(*) FROM messages").fetchone()[0]))

    async def close(self) -> None:
        """Close the file, once what was appended is in it."""
        if self._writer is not None:
            await asyncio.wait([self._writer])
        if self._connection is not None:
            await self._call(self._connection.close)
            self._connection = None
        if self._thread is not None:
            self._thread.shutdown()

    async def append(self, message: OutboxMessage) -> int:
        """Add a message.

        Args:
            message: The message.

        Returns:
            Its number; numbers grow in the order of the queue.

        Raises:
            ModelOnexError: SERVICE_UNAVAILABLE when the outbox is full, so that nothing is dropped in silence.
        """
        if self.size + self.set_aside + len(self._arrived) >= self._max_messages:
            raise ModelOnexError(
                message=f"The outbox is full: {self._max_messages} messages wait for the brokers, or were refused.",
                error_code=EnumCoreErrorCode.SERVICE_UNAVAILABLE,
                integration="kafka",
            )
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._arrived.append((message, number))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_arrived())
        return await asyncio.shield(number)

    async def oldest(self, count: int) -> list[tuple[int, OutboxMessage]]:
        """Return the messages at the head of the queue, at most `count` of them, with their numbers."""
        rows = await self._call(
            lambda: self._db.execute(
                f"SELECT id, {_COLUMNS} FROM messages ORDER BY id LIMIT ?", (count + len(self._gone.union(self._held)),)
            ).fetchall()
        )
        return [
            (row[0], OutboxMessage(row[1], row[2], row[3], tuple((k, bytes.fromhex(v)) for k, v in json.loads(row[4]))))
            for row in rows
            if row[0] not in self._gone and row[0] not in self._held
        ][:count]

    async def remove(self, numbers: Collection[int]) -> None:
        """Take messages off the queue, at once; a file that can't be written to follows when it can."""
        self._gone.update(numbers)
        self.size -= len(numbers)
        await self.tidy()

    async def put_aside(self, numbers: Collection[int]) -> None:
        """Take messages off the queue and keep them, until the file is opened the next time."""
        ids = [(number,) for number in numbers]

        def move() -> None:
            with self._db:
                self._db.executemany(
                    f"INSERT INTO refused ({_COLUMNS}) SELECT {_COLUMNS} FROM messages WHERE id = ?", ids
                )
                self._db.executemany("DELETE FROM messages WHERE id = ?", ids)

        self.size -= len(ids)
        self.set_aside += len(ids)
        if not await self._written(move):
            # They stay where they are, and are not tried again before the next start.
            self._held.update(numbers)

    async def tidy(self) -> None:
        """Bring the file up to date, as far as it can be written to."""
        gone = [(number,) for number in self._gone]

        def delete() -> None:
            with self._db:
                self._db.executemany("DELETE FROM messages WHERE id = ?", gone)
                # A write even where nothing is to be deleted.
                self._db.execute("PRAGMA user_version = 1")

        if await self._written(delete):
            self._gone.difference_update(number for (number,) in gone)

    async def check(self) -> None:
        """Tell whether the file can be written to.

        Raises:
            ModelOnexError: FILE_WRITE_ERROR when it can't.
        """
        if self.fault:
            await self.tidy()
        if self.fault:
            raise ModelOnexError(
                message=f"The outbox can't be written to: {self.fault}",
                error_code=EnumCoreErrorCode.FILE_WRITE_ERROR,
                integration="kafka",
            )

    async def _written(self, action: Callable[[], None]) -> bool:
        try:
            await self._call(action)
        except sqlite3.Error as error:
            self.fault = str(error)
        else:
            self.fault = ""
        return not self.fault

    async def _write_arrived(self) -> None:
        while self._arrived:
            arrived, self._arrived = self._arrived, []
            self.size += len(arrived)
            try:
                numbers = await self._call(partial(self._insert, [message for message, _ in arrived]))
            except sqlite3.Error as error:
                self.size -= len(arrived)
                self.fault = str(error)
                failure = ModelOnexError(
                    message=f"The outbox can't be written to: {error}",
                    error_code=EnumCoreErrorCode.FILE_WRITE_ERROR,
                    integration="kafka",
                )
                for _, number in arrived:
                    if not number.done():
                        number.set_exception(failure)
                        # A sender that left does not ask for it, which is nothing to log.
                        number.exception()
                continue
            self.fault = ""
            for (_, number), value in zip(arrived, numbers, strict=True):
                if not number.done():
                    number.set_result(value)

    def _insert(self, messages: Sequence[OutboxMessage]) -> list[int]:
        numbers: list[int] = []
        with self._db:
            for message in messages:
                headers = json.dumps([(name, value.hex()) for name, value in message.headers])
                cursor = self._db.execute(
                    "INSERT INTO messages (topic, key, value, headers) VALUES (?, ?, ?, ?)",
                    (message.topic, message.key, message.value, headers),
                )
                numbers.append(cursor.lastrowid or 0)
        return numbers

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
        try:
            for statement in (
                "PRAGMA locking_mode = EXCLUSIVE",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "BEGIN EXCLUSIVE",
                _TABLE.format(name="messages"),
                _TABLE.format(name="refused"),
                f"INSERT INTO messages ({_COLUMNS}) SELECT {_COLUMNS} FROM refused ORDER BY id",
                "DELETE FROM refused",
            ):
                connection.execute(statement)
            connection.commit()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("The outbox is closed.")
        return self._connection

    async def _call[T](self, action: Callable[[], T]) -> T:
        # SQLite blocks; one thread keeps its calls in order and the event loop free.
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)
