# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Files below one folder: no path leads out of it, and what is written is there as a whole or not at all."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..effects import effect
from ..json_values import json_values
from ..spans import UNTRACED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..settings.files import FileSettings
    from ..spans import Spans
    from .group import Figure

THREADS = 8
# ONEX counts each `|` as a union of types; these have no bit in common.
_FOLDER = sum((os.O_RDONLY, os.O_DIRECTORY, os.O_NOFOLLOW))
# Links, and names that the file system does not take.
_MISTAKES = (errno.ELOOP, errno.EMLINK, errno.ENAMETOOLONG, errno.EILSEQ)
LONGEST_NAME_BYTES = 255
LONGEST_PATH_BYTES = 4000
_READ = sum((os.O_RDONLY, os.O_NOFOLLOW, os.O_NONBLOCK))
_CREATE = sum((os.O_WRONLY, os.O_CREAT, os.O_EXCL, os.O_NOFOLLOW, os.O_NONBLOCK))
_APPEND = sum((os.O_WRONLY, os.O_CREAT, os.O_APPEND, os.O_NOFOLLOW, os.O_NONBLOCK))
_USABLE = sum((os.R_OK, os.W_OK, os.X_OK))


class AdapterFiles:
    """The files that the node works with. Symbolic links below the root are refused wherever they lead."""

    def __init__(
        self,
        settings: FileSettings,
        *,
        root: Callable[[], Path],
        check_seconds: float,
        spans: Spans = UNTRACED,
    ) -> None:
        """Keep the settings.

        Args:
            settings: How large files may be.
            root: Where the root is; asked whenever it is used.
            check_seconds: How long a look at the root may take.
            spans: How work on files is traced.
        """
        self.settings = settings
        self._root = root
        self._check_seconds = check_seconds
        self._spans = spans
        self._appending = asyncio.Lock()
        self._threads: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Make the root where it is missing.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND without a root, FILE_ACCESS_ERROR when it can't be made.
        """
        try:
            await self._in_thread(partial(self._root().mkdir, parents=True, exist_ok=True))
        except OSError as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        """Let go of the threads; one that hangs in a disk keeps nobody waiting."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    async def check(self) -> None:
        """Look whether the root is a folder that can be written to.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND without a root, FILE_ACCESS_ERROR when it is not.
        """
        try:
            async with asyncio.timeout(self._check_seconds):
                usable = await self._in_thread(os.access, self._root(), _USABLE)
            if not usable:
                raise PermissionError("The root can't be written to.")
        except OSError as error:
            raise self._translated(error) from error

    def figures(self) -> list[Figure]:
        """Return gauges: there are none."""
        return []

    async def read(self, path: str) -> bytes | None:
        """Return a file's content, or None when there is no file.

        Args:
            path: Below the root, with `/` between its parts.

        Raises:
            ModelOnexError: VALIDATION_ERROR for a path that leads elsewhere, FILE_READ_ERROR for a file that is too
                large, FILE_ACCESS_ERROR for anything else.
        """
        with self._spans.call("files read"):
            return await self._call(self._read, path)

    async def write(self, path: str, content: object) -> None:
        """Replace a file, or make it; whoever reads meanwhile sees the old content or the new one.

        Args:
            path: Below the root, with `/` between its parts; missing folders are made.
            content: Text, bytes, or anything else as JSON.

        Raises:
            ModelOnexError: VALIDATION_ERROR, FILE_WRITE_ERROR or FILE_ACCESS_ERROR.
        """
        with self._spans.call("files write"), effect(idempotent=True):
            await self._call(self._write, path, _as_bytes(content))

    async def append(self, path: str, content: object) -> None:
        """Add to the end of a file, or make it; a part that does not fit is taken back.

        Args:
            path: Below the root, with `/` between its parts; missing folders are made.
            content: Text, bytes, or anything else as JSON.

        Raises:
            ModelOnexError: VALIDATION_ERROR, FILE_WRITE_ERROR or FILE_ACCESS_ERROR.
        """
        with self._spans.call("files append"):
            async with self._appending:
                with effect():
                    await self._call(self._append, path, _as_bytes(content))

    async def delete(self, path: str) -> bool:
        """Delete a file.

        Args:
            path: Below the root, with `/` between its parts.

        Returns:
            Whether there was one.

        Raises:
            ModelOnexError: VALIDATION_ERROR or FILE_ACCESS_ERROR.
        """
        with self._spans.call("files delete"), effect(idempotent=True):
            return await self._call(self._delete, path)

    async def _call[T](self, action: Callable[..., T], path: str, *arguments: object) -> T:
        try:
            return await self._in_thread(action, _parts(path), *arguments)
        except OSError as error:
            raise self._translated(error) from error

    async def _in_thread[T](self, action: Callable[..., T], *arguments: object) -> T:
        # Names of hosts are looked up in the event loop's threads: a resolver that hangs must not keep files waiting.
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(action, *arguments))

    def _read(self, parts: list[str]) -> bytes | None:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                descriptor = os.open(parts[-1], _READ, dir_fd=folder)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            self._limit(_size_of(os.fstat(descriptor)), EnumCoreErrorCode.FILE_READ_ERROR)
            return file.read(self.settings.files_max_bytes)

    def _write(self, parts: list[str], content: bytes) -> None:
        with _folder(self._root(), parts[:-1], make=True) as folder:
            self._limit(len(content), EnumCoreErrorCode.FILE_WRITE_ERROR)
            with suppress(FileNotFoundError):
                _size_of(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
            temporary = f".{secrets.token_hex(8)}.tmp"
            descriptor = os.open(temporary, _CREATE, 0o640, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(temporary, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)

    def _append(self, parts: list[str], content: bytes) -> None:
        with _folder(self._root(), parts[:-1], make=True) as folder:
            descriptor = os.open(parts[-1], _APPEND, 0o640, dir_fd=folder)
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                size = _size_of(os.fstat(descriptor))
                self._limit(size + len(content), EnumCoreErrorCode.FILE_WRITE_ERROR)
                try:
                    written = file.write(content) or 0
                    if written < len(content):
                        raise OSError("The disk took only a part.")
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, size)
                    raise

    def _delete(self, parts: list[str]) -> bool:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                os.unlink(parts[-1], dir_fd=folder)
        except FileNotFoundError:
            return False
        return True

    def _limit(self, size: int, code: EnumCoreErrorCode) -> None:
        if size > self.settings.files_max_bytes:
            raise ModelOnexError(
                message=f"The file is larger than {self.settings.files_max_bytes} bytes.",
                error_code=code,
                integration="files",
            )

    def _translated(self, error: OSError) -> ModelOnexError:
        mistaken = isinstance(error, (NotADirectoryError, IsADirectoryError)) or error.errno in _MISTAKES
        return ModelOnexError(
            message="The path leads to no file that can be used." if mistaken else "The file can't be used.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR if mistaken else EnumCoreErrorCode.FILE_ACCESS_ERROR,
            integration="files",
            reason=self.settings.redact(f"Files: {type(error).__name__}: {error.strerror or error}"),
        )


def _size_of(status: os.stat_result) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise ModelOnexError(
            message="The path leads to something that is no file.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            integration="files",
        )
    return status.st_size


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ModelOnexError(
            message="The path has an empty part, or one that leads elsewhere.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            integration="files",
        )
    # Before any folder is made.
    if len(path.encode()) > LONGEST_PATH_BYTES or any(len(part.encode()) > LONGEST_NAME_BYTES for part in parts):
        raise ModelOnexError(
            message=f"A name has more than {LONGEST_NAME_BYTES} bytes, or the path {LONGEST_PATH_BYTES}.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            integration="files",
        )
    return parts


@contextmanager
def _folder(root: Path, parts: list[str], *, make: bool = False) -> Iterator[int]:
    # One step after the other, each relative to the folder before, so that no link can be slipped in between.
    descriptor = os.open(root, os.O_DIRECTORY)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o750, dir_fd=descriptor)
            below = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _as_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return json.dumps(json_values(content), ensure_ascii=False).encode()


def text_of(content: bytes) -> str:
    """Return a file's content as text.

    Args:
        content: The content.

    Returns:
        The text.

    Raises:
        ModelOnexError: CONTRACT_VIOLATION when it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ModelOnexError(
            message="The file is no UTF-8 text.",
            error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
            integration="files",
        ) from error


def json_of(content: bytes) -> Any:
    """Return a file's content as the values of its JSON.

    Args:
        content: The content.

    Returns:
        The values.

    Raises:
        ModelOnexError: CONTRACT_VIOLATION when it is no JSON.
    """
    try:
        return json.loads(content)
    except ValueError as error:
        raise ModelOnexError(
            message="The file is no JSON.",
            error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
            integration="files",
        ) from error


def base64_text(content: bytes) -> str:
    """Return a file's content in base64, as fields of bytes take it."""
    return base64.b64encode(content).decode()
