"""What is told of files that can't be used, who may read what is made, and what reaches the disk."""

import errno
import os
import stat
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_files import AdapterFiles, json_of, text_of
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.spans import Spans

from tests.runtime.building import Settings

type Call = Callable[[AdapterFiles], Awaitable[object]]

WRONG, AWAY = EnumCoreErrorCode.VALIDATION_ERROR, EnumCoreErrorCode.FILE_ACCESS_ERROR
UNUSABLE, NO_FILE = "The path leads to no file that can be used.", "The path leads to something that is no file."
ELSEWHERE = "The path has an empty part, or one that leads elsewhere."
TOO_LONG = "A name has more than 255 bytes, or the path 4000."
CALLS: dict[str, Call] = {
    "read": lambda files: files.read("a"),
    "write": lambda files: files.write("a", "new"),
    "append": lambda files: files.append("a", "more"),
    "exists": lambda files: files.exists("a"),
    "list": lambda files: files.list(""),
    "move": lambda files: files.move("a", "b/c"),
    "delete": lambda files: files.delete("b/c"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "not" / "yet"


@pytest.fixture
async def files(root: Path) -> AdapterFiles:
    adapter = AdapterFiles(Settings(files_max_bytes=10), root=lambda: root, check_seconds=1.0)
    await adapter.open()
    return adapter


def told(error: ModelOnexError) -> tuple[object, str, Mapping[str, Any]]:
    return error.error_code, error.message, error.context["additional_context"]


async def refused(attempt: Awaitable[object]) -> tuple[object, str, Mapping[str, Any]]:
    with pytest.raises(ModelOnexError) as caught:
        await attempt
    return told(caught.value)


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (errno.ELOOP, WRONG, UNUSABLE),
        (errno.EMLINK, WRONG, UNUSABLE),
        (errno.ENAMETOOLONG, WRONG, UNUSABLE),
        (errno.EILSEQ, WRONG, UNUSABLE),
        (errno.ENOTDIR, WRONG, UNUSABLE),
        (errno.EISDIR, WRONG, UNUSABLE),
        (errno.EACCES, AWAY, "The file can't be used."),
        (errno.ENOSPC, AWAY, "The file can't be used."),
    ],
)
async def test_what_the_system_says_is_for_the_log(
    files: AdapterFiles, number: int, code: EnumCoreErrorCode, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OSError(number, "no hidden-word")

    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", fail)
    expected = {"integration": "files", "reason": f"Files: {type(error).__name__}: no ***"}
    for name, call in CALLS.items():
        assert await refused(call(files)) == (code, message, expected), name


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda files: files.read("a/../b"), (WRONG, ELSEWHERE)),
        (lambda files: files.move("a", ""), (WRONG, ELSEWHERE)),
        (lambda files: files.read("x" * 256), (WRONG, TOO_LONG)),
        (lambda files: files.read("/".join(["x" * 199] * 21)), (WRONG, TOO_LONG)),
        (lambda files: files.read("folder"), (WRONG, NO_FILE)),
        (lambda files: files.write("folder", ""), (WRONG, NO_FILE)),
        (lambda files: files.exists("folder"), (WRONG, NO_FILE)),
        (lambda files: files.move("full", "folder"), (WRONG, NO_FILE)),
        (lambda files: files.move("folder", "new"), (WRONG, NO_FILE)),
        (
            lambda files: files.write("full", "y" * 11),
            (EnumCoreErrorCode.FILE_WRITE_ERROR, "The file is larger than 10 bytes."),
        ),
        (
            lambda files: files.append("full", "y"),
            (EnumCoreErrorCode.FILE_WRITE_ERROR, "The file is larger than 10 bytes."),
        ),
        (lambda files: files.read("larger"), (EnumCoreErrorCode.FILE_READ_ERROR, "The file is larger than 10 bytes.")),
    ],
)
async def test_what_is_wrong_is_said(
    files: AdapterFiles, root: Path, call: Call, expected: tuple[EnumCoreErrorCode, str]
) -> None:
    (root / "folder").mkdir()
    (root / "full").write_bytes(b"x" * 10)
    (root / "larger").write_bytes(b"x" * 11)
    assert await refused(call(files)) == (*expected, {"integration": "files"})
    assert (root / "full").read_bytes() == b"x" * 10
    assert sorted(path.name for path in root.iterdir()) == ["folder", "full", "larger"]


