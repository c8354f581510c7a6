"""References inside texts of a contract, such as `${input.order_id}`, and the code that resolves them.

They are resolved when the node runs, never when it is generated: here a text becomes a Python expression. Of two
dollar signs before a brace or a source, and of two braces around a name, one is meant as it stands.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..text import encode
from ..text.encode import Code
from ..text.problems import Path, Problem, did_you_mean, show
from .contract import Field, Model

_WORDS = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TOKEN = re.compile(
    r"(?P<dollars>\$+)(?:\{(?P<inner>[^{}]*)\}|(?=\{)|(?P<source>(?:input|steps|env|secret)\.(?=[A-Za-z_]))"
    r"|(?P<word>[A-Za-z_]\w*))"
    rf"|(?P<opening>\{{+)(?P<name>{_WORDS})(?P<closing>\}}+)"
)
# How others write what they fill in. It has no escape, and is meant as a reference only where it names a field.
_OTHERS = re.compile(
    rf"<(?P<angle>{_WORDS})>|%\((?P<percent>{_WORDS})\)[sd]?|\$\((?P<paren>{_WORDS})\)|(?<![\${{])\{{+\s+(?P<blank>{_WORDS})\s+\}}+"
    rf"|\{{(?P<owner>input)\[['\"](?P<key>\w+)['\"]\]\}}|(?:^|(?<=/)):(?P<colon>{_WORDS})"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
GIVEN: Mapping[str, tuple[str, str]] = {
    "now": ("datetime", "now"),
    "uuid": ("uuid", "new_uuid"),
    "correlation_id": ("uuid", "correlation_id"),
}
"""What a run of an operation has beside its input, by how it is referred to: type, and function of the runtime."""
_PATH = re.compile(r"[A-Za-z_]\w*(\[\d{1,4}\])*(\.[A-Za-z_]\w*(\[\d{1,4}\])*)*", re.ASCII)
# Sources of values that may be meant as a whole.
_WHOLE = frozenset({"item", "intent"})
_ANSWERS = frozenset({"steps", "item", "previous", "intent"})
_PLAIN = ("string", "integer", "uuid")
_ASCII = ("integer", "uuid")
# The functions that encode what they make text of.
_ENCODING = ("form", "segment", "segments")
_SPANNING = ":path"
_SPANNED = (("http", "path"), ("filesystem", "path"), ("filesystem", "to"))


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference.

    Attributes:
        source: `input`, `env`, `secret`, `steps`, `event`, or one of GIVEN; in workflows also `item`, `previous` and
            `intent`.
        name: What follows the first dot; empty for one of GIVEN.
        spans: Whether its value may be several segments of a path: `${input.name:path}`.
    """

    source: str
    name: str
    spans: bool = False

    @property
    def path(self) -> tuple[str | int, ...]:
        """The name as keys and indices: `stubs[0].name` is `stubs`, 0 and `name`."""
        words = re.findall(r"\w+|\[\d+\]", self.name)
        return tuple(int(word[1:-1]) if word.startswith("[") else word for word in words)


def may_end_empty(pieces: Sequence[str | Reference], default: object) -> bool:
    """Tell whether a URL's path may end in `/`: its last segment is a field that is empty by default.

    Args:
        pieces: The path.
        default: The default of the field that its last piece refers to.
    """
    before = pieces[-2] if len(pieces) > 1 else ""
    return default == "" and isinstance(before, str) and before.endswith("/")


