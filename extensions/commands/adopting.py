"""A node that was written by hand is generated anew, and what it does is carried over."""

import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..adopting.bodies import Body, body
from ..adopting.carrying import FOLDER, Carrier, requirements
from ..adopting.comparison import Ran, checklist, compared, side, tests_of
from ..adopting.node import Read
from ..adopting.python import files
from ..project import vcs
from ..project.copying import copied
from ..project.origin import absolute, installed

_SECONDS: Final = 1_800
_SHOWN: Final = 12
_TARGETS: Final = ("check", "test")


class GenerationError(RuntimeError):
    """Nothing was generated; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for.

    Attributes:
        node: The node's folder.
        into: The folder of the new project, which is not there.
        template: Where the template is; the one that the command belongs to when left out.
        check: Whether the new project's checks and tests are run.
        tests: The command that runs the tests of the original; empty for none.
    """

    node: Path
    into: Path
    template: str = ""
    check: bool = False
    tests: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of handlers.

    Attributes:
        bodies: By operation, those that were carried over.
        stubs: Operations whose handlers are still to be written.
        notes: What a person has to look at: a file and what.
        seconds: How long it took.
        ran: What was run.
    """

    bodies: dict[str, Body] = field(default_factory=dict)
    stubs: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    ran: list[Ran] = field(default_factory=list)


def generate(read: Read, wish: Wish) -> Outcome:
    """Generate a project of a node that was read, and carry its handlers over.

    Args:
        read: The node; packages that its handlers need are added to its contract.
        wish: What is asked for.

    Returns:
        What became of it. The project has a report, `adopted.md`.

    Raises:
        GenerationError: When there is no template, or it refuses the contract; nothing is written then.
        OSError: When something can't be read or written.
    """
    into = wish.into.resolve()
    if into.exists():
        raise GenerationError(f"{wish.into}: File exists")
    if into.is_relative_to(wish.node.resolve()):
        raise GenerationError(f"{wish.into}: lies in the node's folder, which stays as it is")
    _require(read)
    outcome = Outcome()
    start = time.monotonic()
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as folder:
        contract = Path(folder) / "node.yaml"
        contract.write_text(read.adopted.document(), encoding="utf-8")
        project = Path(folder) / "project"
        place, version = (absolute(wish.template), "") if wish.template else installed()
        if error := copied(contract, project, place, version):
            raise GenerationError("\n".join(error.splitlines()[-_SHOWN:]))
        outcome.seconds = time.monotonic() - start
        _carry(read, project, outcome)
        if wish.tests:
            outcome.ran.append(_ran("the original's tests", shlex.split(wish.tests), Path.cwd()))
        if wish.check:
            environment = {"PATH": f"{Path(sys.executable).parent}:{vcs.environment().get('PATH', '')}"}
            for target in _TARGETS:
                outcome.ran.append(_ran(f"make {target}", ["make", target], project, environment))
        (project / "adopted.md").write_text(_report(read, wish, outcome, project), encoding="utf-8")
        project.rename(into)
    return outcome


def _require(read: Read) -> None:
    """Name the packages of what will be carried over in the contract, before it is known where that goes."""
    operations = _handled(read)
    for operation, handler in operations:
        carrier = Carrier(read.sources, "custom")
        carrier.take(handler.module)
        if found := list(requirements(carrier.finish().packages)):
            operation["requirements"] = found


def _handled(read: Read) -> list[tuple[dict[str, Any], Any]]:
    return [
        (operation, read.handled[operation["name"]])
        for operation in read.adopted.contract.get("operations", [])
        if "handler" in operation and operation["name"] in read.handled
    ]


def _carry(read: Read, project: Path, outcome: Outcome) -> None:
    custom = next((path for path in sorted(project.rglob("handlers/custom")) if path.is_dir()), None)
    tests = next((path for path in sorted(project.rglob("tests/**/custom")) if path.is_dir()), None)
    names = [operation["name"] for operation in read.adopted.contract.get("operations", []) if "handler" in operation]
    if custom is None or tests is None:
        outcome.stubs = names
        return
    home = ".".join(custom.relative_to(project / "src").parts)
    carrier = Carrier(read.sources, home)
    changed: list[Path] = []
    for operation, handler in _handled(read):
        name = operation["name"]
        paths = (custom / f"handler_{name}.py", tests / f"test_handler_{name}.py")
        if not all(path.is_file() for path in paths):
            continue
        stub, test = (path.read_text(encoding="utf-8") for path in paths)
        made = body(operation, handler, read.models, carrier, (stub, test))
        for path, text in zip(paths, (made.handler, made.test), strict=True):
            path.write_text(text, encoding="utf-8")
            changed.append(path)
        outcome.bodies[name] = made
    outcome.stubs = [name for name in names if name not in outcome.bodies]
    carried = carrier.finish()
    outcome.notes += carried.notes
    for relative, text in carried.files.items():
        path = custom / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if changed:
        # What was carried over keeps its own style, but for its layout.
        for arguments in (("check", "--select", "I,F401", "--fix-only", "--quiet"), ("format", "--quiet")):
            places = [*changed, *([custom / FOLDER] if arguments[0] == "format" else [])]
            subprocess.run([sys.executable, "-m", "ruff", *arguments, *map(str, places)], cwd=project, check=False)


def _ran(name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Ran:
    start = time.monotonic()
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=vcs.environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        passed, output = result.returncode == 0, result.stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        passed, output = False, str(error)
    said = [line.strip(" =") for line in output.splitlines() if line.strip()]
    summary = [line for line in said if " passed" in line or " failed" in line or " error" in line]
    return Ran(name, passed, (summary or said or [""])[-1].replace("|", "\\|")[:120], time.monotonic() - start)


def _report(read: Read, wish: Wish, outcome: Outcome, project: Path) -> str:
    everything = list(files(project))
    carried = [path for path in everything if FOLDER in path.relative_to(project).parts]
    own = [path for path in everything if "custom" in path.relative_to(project).parts and path not in carried]
    generated = [path for path in everything if path not in carried]
    before = side(path for path in files(wish.node) if not path.name.startswith("test_"))
    before.tests = side(tests_of(wish.node)).tests
    after = side(generated)
    parts = [read.adopted.report().replace("## Handlers to write", "## Custom handlers"), *_handlers(outcome)]
    handwritten = side(path for path in own if "tests" not in path.relative_to(project).parts)
    parts.append(compared(before, after, handwritten.lines, side(carried).lines, outcome.ran))
    parts.append(f"Generated in {outcome.seconds:.1f} seconds.\n")
    parts.append(checklist(_done(outcome)))
    return "\n".join(parts)


def _handlers(outcome: Outcome) -> Iterator[str]:
    yield "## What was carried over\n\n| operation | runs | pinned by its test |\n|---|---|---|"
    for name, made in outcome.bodies.items():
        runs = f"once it is handed {', '.join(made.missing)}" if made.missing else "as it is"
        yield f"| {name} | {runs.replace('|', '\\|')} | {'; '.join(made.pinned) or 'that it is there and imports'} |"
    for name in outcome.stubs:
        yield f"| {name} | no: to be written | |"
    if outcome.notes:
        yield "\n" + "\n".join(f"- [ ] {place}: {what}" for place, what in outcome.notes)
    yield ""


def _done(outcome: Outcome) -> Iterator[str]:
    yield from ("The original is kept as it was", "Features and lines of the original are written down")
    yield from ("The contract is valid", "The node was generated", "It is compared with the original")
    yield from ("Lines are compared", "Times are taken", "This report is written")
    for one in outcome.ran:
        if one.name == "the original's tests":
            yield "The original's tests were run, and their results kept"
        elif one.passed and one.name == "make check":
            yield from ("Syntax", "Types", "ONEX", "Security")
        elif one.passed:
            yield from ("Unit tests pass", "Integration tests pass")
