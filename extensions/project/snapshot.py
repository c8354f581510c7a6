"""What an update by Copier must not lose: kept in git's folder before anything is written, and put back on failure."""

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import ownership
from .places import Place, UntrustedNameError, file_in
from .vcs import git, git_folder

ORPHANS = "orphans"
_FOLDER = "onex-update"
_JOURNAL = "journal.json"
_FILES = "yours"
# Files of this kind are people's, whatever a manifest of an older template says.
_YOURS = ("src/**/handlers/custom/*.py", "tests/custom/*.py", "tests/nodes/*/custom/*.py")


@dataclass(frozen=True)
class Snapshot:
    """A project as it was before an update.

    Attributes:
        project: The project's root.
        folder: Where the snapshot lies.
    """

    project: Path
    folder: Path

    @classmethod
    def of(cls, project: Path) -> "Snapshot":
        """Return the project's snapshot, which need not exist yet."""
        inside = git(project, "rev-parse", "--show-prefix").strip().strip("/").replace("/", "+") or "root"
        return cls(project, git_folder(project) / _FOLDER / inside)

    @property
    def exists(self) -> bool:
        """Whether there is one: an update is under way, or was killed."""
        return (self.folder / _JOURNAL).is_file()

    def take(self, place: Place) -> None:
        """Keep the index, the names of untracked files, the manifest, and the files that are people's.

        Args:
            place: Where the node is that is updated.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / _FILES).mkdir(parents=True)
        index = git_folder(self.project) / "index"
        if index.is_file():
            shutil.copy2(index, self.folder / "index")
        manifest = ownership.read(self.project, place)
        yours = {*ownership.owned(manifest, "yours"), *_matching(self.project)}
        for name in sorted(yours):
            source = file_in(self.project, name)
            if source.is_file():
                (self.folder / _FILES / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, self.folder / _FILES / name)
        head = git(self.project, "rev-parse", "HEAD").strip()
        journal = {"head": head, "untracked": _untracked(self.project), "operations": manifest.get("operations", {})}
        # Last, and at once: a snapshot with a journal is whole.
        partial = self.folder / f"{_JOURNAL}.partial"
        partial.write_text(json.dumps(journal), encoding="utf-8")
        partial.replace(self.folder / _JOURNAL)

    @property
    def operations(self) -> dict[str, str]:
        """The operations before the update, with digests of their shapes."""
        operations: dict[str, str] = self._journal()["operations"]
        return operations

    def _journal(self) -> dict[str, Any]:
        journal: dict[str, Any] = json.loads((self.folder / _JOURNAL).read_text(encoding="utf-8"))
        return journal

    def lost(self) -> list[str]:
        """Return the files of people's that are gone."""
        kept = (path for path in (self.folder / _FILES).rglob("*") if path.is_file())
        names = (path.relative_to(self.folder / _FILES).as_posix() for path in kept)
        return sorted(name for name in names if not (self.project / name).exists())

    def keep_orphans(self) -> list[str]:
        """Put files of people's that are gone into `orphans/`, where nothing imports, runs or deletes them.

        Returns:
            Their new names.
        """
        orphans: list[str] = []
        for name in self.lost():
            text = (self.folder / _FILES / name).read_bytes()
            if Path(name).name == "__init__.py":
                continue
            target = free(self.project, name, text)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            orphans.append(target.relative_to(self.project).as_posix())
        return orphans

    def restore(self) -> None:
        """Make tree and index what they were: the tree was clean, so git has all of it.

        Raises:
            ValueError: When there have been commits since.
        """
        if self._journal()["head"] != git(self.project, "rev-parse", "HEAD").strip():
            message = "there have been commits since the update began"
            raise ValueError(message)
        index = git_folder(self.project) / "index"
        if (self.folder / "index").is_file():
            shutil.copy2(self.folder / "index", f"{index}.onex")
            Path(f"{index}.onex").replace(index)
        before = set(self._journal()["untracked"])
        for name in _untracked(self.project):
            if name not in before:
                (self.project / name).unlink(missing_ok=True)
                prune(self.project, (self.project / name).parent)
        tracked = git(self.project, "ls-files", "-z", "--", ".")
        git(self.project, "checkout-index", "--force", "-z", "--stdin", text=tracked)
        self.discard()

    def discard(self) -> None:
        """Forget the snapshot."""
        # The journal first: without it, the rest counts for nothing.
        (self.folder / _JOURNAL).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _matching(project: Path) -> Iterable[str]:
    """Yield the files of people's; what is reached over a link is no file of the project."""
    for name in (path.relative_to(project).as_posix() for pattern in _YOURS for path in project.glob(pattern)):
        with suppress(UntrustedNameError):
            file_in(project, name)
            yield name


def _untracked(project: Path) -> list[str]:
    names = git(project, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return sorted(name for name in names.split("\0") if name)


def free(project: Path, name: str, content: bytes) -> Path:
    """Return where a file can be put aside: by its name, with a number where another one is there already."""
    target = file_in(project, f"{ORPHANS}/{name}")
    stem, suffix, count = target.stem, target.suffix, 1
    while target.exists() and target.read_bytes() != content:
        count += 1
        target = target.with_name(f"{stem}.{count}{suffix}")
    return target


def prune(project: Path, folder: Path) -> None:
    """Remove folders that hold nothing any more, up to the project's root."""
    while folder != project and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
