"""Fields that a description lists, with types that it says or that their names suggest."""

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..language import names
from ..text.nouns import singular
from .guess import GAZETTEER

_TYPES: Final[Mapping[str, Any]] = {
    "string": ("str", "string", "text", "varchar", "char"),
    "integer": ("int", "integer", "long", "bigint", "smallint", "serial"),
    "number": ("float", "number", "double", "real"),
    "boolean": ("bool", "boolean", "flag"),
    "uuid": ("uuid", "guid"),
    "datetime": ("datetime", "timestamp", "timestamptz", "time"),
    "date": ("date", "day"),
    "duration": ("duration", "interval", "timedelta"),
    "decimal": ("decimal", "numeric", "money"),
    "bytes": ("bytes", "binary", "blob", "bytea"),
    "object": ("object", "json", "jsonb", "dict", "map", "document"),
    "array": ("array", "list"),
}
_BY_WORD = {word: kind for kind, listed in _TYPES.items() for word in listed}
_BY_NAME: Final = (
    (r"(?:^|_)(?:uuid|guid)$|^id$|_id$", "uuid"),
    (r"_at$|(?:^|_)(?:timestamp|datetime|time|deadline|expiry)$", "datetime"),
    (r"(?:^|_)(?:date|day|birthday)$", "date"),
    (r"(?:^|_)(?:price|amount|cost|total|balance|fee|tax|salary|budget)$", "decimal"),
    (r"(?:^|_)(?:count|quantity|number_of_\w+|age|size|limit|offset|port|version|attempts|rank|stock|year|bytes|tokens)$", "integer"),
    (r"_(?:seconds|ms|minutes|hours)$", "integer"),
    (r"(?:^|_)(?:score|rate|ratio|percentage|percent|weight|height|width|length|latitude|longitude|temperature|confidence)$", "number"),
    (r"^(?:is|has|can|should)_|(?:^|_)(?:enabled|disabled|active|deleted|verified|paid|valid|ok|success|found|flag)$", "boolean"),
    (r"(?:^|_)(?:tags|labels|items|lines|events|records|recipients|keywords|roles|permissions)$", "array"),
    (r"(?:^|_)(?:metadata|payload|attributes|data|settings|config|configuration|properties|body|document|details)$", "object"),
)  # fmt: skip
_BETWEEN = re.compile(r"\s*(?:,|;|\band\b|\bor\b|&|\+)\s*")
_ENTRY = re.compile(
    r"(?:an?\s+|the\s+|its\s+|their\s+|each\s+|optionally\s+)*"
    r"(?P<name>[A-Za-z][\w-]*(?:\s+[A-Za-z][\w-]*){0,2}?)\s*(?P<open>\?)?"
    r"(?:\s*(?::|=|\bas\b|\bis\b)\s*(?:an?\s+)?(?P<type>[A-Za-z]+(?:\s+of\s+[A-Za-z]+|\[[A-Za-z]*\]|\[\])?))?"
    r"(?P<rest>\s*\??\s*(?:\(.*\)|,?\s*optional)?)\.?",
    re.DOTALL,
)
_OPTIONAL = re.compile(r"\boptional(?:ly)?\b|\?", re.IGNORECASE)
_SKIPPED: Final = frozenset(GAZETTEER["no_fields"])
_MOST = 40
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Field:
    """A field.

    Attributes:
        name: Its name in snake_case.
        spec: Its type as contracts have it.
        said: Whether the description says its type.
    """

    name: str
    spec: dict[str, Any]
    said: bool


def fields_in(text: str) -> list[Field]:
    """Return the fields that a list in prose names, such as `name, email and age (optional)`.

    Args:
        text: The list; what is no name of a field ends it.

    Returns:
        The fields, each name once; empty where the text is no such list.
    """
    listed: dict[str, Field] = {}
    for entry in _entries(text):
        match = _ENTRY.fullmatch(entry.strip())
        if not match:
            break
        if (made := _field(match)) is None:
            continue
        listed.setdefault(made.name, made)
    return list(listed.values())[:_MOST]


def _entries(text: str) -> Iterator[str]:
    """Cut at commas and the like that stand in no brackets."""
    depth, start = 0, 0
    position = 0
    while position < len(text):
        char = text[position]
        depth += (char in "([{") - (char in ")]}")
        cut = _BETWEEN.match(text, position) if depth <= 0 else None
        if cut and cut.end() > position and cut[0].strip():
            if text[start:position].strip():
                yield text[start:position]
            position = start = cut.end()
            continue
        position += 1
    if text[start:].strip():
        yield text[start:]


def _field(match: re.Match[str]) -> Field | None:
    spoken, said = match["name"].split(), match["type"]
    optional = bool(match["open"] or _OPTIONAL.search(match["rest"] or "") or match[0].lower().startswith("optional"))
    if len(spoken) > 1 and spoken[0].lower() == "optional":
        spoken = spoken[1:]
    inner = re.search(r"\(\s*([A-Za-z]+)", match["rest"] or "")
    if not said and inner and inner[1].lower() in _BY_WORD:
        said = inner[1]
    if (
        not said
        and len(spoken) > 1
        and spoken[-1].lower() in _BY_WORD
        and spoken[-1].lower() not in {"time", "date", "day"}
    ):
        *spoken, said = spoken
    name = names.snake("_".join(spoken))
    if not name or name in _SKIPPED or not name[0].isalpha() or len(name) > _LONGEST:
        return None
    name = f"{name}_value" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name
    spec = _said_type(said) if said else None
    described = spec or type_by_name(name)
    return Field(name, described | ({"required": False} if optional else {}), spec is not None)


def _said_type(said: str) -> dict[str, Any] | None:
    parts = re.findall(r"[a-z]+", said.lower())
    if said.endswith("]") or parts[0] in {"list", "array"}:
        inner = [
            _BY_WORD[singular(part)] for part in parts if singular(part) in _BY_WORD and part not in {"list", "array"}
        ]
        return {"type": "array", "items": inner[0] if inner and inner[0] != "array" else "string"}
    kind = _BY_WORD.get(singular(parts[0]))
    return {"type": kind} if kind else None


def type_by_name(name: str) -> dict[str, Any]:
    """Return the type that a field's name suggests; text where it suggests none."""
    for pattern, kind in _BY_NAME:
        if re.search(pattern, name):
            return {"type": kind, "items": "string"} if kind == "array" else {"type": kind}
    return {"type": "string"}


def short(spec: Mapping[str, Any]) -> Any:
    """Return a field's short form where there is one."""
    return spec["type"] if len(spec) == 1 else dict(spec)
