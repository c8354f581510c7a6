"""What Copier runs after each render, and before and after each update.

`rendered` completes the manifest, and validates a copy. `before` keeps what an update must not lose. `after` puts
handlers without an operation aside, validates the merged project, and undoes the update when that fails. `watch` is
started beside an update, and undoes it when the process that does it is killed.
"""

import importlib
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "_onex_hook"
_REPORT = "validation.json"
_GENERATION = "generation.json"
_ANSWERS = ".copier-answers.yml"
_PAUSE = 0.5
_LONGEST = 3600
_AFTER = "after.pid"


def _load(module: str) -> Any:
    """Import one of this folder's modules, under a name that no installed package has."""
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(Path(__file__).resolve().parent)]
        sys.modules[_PACKAGE] = package
        importlib.import_module(f"{_PACKAGE}.project.loading").keep_code(_PACKAGE)
    return importlib.import_module(f"{_PACKAGE}.{module}")


def _say(text: str) -> None:
    _load("text.streams").warn(f"{text}\n")


def rendered(project: Path, destination: str, answers: str = _ANSWERS) -> int:
    """Complete the manifest; validate a copy, and leave nothing of it when that fails.

    Args:
        project: The folder that Copier wrote into.
        destination: `fresh` when none of the files was there before, else `over`.
        answers: The file of Copier's answers.

    Returns:
        The exit status.
    """
    place = _load("project.places").place_of(answers)
    problem = _load("project.formatting").format_rendered(project, _load("project.ownership").read(project, place))
    manifest = _load("project.ownership").complete(project, place)
    if problem:
        _say(f"What was rendered can't be laid out: {problem}")
    if os.environ.get("COPIER_OPERATION") != "copy":
        return 1 if problem else 0
    name = "-".join(filter(None, (project.resolve().name, place.node)))
    report = _load("home").cache_folder() / "reports" / f"{name}.json"
    registration = _register(project, manifest) if place.inside else None
    # All of it is the template's, unless there was a project before: nobody said that its code may be run.
    own = destination == "fresh" and not place.inside
    if (registration or not place.inside) and _validate(project, place, manifest, report, tests=own) and not problem:
        _report(project, place)
        return 0
    where = f"The report is in {report}" if registration or not place.inside else ""
    if destination == "fresh":
        if registration:
            registration.undo()
        for name in [*manifest.get("files", {}), place.manifest]:
            (project / name).unlink(missing_ok=True)
            _load("project.snapshot").prune(project, (project / name).parent)
        _say(f"Nothing of it was kept. {where}".strip())
    else:
        _say(f"It was written over files that were there: look at `git status`. {where}".strip())
    return 1


def _report(project: Path, place: Any) -> None:
    """Say what was generated: on the screen, in a file, and to who listens. The copy is done, whatever comes of it."""
    reporting, events = _load("reporting.generation"), _load("reporting.events")
    try:
        seconds = time.time() - float(os.environ["ONEX_STARTED"])
    except (KeyError, ValueError):
        seconds = None
    try:
        made = reporting.generation(project, place, (), _load("reporting.known").handed_on())
        (_load("project.reports").folder(project, place) / _GENERATION).write_text(made.as_json(), encoding="utf-8")
        _say(made.as_text(seconds).rstrip())
        events.send(made, seconds)
    except (OSError, ValueError, events.EventError) as error:
        _say(f"Not reported: {error}")


def _register(project: Path, manifest: dict[str, Any]) -> Any:
    """Write into a project what a node needs there, and say so; None when that can't be done."""
    try:
        registration = _load("project.host").register(project, manifest)
    except (OSError, ValueError) as error:
        _say(str(error))
        return None
    for title, lines in (("The project got", registration.done), ("Left for you", registration.left)):
        if lines:
            _say("\n".join((f"{title}:", *(f"  {line}" for line in lines))))
    return registration


def before(project: Path, answers: str = _ANSWERS) -> int:
    """Keep what an update must not lose.

    Args:
        project: The project, still untouched.
        answers: The file of Copier's answers.

    Returns:
        The exit status.
    """
    copier = os.getppid()
    snapshot = _load("project.snapshot").Snapshot.of(project)
    place = _load("project.places").place_of(answers)
    snapshot.take(place)
    _load("project.leftovers").keep(project, snapshot, place)
    _load("project.renames").keep_edits(project, snapshot.folder / "renamed", place)
    # `update-node` lets Copier work on a clone, which may be left half done. Windows can't wait for Copier in this way:
    # there the next `update-node` undoes what was cut off.
    if "ONEX_REPORT" not in os.environ and sys.platform != "win32":
        command = [sys.executable, "-I", __file__, "watch", str(copier)]
        subprocess.Popen(command, cwd=project, env=_load("project.vcs").environment(), start_new_session=True)
    return 0


