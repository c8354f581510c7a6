"""References inside texts of a contract, such as `${input.order_id}`, and the code that resolves them.

They are resolved when the node runs, never when it is generated: here a text becomes a Python expression.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import encode
from .contract import Field, Model
from .encode import Code
from .problems import Path, Problem, did_you_mean, show

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_PLAIN = ("string", "integer", "uuid")


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference.

    Attributes:
        source: `input`, `env`, `secret` or `steps`.
        name: What follows the first dot.
    """

    source: str
    name: str


def parts(text: str) -> list[str | Reference]:
    """Split a text at its references.

    Args:
        text: Any text of a contract.

    Returns:
        Literal parts, none of them empty, and references, in order.
    """
    found: list[str | Reference] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        source, _, name = match[1].partition(".")
        found += [text[end : match.start()]] if match.start() > end else []
        found.append(Reference(source, name))
        end = match.end()
    return [*found, text[end:]] if end < len(text) else found


def references(value: object) -> Iterator[Reference]:
    """Yield the references in a value, at any depth, in order."""
    for _, text in texts((), value):
        yield from (part for part in parts(text) if isinstance(part, Reference))


def texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    """Yield the texts in a value with their paths, at any depth, in order."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts((*path, key), item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from texts((*path, index), item)


def problems(path: Path, value: object, sources: Sequence[str], find: Callable[[str], str | None]) -> Iterator[Problem]:
    """Find references that lead nowhere.

    Args:
        path: Where the value is.
        value: A value of the contract, which may hold texts at any depth.
        sources: The sources that may be referred to here.
        find: Tells what is wrong with the name of an input field; None for nothing.

    Yields:
        The problems.
    """
    for place, text in texts(path, value):
        if "${" in _REFERENCE.sub("", text):
            yield Problem(place, show(text), "references such as ${input.field}", "a ${ has no end")
        for part in parts(text):
            if not isinstance(part, Reference):
                continue
            shown = f"${{{part.source}{'.' if part.name else ''}{part.name}}}"
            if part.source not in sources:
                expected = f"a reference to {' or '.join(sources)}"
                yield Problem(place, show(shown), expected, did_you_mean(part.source, sources))
            elif not _NAME.fullmatch(part.name):
                yield Problem(place, show(shown), f"a name after {part.source}")
            elif part.source in {"env", "secret"} and "." in part.name:
                yield Problem(place, show(shown), "the name of one environment variable")
            elif part.source == "input" and (wrong := find(part.name)):
                yield Problem(place, show(shown), wrong)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Makes Python expressions of texts and values.

    Attributes:
        fields: The input's fields.
        models: The contract's models.
        setting_of: Gives the setting's name for an environment variable or secret.
    """

    fields: Sequence[Field]
    models: Sequence[Model]
    setting_of: Callable[[Reference], str]

    def value(self, value: object) -> object:
        """Return the value with every text that holds references replaced by Code that resolves them.

        Args:
            value: A value of the contract.

        Returns:
            The same structure; a text that is one whole reference becomes a value of the reference's own type.
        """
        match value:
            case str():
                pieces = parts(value)
                if len(pieces) == 1 and isinstance(pieces[0], Reference):
                    return Code(self.whole(pieces[0]))
                return Code(self.text(value)) if any(isinstance(piece, Reference) for piece in pieces) else value
            case Mapping():
                return {key: self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value

    def whole(self, reference: Reference) -> str:
        """Return the code of a reference's value, which keeps its type."""
        if reference.source == "input":
            return self.follow(reference.name)[2]
        return f"env_{self.setting_of(reference)}"

    def needs(self, value: object) -> tuple[str, ...]:
        """Return the settings that the code of a value takes from variables called `env_` and the setting's name."""
        outside = (reference for reference in references(value) if reference.source in {"env", "secret"})
        return tuple(sorted({self.setting_of(reference) for reference in outside}))

    def text(self, text: str, wrap: str = "text") -> str:
        """Return the code of a text.

        Args:
            text: Text with references.
            wrap: The function that makes text of a value.

        Returns:
            A string literal, or an f-string.
        """
        pieces = parts(text)
        if not any(isinstance(piece, Reference) for piece in pieces):
            return encode.py(text)
        if len(pieces) == 1 and isinstance(pieces[0], Reference):
            code, kind = self._shown(pieces[0], wrap)
            return f"str({code})" if kind in {"integer", "uuid"} else code
        return encode.py_fstring(
            [piece if isinstance(piece, str) else Code(self._shown(piece, wrap)[0]) for piece in pieces]
        )

    def _shown(self, reference: Reference, wrap: str) -> tuple[str, str]:
        """Return code that is text or looks like it in an f-string, and its kind."""
        if reference.source != "input":
            code = self.whole(reference)
            return (f"{wrap}({code})" if wrap == "segment" else code), "string"
        field, required, code = self.follow(reference.name)
        plain = wrap != "segment" and required and field.kind in _PLAIN
        return (code, field.kind) if plain else (f"{wrap}({code})", "string")

    def follow(self, name: str) -> tuple[Field, bool, str]:
        """Follow a name, dots and all, from the input through models.

        Args:
            name: Such as `order_id` or `address.city`.

        Returns:
            The field at its end, whether there always is a value, and its code.
        """
        first, *rest = name.split(".")
        field = next(field for field in self.fields if field.name == first)
        code, guards = f"request.{first}", []
        for word in rest:
            if not field.required:
                guards.append(code)
            model = next(model for model in self.models if model.name == field.reference)
            field = next(inner for inner in model.fields if inner.name == word)
            code = f"{code}.{word}"
        required = field.required
        for guard in reversed(guards):
            code = f"(None if {guard} is None else {code})"
        return field, required and not guards, code
