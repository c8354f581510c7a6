"""Tries an answer on a copy of the project: it is put in, validated, and tested where it can harm nobody."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..asking.figures import Made
from ..project.places import Place
from ..validation.project import Project
from ..validation.run import validate
from ..validation.tools import program
from . import jail
from .answer import AnswerError, body_of, code_in, parsed
from .screen import Screen
from .stubs import Stub, filled, unmarked

SECONDS: Final = 60
"""How long the tests of one operation may take."""

_MEGABYTES = 2048
_MOST_SCRATCH = 256 * 1024 * 1024
_LARGEST = 2_000_000
_LINES_SHOWN = 30
_LONGEST_OUTPUT = 400_000


class TrialError(Exception):
    """An answer that did not pass, and further ones would not be better; its text says why."""


class UnableError(Exception):
    """This machine can't isolate; its text says what it lacks."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What passed.

    Attributes:
        text: The handler's file, filled.
        test_text: The file of its tests, without its mark.
        tested: Whether examples of the contract were tested, rather than types alone or nothing.
        note: Why not; empty where they were.
    """

    text: str
    test_text: str
    tested: bool
    note: str = ""


class Trial:
    """A copy of a project, in which answers are tried one after the other."""

    def __init__(self, project: Path, place: Place, screen: Screen) -> None:
        """Keep what is tried; the copy is made when it is entered."""
        self._project, self._place, self._screen = project, place, screen
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        """Make the copy: what is hidden, built, or no file of the project's own, stays behind."""
        # A folder that nobody else may enter, and whose name has no link in it.
        self._folder = Path(tempfile.mkdtemp(prefix="fill-node.")).resolve()
        for name in Project(self._project).files:
            source = self._project / name
            hidden = any(part.startswith(".") for part in Path(name).parts)
            known = name.startswith((".copier-answers", ".onex-manifest")) or name.endswith("/.onex-manifest.json")
            if source.is_symlink() or (hidden and not known) or source.stat().st_size > _LARGEST:
                continue
            target = self.copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the copy."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def copy(self) -> Path:
        """The copy's root."""
        assert self._folder  # noqa: S101 - it is entered
        return self._folder / "project"

    def attempt(self, stub: Stub, answer: str, made: Made) -> Passed:
        """Try an answer.

        Args:
            stub: The stub that it is for.
            answer: What the model said.
            made: Where the time is counted.

        Raises:
            AnswerError: It did not pass, and says why.
            TrialError: It did not pass, and it is no use to ask on.
        """
        with made.stage("read"):
            code = code_in(answer)
            parsed(code)
            text = self._put_in(stub, self._ruff(stub, "format", "-", text=code))
            test_text = unmarked(stub.test_text)
        try:
            (self.copy / stub.path).write_bytes(text.encode())
            if stub.test_path:
                (self.copy / stub.test_path).write_bytes(test_text.encode())
            with made.stage("validate"):
                self._validate(stub)
            with made.stage("test"):
                tested, note = self._test(stub, text)
        finally:
            (self.copy / stub.path).write_bytes(stub.text.encode())
            if stub.test_path:
                (self.copy / stub.test_path).write_bytes(stub.test_text.encode())
        return Passed(text, test_text, tested, note)

    def keep(self, stub: Stub, passed: Passed) -> None:
        """Let further answers be tried beside one that passed."""
        (self.copy / stub.path).write_bytes(passed.text.encode())
        if stub.test_path:
            (self.copy / stub.test_path).write_bytes(passed.test_text.encode())

    def _put_in(self, stub: Stub, code: str) -> str:
        body = body_of(code, stub, self._screen)
        text, (first, last) = filled(stub, body)
        text = self._ruff(stub, "format", "--range", f"{first}-{last}", "-", text=text)
        # Statements of import have their order; nothing else of the file is touched.
        return self._ruff(stub, "check", "--fix-only", "--exit-zero", "--quiet", "--select", "I001", "-", text=text)

    def _ruff(self, stub: Stub, command: str, *arguments: str, text: str) -> str:
        ruff = program(Project(self.copy), "ruff")
        if ruff is None:
            raise TrialError("ruff is not installed here")
        named = [str(ruff), command, "--no-cache", "--stdin-filename", str(self.copy / stub.path), *arguments]
        try:
            done = subprocess.run(
                named, input=text.encode(), capture_output=True, cwd=self.copy, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise AnswerError("The formatter takes too long over it.") from None
        if done.returncode:
            raise AnswerError(done.stderr.decode(errors="replace").strip()[:1000])
        return done.stdout.decode()

    def _validate(self, stub: Stub) -> None:
        report = validate(self.copy, "strict", tests=False, place=self._place if self._place.inside else None)
        own = {stub.path, stub.test_path}
        found = [
            f"{finding}".removeprefix(str(self.copy))
            for outcome in report.outcomes
            for finding in outcome.findings
            if finding.path in own
        ]
        if found:
            raise AnswerError(*found)

    def _test(self, stub: Stub, text: str) -> tuple[bool, str]:
        """Run the tests of one operation; return whether examples were tested, and if not, why not."""
        if not stub.test_path:
            return False, "it has no tests"
        if "self._adapters" in _method(text):
            return False, "its tests were not run, since it calls what is outside, which tests are kept from"
        try:
            passed, output = self._run(stub.test_path)
        except UnableError as error:
            return False, f"its tests were not run, since this machine can't isolate them: {error}"
        wanted = len(stub.operation.get("examples", ()))
        if passed < max(wanted, 1):
            shown = output.replace(str(self.copy), ".").strip().splitlines()
            raise AnswerError("Its tests fail:", *shown[-_LINES_SHOWN:])
        return stub.is_proven, "" if stub.is_proven else "it has no examples: its types alone were tested"

    def _run(self, test_path: str) -> tuple[int, str]:
        """Run tests isolated; return how many passed, if all did, and what they said."""
        scratch = self.copy.parent / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        token = secrets.token_hex(16)
        own = self._project / ".venv" / "bin" / "python"
        python = own if own.exists() else Path(sys.executable)
        options = [
            "-q",
            "--no-header",
            "--tb=short",
            "-o",
            "verbosity_assertions=2",
            "-p",
            "pytest_asyncio.plugin",
            "-p",
            "no:cacheprovider",
        ]
        command = [str(python), "-I", "-B", jail.__file__, str(self.copy), str(scratch), str(SECONDS), str(_MEGABYTES)]
        command += [*options, f"--basetemp={scratch / 'pytest'}", test_path]
        environment = {
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "LC_ALL": "C.UTF-8",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        with (
            tempfile.TemporaryFile() as output,
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self.copy,
                start_new_session=True,
            ) as process,
        ):
            try:
                with contextlib.suppress(OSError), process.stdin or contextlib.nullcontext() as stream:
                    stream.write(f"{token}\n".encode())  # type: ignore[union-attr] # it is a pipe
                _wait(process, scratch)
            finally:
                process.kill()
                process.wait()
            output.seek(max(0, os.fstat(output.fileno()).st_size - _LONGEST_OUTPUT))
            said = output.read().decode(errors="replace")
        if process.returncode == jail.UNABLE:
            raise UnableError(said.strip().splitlines()[-1] if said.strip() else "it says nothing")
        if process.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
            raise TrialError(f"its tests took longer than {SECONDS} s, or more space than they may")
        last = next((line.split() for line in reversed(said.splitlines()) if line.startswith(token)), [])
        if process.returncode or len(last) != 3 or last[1] != "0":  # noqa: PLR2004 - the token, the status and the count
            return 0, "\n".join(line for line in said.splitlines() if not line.startswith(token))
        return int(last[2]), said


def _wait(process: subprocess.Popen[bytes], scratch: Path) -> None:
    """Wait until a process ends, takes too long, or fills the disk."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None:
        if time.monotonic() > deadline or sum(_sizes(scratch)) > _MOST_SCRATCH:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            yield path.lstat().st_size


def _method(text: str) -> str:
    return text.partition("async def handle(")[2]
