"""Updates one project: on a clone first, and in the project only when all of it went well."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any

import yaml

from ..project import ownership, reports, vcs
from ..project.origin import local_path, not_found, ways_on
from ..project.places import Place, UntrustedNameError, file_in, places_in
from ..reading import source
from ..reading.given import ANSWERS_SCALE
from ..reading.own_file import owned
from ..text import streams
from . import line_ends, trust
from .apply import Change, Journal, mark_conflicts
from .compared import compare, difference, onex_difference
from .comparison import Comparison
from .recovery import UpdateError, alone, is_unfinished, undo
from .rename import carry
from .scratch import Tree, commit, prepare, tree

__all__ = ["UpdateError", "Updated", "is_unfinished", "undo", "update", "update_all"]
_SHOWN = 5
# What a submodule holds is no part of the project, which only says of which commit it is.
_UNCOMMITTED = ("--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty", "--", ".")
_LAST_LINE = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception|Exit)\b:? ?")


@dataclass(frozen=True)
class Wish:
    """What an update is to do.

    Attributes:
        to: The version of the template: `current` for the one that is there, `latest` for the newest one, or a tag.
        apply: Whether to change the project; a dry run otherwise.
        tests: Whether to run the nodes' unit tests afterwards, which is code of the project, and report what they say.
        trusted: Whether whatever template the project names may be run.
        source: Where the template is now; empty for the place that the project names. Who says it trusts it.
        start: The version of the template that the project counts as generated from; empty for the one that it names.
        confirm: Asks a person whether a template may be run that nothing says to trust; None where nobody is.
        difference: Whether to report what differs, line by line.
        progress: Is told of each node that is done, on any thread; None where nobody wants to know.
        slots: How many nodes are updated at a time, together with others who share it; None for the cores.
    """

    to: str = "current"
    apply: bool = True
    tests: bool = False
    trusted: bool = False
    source: str = ""
    start: str = ""
    confirm: Callable[[str], bool] | None = None
    difference: bool = False
    progress: Callable[[str], None] | None = None
    slots: Semaphore | None = None


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


def update(project: Path, *, contract: Path | None = None, **wish: Any) -> Updated:
    """Let a project of one node follow its contract and a version of its template; see `update_all`.

    Args:
        project: The project's root, in a git repository.
        contract: A file that becomes the project's contract; the project's own when left out.
        wish: The attributes of `Wish`.

    Returns:
        What changed.

    Raises:
        UpdateError: When it is not done; the project is what it was.
    """
    return update_all(project, {Place(): contract}, Wish(**wish))[0]


def update_all(project: Path, contracts: Mapping[Place, Path | None], wish: Wish | None = None) -> list[Updated]:
    """Let nodes of a project follow their contracts and a version of their template: all of them, or none.

    Args:
        project: The project's root, in a git repository.
        contracts: Per node a file that becomes its contract; None for the contract that it has.
        wish: What the update is to do.

    Returns:
        What changed, by node.

    Raises:
        UpdateError: When it is not done; the project is what it was.
    """
    try:
        return _Update(project.resolve(), contracts, wish or Wish()).run()
    except UntrustedNameError as error:
        raise UpdateError(str(error)) from error
    except subprocess.CalledProcessError as error:
        message = f"git can't do it: {vcs.why(error)}"
        raise UpdateError(message) from error
    except OSError as error:
        raise UpdateError(str(error)) from error


@dataclass
class _Work:
    """A copy of the project on which nodes are updated.

    Attributes:
        clone: The copy of its repository.
        inside: The project in it.
        first: What was in it before.
        after: What is in it afterwards.
        done: What changed, by node.
        unmerged: What `git ls-files --unmerged` says of files in conflict.
    """

    clone: Path
    inside: Path
    first: Tree
    after: Tree = field(default_factory=dict)
    done: list[Updated] = field(default_factory=list)
    unmerged: list[str] = field(default_factory=list)


class _Update:
    """One update: until `_apply`, nothing is written into the project."""

    def __init__(self, project: Path, contracts: Mapping[Place, Path | None], wish: Wish) -> None:
        self._project = project
        self._contracts = contracts
        self._wish = wish
        self._places = list(dict.fromkeys([*places_in(project), *contracts]))
        self._asking = Lock()

    def run(self) -> list[Updated]:
        """Try it on copies, and apply what came of it."""
        prefix = _check(self._project, self._contracts, self._wish.start)
        settled = [place for place, contract in self._contracts.items() if self._is_settled(place, contract)]
        moving = {place: contract for place, contract in self._contracts.items() if place not in settled}
        with tempfile.TemporaryDirectory(prefix="update-node.") as folder:
            works = self._apart(Path(folder), prefix, moving)
            changes = [self._changes(work.first, work.after) for work in works]
            if self._wish.apply:
                if _contradict(changes):
                    # Several nodes changed one file, each without the others: one after the other, they build on it.
                    works = [self._work(Path(folder) / "together", prefix, moving)]
                    changes = [self._changes(work.first, work.after) for work in works]
                with alone(self._project):
                    known = {path: entry for work in works for path, entry in work.first.items()}
                    _apply(self._project, {path: each for part in changes for path, each in part.items()}, known)
                    # What follows only reports: it must not look as if nothing had been done.
                    for work in works:
                        mark_conflicts(self._project, work.clone, work.unmerged)
                        for updated in work.done:
                            _write_reports(self._project, work.inside, updated)
        done = {updated.place: updated for work in works for updated in work.done}
        if settled:
            known = tree(self._project, self._places)
            for place in settled:
                done[place] = Updated(place, compare(known, known, set(), "", place), applied=self._wish.apply)
        return [done[place] for place in self._contracts]

    def _is_settled(self, place: Place, contract: Path | None) -> bool:
        """Tell whether one node of many has the contract that it was generated from, by a template that stays."""
        wish = self._wish
        if contract or len(self._contracts) == 1 or wish.to != "current" or wish.source or wish.start or wish.tests:
            return False
        document = source.read_bytes(file_in(self._project, place.contract).read_bytes())
        answers = _answers(self._project, place)
        known = {key: value for key, value in answers.items() if not key.startswith("_")}
        return bool(document.value == known)

    def _apart(self, folder: Path, prefix: str, contracts: Mapping[Place, Path | None]) -> list["_Work"]:
        """Update each node on a copy of its own, as many at a time as there are cores."""
        works: list[_Work] = []
        problems: list[str] = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            waiting = [
                pool.submit(self._work, folder / str(number), prefix, {place: contract})
                for number, (place, contract) in enumerate(contracts.items())
            ]
            for future in waiting:
                try:
                    works.append(future.result())
                except UpdateError as error:
                    problems.append(str(error))
        if problems:
            raise UpdateError("\n".join(dict.fromkeys(problems)))
        return works

    def _work(self, folder: Path, prefix: str, contracts: Mapping[Place, Path | None]) -> "_Work":
        """Update nodes on one copy of the project, one after the other."""
        with self._wish.slots or nullcontext():
            clone = folder / "clone"
            folder.mkdir()
            vcs.copy_of(self._project, clone, prefix)
            inside = clone / prefix
            prepare(self._project, inside, self._places)
            work = _Work(clone, inside, tree(inside, self._places))
            for place, contract in contracts.items():
                self._node(work, prefix, place, contract)
                if self._wish.progress:
                    updated = work.done[-1]
                    self._wish.progress(f"{place.name}: {updated.comparison.summary}")
            work.after = tree(inside, self._places)
            return work

    def _node(self, work: "_Work", prefix: str, place: Place, contract: Path | None) -> None:
        """Update one node in a copy."""
        inside, before = work.inside, tree(work.inside, self._places)
        content = _contract_of(contract or self._project / place.contract)
        if contract:
            content = owned(content.decode("utf-8"), place.regenerate).encode()
        file = file_in(inside, place.contract)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(line_ends.plain(content))
        self._trust(inside, place)
        told = yaml.safe_load(before[place.answers][0])
        known = {key: value for key, value in told.items() if not key.startswith("_")}
        carried = carry(inside, place, known, source.read_bytes(content).value, before)
        commit(inside, self._places, "The contract")
        try:
            output = _copier(inside, place, self._wish, vcs.git_folder(self._project) / "onex-validation.json")
        except UpdateError as error:
            message = f"{place.name}: {error}" if len(self._contracts) > 1 else str(error)
            raise UpdateError(message) from error
        listed = vcs.git(inside, "ls-files", "--unmerged", "--full-name", "-z", "--", ".", scratch=True)
        stages = [line for line in listed.split("\0") if line]
        conflicts = {line.partition("\t")[2].removeprefix(prefix) for line in stages}
        work.unmerged += stages
        after = tree(inside, self._places)
        compared = compare(before, after, conflicts, output, place)
        comparison = replace(
            compared,
            notes=(*carried, *compared.notes),
            onex=tuple(onex_difference(before, after, work.clone.parent)),
            tests=_tests(inside, place) if self._wish.tests else "",
            difference="".join(difference(before, after)) if self._wish.difference else "",
        )
        work.done.append(Updated(place, comparison, applied=self._wish.apply))
        # The next node finds a clean tree, whatever is in conflict in this one.
        commit(inside, self._places, place.name)

    def _trust(self, inside: Path, place: Place) -> None:
        """Refuse to run a template that a project names and nothing says to trust: what Copier reads counts."""
        answers = _answers(inside, place, self._wish.start)
        if self._wish.source or self._wish.start:
            answers["_src_path"] = self._wish.source or answers["_src_path"]
            text = yaml.safe_dump(answers, sort_keys=False, allow_unicode=True)
            file_in(inside, place.answers).write_text(text, encoding="utf-8")
        named = answers["_src_path"]
        path = local_path(named, inside)
        if path is not None and not path.exists():
            raise UpdateError(_missing(named, place))
        if self._wish.trusted or self._wish.source:
            return
        try:
            trusted = trust.why_trusted(named, inside)
        except ValueError as error:
            raise UpdateError(str(error)) from error
        if trusted:
            return
        message = trust.refusal(named, place.answers)
        with self._asking:
            confirmed = self._wish.confirm is not None and self._wish.confirm(message)
        if not confirmed:
            raise UpdateError(message)

    def _changes(self, first: Tree, after: Tree) -> dict[str, Change]:
        """Return what becomes of the project's files, with the line ends that it has."""
        changes: dict[str, Change] = {}
        mine = {path: (self._project / path).read_bytes() for path in first if (self._project / path).is_file()}
        crlf = line_ends.mostly_crlf(mine.values())
        for path in sorted(first.keys() | after.keys()):
            if first.get(path) == after.get(path):
                continue
            if path not in after:
                changes[path] = Change(None)
                continue
            content = line_ends.as_in(mine.get(path), after[path][0], crlf=crlf)
            if content != mine.get(path) or first.get(path, after[path])[1] != after[path][1]:
                changes[path] = Change(content, after[path][1])
        return changes


