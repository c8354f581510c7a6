"""Imports modules with byte code that is kept by content, with the standard library alone.

A clone of a template is new at each run, so the byte code that Python puts beside modules is never found again.
"""

import atexit
import dataclasses
import gc
import hashlib
import importlib.util
import marshal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from ..home import PACKAGE, cache_folder
from .kept import KeptCode

_PLACE = "copier-onex"


def keep_code(package: str) -> KeptCode:
    """Let the modules of this folder that are imported from now on take their code from what is kept.

    Args:
        package: The name under which the folder is imported; what came before under that name is forgotten.

    Returns:
        What is kept, at the end of the process too.
    """
    version = hashlib.sha256(importlib.util.MAGIC_NUMBER + sys.version.encode()).hexdigest()[:16]
    code = KeptCode(cache_folder(), "modules", version)
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "package", None) != package]
    sys.meta_path.insert(0, _Finder(package, code))
    atexit.register(code.save)
    return code


@contextmanager
def without_waste(code: KeptCode) -> Iterator[None]:
    """Let hundreds of modules be imported in half of the time that it takes otherwise.

    `dataclass` compiles six methods for each class; their code is kept, too. It finds `exec` among its own names first:
    if it ever stops to look for it, nothing is kept, and nothing else changes. No garbage is looked for: there is none.

    Args:
        code: What is kept.
    """

    def run(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(_compiled(code, "<string>", text.encode()), variables, names)  # noqa: S102  # as it does itself

    collects = gc.isenabled()
    vars(dataclasses)["exec"] = run
    gc.disable()
    try:
        yield
    finally:
        vars(dataclasses).pop("exec", None)
        if collects:
            gc.enable()


def _compiled(code: KeptCode, name: str, source: bytes) -> CodeType:
    """Return what a source compiles to, from what is kept or for it."""
    digest = hashlib.sha256(name.encode() + b"\0" + source).digest()
    if kept := code.get(digest):
        loaded: CodeType = marshal.loads(kept)  # noqa: S302  # checked when it was read
        return loaded
    compiled = compile(source, name, "exec", dont_inherit=True)
    code.add(digest, marshal.dumps(compiled))
    return compiled


class _Finder:
    """Finds the modules of a package where Python does, and gives them a loader of their own."""

    def __init__(self, package: str, code: KeptCode) -> None:
        self.package = package
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module; None for those of other packages, and of another version of this folder."""
        if not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin and spec.origin.startswith(f"{PACKAGE}/") and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(fullname, spec.origin, self._code)
            spec.cached = None
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: KeptCode) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  # what importlib calls
        """Return the code of the module, whose file is named as it is in every clone."""
        name = f"{_PLACE}{self.path.removeprefix(str(PACKAGE))}"
        return _compiled(self._code, name, self.get_data(self.path))
