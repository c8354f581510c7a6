"""References between parts of a document, and between files below the folder of the first one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable

from ..reading.source import read_bytes
from ..text.problems import show

_SCALE = 40
_LONGEST = 20_000_000
_MOST_STEPS = 50
_KINDS: dict[type, str] = {dict: "a mapping", list: "a list", str: "a text"}


class BrokenError(ValueError):
    """A document that can't be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class At:
    """A part of a document.

    Attributes:
        value: The part.
        resolver: What references in it are looked up with.
        name: The last word of the reference that led here; empty for none.
        place: Where it is, for messages.
    """

    value: Any
    resolver: Any
    name: str = ""
    place: str = ""

    def below(self, *path: Any) -> "At":
        """Return a part of this one.

        Raises:
            BrokenError: When there is none.
        """
        at = self
        for part in path:
            place = f"{at.place}.{part}" if at.place else str(part)
            try:
                at = At(at.value[part], self.resolver, "", place)
            except (KeyError, IndexError, TypeError) as error:
                raise BrokenError(f"{place}: found nothing there, expected a part of a document") from error
        return at

    def held[Kind](self, word: str, kind: type[Kind]) -> Kind:
        """Return a part of a mapping; an empty one where there is none.

        Args:
            word: Its key.
            kind: What it has to be: `dict`, `list` or `str`.

        Raises:
            BrokenError: When it is of another kind, or this is no mapping.
        """
        if not isinstance(self.value, Mapping):
            raise BrokenError(f"{self.place or 'document'}: found {show(self.value)}, expected a mapping")
        found = self.value.get(word)
        if found is None:
            return kind()
        if not isinstance(found, kind):
            place = f"{self.place}.{word}" if self.place else word
            raise BrokenError(f"{place}: found {show(found)}, expected {_KINDS[kind]}")
        return found

    def followed(self) -> "At":
        """Return what a reference leads to; the part itself where it is none.

        Raises:
            BrokenError: When it leads nowhere, or round in a circle.
        """
        at, reference = self, None
        for _ in range(_MOST_STEPS):
            reference = at.value.get("$ref") if isinstance(at.value, Mapping) else None
            if not isinstance(reference, str):
                return at
            try:
                found = at.resolver.lookup(reference)
            except (Unresolvable, ValueError, TypeError, LookupError) as error:
                raise BrokenError(_reason(error, reference)) from error
            at = At(found.contents, found.resolver, _last_word(reference), reference)
        raise BrokenError(f"$ref {show(reference)}: found references in a circle, expected one that ends")


def _reason(error: BaseException, reference: str) -> str:
    """Return why a reference leads nowhere; what kept a file from being read is at the bottom of it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BrokenError):
            return str(cause)
        cause = cause.__cause__
    return f"$ref {show(reference)}: found nothing there, expected a part of a document"


def _last_word(reference: str) -> str:
    """Return what a reference calls its target: the end of its pointer, or the file's name."""
    file, _, pointer = unquote(reference).partition("#")
    return pointer.rpartition("/")[2] or Path(file).stem


def read(path: Path) -> Any:
    """Return what a file of JSON or YAML says.

    Raises:
        BrokenError: When it is neither, or too long.
        OSError: When it can't be read.
    """
    with path.open("rb") as stream:
        content = stream.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise BrokenError(f"{path}: found a file without bounds, expected at most {_LONGEST} bytes")
    if content.lstrip()[:1] == b"{":
        try:
            return json.loads(content)
        except json.JSONDecodeError as error:
            raise BrokenError(f"{path}:{error.lineno}:{error.colno}: broken JSON: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise BrokenError(f"{path}: broken JSON: {show(str(error))}") from error
    # The statuses of answers are often written without quotes.
    document = read_bytes(content, _SCALE, numbered=True)
    if document.problems:
        raise BrokenError("\n".join(f"{path}:{at.line}:{at.column}: {problem}" for problem, at in document.problems))
    return document.value


def opened(path: Path) -> At:
    """Return a document, whose references are followed to files below its folder, and to nowhere else.

    Raises:
        BrokenError: When it can't be read.
        OSError: When there is no such file.
    """
    # A link to itself is found by reading, and not told by resolving.
    content = read(path)
    whole = path.resolve()

    # A document need not be sound, so that nothing looks for the anchors of its schemas.
    @cache
    def retrieve(uri: str) -> Resource[Any]:
        target = Path(unquote(urlsplit(uri).path)).resolve()
        if urlsplit(uri).scheme != "file" or not target.is_relative_to(whole.parent):
            raise BrokenError(f"$ref {show(uri)}: found a place elsewhere, expected a file below {whole.parent}")
        try:
            return Specification.OPAQUE.create_resource(read(target))
        except OSError as error:
            raise BrokenError(f"$ref {show(uri)}: {error.strerror or error}") from error

    registry: Any = Registry(retrieve=retrieve)  # type: ignore[call-arg] # a field with an alias
    registry = registry.with_resource(whole.as_uri(), Specification.OPAQUE.create_resource(content))
    return At(content, registry.resolver(whole.as_uri()))
