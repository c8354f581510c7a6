"""Updates one project: on a clone first, and in the project only when all of it went well."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .. import reports
from ..hook import renamed
from ..places import Place, places_in
from ..snapshot import Snapshot, git, git_folder
from .apply import Change, Journal, mark_conflicts
from .comparison import Comparison, File, Kind, differences, gained_and_lost

_SHOWN = 5
_DIFFERS = 2  # the exit status of `onex contract diff`
_NOTES = ("In node.yaml", "In nodes/")
_IDENTITY = ("-c", "user.name=update-node", "-c", "user.email=update-node@localhost", "-c", "commit.gpgsign=false")


class UpdateError(Exception):
    """An update did not happen; the message says why, and the project is what it was."""


@dataclass(frozen=True)
class Updated:
    """What an update of a node did, or in a dry run would do.

    Attributes:
        place: Where the node is in its project.
        comparison: What changed.
        applied: Whether the project was changed.
    """

    place: Place
    comparison: Comparison
    applied: bool

    @property
    def title(self) -> str:
        """The heading of a report on it."""
        return f"Update of {self.place.node}" if self.place.inside else "Update"

    @property
    def conflicts(self) -> list[str]:
        """The files that a person has to finish."""
        return self.comparison.of_kind("conflicting")


def update(
    project: Path, *, contract: Path | None = None, to: str = "current", apply: bool = True, tests: bool = False
) -> Updated:
    """Let a project of one node follow its contract and a version of its template; see `update_all`.

    Args:
        project: The project's root, in a git repository.
        contract: A file that becomes the project's contract; the project's own when left out.
        to: `current` for the version that it has, `latest` for the newest one, or a tag.
        apply: Whether to change the project; a dry run otherwise.
        tests: Whether to run the updated project's unit tests, and report what they say.

    Returns:
        What changed.

    Raises:
        UpdateError: When it is not done; the project is what it was.
    """
    return update_all(project, {Place(): contract}, to=to, apply=apply, tests=tests)[0]


def update_all(
    project: Path,
    contracts: Mapping[Place, Path | None],
    *,
    to: str = "current",
    apply: bool = True,
    tests: bool = False,
) -> list[Updated]:
    """Let nodes of a project follow their contracts and a version of their template: all of them, or none.

    Args:
        project: The project's root, in a git repository.
        contracts: Per node a file that becomes its contract; None for the contract that it has.
        to: `current` for the versions that they have, `latest` for the newest one, or a tag.
        apply: Whether to change the project; a dry run otherwise.
        tests: Whether to run the nodes' unit tests afterwards, and report what they say.

    Returns:
        What changed, by node.

    Raises:
        UpdateError: When it is not done; the project is what it was.
    """
    project = project.resolve()
    prefix = _check(project, contracts)
    report = git_folder(project) / "onex-validation.json"
    done: list[Updated] = []
    unmerged: list[str] = []
    with tempfile.TemporaryDirectory(prefix="update-node.") as scratch:
        clone = Path(scratch) / "clone"
        _clone(project, clone, prefix)
        inside = clone / prefix
        first = before = after = _tree(inside)
        for place, contract in contracts.items():
            _commit(clone, inside / place.contract, contract or project / place.contract)
            try:
                output = _copier(inside, place, to, report)
            except UpdateError as error:
                message = f"{place.name}: {error}" if len(contracts) > 1 else str(error)
                raise UpdateError(message) from error
            stages = git(clone, "ls-files", "--unmerged", "-z", "--", f"./{prefix}").split("\0")
            conflicts = {line.partition("\t")[2].removeprefix(prefix) for line in stages if line}
            unmerged += [line for line in stages if line]
            after = _tree(inside)
            comparison = replace(
                _compare(before, after, conflicts, output, place),
                onex=tuple(_onex_difference(before, after, Path(scratch))),
                tests=_tests(inside, place) if tests else "",
            )
            done.append(Updated(place, comparison, applied=apply))
            before = after
            # The next node finds a clean tree, whatever is in conflict in this one.
            git(clone, "add", "--all")
            git(clone, *_IDENTITY, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", place.name)
        if apply:
            changes = {
                path: Change(after[path][0], after[path][1]) if path in after else Change(None)
                for path in sorted(first.keys() | after.keys())
                if first.get(path) != after.get(path)
            }
            for file in (place.contract for place, contract in contracts.items() if contract is None):
                if file in changes and after[file][0] == (project / file).read_bytes():
                    del changes[file]
            with _alone(project):
                _apply(project, changes)
                mark_conflicts(project, clone, unmerged)
                for updated in done:
                    _write_reports(project, inside, updated)
    return done


def is_unfinished(project: Path) -> bool:
    """Whether an update of a project is under way, or was cut off."""
    return Journal(project).unfinished or Snapshot.of(project).exists


def undo(project: Path) -> list[str]:
    """Make a project what it was before an update that was cut off, by this or by Copier alone.

    Args:
        project: The project's root.

    Returns:
        Files that someone has edited since; they are left alone.

    Raises:
        UpdateError: When there have been commits since Copier was cut off; nothing is changed then.
    """
    project = project.resolve()
    journal, snapshot = Journal(project), Snapshot.of(project)
    with _alone(project):
        edited = journal.undo() if journal.unfinished else []
        if snapshot.exists:
            try:
                snapshot.restore()
            except ValueError as error:
                raise UpdateError(str(error)) from error
    return edited


@contextmanager
def _alone(project: Path) -> Iterator[None]:
    """Wait until no other process updates or repairs a project of this repository, and keep others waiting."""
    folder = os.open(git_folder(project), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _check(project: Path, contracts: Mapping[Place, Path | None]) -> str:
    """Say what keeps the project from being updated, or return its path in its repository."""
    for place in contracts:
        if not (project / place.answers).is_file():
            message = f"{project} was not generated: it has no {place.answers}"
            raise UpdateError(message)
        if "_commit" not in yaml.safe_load((project / place.answers).read_text(encoding="utf-8")):
            message = f"{project} was generated from a template without versions, so there is nothing to compare with"
            raise UpdateError(message)
    try:
        prefix = git(project, "rev-parse", "--show-prefix").strip()
        git(project, "rev-parse", "--verify", "--quiet", "HEAD")
        status = git(project, "status", "--porcelain", "-z", "--untracked-files=no", "--", ".").split("\0")
    except subprocess.CalledProcessError:
        message = f"{project} is in no git repository with a commit"
        raise UpdateError(message) from None
    with _alone(project):
        edited = Journal(project).undo() if Journal(project).unfinished else []
    if edited:
        message = f"an update was cut off and is undone, but for files that were edited since: {', '.join(edited)}"
        raise UpdateError(message)
    own = {f"{prefix}{place.contract}" for place in places_in(project) if not contracts.get(place)}
    dirty = [line[3:] for line in status if line and line[3:] not in own]
    if dirty:
        message = (
            f"these files are not committed: {', '.join(dirty[:_SHOWN])}{' and more' if len(dirty) > _SHOWN else ''}"
        )
        raise UpdateError(message)
    return prefix


def _clone(project: Path, clone: Path, prefix: str) -> None:
    top = git(project, "rev-parse", "--show-toplevel").strip()
    head = git(project, "rev-parse", "HEAD").strip()
    # It borrows the objects and writes nothing: whenever this is killed, the project's repository is untouched.
    git(project, "clone", "--quiet", "--shared", "--no-checkout", "--no-tags", top, str(clone))
    if prefix:
        # Of a repository with many nodes, only this one.
        git(clone, "sparse-checkout", "set", prefix)
    git(clone, "checkout", "--quiet", "--detach", head)


def _commit(clone: Path, file: Path, contract: Path) -> None:
    """Commit the contract in the clone: Copier refuses to update what is not committed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(contract.read_bytes())
    if git(clone, "status", "--porcelain"):
        git(clone, *_IDENTITY, "commit", "--quiet", "--all", "--no-verify", "--message", "The contract")


