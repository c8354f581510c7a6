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
from .formatting import format_rendered
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
        if (new := new_name(path, place)) != path:
            yield path, new


def new_name(path: str, place: Place) -> str:
    """Return what this version calls a generated file; the same path where it calls it the same."""
    whole = place.as_whole(path)
    for pattern, replacement in _RENAMES["files"]:
        if re.fullmatch(pattern, whole):
            return place.as_own(re.sub(pattern, replacement, whole))
    return path


def edited(project: Path, place: Place) -> list[str]:
    """Return the generated files that are not what was generated."""
    manifest = ownership.read(project, place)
    return [
        name
        for name in ownership.owned(manifest, "generated")
        if (project / name).is_file() and ownership.digest(project / name) != manifest["files"][name].get("sha256")
    ]


def keep_edits(project: Path, folder: Path, place: Place) -> None:
    """Keep the edits in files that are about to be renamed: Copier would lose them.

    Args:
        project: The project, still untouched.
        folder: Where to keep them: per file what was generated, and what it became.
        place: Where the node is in it.
    """
    manifest = ownership.read(project, place)
    mine = set(edited(project, place))
    moved = [(old, new) for old, new in renamed_files(manifest, place) if old in mine]
    if not moved:
        return
    with tempfile.TemporaryDirectory() as scratch:
        generated = as_generated(project, Path(scratch), place, file_in(project, place.answers), manifest)
        for old, new in moved:
            for kind, source in (("base", generated / old), ("ours", project / old)):
                target = folder / kind / new
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def as_generated(project: Path, scratch: Path, place: Place, answers_file: Path, manifest: Mapping[str, Any]) -> Path:
    """Render a project once more, as the version of the template that its answers name rendered it.

    Args:
        project: The project.
        scratch: An empty folder.
        place: Where the node is in the project.
        answers_file: Copier's answers.
        manifest: What was generated then.

    Returns:
        The folder below `scratch` that was rendered into.

    Raises:
        CalledProcessError: When it can't be rendered any more.
    """
    answers = yaml.safe_load(answers_file.read_text(encoding="utf-8"))
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
    # Among the tasks that are skipped is the one that lays out Python. Other versions of the template laid it out in
    # other ways, or not at all: what was generated then has the digest that was noted.
    rendered = {
        path: path.read_bytes() for name in manifest.get("files", {}) if (path := scratch / "project" / name).is_file()
    }
    format_rendered(scratch / "project", ownership.read(scratch / "project", place))
    for path, content in rendered.items():
        entry = manifest["files"][path.relative_to(scratch / "project").as_posix()]
        if ownership.digest_of(content) == entry.get("sha256"):
            path.write_bytes(content)
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
