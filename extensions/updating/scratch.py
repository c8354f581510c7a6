"""The copy of a project on which an update is tried: what is in it, and what has to get into it."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..project import ownership, vcs
from ..project.places import Place, file_in
from ..project.snapshot import ORPHANS
from . import line_ends

type Tree = Mapping[str, tuple[bytes, bool]]
_BATCH = 500


def prepare(project: Path, inside: Path, places: Iterable[Place]) -> None:
    """Make a fresh checkout what an update can start from, and commit that.

    Generated files that are in no commit, as git was told to ignore them, get into it; line ends become plain.

    Args:
        project: The project's root.
        inside: The project in the copy of its repository.
        places: Its nodes.
    """
    for name in sorted(_known(project, places)):
        source, target = file_in(project, name), file_in(inside, name)
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for name, (content, _) in tree(inside, places).items():
        if (plain := line_ends.plain(content)) != content:
            (inside / name).write_bytes(plain)
    commit(inside, places, "What is there")


def tree(inside: Path, places: Iterable[Place]) -> dict[str, tuple[bytes, bool]]:
    """Return the files that an update is about, with their bytes and whether they can be executed.

    What git would commit is among them, what is generated, whatever git is told to ignore, and what is put aside.

    Args:
        inside: The project in the copy of its repository.
        places: Its nodes.
    """
    listed = vcs.git(inside, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".", scratch=True)
    orphans = (path.relative_to(inside).as_posix() for path in (inside / ORPHANS).rglob("*"))
    names = dict.fromkeys([*filter(None, listed.split("\0")), *_known(inside, places), *orphans])
    paths = ((name, inside / name) for name in names)
    return {
        name: (path.read_bytes(), os.access(path, os.X_OK))
        for name, path in paths
        if path.is_file() and not path.is_symlink()
    }


def commit(inside: Path, places: Iterable[Place], message: str) -> None:
    """Commit all of it: Copier refuses to update what is not committed."""
    vcs.git(inside, "add", "--all", "--", ".", scratch=True)
    known = [name for name in sorted(_known(inside, places)) if (inside / name).is_file()]
    for start in range(0, len(known), _BATCH):
        vcs.git(inside, "add", "--force", "--", *known[start : start + _BATCH], scratch=True)
    options = ("--quiet", "--allow-empty", "--no-verify", "--message", message)
    vcs.git(inside, "commit", *options, scratch=True)


def _known(root: Path, places: Iterable[Place]) -> Iterator[str]:
    """Yield what belongs to the nodes by their manifests."""
    for place in places:
        yield from (place.contract, place.answers, place.manifest)
        yield from ownership.read(root, place).get("files", {})