def after(project: Path, answers: str = _ANSWERS) -> int:
    """Put aside what would be lost, and validate; undo the update when that fails.

    Args:
        project: The project, edits merged back.
        answers: The file of Copier's answers.

    Returns:
        The exit status.
    """
    snapshot = _load("project.snapshot").Snapshot.of(project)
    (snapshot.folder / _AFTER).write_text(str(os.getpid()), encoding="utf-8")
    place = _load("project.places").place_of(answers)
    manifest = _load("project.ownership").read(project, place)
    orphans = snapshot.keep_orphans()
    if orphans:
        _say("Yours, and without an operation now; kept where nothing uses them:")
        _say("\n".join(f"  {name}" for name in orphans))
    for change in _load("project.renames").rename_keys(_load("project.places").file_in(project, place.contract)):
        _say(f"In {place.contract}: {change}.")
    merged = _load("project.renames").merge_edits(project, snapshot.folder / "renamed")
    for name in merged:
        _say(f"Your edits were carried over to {name}.")
    leftovers = _load("project.leftovers").put_aside(project, snapshot, place, merged)
    if leftovers:
        _say("You edited these, and they are not generated any more; kept with your difference beside them, in .diff:")
        _say("\n".join(f"  {name}" for name in leftovers))
    for old, new in _load("project.renames").renamed(snapshot.operations, manifest.get("operations", {})).items():
        _say(f"The operation {old} seems to be called {new} now: carry over what you wrote for it.")
    report = Path(os.environ.get("ONEX_REPORT") or snapshot.folder.parents[1] / "onex-validation.json")
    registered = not place.inside or _register(project, manifest) is not None
    if registered and _validate(project, place, manifest, report, tests=False):
        snapshot.discard()
        return 0
    snapshot.restore()
    _say(f"The project is as it was before. The report is in {report}")
    return 1


def watch(project: Path, process: int | None) -> int:
    """Wait for the end of a process that changes the project, and undo what it leaves half done.

    Args:
        project: The project.
        process: Its number; when left out, that which holds the other end of standard input.

    Returns:
        The exit status.
    """
    # Before the wait: Copier takes its copy of the template away when it ends.
    recovery, snapshot = _load("updating.recovery"), _load("project.snapshot").Snapshot.of(project)
    if process is None:
        sys.stdin.buffer.read()
    else:
        _wait_for(process)
        with suppress(OSError, ValueError):  # Copier may be killed, and its last step go on
            _wait_for(int((snapshot.folder / _AFTER).read_text(encoding="utf-8")))
    if not recovery.is_unfinished(project):
        return 0
    time.sleep(_PAUSE)  # for what a killed Copier had started
    try:
        recovery.undo(project)
    except recovery.UpdateError as error:
        _say(f"The update was cut off, and can't be undone: {error}")
        return 1
    _say("The update was cut off. The project is as it was before.")
    return 0


def _wait_for(process: int) -> None:
    """Wait until a process that is nobody's child here has ended, or for an hour."""
    with suppress(ProcessLookupError):
        if sys.platform == "linux":
            descriptor = os.pidfd_open(process)
            select.select([descriptor], [], [], _LONGEST)
            os.close(descriptor)
            return
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            os.kill(process, 0)
            time.sleep(_PAUSE)


def _validate(project: Path, place: Any, manifest: dict[str, Any], elsewhere: Path, *, tests: bool) -> bool:
    """Validate, and write the report into the project, or elsewhere when the project is not to be kept."""
    level = manifest.get("validation_level", "none")
    if level == "none":
        return True
    report = _load("validation.run").validate(project, level, tests=tests, place=place)
    _say(report.table())
    # Files in conflict are checked when a person has resolved them.
    conflicts = any("conflict" in text for outcome in report.outcomes for text in outcome.unchecked)
    passed = bool(report.passed or (conflicts and not any(outcome.findings for outcome in report.outcomes)))
    if passed and conflicts:
        _say("Not validated as a whole: run validate-node when the conflicts are resolved.")
    folder = _load("project.reports").folder(project, place) if passed else elsewhere.parent
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / _REPORT if passed else elsewhere
    target.write_text(report.as_json(), encoding="utf-8")
    return passed


def main() -> int:
    """Run the step that the command line names, on the project in the current folder.

    Returns:
        The exit status.
    """
    step, *arguments = sys.argv[1:]
    _load("text.streams").tolerate()
    try:
        return _run(step, arguments)
    except _load("project.places").UntrustedNameError as error:
        _say(str(error))
        return 1


def _run(step: str, arguments: list[str]) -> int:
    steps = {"before": before, "after": after}
    if step == "rendered":
        return rendered(Path.cwd(), *arguments)
    if step == "watch":
        return watch(Path.cwd(), int(arguments[0]) if arguments else None)
    return steps[step](Path.cwd(), *arguments)


if __name__ == "__main__":
    sys.exit(main())
