"""Follows the tutorial in a fresh clone, command by command, exactly as it is written: `make tutorial`.

Files that it says to save are saved, what it says to add to `node.yaml` is added at its end, and a command that goes on
until Ctrl-C, as `make run` does, runs while the commands of the second terminal do.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVE = re.compile(r"Save this as `([^`]+)`")
_ADD = re.compile(r"Add .* to `([^`]+)`")
_SERVICE = "make run"
_HEALTH = "http://localhost:8000/health"
_PATIENCE = 180
_PERSON = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@localhost"))
}
# What a shell hands on to the next command: its folder and its environment.
_STATE = "\nstatus=$?; pwd > {0}/pwd; env -0 > {0}/env; exit $status\n"


@dataclass
class Step:
    """A block of the tutorial: its language, its text, and what stands before it."""

    language: str
    text: str
    before: str


@dataclass
class Terminal:
    """A person's terminal: where it is, and what its environment is."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: os.environ | _PERSON)

    def run(self, command: str, scratch: Path) -> None:
        """Run a block of commands; what fails ends the tutorial."""
        script = f"set -eo pipefail\n{command}{_STATE.format(scratch)}"
        subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.environment, check=True)
        self.folder = Path((scratch / "pwd").read_text(encoding="utf-8").strip())
        entries = (scratch / "env").read_bytes().decode().split("\0")
        self.environment = dict(entry.partition("=")[::2] for entry in entries if entry)


def steps(page: str) -> Iterator[Step]:
    """Yield the blocks of a page, in its order."""
    end = 0
    for match in _BLOCK.finditer(page):
        yield Step(match[1], match[2], page[end : match.start()])
        end = match.end()


def place_of(step: Step) -> tuple[str, str] | None:
    """Return the file that a block goes into, and how it is opened; None where the tutorial does not say."""
    if save := _SAVE.search(step.before):
        return save[1], "w"
    add = _ADD.search(step.before)
    return (add[1], "a") if add else None


def _serve(terminal: Terminal) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["bash", "-c", _SERVICE], cwd=terminal.folder, env=terminal.environment, start_new_session=True
    )
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(_HEALTH, timeout=2):
                return process
        except (URLError, OSError):
            time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    raise SystemExit(f"{_SERVICE} does not answer at {_HEALTH}")


def follow(page: str, clone: Path, scratch: Path) -> None:
    """Do what a page says.

    Args:
        page: The tutorial, in Markdown.
        clone: A clone of this repository.
        scratch: An empty folder.
    """
    terminal = Terminal(clone)
    service: subprocess.Popen[bytes] | None = None
    for step in steps(page):
        print(f"--- {step.language}\n{step.text}", flush=True)
        if step.language == "sh" and step.text.strip() == _SERVICE:
            service = _serve(terminal)
        elif step.language == "sh":
            terminal.run(step.text, scratch)
            if service:
                os.killpg(service.pid, signal.SIGINT)
                service.wait(_PATIENCE)
                service = None
        elif place := place_of(step):
            with (terminal.folder / place[0]).open(place[1], encoding="utf-8") as file:
                file.write(step.text)
        else:
            raise SystemExit("the tutorial does not say what to do with this")


def main() -> int:
    """Follow the tutorial in a clone, beside which its project is made."""
    with tempfile.TemporaryDirectory(prefix="tutorial.") as folder:
        place, scratch = Path(folder) / "home", Path(folder) / "scratch"
        scratch.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place / "copier-onex")], check=True)
        follow((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"), place / "copier-onex", scratch)
    print("The tutorial works as it is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
