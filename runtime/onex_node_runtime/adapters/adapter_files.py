# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Files below one folder: no path leads out of it, and what is written is there as a whole or not at all."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import re
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..effects import effect
from ..json_values import json_values, parsed
from ..spans import UNTRACED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
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
MOST_NAMES = 10_000
# What `write` makes before it takes its place.
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
_READ = sum((os.O_RDONLY, os.O_NOFOLLOW, os.O_NONBLOCK))
_CREATE = sum((os.O_WRONLY, os.O_CREAT, os.O_EXCL, os.O_NOFOLLOW, os.O_NONBLOCK))
_APPEND = sum((os.O_WRONLY, os.O_CREAT, os.O_APPEND, os.O_NOFOLLOW, os.O_NONBLOCK))
_USABLE = sum((os.R_OK, os.W_OK, os.X_OK))


class FileRoot:
    """The folder that all files are below, and the threads that work in it."""

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

    async def _call[T](self, action: Callable[..., T], path: str, *arguments: object, may_be_root: bool = False) -> T:
        try:
            parts = [] if may_be_root and not path else _parts(path)
            return await self._in_thread(action, parts, *arguments)
        except OSError as error:
            raise self._translated(error) from error

    async def _in_thread[T](self, action: Callable[..., T], *arguments: object) -> T:
        # Names of hosts are looked up in the event loop's threads: a resolver that hangs must not keep files waiting.
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(action, *arguments))

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


class AdapterFiles(FileRoot):
    """The files that the node works with. Symbolic links below the root are refused wherever they lead."""

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

    async def exists(self, path: str) -> bool:
        """Tell whether there is a file.

        Args:
            path: Below the root, with `/` between its parts.

        Raises:
            ModelOnexError: VALIDATION_ERROR for a path that leads elsewhere or to something that is no file,
                FILE_ACCESS_ERROR for anything else.
        """
        with self._spans.call("files exists"):
            return await self._call(self._exists, path)

    async def list(self, path: str) -> Sequence[str] | None:
        """Return the names of the files in a folder, sorted, or None when there is no folder.

        Args:
            path: Below the root, with `/` between its parts; empty for the root itself. Links, folders, and files that
                are still being written are left out.

        Raises:
            ModelOnexError: VALIDATION_ERROR for a path that leads elsewhere or to something that is no folder,
                FILE_READ_ERROR for a folder with too many files, FILE_ACCESS_ERROR for anything else.
        """
        with self._spans.call("files list"):
            return await self._call(self._list, path, may_be_root=True)

    async def move(self, path: str, to: str) -> bool:
        """Give a file another name or place, all at once; a file that is there already is replaced.

        Args:
            path: Below the root, with `/` between its parts.
            to: The same, of where it goes; missing folders are made.

        Returns:
            Whether there was one.

        Raises:
            ModelOnexError: VALIDATION_ERROR or FILE_ACCESS_ERROR.
        """
        with self._spans.call("files move"), effect():
            return await self._call(self._move, path, _parts(to))

    def _read(self, parts: Sequence[str]) -> bytes | None:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                descriptor = os.open(parts[-1], _READ, dir_fd=folder)
        except FileNotFoundError:
            return None
        try:
            # A folder can be opened, but no file object can be made of it, which would close it.
            self._limit(_size_of(os.fstat(descriptor)), EnumCoreErrorCode.FILE_READ_ERROR)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(self.settings.files_max_bytes)
        finally:
            os.close(descriptor)

    def _write(self, parts: Sequence[str], content: bytes) -> None:
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

    def _append(self, parts: Sequence[str], content: bytes) -> None:
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

    def _delete(self, parts: Sequence[str]) -> bool:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                os.unlink(parts[-1], dir_fd=folder)
        except FileNotFoundError:
            return False
        return True

    def _exists(self, parts: Sequence[str]) -> bool:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                _size_of(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return False
        return True

    def _list(self, parts: Sequence[str]) -> Sequence[str] | None:
        try:
            with _folder(self._root(), parts) as folder, os.scandir(folder) as entries:
                found: list[str] = []
                for entry in entries:
                    if entry.is_file(follow_symlinks=False) and not _TEMPORARY.fullmatch(entry.name):
                        found.append(entry.name)
                        if len(found) > MOST_NAMES:
                            raise ModelOnexError(
                                message=f"The folder has more than {MOST_NAMES} files.",
                                error_code=EnumCoreErrorCode.FILE_READ_ERROR,
                                integration="files",
                            )
        except FileNotFoundError:
            return None
        # Names that are no text can't be told, nor referred to.
        return sorted(name for name in found if _is_text(name))

    def _move(self, parts: Sequence[str], to: Sequence[str]) -> bool:
        try:
            with _folder(self._root(), parts[:-1]) as folder:
                _size_of(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
                with _folder(self._root(), to[:-1], make=True) as target:
                    with suppress(FileNotFoundError):
                        _size_of(os.stat(to[-1], dir_fd=target, follow_symlinks=False))
                    os.replace(parts[-1], to[-1], src_dir_fd=folder, dst_dir_fd=target)
                    os.fsync(target)
                os.fsync(folder)
        except FileNotFoundError:
            return False
        return True


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size_of(status: os.stat_result) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise ModelOnexError(
            message="The path leads to something that is no file.",
            error_code=EnumCoreErrorCode.VALIDATION_ERROR,
            integration="files",
        )
    return status.st_size


def _parts(path: str) -> Sequence[str]:
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
def _folder(root: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
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
        return parsed(content)
    # JSON that is nested too deeply is a RecursionError.
    except (ValueError, RecursionError) as error:
        raise ModelOnexError(
            message="The file is no JSON.",
            error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
            integration="files",
        ) from error


def base64_text(content: bytes) -> str:
    """Return a file's content in base64, as fields of bytes take it."""
    return base64.b64encode(content).decode()
