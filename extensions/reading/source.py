"""Reads the text of a contract: its values, where each of them stands, and what is wrong with it as YAML.

Nothing here recurses, and nothing is read beyond the limits, so that hostile text costs little time and memory.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import yaml

from ..text.problems import BIDIRECTIONAL, Path, Problem, render, show
from .keys import ON

# What a copy is made and validated of in half a minute; real contracts have a tenth of it.
MAX_BYTES: Final = 524_288
MAX_DEPTH: Final = 40
MAX_VALUES: Final = 20_000
_MAX_NUMBER_LENGTH: Final = 100
# The one that Copier reads data files with: libyaml takes tabs where it does not.
_LOADER: Final = yaml.SafeLoader
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge")
)
_MERGE: Final = "tag:yaml.org,2002:merge"
_COLLECTIONS: Final[dict[type, str]] = {dict: "tag:yaml.org,2002:map", list: "tag:yaml.org,2002:seq"}
_STRING: Final = "tag:yaml.org,2002:str"
# What YAML 1.1 does not allow in a text; the parser takes NUL for its end. As the few that are left out, since Python
# takes long to compile the many that are allowed.
_NOT_ALLOWED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_BIDIRECTIONAL: Final = re.compile(f"[{BIDIRECTIONAL}]")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text: line and column, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read.

    Attributes:
        value: What it says; None when it could not be read.
        problems: What is wrong with it as YAML, in the order of the text, each with the place where it is.
        places: By the identity of a mapping or list, the places of its entries by key or index.
        start: Where the value starts.
        unread: Where values stand that could not be read, in whose place there is None.
        text: The text itself.
    """

    value: Any
    problems: tuple[tuple[Problem, Place], ...]
    places: Mapping[int, Mapping[str | int, Place]] = field(default_factory=dict)
    start: Place = Place(1, 1)
    unread: frozenset[Path] = frozenset()
    text: str = ""

    def locate(self, path: Path) -> Place:
        """Return where a path leads: to its key or list item, or to the nearest one around what is missing."""
        place, value = self.start, self.value
        for part in path:
            entries = self.places.get(id(value), {})
            if part not in entries:
                break
            place, value = entries[part], value[part]
        return place


def read_stream(stream: BinaryIO, scale: int = 1) -> Document:
    """Return what a stream of bytes holds, of which no more is read than a contract, or some of them, may have."""
    return read_bytes(stream.read(scale * MAX_BYTES + 1), scale)


def read_bytes(content: bytes, scale: int = 1, *, numbered: bool = False) -> Document:
    """Return what bytes hold.

    Args:
        content: The content of a file: YAML, or JSON, in UTF-8.
        scale: By how much the file may exceed the limits of a contract in length and number of values.
        numbered: Whether a key that is a whole number is the text of it, as JSON would have it.

    Returns:
        The document, or its problems.
    """
    if len(content) > scale * MAX_BYTES:
        return _refused("a file without bounds", f"at most {scale * MAX_BYTES} bytes", Place(1, 1))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        found = f"the byte 0x{content[error.start]:02x}"
        return _refused(found, "text in UTF-8", _place_after(before))
    return read_text(text, scale, numbered=numbered)


def read_text(text: str, scale: int = 1, *, numbered: bool = False) -> Document:
    """Return what YAML says.

    Args:
        text: YAML, or JSON.
        scale: By how much it may exceed the number of values of a contract.
        numbered: Whether a key that is a whole number is the text of it, as JSON would have it.

    Returns:
        The document. Where a key stands twice, its value is the last one, and there is a problem.
    """
    if found := _NOT_ALLOWED.search(text):
        return _refused(f"the character {show(found[0])}", "text that YAML allows", _place_after(text[: found.start()]))
    if found := _BIDIRECTIONAL.search(text):
        what = f"the character {show(found[0])}, which makes text look like another"
        return _refused(what, "text without control characters", _place_after(text[: found.start()]))
    builder = _Builder(text, scale * MAX_VALUES, numbered=numbered)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        what = error.problem or error.context or "unreadable"
        builder.problem((), f"broken YAML: {what}", "valid YAML", place, _hint(text, place))
    return builder.document()


def message(found: Iterable[tuple[Place, Problem]], file: str) -> str:
    """Return a message that lists problems of a file with their places, in the order of the file.

    Args:
        found: At least one problem, with its place.
        file: The file as it was named.

    Returns:
        A heading with their number, then one line for each.
    """
    problems = sorted(found, key=lambda item: item[0])
    heading = render([problem for _, problem in problems]).partition(":")[0]
    lines = (f"  {place.line}:{place.column}: {problem}" for place, problem in problems)
    return "\n".join([f"{heading} ({file}, line:column):", *lines])


