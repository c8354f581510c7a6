"""Where what belongs to one node lies in a project, with the standard library alone.

A project that was generated as a whole is one node's, and holds its files at the root. Nodes that were generated into a
project each have folders of their own, which bear their names.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_ANSWERS = ".copier-answers.yml"
_SHOWN = 5
_LONGEST_NAME = 80
_ANSWERS_OF_NODE = re.compile(r"\.copier-answers\.(node_[a-z0-9_]+)\.yml")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where the files of a node are, relative to the root of the project.

    Attributes:
        node: ONEX's name of a node that was generated into a project; empty for a project that was generated with it.
    """

    node: str = ""

    @property
    def inside(self) -> bool:
        """Whether the project is older than the node."""
        return bool(self.node)

    @property
    def answers(self) -> str:
        """Copier's answers."""
        return f".copier-answers.{self.node}.yml" if self.node else _ANSWERS

    @property
    def folder(self) -> str:
        """The folder of the contract, with a `/` at its end; empty for the root."""
        return f"nodes/{self.node}/" if self.node else ""

    @property
    def home(self) -> str:
        """The folder of the contract as a part of a path that is never empty."""
        return self.folder.rstrip("/") or "."

    @property
    def contract(self) -> str:
        """The contract that a person edits."""
        return f"{self.folder}node.yaml"

    @property
    def manifest(self) -> str:
        """What was generated, and whose it is."""
        return f"{self.folder}.onex-manifest.json"

    @property
    def tests(self) -> str:
        """The folder of the tests."""
        return f"tests/nodes/{self.node}" if self.node else "tests"

    @property
    def tests_module(self) -> str:
        """The same as a module, for `python -m` at the root."""
        return self.tests.replace("/", ".")

    @property
    def deploy(self) -> str:
        """The folder of what the node is deployed with."""
        return f"deploy/{self.node}" if self.node else "deploy"

    @property
    def build(self) -> str:
        """The folder of reports, which no repository holds."""
        return f"build/{self.node}" if self.node else "build"

    @property
    def depth(self) -> int:
        """How many folders the tests' folder is below the root."""
        return len(Path(self.tests).parts)

    @property
    def name(self) -> str:
        """The node's name, or what the project's own node is called without one."""
        return self.node or "the project's node"

    @property
    def regenerate(self) -> str:
        """The command that lets the node follow its contract."""
        return f"update-node --node {self.node}" if self.inside else "make regenerate"

    def as_whole(self, path: str) -> str:
        """Return the path that a file of the node would have in a project of the node's own."""
        for folder, plain in self._folders:
            if path.startswith(folder):
                return plain + path.removeprefix(folder)
        return path

    def as_own(self, path: str) -> str:
        """Return the path of the node's file that has this one in a project of the node's own."""
        for folder, plain in self._folders:
            if path.startswith(plain):
                return folder + path.removeprefix(plain)
        return path

    @property
    def _folders(self) -> tuple[tuple[str, str], ...]:
        if not self.node:
            return ()
        return (f"{self.tests}/", "tests/"), (f"{self.deploy}/", "deploy/"), (f"{self.folder}README", "README")

    def holds(self, path: str) -> bool:
        """Tell whether a file is the node's by its path; always for the node of a whole project."""
        return not self.node or path == self.answers or self.node in Path(path).parts


def places_in(project: Path) -> list[Place]:
    """Return the places of all generated nodes of a project: that of the whole project first, the others by name."""
    found = [Place()] if (project / _ANSWERS).is_file() and (project / Place().contract).is_file() else []
    names = (_ANSWERS_OF_NODE.fullmatch(path.name) for path in project.glob(".copier-answers.*.yml"))
    return found + sorted(Place(match[1]) for match in names if match)


def place_of(answers: str) -> Place:
    """Return the place that a file of answers belongs to."""
    match = _ANSWERS_OF_NODE.fullmatch(answers)
    return Place(match[1]) if match else Place()


class UntrustedNameError(ValueError):
    """A file of a project names files that no command reads or writes for it."""


def file_in(project: Path, name: object) -> Path:
    """Return the file of a project that one of its own files names, which may come from anybody.

    Args:
        project: The project's root.
        name: The name: relative, with `/` between its parts.

    Raises:
        UntrustedNameError: When it does not stay in the project, lies in git's folder, or leads over a link.
    """
    return _file_in(project, name, set())


def _file_in(project: Path, name: object, looked_at: set[str]) -> Path:
    if reason := _distrusted(name) or _linked(project, str(name), looked_at):
        shown = ascii(name) if len(ascii(name)) <= _LONGEST_NAME else f"{ascii(name)[:_LONGEST_NAME]}…"
        message = f"{shown} {reason}"
        raise UntrustedNameError(message)
    return project / str(name)


def require_names(project: Path, names: Iterable[object], source: str) -> None:
    """Refuse what a file of a project says, when names in it can't be trusted: all of them at once.

    Args:
        project: The project's root.
        names: The names.
        source: The file that holds them.

    Raises:
        UntrustedNameError: When there are such names.
    """
    refused: list[str] = []
    looked_at: set[str] = set()
    for name in names:
        try:
            _file_in(project, name, looked_at)
        except UntrustedNameError as error:
            refused.append(str(error))
    if refused:
        more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        message = f"{source} names files that are not taken from a project's own file: "
        raise UntrustedNameError(message + "; ".join(refused[:_SHOWN]) + more)


def _distrusted(name: object) -> str:
    """Say what is wrong with a name by its text alone; empty for nothing."""
    if not isinstance(name, str) or not name:
        return "is no name"
    plain = name.isascii() and name.isprintable()
    if not plain and any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in name):
        return "holds characters that are not shown"
    parts = name.split("/")
    if name.startswith(("/", "~")) or "\\" in name or ":" in parts[0]:
        return "is not relative to the project"
    if any(part in {"", ".", ".."} for part in parts):
        return "does not stay in the project"
    # Names that file systems take for git's folder: any case, with dots and blanks at the end, or in short form.
    if any(part.casefold().partition(":")[0].rstrip(". ") in {".git", "git~1"} for part in parts):
        return "lies in git's folder"
    return ""


def _linked(project: Path, name: str, looked_at: set[str]) -> str:
    """Say which part of a path is a link; empty for none. What was looked at before is no link."""
    path = str(project)
    for part in name.split("/"):
        path = os.path.join(path, part)  # noqa: PTH118  # of thousands of names
        if path in looked_at:
            continue
        if os.path.islink(path):  # noqa: PTH114
            return f"leads over the link {Path(path).relative_to(project).as_posix()}"
        looked_at.add(path)
    return ""
