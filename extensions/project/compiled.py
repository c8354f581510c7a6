"""Keeps the code of templates between runs, as Python does with modules: compiling is a third of a copy's time.

Jinja's own cache of byte code knows templates by their file, which has another name in each clone of a template, and
leaves out the paths that Copier renders.
"""

import atexit
import hashlib
import importlib.metadata
import marshal
import os
import sys
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import Environment

from ..home import PACKAGE, cache_folder

_KEPT_FILES = 4
_LARGEST = 32 * 1024 * 1024
_DIGEST_BYTES = hashlib.sha256().digest_size
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
        self._loaded = self._read()
        self._new: dict[bytes, bytes] = {}
        atexit.register(self._save)

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
            elif isinstance(source, str) and (kept := self._loaded.get(digest := _digest(environment, key))):
                code = known[key] = marshal.loads(kept)  # noqa: S302  # checked when it was read
            else:
                code = known[key] = compile_text(source, name, filename, *options, **named)
                if isinstance(source, str) and isinstance(code, CodeType):
                    self._new[digest] = marshal.dumps(code)
                return code
            if isinstance(source, str):
                # Copier's `yield` tag forgets here what the text before yielded.
                environment.preprocess(source)
            return code

        environment.compile = compile_new  # type: ignore[method-assign]  # of this environment alone

    @cached_property
    def _file(self) -> Path:
        # Jinja computes constants, filters of this folder among them, when it compiles.
        modules = sorted(PACKAGE.rglob("*.py"))
        versions = (sys.version, *(importlib.metadata.version(package) for package in ("jinja2", "copier")))
        digest = hashlib.sha256(repr(versions).encode())
        for module in modules:
            digest.update(module.read_bytes())
        return cache_folder() / f"templates-{digest.hexdigest()[:16]}.bin"

    def _read(self) -> dict[bytes, bytes]:
        with suppress(OSError, ValueError, EOFError, TypeError):
            content = self._file.read_bytes()
            body = content[_DIGEST_BYTES:]
            if hashlib.sha256(body).digest() == content[:_DIGEST_BYTES]:
                loaded: dict[bytes, bytes] = marshal.loads(body)  # noqa: S302  # as it was written
                return loaded
        return {}

    def _save(self) -> None:
        """Keep what is new for the next run; a folder that can't be written to costs time, nothing else."""
        if not self._new:
            return
        merged = self._read() | self._new
        body = marshal.dumps(merged if sum(map(len, merged.values())) < _LARGEST else self._new)
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(self._file)
            files = sorted(self._file.parent.glob("templates-*.bin"), key=lambda path: path.stat().st_mtime)
            for path in files[:-_KEPT_FILES]:
                path.unlink(missing_ok=True)


def _digest(environment: Environment, key: tuple[Any, ...]) -> bytes:
    syntax = (*(getattr(environment, name) for name in _SYNTAX), sorted(environment.extensions))
    return hashlib.sha256(repr((key, syntax)).encode("utf-8", "surrogatepass")).digest()
