"""Fills the stubs of a node: each is asked for, tried, and put in when it passed."""

import ast
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..asking import figures
from ..asking.client import AskingError, Message
from ..asking.figures import Made
from ..asking.options import Asked, Asking, BudgetError, waiting
from ..judging.judge import judge
from ..project import ownership
from ..project.places import Place, file_in
from ..reading.source import read_stream
from . import prompt
from .answer import AnswerError
from .screen import Screen
from .stubs import Stub, stubs_in
from .trial import Passed, Trial, TrialError

_CUSTOM = "/handlers/custom/__init__.py"


class NodeError(Exception):
    """A folder whose stubs can't be filled; its text says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its stubs.

    Attributes:
        project: The project's root.
        place: Where the node is in it.
        about: What the contract says of it as a whole.
        folder: The folder of its package, relative to the project.
        stubs: Custom handlers that are still to be written.
        written: Operations whose custom handlers are, or are gone; nobody but a person writes these.
    """

    project: Path
    place: Place
    about: Mapping[str, object]
    folder: str
    stubs: tuple[Stub, ...]
    written: tuple[str, ...]

    @property
    def node_type(self) -> str:
        """Its type."""
        return str(self.about["node_type"])

    @property
    def module(self) -> str:
        """The node's package."""
        return self.folder.removeprefix("src/").replace("/", ".")

    def told(self, stub: Stub) -> list[Message]:
        """Return what a model is told of a stub."""
        folder = f"{self.folder}/handlers/custom"
        others = []
        for name in self.written:
            try:
                others.append(file_in(self.project, f"{folder}/handler_{name}.py").read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
        return prompt.messages(self.project, self.about, stub, self.folder, others)

    def screen(self) -> Screen:
        """Return what answers may use."""
        needed = {
            canonicalize_name(Requirement(text).name)
            for stub in self.stubs
            for text in stub.operation.get("requirements", ())
            if _is_requirement(text)
        }
        brought = {
            module
            for module, owners in packages_distributions().items()
            if needed & {canonicalize_name(owner) for owner in owners}
        }
        return Screen((f"{self.module}.models",), self._offered(), frozenset(brought))

    def _offered(self) -> dict[str, frozenset[str]]:
        """Return what adapters take: plain classes of their modules, and none that reaches what is outside."""
        found = {}
        for path in sorted((self.project / self.folder / "runtime" / "adapters").glob("adapter_*.py")):
            tree = ast.parse(
                file_in(self.project, path.relative_to(self.project).as_posix()).read_text(encoding="utf-8")
            )
            classes = (item for item in tree.body if isinstance(item, ast.ClassDef) and item.decorator_list)
            names = frozenset(item.name for item in classes if not item.name.startswith(("Adapter", "_")))
            found[f"{self.module}.runtime.adapters.{path.stem}"] = names
        return found


def _is_requirement(text: object) -> bool:
    try:
        Requirement(str(text))
    except InvalidRequirement:
        return False
    return True


def node_in(project: Path, place: Place) -> Node:
    """Read a node.

    Args:
        project: The project's root, absolute.
        place: Where the node is in it.

    Raises:
        NodeError: It has no contract without mistakes, or was not generated.
        OSError: Its contract can't be read.
        UntrustedNameError: Its files name others that are none of its own.
    """
    with file_in(project, place.contract).open("rb") as stream:
        document = read_stream(stream)
    if document.problems or (problems := judge(document.value)):
        told = [str(problem) for problem, _ in document.problems] or list(map(str, problems))
        raise NodeError("\n".join(f"{place.contract}: {problem}" for problem in told))
    contract: Mapping[str, Any] = document.value
    about = {key: contract[key] for key in ("name", "node_type", "description", "domain") if key in contract}
    names = ownership.read(project, place).get("files", {})
    folder = next((name.removesuffix(_CUSTOM) for name in names if name.endswith(_CUSTOM)), "")
    if not folder:
        return Node(project, place, about, "", (), ())
    found = list(stubs_in(project, place, contract, folder))
    stubs = tuple(each for each in found if isinstance(each, Stub))
    written = tuple(each for each in found if isinstance(each, str))
    return Node(project, place, about, folder, stubs, written)


@dataclass(slots=True)
class Filling:
    """Fills stubs.

    Attributes:
        node: The node.
        asking: How a model is asked. With the strategy `model`, all stubs are filled or none.
        allow_unproven: Whether bodies are put in that no example proves.
        made: What became of each.
    """

    node: Node
    asking: Asking
    allow_unproven: bool = False
    made: list[Made] = field(default_factory=list)
    _passed: list[tuple[Stub, Passed, Made]] = field(default_factory=list)

    def fill(self, stubs: Sequence[Stub]) -> None:
        """Fill stubs, one after the other; `made` says what became of each.

        Raises:
            AskingError: No model can be asked at all.
        """
        wanted = [stub for stub in stubs if self._is_wanted(stub)]
        if not wanted:
            return
        with (
            self.asking.connected() as model,
            Trial(self.node.project, self.node.place, self.node.screen()) as trial,
        ):
            for stub in wanted:
                made = Made(stub.name, self.node.node_type)
                self.made.append(made)
                self._fill(stub, model, trial, made)
                if self.asking.strategy == "hybrid":
                    self._put_in()
        if self.asking.strategy == "model":
            if len(self._passed) == len(stubs):
                self._put_in()
            for _, _, made in self._passed:
                made.outcome, made.note = "stub", "another operation was not filled"

    def _is_wanted(self, stub: Stub) -> bool:
        made = Made(stub.name, self.node.node_type, outcome="stub")
        if self.asking.model is None:
            made.note = "rules write no bodies; name a model"
        elif not stub.is_proven and not self.allow_unproven:
            made.outcome, made.note = "unproven", "without examples nothing proves a body; --allow-unproven takes one"
        else:
            return True
        self.made.append(made)
        return False

    def _fill(self, stub: Stub, model: Asked, trial: Trial, made: Made) -> None:
        made.outcome = "stub"
        try:
            passed = self._passing(stub, model, trial, made)
        except BudgetError as error:
            made.outcome, made.note = "budget", str(error)
        except (AskingError, AnswerError, TrialError) as error:
            made.note = str(error)
        else:
            if not passed.tested and not self.allow_unproven:
                made.outcome, made.note = "unproven", passed.note
                return
            trial.keep(stub, passed)
            made.note = passed.note
            self._passed.append((stub, passed, made))

    def _passing(self, stub: Stub, model: Asked, trial: Trial, made: Made) -> Passed:
        told = self.node.told(stub)
        problems = AnswerError("nothing was answered")
        for _ in range(self.asking.attempts):
            answer = model.ask(made, told)
            if answer.is_cut:
                problems = AnswerError("The answer was cut off, being too long: write less.")
            else:
                try:
                    with waiting(f"{stub.name}: checking"):
                        return trial.attempt(stub, answer.text, made)
                except AnswerError as error:
                    problems = error
            told += [
                {"role": "assistant", "content": answer.text},
                {"role": "user", "content": prompt.again(problems.problems)},
            ]
        raise problems

    def _put_in(self) -> None:
        while self._passed:
            stub, passed, made = self._passed.pop()
            try:
                with made.stage("put in"):
                    put_in(self.node.project, stub, passed)
            except OSError as error:
                made.note = f"it was not put in: {error.strerror or error}"
            else:
                made.outcome, made.succeeded = ("filled" if passed.tested else "filled, unproven"), True


def put_in(project: Path, stub: Stub, passed: Passed) -> None:
    """Write a body into its project: the handler and its tests, both or none.

    Raises:
        OSError: A file was changed since it was read, or can't be written; then both are as they were.
    """
    changes = [(stub.path, stub.text, passed.text)]
    if stub.test_path:
        changes.append((stub.test_path, stub.test_text, passed.test_text))
    for path, before, _ in changes:
        if file_in(project, path).read_bytes() != before.encode():
            raise OSError(f"{path} was changed meanwhile")
    with _uninterrupted():
        done = []
        try:
            for path, before, after in changes:
                figures.replace(project / path, after.encode())
                done.append((path, before))
        except OSError:
            for path, before in done:
                figures.replace(project / path, before.encode())
            raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep signals that end the process waiting until the block is through."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows no signal ends a process at any moment
        yield
        return
    ending = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