def _contradict(parts: Sequence[Mapping[str, Change]]) -> bool:
    """Tell whether parts of a change differ in what becomes of a file."""
    together: dict[str, Change] = {}
    return any(together.setdefault(path, change) != change for part in parts for path, change in part.items())


def _missing(named: str, place: Place) -> str:
    shown = named if named.isprintable() else ascii(named)
    relative = "" if named.startswith(("/", "~", "file:", "git+")) else "; a path has to be absolute"
    return f"{place.answers} names the template {shown}, and there is none{relative}.\n{ways_on(named, 'its version')}"


def _contract_of(file: Path) -> bytes:
    """Return a contract that can be read.

    Raises:
        UpdateError: When it can't.
    """
    content = file.read_bytes()
    problems = source.read_bytes(content).problems
    if problems:
        lines = [f"{file}:{place.line}:{place.column}: {problem}" for problem, place in problems]
        raise UpdateError("\n".join(lines))
    return content


def _answers(project: Path, place: Place, start: str = "") -> dict[str, Any]:
    """Return what Copier remembers of a node, from the version of the template that is given, or that it names.

    Raises:
        UpdateError: When it can't be read, or is nothing to go on from.
    """
    file = file_in(project, place.answers)
    if not file.is_file():
        message = f"{project} was not generated: it has no {place.answers}"
        raise UpdateError(message)
    with file.open("rb") as stream:
        document = source.read_stream(stream, ANSWERS_SCALE)
    if document.problems:
        problem, at = document.problems[0]
        message = f"{place.answers} can't be read; is a conflict left in it? {at.line}:{at.column}: {problem}"
        raise UpdateError(message)
    answers = document.value
    if not isinstance(answers, dict) or not isinstance(answers.get("_src_path"), str):
        message = f"{place.answers} is none of a generated project, for it names no template: git has what it was"
        raise UpdateError(message)
    if start:
        answers["_commit"] = start
    if not isinstance(answers.get("_commit"), str):
        message = (
            f"{place.answers} names no version of the template {answers['_src_path']}.\n"
            "  Say from which one to go on: update-node --from VERSION, a tag or a commit."
        )
        raise UpdateError(message)
    return answers


