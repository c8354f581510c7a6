"""Compares a node before and after an update."""

import difflib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..judging.judge import ContractError, read
from ..language.changes import changes, version_problem
from ..project import ownership, vcs
from ..project.leftovers import DIFFERENCE
from ..project.places import Place
from ..project.renames import renamed
from ..project.snapshot import ORPHANS
from .comparison import Comparison, File, Kind, differences, gained_and_lost
from .scratch import Tree

_DIFFERS = 2  # the exit status of `onex contract diff`
_NOTES = ("In node.yaml", "In nodes/", "Not validated")


def compare(
    before: Tree,
    after: Tree,
    conflicts: set[str],
    output: str,
    place: Place,
) -> Comparison:
    """Return what an update of one node changed.

    Args:
        before: The project's files before.
        after: The same afterwards.
        conflicts: Files that are in conflict.
        output: What Copier printed.
        place: Where the node is.
    """
    old, new = (_json(tree.get(place.manifest)) for tree in (before, after))
    answers = [yaml.safe_load(tree[place.answers][0]) for tree in (before, after)]
    contracts = [{key: value for key, value in each.items() if not key.startswith("_")} for each in answers]
    features = [[str(word) for word in contract.get("features") or []] for contract in contracts]
    notes = [line.strip() for line in output.splitlines() if "carried over" in line or line.startswith(_NOTES)]
    return Comparison(
        version_before=str(answers[0].get("_commit")),
        version_after=str(answers[1].get("_commit")),
        files=tuple(_files(before, after, conflicts, old)),
        contract=tuple(differences(contracts[0], contracts[1])),
        renamed=renamed(old.get("operations", {}), new.get("operations", {})),
        features=gained_and_lost(*features),
        mixins=gained_and_lost(_bases(old), _bases(new)),
        leftovers=dict(_leftovers(before, after, old)),
        notes=tuple(notes),
        interface=tuple(_interface(*contracts)),
    )


def difference(before: Tree, after: Tree) -> Iterator[str]:
    """Yield the lines of a difference between two trees, as `git diff` shows it."""
    for path in sorted(before.keys() | after.keys()):
        ours, theirs = (tree[path][0] if path in tree else None for tree in (before, after))
        if ours == theirs or path.startswith(f"{ORPHANS}/"):
            continue
        names = (f"a/{path}" if ours is not None else os.devnull, f"b/{path}" if theirs is not None else os.devnull)
        old, new = ((content or b"").decode("utf-8", "replace").splitlines(keepends=True) for content in (ours, theirs))
        for line in difflib.unified_diff(old, new, *names):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _interface(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what callers and consumers notice of the changes of a contract."""
    try:
        old, new = read(before), read(after)
    except ContractError:
        return  # an earlier template took what this one refuses
    found = changes(old, new)
    problem = version_problem(old, new, found)
    yield from (f"`{str(line).replace('`', "'")}`" for line in (*found, *([problem] if problem else [])))


def _leftovers(before: Tree, after: Tree, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was put aside of generated files, with what people had changed in it."""
    generated = {f"{ORPHANS}/{name}" for name in ownership.owned(dict(manifest), "generated")}
    for path in sorted(path for path in after if path.startswith(f"{ORPHANS}/") and path not in before):
        difference = after.get(f"{path}{DIFFERENCE}")
        if difference or path in generated:
            yield path, difference[0].decode("utf-8", "replace") if difference else ""


def onex_difference(before: Tree, after: Tree, scratch: Path) -> Iterator[str]:
    """Yield what ONEX makes of the difference: which changes matter to runtimes."""
    onex = shutil.which("onex", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    paths = [path for path in after if path.endswith("/contract.yaml") and path in before]
    for path in paths:
        if onex is None or before[path] == after[path] or _has_markers(after[path][0]):
            continue
        for name, files in (("old.yaml", before), ("new.yaml", after)):
            (scratch / name).write_bytes(files[path][0])
        command = [onex, "contract", "diff", str(scratch / "old.yaml"), str(scratch / "new.yaml")]
        result = subprocess.run(command, env=vcs.environment(PYTHONUTF8="1"), capture_output=True, check=False)
        if result.returncode == _DIFFERS:
            said = result.stdout.decode("utf-8", "replace")
            changes = (line.strip().replace("`", "'") for line in said.splitlines())
            yield from (f"`{line}`" for line in changes if line[:2] in {"! ", "~ ", "+ ", "- "})


def _files(
    before: Tree,
    after: Tree,
    conflicts: set[str],
    manifest: Mapping[str, Any],
) -> Iterator[File]:
    for path in sorted(before.keys() | after.keys()):
        ours, theirs = (tree[path][0] if path in tree else None for tree in (before, after))
        if path in conflicts or (theirs and _has_markers(theirs)):
            kind: Kind = "conflicting"
        elif ours == theirs:
            continue
        elif theirs is None:
            kind = "removed"
        elif ours is None:
            kind = "orphaned" if path.startswith(f"{ORPHANS}/") else "added"
        else:
            generated = manifest.get("files", {}).get(path, {}).get("sha256")
            kind = "merged" if generated and generated != ownership.digest_of(ours) else "changed"
        yield File(path, kind, _lines(ours), _lines(theirs))


def _has_markers(content: bytes) -> bool:
    return any(
        line.startswith((b"<<<<<<< before updating", b">>>>>>> after updating")) for line in content.splitlines()
    )


def _lines(content: bytes | None) -> int:
    return len((content or b"").splitlines())


def _json(entry: tuple[bytes, bool] | None) -> dict[str, Any]:
    try:
        values = json.loads(entry[0]) if entry else {}
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _bases(manifest: Mapping[str, Any]) -> list[str]:
    classes = (classes for path, classes in manifest.get("classes", {}).items() if path.endswith("/node.py"))
    return [base for each in classes for promised in each.values() for base in promised.get("bases", ())]