def comments(document: Document) -> list[tuple[int, str]]:
    """Return the comments of a document that YAML can read, each as its line and its text without `#`."""
    found: list[tuple[int, str]] = []
    text = document.text
    end = 0
    for token in yaml.scan(text, Loader=_LOADER):
        found += _comments(text, end, token.start_mark.index)
        end = token.end_mark.index
        if isinstance(token, yaml.ScalarToken) and token.style in {"|", ">"}:
            header = text.find("\n", token.start_mark.index)
            found += _comments(text, token.start_mark.index, header if header >= 0 else len(text))
    return found + _comments(text, end, len(text))


def _comments(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """Return the comments in a stretch of text that holds nothing else but marks and white space."""
    return [
        (text.count("\n", 0, start + match.start()) + 1, match[1].strip())
        for match in re.finditer(r"#([^\n]*)", text[start:end])
    ]


def _refused(found: str, expected: str, place: Place) -> Document:
    return Document(None, ((Problem((), found, expected), place),))


def _place_after(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _hint(text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return "indent with spaces, not tabs" if line[: place.column].strip(" ").startswith("\t") else ""


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet.

    Attributes:
        value: What it holds so far.
        place: Where it starts.
        path: Where it is.
        anchor: The name under which it can be repeated.
        key: The key whose value comes next.
        key_place: Where that key is.
        has_key: Whether a value comes next; its key is None when it is no text.
        merging: Whether that value is what `<<` merges.
        merged: Mappings that `<<` merges into this one.
        size: How many values it holds at all depths, repeated ones counted each time.
        height: How deep it goes.
    """

    value: Any
    place: Place
    path: Path
    anchor: str | None
    key: str | None = None
    key_place: Place = Place(1, 1)
    has_key: bool = False
    merging: bool = False
    merged: list[Any] = field(default_factory=list)
    size: int = 1
    height: int = 1


class _Builder:
    """Puts values together from the events of a YAML parser."""

    def __init__(self, text: str, most_values: int, *, numbered: bool) -> None:
        self.text = text
        self.numbered = numbered
        self.most_values = most_values
        self.problems: list[tuple[Problem, Place]] = []
        self.places: dict[int, dict[str | int, Place]] = {}
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        self.anchor_lines: dict[str, int] = {}
        self.stack: list[_Open] = []
        self.root: Any = None
        self.start: Place | None = None
        self.unusable = False
        self.unread: set[Path] = set()
        self.scalars = yaml.SafeLoader("")

    def document(self) -> Document:
        if self.start is None and not self.problems:
            self.problem((), "an empty file", "a contract", Place(1, 1))
        if self.unusable or (self.problems and self.start is None):
            self.root = None
        problems = tuple(sorted(self.problems, key=lambda item: item[1]))
        return Document(self.root, problems, self.places, self.start or Place(1, 1), frozenset(self.unread), self.text)

    def limits(self) -> str:
        return f"at most {self.most_values} values, repeated ones included, on {MAX_DEPTH} levels"

    def problem(self, path: Path, found: str, expected: str, place: Place, hint: str = "") -> None:
        self.problems.append((Problem(path, found, expected, hint), place))
        self.unusable = self.unusable or not path

    def take(self, event: Any) -> bool:
        """Take in the next event; return False when there is no use in reading on."""
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.DocumentStartEvent() if self.start is not None:
                self.problem((), "a second document", "one contract in one document", place)
                return False
            case yaml.ScalarEvent():
                return self.scalar(event, place)
            case yaml.AliasEvent():
                return self.alias(event, place)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self.open(event, place)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                return self.close()
        return True

    def path(self) -> Path:
        if not self.stack:
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            return (*top.path, len(top.value))
        return (*top.path, top.key) if top.key is not None else top.path

    def expects_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and not self.stack[-1].has_key

    def scalar(self, event: Any, place: Place) -> bool:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.scalars.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call] # untyped there
        key = self.expects_key()
        if key and tag == _MERGE:
            self.stack[-1].has_key = self.stack[-1].merging = True
            return True
        value = self.construct(tag, event.value, place)
        self.name_anchor(event.anchor, place)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        if key:
            self.take_key(value, place)
            return True
        return self.add(value, place, 1, 0)

    def construct(self, tag: str, text: str, place: Place) -> Any:
        if tag not in _PLAIN_TAGS:
            self.problem(self.path(), f"the tag {show(tag)}", "a plain value, without a tag", place)
            return text
        if tag == _STRING:
            return text
        if len(text) > _MAX_NUMBER_LENGTH:
            self.unread.add(self.path())
            self.problem(self.path(), "a huge number", "a number that fits in 64 bits", place)
            return None
        try:
            return self.scalars.construct_object(yaml.ScalarNode(tag, text), deep=True)
        except (ValueError, OverflowError, LookupError, AttributeError, TypeError, yaml.YAMLError):
            kind = tag.rpartition(":")[2]
            self.unread.add(self.path())
            self.problem(self.path(), f"{show(text)}, which is no {kind}", "a value, or quotes around text", place)
            return None

    def take_key(self, key: object, place: Place) -> None:
        if self.numbered and isinstance(key, int) and not isinstance(key, bool):
            key = str(key)
        if isinstance(key, str) or key is True:
            self.name(ON if key is True else key, place)
            return
        path = self.stack[-1].path
        hint = "YAML reads no and off as false: quote it" if isinstance(key, bool) else ""
        self.problems.append((Problem(path, f"the key {show(key)}", "keys that are text", hint), place))
        self.name(None, place)

    def name(self, key: str | None, place: Place) -> None:
        top = self.stack[-1]
        top.has_key, top.key, top.key_place = True, key, place
        if key is not None and key in top.value:
            first = self.places[id(top.value)][key]
            found = f"{show(key)} a second time"
            expected = f"each key once; it is on line {first.line} already"
            self.problems.append((Problem((*top.path, key), found, expected), place))

    def name_anchor(self, anchor: str | None, place: Place) -> None:
        if anchor is None:
            return
        if anchor in self.anchor_lines:
            found = f"&{anchor} a second time"
            self.problem((), found, f"each anchor once; it is on line {self.anchor_lines[anchor]} already", place)
        self.anchor_lines[anchor] = place.line

    def alias(self, event: Any, place: Place) -> bool:
        if event.anchor not in self.anchors:
            inside = any(item.anchor == event.anchor for item in self.stack)
            found = f"*{event.anchor} inside of what it names" if inside else f"*{event.anchor}, which names nothing"
            self.problem((), found, "an alias of something before it", place)
            return False
        value, size, height = self.anchors[event.anchor]
        if self.expects_key():
            self.take_key(value, place)
            return True
        return self.add(value, place, size, height)

    def open(self, event: Any, place: Place) -> bool:
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.tag not in {None, "!", _COLLECTIONS[type(value)]}:
            self.problem(self.path(), f"the tag {show(event.tag)}", "a plain value, without a tag", place)
        self.name_anchor(event.anchor, place)
        if self.expects_key():
            self.problem(self.path(), "a key that is a mapping or a list", "keys that are text", place)
            self.unusable = True
            return False
        if len(self.stack) >= MAX_DEPTH:
            self.problem(self.path()[:5], "endless nesting", f"at most {MAX_DEPTH} levels", place)
            self.unusable = True
            return False
        self.places[id(value)] = {}
        self.stack.append(_Open(value, place, self.path(), event.anchor))
        return True

    def close(self) -> bool:
        done = self.stack.pop()
        # Keys that are written down win over merged ones, and of merged ones the first.
        for source in done.merged:
            for key, value in source.items():
                if key not in done.value:
                    done.value[key] = value
                    self.places[id(done.value)][key] = self.places[id(source)][key]
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.size, done.height)
        return self.add(done.value, done.place, done.size, done.height)

    def add(self, value: Any, place: Place, size: int, height: int) -> bool:
        if not self.stack:
            self.root, self.start = value, place
            return True
        top = self.stack[-1]
        top.size += size
        top.height = max(top.height, height + 1)
        if sum(item.size for item in self.stack) > self.most_values or len(self.stack) + height > MAX_DEPTH:
            self.problem(self.path()[:5], "a document without bounds", self.limits(), place)
            self.unusable = True
            return False
        if isinstance(top.value, list):
            self.places[id(top.value)][len(top.value)] = place
            top.value.append(value)
        elif top.merging:
            self.merge(top, value, place)
        elif top.key is not None:
            self.places[id(top.value)][top.key] = top.key_place
            top.value[top.key] = value
        top.has_key, top.merging, top.key = False, False, None
        return True

    def merge(self, top: _Open, value: Any, place: Place) -> None:
        sources = value if isinstance(value, list) else [value]
        if all(isinstance(source, dict) for source in sources):
            top.merged += sources
        else:
            self.problem(top.path, f"<<: {show(value)}", "a mapping, or a list of mappings, to merge", place)
