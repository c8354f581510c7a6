"""Stages types and lint, and tests: ruff, mypy, ONEX's own command line and pytest, as the project configures them.

Tools are those of this environment, and what they read of the project runs none of its code, unless it is trusted.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..home import cache_folder
from ..project import vcs
from . import mypy_settings
from .findings import Finding
from .project import Project

_LINE = re.compile(r"^(?P<path>[^:\s]+):(?P<line>\d+)(?::\d+)?: (?P<rest>.+)$")
# How the formatter names a file depends on its version.
_UNFORMATTED = re.compile(r"^(?:Would reformat: | *--> )(?P<path>[^:\n]+)(?::(?P<line>\d+):\d+)?$")
_TIMEOUT_SECONDS = 900
_TRUST = "--trust runs that of the project's .venv"


@dataclass(frozen=True)
class _Job:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[str]


def program(project: Project, name: str) -> Path | None:
    """Return a tool's program; None when there is none.

    It is that of a trusted project's environment, of this one, or on PATH, outside of the project.
    """
    for folder in (project.python.parent, Path(sys.executable).parent):
        if (folder / name).is_file():
            return folder / name
    folders = (Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep))
    elsewhere = [
        str(folder)
        for folder in folders
        if project.trusted or (folder.is_absolute() and not folder.resolve().is_relative_to(project.root))
    ]
    found = shutil.which(name, path=os.pathsep.join(elsewhere))
    return Path(found) if found else None


class Tools:
    """Runs tools side by side: all start when this is made."""

    def __init__(self, project: Project, *, tests: bool) -> None:
        """Start them.

        Args:
            project: The project.
            tests: Whether its tests run too.
        """
        self._project = project
        self._scratch = tempfile.TemporaryDirectory(prefix="validate-node.")
        self.unchecked: list[str] = []
        self.test_unchecked: list[str] = []
        self._tests: _Job | None = None
        if project.conflicting:
            reason = f"{len(project.conflicting)} files hold conflicts"
            self.unchecked.append(f"types and lint, since {reason}")
            self.test_unchecked.append(f"the tests, since {reason}")
            self._jobs: list[_Job] = []
            return
        self._jobs = [job for job in map(self._lint, self._commands()) if job]
        if tests:
            self._tests = self._start_tests()

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        place = self._project.place
        folders = [node.folder for node in self._project.nodes] if place else []
        own = [*folders, place.tests] if place else []
        yield "mypy", ["--no-color-output", "--no-error-summary", "--hide-error-context", *self._mypy_cache(), *own]
        yield "onex", ["validate", "--strict", *(folders or [self._project.source_root.rstrip("/") or "."])]
        yield (
            "ruff",
            [
                "check",
                "--no-cache",
                "--no-fix",
                "--no-fix-only",
                "--quiet",
                "--output-format",
                "concise",
                *(own or ["."]),
            ],
        )
        yield "ruff", ["format", "--no-cache", "--check", *(own or ["."])]

    def _mypy_cache(self) -> list[str]:
        # Libraries are the most of what mypy reads, and the same for all projects of an environment.
        environment = f"{self._project.site_packages}:{sys.version}"
        digest = hashlib.sha256(environment.encode()).hexdigest()[:16]
        return ["--cache-dir", str(cache_folder() / f"mypy-{digest}")]

    def _lint(self, tool: tuple[str, list[str]]) -> _Job | None:
        name, arguments = tool
        path = program(self._project, name)
        if path is None:
            own = f"; {_TRUST}" if (self._project.root / ".venv" / "bin" / name).is_file() else ""
            if (reason := f"{name}, since it is not installed here{own}") not in self.unchecked:
                self.unchecked.append(reason)
            return None
        if name == "mypy":
            arguments = [*arguments, "--python-executable", str(self._project.python)]
            settings = mypy_settings.write(self._project.root, Path(self._scratch.name))
            if not self._project.trusted:
                arguments += ["--config-file", str(settings or "")]
            if settings is None:
                arguments += ["--strict", *([] if self._project.place else self._project.named(".py"))]
        return self._start(" ".join((name, arguments[0])) if name == "ruff" else name, [str(path), *arguments])

    def _start_tests(self) -> _Job | None:
        folder = f"{self._project.place.tests if self._project.place else 'tests'}/unit"
        if not any(path.startswith(f"{folder}/") for path in self._project.files):
            self.test_unchecked.append(f"the unit tests, since there are none in {folder}")
            return None
        options = ["-q", "--no-header", "-p", "no:cacheprovider", "--tb=line", folder]
        return self._start("pytest", [str(self._project.python), "-m", "pytest", *options], importing=True)

    def _start(self, name: str, command: list[str], *, importing: bool = False) -> _Job:
        # A project looks the same after its validation: no byte code, no caches.
        environment = vcs.environment(PYTHONDONTWRITEBYTECODE="1", MYPYPATH=self._project.source_root or ".")
        if importing or self._project.trusted:
            environment["PYTHONPATH"] = self._project.source_root or "."
        else:
            # What Python imports by itself, and what tools import, is not taken from the project.
            environment.pop("PYTHONPATH", None)
            environment["PYTHONSAFEPATH"] = "1"
        process = subprocess.Popen(
            command,
            cwd=self._project.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
        return _Job(name, command, process)

    def lint(self) -> Iterator[Finding]:
        """Wait for ruff, mypy and ONEX's validators.

        Yields:
            What they report.
        """
        for job in self._jobs:
            output = _wait(job)
            if job.process.returncode:
                yield from self._findings(job, output)
        self._scratch.cleanup()

    def tests(self) -> Iterator[Finding]:
        """Wait for the tests.

        Yields:
            What failed.
        """
        if self._tests is None:
            return
        output = _wait(self._tests)
        if self._tests.process.returncode:
            yield from self._findings(self._tests, output)

    def _findings(self, job: _Job, output: str) -> Iterator[Finding]:
        if "No module named" in output and job.name == "pytest" and "pytest" in output.splitlines()[-1]:
            self.test_unchecked.append("the tests, since pytest is not installed here")
            return
        found = False
        for line in output.splitlines():
            if match := _UNFORMATTED.match(line):
                found = True
                line_number = int(match["line"] or 1)
                yield Finding(match["path"], line_number, "ruff-format", "the formatter would change it")
                continue
            match = _LINE.match(line.strip().removeprefix(f"{self._project.root}/"))
            if not match or (job.name == "mypy" and match["rest"].startswith("note:")):
                continue
            path = match["path"].removeprefix(f"{self._project.root.resolve()}/")
            found = True
            yield Finding(path, int(match["line"]), job.name.replace(" ", "-"), match["rest"])
        if not found:
            last = [line for line in output.splitlines() if line.strip()][-1:] or ["it says nothing"]
            yield Finding(".", 0, job.name.replace(" ", "-"), f"ended with {job.process.returncode}: {last[0].strip()}")


def _wait(job: _Job) -> str:
    try:
        return job.process.communicate(timeout=_TIMEOUT_SECONDS)[0]
    except subprocess.TimeoutExpired:
        job.process.kill()
        return job.process.communicate()[0]
