"""Renders the template in this process, without what Copier does around it."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from posixpath import normpath
from typing import Any

from copier._jinja_ext import get_yield_context
from copier._main import Worker
from pathspec import GitIgnoreSpec

from extensions.project import ownership
from extensions.project.formatting import format_rendered
from extensions.project.places import Place

SUFFIX = ".j2"


class Renderer:
    """The template, compiled once for many contracts."""

    def __init__(self, template: Path) -> None:
        """Load the template.

        Args:
            template: A folder that `examples.rendering.export_template` filled.
        """
        self._template = template
        self._worker = Worker(
            src_path=str(template), dst_path=Path(os.devnull).parent / "nowhere", unsafe=True, quiet=True
        )
        self._environment = self._worker.jinja_env

    def render(self, contract: Mapping[str, Any], destination: Path) -> Path:
        """Write the project of a contract.

        Args:
            contract: A valid contract.
            destination: The folder to write to.

        Returns:
            The destination.
        """
        self.write(contract, destination)
        if problem := format_rendered(destination, ownership.read(destination, _place(contract))):
            raise RuntimeError(problem)
        return destination

    def write(self, contract: Mapping[str, Any], destination: Path, below: str = "") -> Path:
        """Write the project of a contract, or a folder of it, as it is before it is laid out.

        Args:
            contract: A valid contract.
            destination: The folder to write to.
            below: The folder whose files are wanted; all when left out.

        Returns:
            The destination.
        """
        for path, source, inner in self._chosen(contract, destination):
            if path.startswith(below):
                target = destination / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._content(source, inner))
        return destination

    def texts(self, contract: Mapping[str, Any], *paths: str) -> dict[str, str]:
        """Return files of the project of a contract, as they are before they are laid out; nothing is written.

        Args:
            contract: A valid contract.
            paths: The files whose text is wanted.

        Returns:
            All paths of the project, with the text of those that are wanted and no text for the others.
        """
        chosen = self._chosen(contract, Path("nowhere"))
        return {path: self._content(source, inner).decode() if path in paths else "" for path, source, inner in chosen}

    def _content(self, source: Path, context: Mapping[str, Any]) -> bytes:
        if source.suffix != SUFFIX:
            return source.read_bytes()
        name = source.relative_to(self._template).as_posix()
        return self._environment.get_template(name).render(context).encode()

    def _chosen(self, contract: Mapping[str, Any], destination: Path) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
        settings = {
            "src_path": PurePath(self._template),
            "dst_path": destination,
            "answers_file": _place(contract).answers,
            "data": contract,
        }
        context = {
            "contract": contract,
            "_copier_conf": settings,
            "_copier_answers": {"_src_path": "template"},
            "_copier_python": sys.executable,
        }
        for cached in list((self._environment.cache or {}).values()):
            cached._module = None  # noqa: SLF001 - what an imported template took from the contract before
        # Of an earlier contract; Copier has none when it asks.
        self._environment.globals.pop("node", None)
        self._environment.from_string("{{ contract | judged }}").render(context)
        node: Any = self._environment.globals["node"]
        left_out = GitIgnoreSpec.from_lines(node.left_out)
        for path, source, inner in self._files(self._template / "template", context):
            if not left_out.match_file(normpath(path)):
                yield normpath(path), source, inner

    def _files(self, folder: Path, context: Mapping[str, Any]) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
        for entry in sorted(folder.iterdir()):
            part = entry.name if entry.is_dir() else entry.name.removesuffix(SUFFIX)
            for inner, name in self._names(part, context):
                if name and entry.is_dir():
                    for path, source, below in self._files(entry, inner):
                        yield f"{name}/{path}", source, below
                elif name:
                    yield name, entry, inner

    def _names(self, part: str, context: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
        text = self._environment.from_string(part).render(context)
        found = get_yield_context(self._environment)
        if not found.yield_name:
            yield context, text
            return
        name, values = found.yield_name, found.yield_iterable or ()
        for value in values:
            inner = {**context, name: value}
            yield inner, self._environment.from_string(part).render(inner)


def _place(contract: Mapping[str, Any]) -> Place:
    alone = contract.get("layout") == "node"
    return Place(f"node_{contract['name']}_{contract['node_type']}" if alone else "")