async def test_no_descriptor_stays_open(files: AdapterFiles, root: Path) -> None:
    (root / "folder").mkdir()
    (root / "larger").write_bytes(b"x" * 11)
    # Opened before the first count: what asyncio and the threads have.
    await files.read("a")
    before = len(list(Path("/dev/fd").iterdir()))
    for name in ("folder", "larger", "folder/none"):
        for call in (files.read, files.exists, files.delete, files.list):
            with suppress(ModelOnexError):
                await call(name)
        for change in (files.write, files.append, files.move):
            with suppress(ModelOnexError):
                await change(name, "x" * 11)
    assert len(list(Path("/dev/fd").iterdir())) == before


async def test_the_longest_names_are_taken(files: AdapterFiles) -> None:
    await files.write("x" * 255, "1234567890")
    assert await files.read("x" * 255) == b"1234567890"
    assert await files.read("/".join(["x" * 199] * 20) + "x") is None


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (text_of, b"\xff", "The file is no UTF-8 text."),
        (json_of, b"{", "The file is no JSON."),
        (json_of, b"\xff", "The file is no JSON."),
        (json_of, b"[" * 100_000, "The file is no JSON."),
    ],
)
def test_what_a_file_is_not_is_said(read: Callable[[bytes], object], content: bytes, message: str) -> None:
    with pytest.raises(ModelOnexError) as caught:
        read(content)
    assert told(caught.value) == (EnumCoreErrorCode.CONTRACT_VIOLATION, message, {"integration": "files"})


