"""Applies what an update changed to a project, all of it or nothing, even when the process is killed meanwhile."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ..home import PACKAGE
from ..project.places import file_in
from ..project.snapshot import prune
from ..project.vcs import environment, git, git_folder

_HOOK = PACKAGE / "hook.py"
_EXECUTABLE = 0o111
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if sys.platform != "win32" else ()))


@dataclass(frozen=True)
class Change:
    """What becomes of one file: its new bytes, or None when it goes, and whether it can be executed."""

    content: bytes | None
    executable: bool = False


@dataclass(frozen=True)
class Undone:
    """What was done to undo an update.

    Attributes:
        back: Files that are what they were before it.
        gone: Files that it made, and that are removed.
        edited: Files that someone has edited since; they are left alone.
    """

    back: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


class Journal:
    """What is being changed, and what the last update changed: kept in git's own folder, so that it can be undone."""

    def __init__(self, project: Path) -> None:
        """Look for what an earlier process left.

        Args:
            project: The project's root.
        """
        self._project = project
        inside = git(project, "rev-parse", "--show-prefix").strip().strip("/").replace("/", "+") or "root"
        self._folder = git_folder(project) / "onex-apply" / inside
        self._file = self._folder / "journal.json"
        self._done = self._folder / "done.json"

    @property
    def unfinished(self) -> bool:
        """Whether a process was killed while it changed files."""
        return self._file.is_file()

    @property
    def finished(self) -> bool:
        """Whether the last update was carried out, and can be undone."""
        return self._done.is_file()

    def apply(self, changes: Mapping[str, Change]) -> None:
        """Make all changes; an error, an interruption or the death of this process undoes those that were made.

        Args:
            changes: What becomes of each file, by path relative to the project.

        Raises:
            OSError: When a file can't be written; the project is what it was.
            UntrustedNameError: When a path leaves the project, as over a link; the project is what it was.
        """
        for path in changes:
            file_in(self._project, path)
        if not changes:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        for path in changes:
            if (self._project / path).is_file():
                (self._folder / "before" / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._project / path, self._folder / "before" / path)
        self._folder.mkdir(parents=True, exist_ok=True)
        after = {
            path: None if change.content is None else hashlib.sha256(change.content).hexdigest()
            for path, change in changes.items()
        }
        partial = self._folder / "journal.partial"
        partial.write_text(json.dumps(after), encoding="utf-8")
        partial.replace(self._file)
        watch = [sys.executable, "-I", str(_HOOK), "watch"]
        with (
            _undisturbed(),
            subprocess.Popen(
                watch, cwd=self._project, env=environment(), stdin=subprocess.PIPE, start_new_session=True
            ),
        ):
            try:
                for path, change in changes.items():
                    self._write(path, change)
            except OSError:
                self.undo()
                raise
            self._file.replace(self._done)
            self._tidy(changes)

    def undo(self) -> Undone:
        """Make the files what they were before an update that was cut off, or before the last one.

        Files that someone has edited since are left alone.
        """
        record = self._file if self.unfinished else self._done
        after: dict[str, str | None] = json.loads(record.read_text(encoding="utf-8"))
        edited: list[str] = []
        back: list[str] = []
        gone: list[str] = []
        for path, digest in after.items():
            file, before = self._project / path, self._folder / "before" / path
            content = file.read_bytes() if file.is_file() else None
            now = None if content is None else hashlib.sha256(content).hexdigest()
            old = before.read_bytes() if before.is_file() else None
            if content == old:
                continue
            if now != digest:
                edited.append(path)
                continue
            self._write(path, Change(old, executable=old is not None and os.access(before, os.X_OK)))
            (gone if old is None else back).append(path)
        self._tidy(after)
        shutil.rmtree(self._folder, ignore_errors=True)
        return Undone(tuple(back), tuple(gone), tuple(edited))

    def _write(self, path: str, change: Change) -> None:
        file = file_in(self._project, path)
        if change.content is None:
            file.unlink(missing_ok=True)
            prune(self._project, file.parent)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.onex")
        partial.unlink(missing_ok=True)
        partial.write_bytes(change.content)
        # Who may read it is the umask's to say for a new file, and stays for others.
        mode = (file if file.exists() else partial).stat().st_mode & 0o777 & ~_EXECUTABLE
        partial.chmod(mode | ((mode >> 2) & _EXECUTABLE if change.executable else 0))
        partial.replace(file)

    def _tidy(self, paths: Iterable[str]) -> None:
        for path in paths:
            file = self._project / path
            file.with_name(f".{file.name}.onex").unlink(missing_ok=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back requests to stop for the moment that it takes."""
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    try:
        previous = {int(number): signal.signal(number, remember) for number in _SIGNALS}
    except ValueError:  # only the main thread may do this, and only it is interrupted
        yield
        return
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    for number in received:
        signal.raise_signal(number)


def mark_conflicts(project: Path, clone: Path, stages: Sequence[str]) -> None:
    """Tell git which files are in conflict, as an unfinished merge does.

    Args:
        project: The project's root.
        clone: The clone of its repository, in which the update left the conflicts.
        stages: What `git ls-files --unmerged` said there, by line.
    """
    lines: list[str] = []
    for line in stages:
        entry, _, path = line.partition("\t")
        mode, digest, stage = entry.split()
        blob = git(clone, "cat-file", "blob", digest, scratch=True)
        stored = git(project, "hash-object", "-w", "--stdin", text=blob).strip()
        lines += [f"0 {'0' * 40}\t{path}", f"{mode} {stored} {stage}\t{path}"]
    paths = _removals(lines)
    if paths:
        top = Path(git(project, "rev-parse", "--show-toplevel").removesuffix("\n"))
        # The files hold the markers either way; another process may have the index at this moment.
        with suppress(subprocess.CalledProcessError):
            git(top, "update-index", "-z", "--index-info", text="\0".join(paths) + "\0")


def unmark_conflicts(project: Path, paths: Sequence[str]) -> None:
    """Tell git that files are no longer in conflict; it takes them as they are in the last commit.

    Args:
        project: The project's root.
        paths: Files, relative to it.
    """
    listed = git(project, "ls-files", "--unmerged", "-z", "--", ".").split("\0")
    unmerged = {line.partition("\t")[2] for line in listed if line} & set(paths)
    if unmerged:
        git(project, "reset", "--quiet", "--", *sorted(unmerged))


def _removals(lines: Sequence[str]) -> list[str]:
    """Return the lines with removals first and once: a removal takes away the stages that were added before it."""
    removals = dict.fromkeys(line for line in lines if line.startswith("0 "))
    return [*removals, *(line for line in lines if not line.startswith("0 "))]
