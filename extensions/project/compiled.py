"""Keeps the code of templates between runs, as Python does with modules: compiling is a third of a copy's time.

Jinja's own cache of byte code knows templates by their file, which has another name in each clone of a template, and
leaves out the paths that Copier renders.
"""

import atexit
import hashlib
import importlib.metadata
import marshal
import sys
from types import CodeType
from typing import Any

from jinja2 import Environment

from ..home import PACKAGE, cache_folder
from .kept import KeptCode

# What decides, besides a text, what it compiles to.
_SYNTAX = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
    *("autoescape", "optimized", "is_async", "sandboxed"),
)


class CompiledTemplates:
    """The code of all texts that one version of this folder rendered on this machine."""

    def __init__(self) -> None:
        """Load what earlier runs compiled."""
        self._code = KeptCode(cache_folder(), "templates", _version())
        atexit.register(self._code.save)

    def attach(self, environment: Environment) -> None:
        """Let an environment compile each text once.

        Args:
            environment: The environment in which Copier renders questions, paths and files.
        """
        compile_text = environment.compile
        known: dict[tuple[Any, ...], Any] = {}

        def compile_new(
            source: Any, name: str | None = None, filename: str | None = None, *options: Any, **named: Any
        ) -> Any:
            key = (source, name, options, tuple(named.items()))
            if key in known:
                code = known[key]
            elif isinstance(source, str) and (kept := self._code.get(digest := _digest(environment, key))):
                code = known[key] = marshal.loads(kept)  # noqa: S302  # checked when it was read
            else:
                code = known[key] = compile_text(source, name, filename, *options, **named)
                if isinstance(source, str) and isinstance(code, CodeType):
                    self._code.add(digest, marshal.dumps(code))
                return code
            if isinstance(source, str):
                # Copier's `yield` tag forgets here what the text before yielded.
                environment.preprocess(source)
            return code

        environment.compile = compile_new  # type: ignore[method-assign]  # of this environment alone


def _version() -> str:
    # Jinja computes constants, filters of this folder among them, when it compiles.
    versions = (sys.version, *(importlib.metadata.version(package) for package in ("jinja2", "copier")))
    digest = hashlib.sha256(repr(versions).encode())
    for module in sorted(PACKAGE.rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def _digest(environment: Environment, key: tuple[Any, ...]) -> bytes:
    syntax = (*(getattr(environment, name) for name in _SYNTAX), sorted(environment.extensions))
    return hashlib.sha256(repr((key, syntax)).encode("utf-8", "surrogatepass")).digest()
