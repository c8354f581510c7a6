"""Files: what is written is there as a whole, and nothing outside of the root can be reached."""

import asyncio
import os
from pathlib import Path

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_files import AdapterFiles, base64_text, json_of, text_of

from tests.runtime.building import Settings
from tests.runtime.building import files as adapter_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
async def files(root: Path) -> AdapterFiles:
    adapter = adapter_of(Settings(files_root=str(root), files_max_bytes=1000))
    await adapter.open()
    return adapter


async def test_what_is_written_is_read(files: AdapterFiles, root: Path) -> None:
    assert await files.read("a/b.txt") is None
    await files.write("a/b.txt", "ä")
    assert await files.read("a/b.txt") == "ä".encode()
    await files.write("a/b.txt", {"c": [1]})
    content = await files.read("a/b.txt")
    assert content is not None
    assert json_of(content) == {"c": [1]}
    await files.write("a/b.txt", b"\x00")
    assert (root / "a" / "b.txt").read_bytes() == b"\x00"
    assert base64_text(b"\x00") == "AA=="
    assert text_of("ä".encode()) == "ä"
    assert [path.name for path in (root / "a").iterdir()] == ["b.txt"]


async def test_appended_parts_stay_whole(files: AdapterFiles, root: Path) -> None:
    await asyncio.gather(*(files.append("log", f"{number:03}\n") for number in range(100)))
    assert sorted((root / "log").read_text().splitlines()) == [f"{number:03}" for number in range(100)]


async def test_delete_tells_whether_there_was_a_file(files: AdapterFiles) -> None:
    await files.write("a", "b")
    assert await files.delete("a") is True
    assert await files.delete("a") is False


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../../b", "a//b", ".", "a/.", "a\0b"])
async def test_paths_that_lead_elsewhere_are_refused(files: AdapterFiles, path: str) -> None:
    await files.write("there", "")
    attempts = (
        *(files.read(path), files.write(path, ""), files.append(path, ""), files.delete(path)),
        *(files.exists(path), files.move(path, "a"), files.move("there", path), *([files.list(path)] if path else [])),
    )
    for attempt in attempts:
        with pytest.raises(ModelOnexError) as caught:
            await attempt
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR


@pytest.mark.parametrize("path", ["a" * 256, "ä" * 128, f"folder/{'a' * 256}", "/".join(["a" * 250] * 20)])
async def test_names_that_no_file_system_takes_are_refused(files: AdapterFiles, root: Path, path: str) -> None:
    for attempt in (files.read(path), files.write(path, ""), files.append(path, ""), files.delete(path)):
        with pytest.raises(ModelOnexError) as caught:
            await attempt
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert list(root.iterdir()) == []


async def test_links_are_refused_wherever_they_lead(files: AdapterFiles, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "file").symlink_to(tmp_path / "outside" / "secret")
    for path in ("folder/secret", "file"):
        for attempt in (files.read(path), files.write(path, "changed"), files.append(path, "changed")):
            with pytest.raises(ModelOnexError) as caught:
                await attempt
            assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert (tmp_path / "outside" / "secret").read_text() == "secret"


async def test_files_have_a_limit(files: AdapterFiles, root: Path) -> None:
    await files.write("full", "x" * 1000)
    for attempt in (files.write("full", "y" * 1001), files.append("full", "y")):
        with pytest.raises(ModelOnexError) as caught:
            await attempt
        assert caught.value.error_code is EnumCoreErrorCode.FILE_WRITE_ERROR
    assert (root / "full").read_text() == "x" * 1000
    (root / "full").write_text("x" * 1001)
    with pytest.raises(ModelOnexError) as caught:
        await files.read("full")
    assert caught.value.error_code is EnumCoreErrorCode.FILE_READ_ERROR


async def test_write_that_fails_leaves_the_old_file(
    files: AdapterFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await files.write("a", "old")

    def fail(_descriptor: int) -> None:
        raise OSError("The disk is full.")

    monkeypatch.setattr(os, "fsync", fail)
    for attempt in (files.write("a", "new"), files.append("a", "new")):
        with pytest.raises(ModelOnexError) as caught:
            await attempt
        assert caught.value.error_code is EnumCoreErrorCode.FILE_ACCESS_ERROR
    assert (root / "a").read_text() == "old"
    assert [path.name for path in root.iterdir()] == ["a"]


@pytest.mark.parametrize("read", [text_of, json_of])
def test_content_of_another_kind_is_refused(read: object) -> None:
    assert callable(read)
    with pytest.raises(ModelOnexError) as caught:
        read(b"\xff")
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION


async def test_root_that_is_gone_is_noticed(files: AdapterFiles, root: Path) -> None:
    await files.check()
    root.rmdir()
    with pytest.raises(ModelOnexError):
        await files.check()
    await files.close()


async def test_names_are_those_of_files(files: AdapterFiles, root: Path) -> None:
    assert await files.list("") == []
    assert await files.list("a") is None
    for name in ("a/c", "a/b.txt", "a/d/e", "top"):
        await files.write(name, "")
    (root / "a" / "link").symlink_to("b.txt")
    (root / "a" / f".{'0' * 16}.tmp").touch()
    os.mkfifo(root / "a" / "pipe")
    assert await files.list("a") == ["b.txt", "c"]
    assert await files.list("") == ["top"]


async def test_folder_without_bound_is_refused(
    files: AdapterFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onex_node_runtime.adapters.adapter_files.MOST_NAMES", 2)
    for name in "ab":
        (root / name).touch()
    assert await files.list("") == ["a", "b"]
    (root / "c").touch()
    with pytest.raises(ModelOnexError) as caught:
        await files.list("")
    assert caught.value.error_code is EnumCoreErrorCode.FILE_READ_ERROR


async def test_names_that_are_no_text_are_left_out(files: AdapterFiles, root: Path) -> None:
    (root / "a").touch()
    try:
        os.close(os.open(os.fsencode(root) + b"/\xff", os.O_CREAT))
    except OSError:
        pytest.skip("the file system takes text alone")
    assert await files.list("") == ["a"]


async def test_file_is_moved_as_a_whole(files: AdapterFiles, root: Path) -> None:
    assert await files.move("a", "b/c") is False
    assert not (root / "a").exists()
    await files.write("a", "new")
    await files.write("b/c", "old")
    assert await files.exists("a") is True
    assert await files.move("a", "b/c") is True
    assert await files.exists("a") is False
    assert await files.read("b/c") == b"new"


@pytest.mark.parametrize("name", ["link", "folder", "pipe", "through/there"])
async def test_what_is_no_file_is_neither_looked_at_nor_moved(
    files: AdapterFiles, root: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "there").write_text("secret")
    (root / "link").symlink_to(outside / "there")
    (root / "through").symlink_to(outside)
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    await files.write("own", "mine")
    for attempt in (files.exists(name), files.move(name, "taken"), files.move("own", name)):
        with pytest.raises(ModelOnexError) as caught:
            await attempt
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    if name != "folder":
        with pytest.raises(ModelOnexError):
            await files.list(name.partition("/")[0])
    assert await files.read("own") == b"mine"
    assert (outside / "there").read_text() == "secret"