async def test_a_folder_has_so_many_files(files: AdapterFiles, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onex_node_runtime.adapters.adapter_files.MOST_NAMES", 2)
    for name in "abc":
        (root / name).touch()
    assert await refused(files.list("")) == (
        EnumCoreErrorCode.FILE_READ_ERROR,
        "The folder has more than 2 files.",
        {"integration": "files"},
    )


async def test_others_may_not_read_what_is_made(files: AdapterFiles, root: Path) -> None:
    before = os.umask(0)
    try:
        await files.write("a/written", "")
        await files.append("b/appended", "")
        await files.move("a/written", "c/moved")
    finally:
        os.umask(before)
    modes = {path.relative_to(root).as_posix(): oct(stat.S_IMODE(path.stat().st_mode)) for path in root.rglob("*")}
    folders = dict.fromkeys(("a", "b", "c"), "0o750")
    assert modes == {**folders, "b/appended": "0o640", "c/moved": "0o640"}


async def test_text_is_utf_8_also_in_json(files: AdapterFiles, root: Path) -> None:
    await files.write("a", {"\u00e4": 1})
    await files.append("b", "\u00e4")
    assert (root / "a").read_bytes() == '{"\u00e4": 1}'.encode()
    assert (root / "b").read_bytes() == "\u00e4".encode()


@pytest.mark.parametrize(
    ("name", "lasting"),
    [("read", False), ("write", False), ("append", True), ("exists", False), ("move", True), ("delete", False)],
)
async def test_effects_are_noted_where_they_are(files: AdapterFiles, root: Path, name: str, lasting: bool) -> None:
    (root / "a").touch()
    EFFECTS.set(effects := Effects())
    await CALLS[name](files)
    assert (effects.in_doubt, effects.lasting) == (False, lasting)


async def test_work_on_files_is_a_span_and_runs_in_threads_of_its_own(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[str] = []
    threads: set[str] = set()
    opened = os.open

    @contextmanager
    def call(name: str) -> Iterator[None]:
        yield
        spans.append(name)

    def watched(*arguments: Any, **how: Any) -> int:
        threads.add(threading.current_thread().name.partition("_")[0])
        return opened(*arguments, **how)

    monkeypatch.setattr(os, "open", watched)
    files = AdapterFiles(Settings(), root=lambda: root, check_seconds=1.0, spans=Spans(call=call))
    await files.close()
    await files.open()
    for step in CALLS.values():
        await step(files)
    await files.close()
    await files.read("a")
    assert spans == [*(f"files {name}" for name in CALLS), "files read"]
    assert threads == {"files"}
    assert files.figures() == []


async def test_what_is_changed_reaches_the_disk_with_its_folder(
    files: AdapterFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    monkeypatch.setattr(os, "fsync", fsync)
    found = {}
    for name in ("write", "append", "move"):
        await CALLS[name](files)
        found[name], synced[:] = list(synced), []
    assert found == {"write": ["file", "folder"], "append": ["file"], "move": ["folder", "folder"]}


class Full:
    """A file on a disk that takes two bytes, or says nothing of how many."""

    def __init__(self, file: Any, taken: int | None) -> None:
        self.file = file
        self.taken = taken

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> int | None:
        self.file.write(content[: self.taken])
        return self.taken


@pytest.mark.parametrize("taken", [2, None])
async def test_a_part_that_does_not_fit_is_taken_back(
    files: AdapterFiles, root: Path, taken: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await files.append("a", "old")
    opened = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *given, **how: Full(opened(*given, **how), taken))
    assert await refused(files.append("a", "more")) == (
        AWAY,
        "The file can't be used.",
        {"integration": "files", "reason": "Files: OSError: The disk took only a part."},
    )
    assert (root / "a").read_text() == "old"


async def test_a_root_is_made_where_it_can_be(root: Path, files: AdapterFiles) -> None:
    await files.open()
    assert root.is_dir()
    (root / "file").touch()
    below = AdapterFiles(Settings(), root=lambda: root / "file" / "below", check_seconds=1.0)
    assert await refused(below.open()) == (
        WRONG,
        UNUSABLE,
        {"integration": "files", "reason": "Files: NotADirectoryError: Not a directory"},
    )
    taken = AdapterFiles(Settings(), root=lambda: root / "file", check_seconds=1.0)
    assert await refused(taken.open()) == (
        AWAY,
        "The file can't be used.",
        {"integration": "files", "reason": "Files: FileExistsError: File exists"},
    )


async def test_a_root_has_to_be_read_written_and_entered(
    files: AdapterFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, int]] = []

    def access(path: object, mode: int) -> bool:
        asked.append((path, mode))
        return len(asked) == 1

    monkeypatch.setattr(os, "access", access)
    await files.check()
    assert await refused(files.check()) == (
        AWAY,
        "The file can't be used.",
        {"integration": "files", "reason": "Files: PermissionError: The root can't be written to."},
    )
    assert asked == [(root, os.R_OK | os.W_OK | os.X_OK)] * 2


async def test_a_look_at_the_root_has_its_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, ended = threading.Event(), threading.Event()

    def access(*_: object) -> bool:
        looked.wait(20)
        ended.set()
        return True

    monkeypatch.setattr(os, "access", access)
    files = AdapterFiles(Settings(), root=lambda: root, check_seconds=0.01)
    found = await refused(files.check())
    assert (found[0], found[2]) == (AWAY, {"integration": "files", "reason": "Files: TimeoutError: "})
    # A disk that hangs keeps nobody waiting.
    await files.close()
    assert not ended.is_set()
    looked.set()


async def test_what_a_process_left_half_written_is_no_file(
    files: AdapterFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    with monkeypatch.context() as ended:
        ended.setattr(os, "replace", end)
        ended.setattr(os, "unlink", end)
        assert (await refused(files.write("a", "new")))[0] is AWAY
    assert len(list(root.iterdir())) == 1
    assert await files.list("") == []