def _copier(inside: Path, place: Place, to: str, report: Path) -> str:
    reference = {"current": ["--vcs-ref=:current:"], "latest": []}.get(to, [f"--vcs-ref={to}"])
    command = [sys.executable, "-m", "copier", "update", "--trust", "--defaults", *reference]
    own = ["--answers-file", place.answers] if place.inside else []
    result = subprocess.run(
        [*command, *own, "--data-file", place.contract],
        cwd=inside,
        env=os.environ | {"ONEX_REPORT": str(report)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise UpdateError(_plain(result.stdout) or f"copier ended with {result.returncode}")
    return result.stdout


def _plain(output: str) -> str:
    """Return Copier's output without the commands that it ran."""
    lines = [line for line in output.splitlines() if not line.lstrip().startswith("> Running task")]
    return "\n".join(lines).strip()


def _tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return the files of a clone that git would commit, with their bytes and whether they can be executed."""
    listed = git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".").split("\0")
    paths = ((name, folder / name) for name in dict.fromkeys(listed) if name)
    return {name: (path.read_bytes(), os.access(path, os.X_OK)) for name, path in paths if path.is_file()}


def _compare(
    before: Mapping[str, tuple[bytes, bool]],
    after: Mapping[str, tuple[bytes, bool]],
    conflicts: set[str],
    output: str,
    place: Place,
) -> Comparison:
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
        notes=tuple(notes),
    )


def _onex_difference(
    before: Mapping[str, tuple[bytes, bool]], after: Mapping[str, tuple[bytes, bool]], scratch: Path
) -> Iterator[str]:
    """Yield what ONEX makes of the difference: which changes matter to runtimes."""
    onex = shutil.which("onex", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    paths = [path for path in after if path.endswith("/contract.yaml") and path in before]
    for path in paths:
        if onex is None or before[path] == after[path] or _has_markers(after[path][0]):
            continue
        for name, tree in (("old.yaml", before), ("new.yaml", after)):
            (scratch / name).write_bytes(tree[path][0])
        command = [onex, "contract", "diff", str(scratch / "old.yaml"), str(scratch / "new.yaml")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == _DIFFERS:
            changes = (line.strip().replace("`", "'") for line in result.stdout.splitlines())
            yield from (f"`{line}`" for line in changes if line[:2] in {"! ", "~ ", "+ ", "- "})


def _files(
    before: Mapping[str, tuple[bytes, bool]],
    after: Mapping[str, tuple[bytes, bool]],
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
            kind = "orphaned" if path.startswith("orphans/") else "added"
        else:
            generated = manifest.get("files", {}).get(path, {}).get("sha256")
            kind = "merged" if generated and generated != _digest(ours) else "changed"
        yield File(path, kind, _lines(ours), _lines(theirs))


def _has_markers(content: bytes) -> bool:
    return any(
        line.startswith((b"<<<<<<< before updating", b">>>>>>> after updating")) for line in content.splitlines()
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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


def _tests(inside: Path, place: Place) -> str:
    options = ["-q", "--no-header", "-p", "no:cacheprovider", f"{place.tests}/unit"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=inside,
        env=os.environ | {"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[-1] if lines else f"pytest ended with {result.returncode}"


def _apply(project: Path, changes: Mapping[str, Change]) -> None:
    present = [path for path, change in changes.items() if change.content is not None and (project / path).exists()]
    tracked = set(git(project, "ls-files", "-z", "--", ".").split("\0"))
    in_the_way = [path for path in present if path not in tracked]
    if in_the_way:
        message = f"these files are in the way, and in no commit: {', '.join(in_the_way)}"
        raise UpdateError(message)
    try:
        Journal(project).apply(changes)
    except OSError as error:
        raise UpdateError(str(error)) from error


def _write_reports(project: Path, inside: Path, updated: Updated) -> None:
    build = reports.folder(project, updated.place)
    (build / "update.md").write_text(updated.comparison.as_markdown(updated.title), encoding="utf-8")
    (build / "update.json").write_text(updated.comparison.as_json(), encoding="utf-8")
    validation = inside / updated.place.build / "validation.json"
    if validation.is_file():
        shutil.copy2(validation, build / "validation.json")
