"""What people wrote into files that an update takes away: kept in `orphans/`, each with its difference.

Nothing imports, runs or deletes what is in that folder.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import ownership
from .places import Place, file_in
from .renames import as_generated, edited, new_name
from .snapshot import Snapshot, free
from .vcs import environment

_FOLDER = "edited"
_ANSWERS = "answers.yml"
_MANIFEST = "manifest.json"
DIFFERENCE = ".diff"


def keep(project: Path, snapshot: Snapshot, place: Place) -> None:
    """Keep the generated files that people edited, before an update.

    Args:
        project: The project, still untouched.
        snapshot: Where they are kept.
        place: Where the node is in the project.
    """
    for name in edited(project, place):
        target = snapshot.folder / _FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, target)
    shutil.copy2(file_in(project, place.answers), snapshot.folder / _ANSWERS)
    manifest = ownership.read(project, place)
    (snapshot.folder / _MANIFEST).write_text(ownership.document(manifest), encoding="utf-8")


def put_aside(project: Path, snapshot: Snapshot, place: Place, merged: Iterable[str] = ()) -> list[str]:
    """Put those that are gone into `orphans/`, each with a `.diff` beside it.

    Args:
        project: The project, updated.
        snapshot: What `keep` kept.
        place: Where the node is in the project.
        merged: Files with another name now, into which edits were merged.

    Returns:
        The new names of the files. Where the older version can't be rendered any more, there is no difference.
    """
    folder = snapshot.folder / _FOLDER
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    done = set(merged)
    lost = [name for name in names if not (project / name).exists() and new_name(name, place) not in done]
    if not lost:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            manifest = json.loads((snapshot.folder / _MANIFEST).read_text(encoding="utf-8"))
            generated = as_generated(project, Path(scratch), place, snapshot.folder / _ANSWERS, manifest)
        except (OSError, subprocess.CalledProcessError):
            generated = Path(scratch)
        return [_orphan(project, name, folder / name, generated / name) for name in lost]


def _orphan(project: Path, name: str, mine: Path, generated: Path) -> str:
    content = mine.read_bytes()
    difference = _difference(name, mine, generated) if generated.is_file() else b""
    target = free(project, name, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if difference:
        target.with_name(f"{target.name}{DIFFERENCE}").write_bytes(difference)
    return target.relative_to(project).as_posix()


def _difference(name: str, mine: Path, generated: Path) -> bytes:
    """Return what `patch -p1` takes."""
    with tempfile.TemporaryDirectory() as scratch:
        for side, source in (("generated", generated), ("yours", mine)):
            target = Path(scratch) / side / name
            target.parent.mkdir(parents=True)
            target.write_bytes(source.read_bytes().replace(b"\r\n", b"\n"))
        sides = ("--", f"generated/{name}", f"yours/{name}")
        command = ["git", "diff", "--no-index", "--no-prefix", "--no-color", "--no-ext-diff", "--text", *sides]
        environs = environment(scratch=True)
        return subprocess.run(command, cwd=scratch, env=environs, capture_output=True, check=False).stdout