def parts(text: str) -> list[str | Reference]:
    """Split a text at its references.

    Args:
        text: Any text of a contract.

    Returns:
        Literal parts, none of them empty, and references, in order.
    """
    found: list[str | Reference] = []
    literal = ""
    end = 0
    for match in _TOKEN.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        count = len(match["dollars"] or "")
        if match["inner"] is not None and count % 2:
            source, _, name = match["inner"].partition(".")
            literal += "$" * (count // 2)
            found += [literal] if literal else []
            spans = source == "input" and name.endswith(_SPANNING)
            found.append(Reference(source, name.removesuffix(_SPANNING) if spans else name, spans))
            literal = ""
        else:
            literal += _literal(match)
    literal += text[end:]
    return [*found, literal] if literal else found


def _literal(match: re.Match[str]) -> str:
    """Return what a text with escapes in it means."""
    if match["dollars"]:
        dollars = "$" * max(len(match["dollars"]) // 2, 1)
        rest = match["source"] or match["word"] or ""
        return dollars + (rest if match["inner"] is None else f"{{{match['inner']}}}")
    if len(match["opening"]) == len(match["closing"]) > 1:
        return match[0][1:-1]
    return match[0]


def literal_of(text: str) -> str:
    """Return what a text without references means, escapes resolved."""
    return "".join(part for part in parts(text) if isinstance(part, str))


def resolved(value: object) -> object:
    """Return a value without references, the escapes in its texts resolved, at any depth."""
    if isinstance(value, str):
        return literal_of(value)
    if isinstance(value, Mapping):
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, (list, tuple)) else value


def meant(text: str) -> Iterator[tuple[str, str]]:
    """Find what looks like a reference and is none: `{name}`, `$name`, `$input.name`, and a `${` without an end.

    Args:
        text: Any text of a contract.

    Yields:
        What stands there, and the name in it; no name for what has no end.
    """
    for match in _TOKEN.finditer(text):
        if match["name"] and len(match["opening"]) == len(match["closing"]) == 1:
            yield match[0], match["name"]
        elif len(match["dollars"] or "") % 2 and match["inner"] is None:
            named = match["source"] or match["word"]
            words = re.match(_WORDS, text[match.start() + len(match["dollars"]) :]) if named else None
            yield (f"${words[0]}", words[0]) if words else ("${", "")


def _of_others(text: str) -> Iterator[tuple[str, str]]:
    """Find what may be meant as a reference to the input, in other forms than `meant` finds, and the field's name."""
    for match in _OTHERS.finditer(text):
        name = match["key"] or next(word for key, word in match.groupdict().items() if word and key != "owner")
        yield match[0], name.removeprefix("input.")


def member_of(value: object, source: str) -> tuple[str, ...] | None:
    """Return the names behind the source where a value is one whole reference to a member of it; else None."""
    found = parts(value) if isinstance(value, str) else []
    whole = found[0] if len(found) == 1 else None
    if isinstance(whole, Reference) and whole.source == source and _NAME.fullmatch(whole.name):
        return tuple(whole.name.split("."))
    return None


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


def kind_at(name: str, inputs: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the type at the end of a name that follows models, such as `address.city`; empty where there is none."""
    return str(spec_at(name, inputs, models).get("type") or "")


def spec_at(name: str, inputs: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the field at the end of a name that follows models, in its long form; empty where there is none."""
    fields: Mapping[str, Any] = inputs
    long: Mapping[str, Any] = {}
    for word in name.split("."):
        spec = fields.get(word)
        long = {"type": spec} if isinstance(spec, str) else spec if isinstance(spec, Mapping) else {}
        fields = models.get(str(long.get("type")), {})
    return long


def problems(path: Path, value: object, sources: Sequence[str], find: Callable[[str], str | None]) -> Iterator[Problem]:
    """Find references that lead nowhere, and what was meant as one.

    Args:
        path: Where the value is.
        value: A value of the contract, which may hold texts at any depth.
        sources: The sources that may be referred to here.
        find: Tells what is wrong with the name of an input field; None for nothing.

    Yields:
        The problems.
    """
    for place, text in texts(path, value):
        yield from _meant(place, text, sources, find)
        for part in parts(text):
            if not isinstance(part, Reference):
                continue
            shown = f"${{{part.source}{'.' if part.name else ''}{part.name}{_SPANNING if part.spans else ''}}}"
            if part.source not in sources:
                field = "input" in sources and not part.name and find(part.source) is None
                hint = f"did you mean ${{input.{part.source}}}?" if field else did_you_mean(part.source, sources)
                expected = f"a reference to {' or '.join(word for word in sources if word not in GIVEN)}"
                yield Problem(place, show(shown), expected, hint)
            elif part.source in GIVEN:
                if part.name or "." in shown:
                    yield Problem(place, show(shown), f"${{{part.source}}}, which has no members")
            elif part.source in _WHOLE and not part.name:
                continue
            elif not (_PATH if part.source in _ANSWERS else _NAME).fullmatch(part.name):
                yield Problem(place, show(shown), f"a name after {part.source}")
            elif part.source in {"env", "secret"} and "." in part.name:
                yield Problem(place, show(shown), "the name of one environment variable")
            elif part.source == "input" and (wrong := find(part.name)):
                yield Problem(place, show(shown), wrong)
            elif part.spans and place[2:4] not in _SPANNED:
                expected = f"${{input.{part.name}}}: only paths of requests to an API and of files have segments"
                yield Problem(place, show(shown), expected)


def _meant(place: Path, text: str, sources: Sequence[str], find: Callable[[str], str | None]) -> Iterator[Problem]:
    for word in meant(text):
        yield from _unwritten(place, text, word, sources, find)
    for shown, name in _of_others(text) if _is_address(place) and "input" in sources else ():
        if find(name) is None:
            yield Problem(place, f"{show(shown)}, which is no reference", f"${{input.{name}}}")


def _unwritten(
    place: Path, text: str, word: tuple[str, str], sources: Sequence[str], find: Callable[[str], str | None]
) -> Iterator[Problem]:
    shown, name = word
    if not name:
        yield Problem(place, show(text), "references such as ${input.field}", "a ${ has no end; $${ stands for itself")
        return
    source, _, rest = name.partition(".")
    if source in {"input", "env", "secret", "steps"} and rest:
        reference = name
    elif "input" in sources and find(name) is None:
        reference = f"input.{name}"
    elif "steps" in sources and rest:
        reference = f"steps.{name}"
    elif not _is_address(place) or shown.startswith("$"):
        return
    else:
        reference = f"{sources[0]}.{name}"
    escaped = f"${shown}" if shown.startswith("$") else f"{{{shown}}}"
    yield Problem(place, f"{show(shown)}, which is no reference", f"${{{reference}}}", f"{escaped} stands for {shown}")


def _is_address(place: Path) -> bool:
    """Tell whether a text says where something is, and not what: there, every name in braces is meant as one."""
    key = place[3:4] if place[:1] == ("operations",) else place[2:3]
    words = ("path", "to", "key", "field", "headers", "query", "base_url", "url", "root")
    return key in {(word,) for word in words}


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
            case Code():
                return value
            case str():
                pieces = parts(value)
                if len(pieces) == 1 and isinstance(pieces[0], Reference):
                    return Code(self.whole(pieces[0]))
                if any(isinstance(piece, Reference) for piece in pieces):
                    return Code(self.text(value))
                return literal_of(value)
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
        if reference.source in GIVEN:
            return f"given_{reference.source}"
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
            return encode.py(literal_of(text))
        if len(pieces) == 1 and isinstance(pieces[0], Reference):
            code, kind = self._shown(pieces[0], wrap)
            return f"str({code})" if kind in {"integer", "uuid"} else code
        shown = [piece if isinstance(piece, str) else Code(self._shown(piece, wrap)[0]) for piece in pieces]
        last = pieces[-1]
        if wrap == "segment" and isinstance(last, Reference) and last.source == "input":
            field = self.follow(last.name)[0]
            if may_end_empty(pieces, field.default) and not last.spans:
                shown[-1] = Code(f"{str(shown[-1])[:-1]}, may_be_empty=True)")
        return encode.py_fstring(shown)

    def key(self, text: str, function: str, indent: int, around: int = 1) -> str:
        """Return the code of a key or a path.

        Args:
            text: Text with references.
            function: The function that makes it of a template and values.
            indent: Columns by which the statement is indented.
            around: What else is on its line, in columns.

        Returns:
            A string literal, or a call that keeps distinct values distinct.
        """
        pieces = parts(text)
        found = [piece for piece in pieces if isinstance(piece, Reference)]
        if not found:
            return encode.py(literal_of(text))
        if len(pieces) == 1 and found[0].source == "input":
            _, required, code = self.follow(found[0].name)
            if not required:
                return encode.py_call("optional_key", [code.removeprefix("(").removesuffix(")")], indent, around)
        template = "".join(
            "{}" if isinstance(piece, Reference) else piece.replace("{", "{{").replace("}", "}}") for piece in pieces
        )
        values = [self._value(reference) for reference in found]
        return encode.py_call(function, [encode.py(template), *values], indent, around)

    def _value(self, reference: Reference) -> str:
        """Return the code of a value that a key is made of."""
        code = self.whole(reference)
        if reference.source in {"env", "secret"}:
            return f"Fixed({code})"
        return f"Spanning({code})" if reference.spans else code

    def _shown(self, reference: Reference, wrap: str) -> tuple[str, str]:
        """Return code that is text or looks like it in an f-string, and its kind."""
        if reference.source in GIVEN:
            kind, code = GIVEN[reference.source][0], self.whole(reference)
            return (code, kind) if kind == "uuid" else (f"{wrap}({code})", "string")
        if reference.source != "input":
            code = self.whole(reference)
            return (f"{wrap}({code})" if wrap in _ENCODING else code), "string"
        if reference.spans:
            wrap = f"{wrap}s"
        field, required, code = self.follow(reference.name)
        plain = required and field.kind in (_ASCII if wrap in _ENCODING else _PLAIN)
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