def _check(project: Path, contracts: Mapping[Place, Path | None], start: str) -> str:
    """Say what keeps the project from being updated, or return its path in its repository."""
    for place in contracts:
        _answers(project, place, start)
        ownership.read(project, place)
    try:
        prefix = vcs.git(project, "rev-parse", "--show-prefix").removesuffix("\n")
        vcs.git(project, "rev-parse", "--verify", "HEAD")
        status = vcs.git(project, "status", *_UNCOMMITTED).split("\0")
    except subprocess.CalledProcessError as error:
        message = f"{project} has to be in a git repository with a commit; git says {vcs.why(error)}"
        raise UpdateError(message) from None
    with alone(project):
        edited = Journal(project).undo().edited if Journal(project).unfinished else ()
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


def _copier(inside: Path, place: Place, wish: Wish, report: Path) -> str:
    reference = {"current": ["--vcs-ref=:current:"], "latest": []}.get(wish.to, [f"--vcs-ref={wish.to}"])
    # Whether it may be run is decided by now.
    command = [sys.executable, "-m", "copier", "update", "--trust", "--defaults", *reference]
    own = ["--answers-file", place.answers] if place.inside else []
    result = subprocess.run(
        [*command, *own, "--data-file", place.contract],
        cwd=inside,
        # Texts are UTF-8, whatever the locale.
        env=vcs.environment(
            scratch=True,
            ONEX_REPORT=str(report),
            PYTHONUTF8="1",
            PYTHONSAFEPATH="1",
            # The repositories that Copier makes exchange objects with this one.
            GIT_DEFAULT_HASH=vcs.git(inside, "rev-parse", "--show-object-format", scratch=True).strip(),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = result.stdout.decode("utf-8", "replace")
    if result.returncode:
        raise UpdateError(_plain(output, _answers(inside, place)) or f"copier ended with {result.returncode}")
    return output


def _plain(output: str, answers: Mapping[str, Any]) -> str:
    """Return Copier's output without the commands that it ran, and without where in its code it failed."""
    lines = [line for line in output.splitlines() if not line.lstrip().startswith("> Running task")]
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        last = max((number for number, line in enumerate(lines) if _LAST_LINE.match(line)), default=0)
        return not_found(answers["_src_path"], answers["_commit"], "\n".join(lines[last:]))
    return "\n".join(lines).strip()


def _tests(inside: Path, place: Place) -> str:
    options = ["-q", "--no-header", "-p", "no:cacheprovider", f"{place.tests}/unit"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=inside,
        env=vcs.environment(PYTHONPATH="src", PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1"),
        capture_output=True,
        check=False,
    )
    lines = (result.stdout or result.stderr).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"pytest ended with {result.returncode}"


def _apply(project: Path, changes: Mapping[str, Change], known: Tree) -> None:
    present = [path for path, change in changes.items() if change.content is not None and (project / path).exists()]
    tracked = set(vcs.git(project, "ls-files", "-z", "--", ".").split("\0"))
    in_the_way = [path for path in present if path not in tracked and path not in known]
    if in_the_way:
        message = f"these files are in the way, and in no commit: {', '.join(in_the_way)}"
        raise UpdateError(message)
    Journal(project).apply(changes)


def _write_reports(project: Path, inside: Path, updated: Updated) -> None:
    """Keep the comparison beside the node; the update is done, whether or not that can be written."""
    try:
        build = reports.folder(project, updated.place)
        (build / "update.md").write_text(updated.comparison.as_markdown(updated.title), encoding="utf-8")
        (build / "update.json").write_text(updated.comparison.as_json(), encoding="utf-8")
        validation = inside / updated.place.build / "validation.json"
        if validation.is_file():
            shutil.copy2(validation, build / "validation.json")
    except (OSError, UntrustedNameError) as error:
        streams.warn(f"The report is not kept: {error}\n")
