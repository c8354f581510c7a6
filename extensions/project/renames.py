"""What newer versions of the template call differently: keys of the contract, and generated files.

`data/renames.json` holds `questions`, a map of old and new top-level keys, and `files`, pairs of a regular expression
of an old path and the new path, as for `re.sub`.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..home import DATA
from . import ownership, vcs
from .places import Place, file_in

_RENAMES: dict[str, Any] = json.loads((DATA / "renames.json").read_text(encoding="utf-8"))


def keys(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contract with the keys of this version."""
    questions: dict[str, str] = _RENAMES["questions"]
    return {questions.get(key, key): value for key, value in contract.items()}


def rename_keys(file: Path) -> list[str]:
    """Write the keys of this version into a contract's file; everything else in it stays as it is.

    Args:
        file: The contract that a person wrote.

    Returns:
        What was renamed, for people.
    """
    text = file.read_text(encoding="utf-8")
    done: list[str] = []
    for old, new in _RENAMES["questions"].items():
        text, count = re.subn(rf"^{re.escape(old)}(?=\s*:)", new, text, flags=re.MULTILINE)
        if count:
            done.append(f"{old} is called {new} now")
    if done:
        file.write_text(text, encoding="utf-8")
    return done


def renamed_files(manifest: Mapping[str, Any], place: Place) -> Iterator[tuple[str, str]]:
    """Yield pairs of old and new path of the generated files that this version calls differently.

    Args:
        manifest: What was generated.
        place: Where the node is. The patterns are for paths in a project of the node's own.
    """
    for path in ownership.owned(dict(manifest), "generated"):
        for pattern, replacement in _RENAMES["files"]:
            if re.fullmatch(pattern, place.as_whole(path)):
                yield path, place.as_own(re.sub(pattern, replacement, place.as_whole(path)))


def keep_edits(project: Path, folder: Path, place: Place) -> None:
    """Keep the edits in files that are about to be renamed: Copier would lose them.

    Args:
        project: The project, still untouched.
        folder: Where to keep them: per file what was generated, and what it became.
        place: Where the node is in it.
    """
    manifest = ownership.read(project, place)
    edited = [
        (old, new)
        for old, new in renamed_files(manifest, place)
        if (project / old).is_file() and ownership.digest(project / old) != manifest["files"][old].get("sha256")
    ]
    if not edited:
        return
    with tempfile.TemporaryDirectory() as scratch:
        generated = _as_generated(project, Path(scratch), place)
        for old, new in edited:
            for kind, source in (("base", generated / old), ("ours", project / old)):
                target = folder / kind / new
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def _as_generated(project: Path, scratch: Path, place: Place) -> Path:
    """Render the project once more, as the version of the template that it has rendered it."""
    answers = yaml.safe_load((project / place.answers).read_text(encoding="utf-8"))
    contract = {key: value for key, value in answers.items() if not key.startswith("_")}
    (scratch / "contract.yaml").write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    if place.inside:
        # What a node is generated into.
        file_in(scratch / "project", f"src/{str(contract['package']).replace('.', '/')}").mkdir(parents=True)
        shutil.copy2(project / "pyproject.toml", scratch / "project")
    command = [sys.executable, "-m", "copier", "copy", "--quiet", "--trust", "--defaults", "--skip-tasks"]
    options = ["--vcs-ref", answers["_commit"], "--data-file", str(scratch / "contract.yaml")]
    # It is the template, and the version, that Copier is updating from: it runs these already.
    subprocess.run(
        [*command, *options, "--", answers["_src_path"], str(scratch / "project")],
        check=True,
        cwd=scratch,
        env=vcs.environment(scratch=True, PYTHONUTF8="1", PYTHONSAFEPATH="1"),
    )
    return scratch / "project"


def merge_edits(project: Path, folder: Path) -> list[str]:
    """Merge what `keep_edits` kept into the renamed files, with markers where both changed the same lines.

    Args:
        project: The project, updated.
        folder: Where the edits were kept.

    Returns:
        The files into which edits were merged.
    """
    merged: list[str] = []
    for ours in sorted(path for path in (folder / "ours").rglob("*") if path.is_file()):
        name = ours.relative_to(folder / "ours").as_posix()
        if (project / name).is_file():
            labels = ["-L", "before updating", "-L", "last update", "-L", "after updating"]
            command = ["git", "merge-file", "-p", *labels, str(ours), str(folder / "base" / name), str(project / name)]
            result = subprocess.run(command, capture_output=True, check=False, cwd=project, env=vcs.environment())
            file_in(project, name).write_bytes(result.stdout)
            merged.append(name)
    return merged


def renamed(before_update: dict[str, str], after_update: dict[str, str]) -> dict[str, str]:
    """Return the operations that seem to be renamed: gone here, new there, and of one shape.

    Args:
        before_update: Digests of the operations' shapes, by name.
        after_update: The same, afterwards.
    """
    new = {shape: name for name, shape in after_update.items() if name not in before_update}
    gone = {name: shape for name, shape in before_update.items() if name not in after_update}
    return {name: new[shape] for name, shape in gone.items() if shape in new}
