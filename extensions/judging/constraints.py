"""What values of fields may be: limits that a field sets, and the names that it has outside."""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from ..language import patterns
from ..text.problems import Path, Problem, show
from ..text.specs import Specs

_DURATION = re.compile(r"-?P(?=.)(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NEVER_SECRET = ("default", "const", "enum")


def outside_names(path: Path, fields: Specs) -> Iterator[Problem]:
    """Find fields that others outside could not tell apart.

    Args:
        path: Where the fields are.
        fields: Fields by name, as the contract has them.

    Yields:
        The problems.
    """
    taken: dict[str, str] = {name: name for name in fields}
    for name, spec in fields.items():
        alias = spec.get("alias") if isinstance(spec, Mapping) else None
        if not isinstance(alias, str):
            continue
        if taken.setdefault(alias, name) != name:
            found = f"{show(alias)}, the name of the field {taken[alias]}"
            yield Problem((*path, name, "alias"), found, "a name that no other field has")


def of_field(path: Path, kind: str, long: Specs) -> Iterator[Problem]:
    """Find words of a field that its type, or another word of it, does not go with.

    Args:
        path: Where the field is.
        kind: Its type.
        long: The field in its long form.

    Yields:
        The problems.
    """
    form = long.get("format")
    if isinstance(form, str) and (form == "offset") != (kind == "datetime"):
        expected = "offset, on a datetime" if kind == "datetime" else "one of email, uri, hostname, ipv4, ipv6"
        yield Problem((*path, "format"), f"{form} on a field of type {kind}", expected)
    if isinstance(form, str) and "pattern" in long:
        yield Problem((*path, "format"), "format beside pattern", "one of them")
    if "const" in long:
        wanted: type = {"string": str, "integer": int, "boolean": bool}.get(kind, object)
        if type(long["const"]) is not wanted:
            yield Problem((*path, "const"), show(long["const"]), f"a value of type {kind}")
        if "enum" in long:
            yield Problem((*path, "const"), "const beside enum", "one of them")
    others = {key: value for key, value in long.items() if key not in {"enum", "const"}}
    if "const" in long:
        yield from limits((*path, "const"), long["const"], others)
    for index, value in enumerate(long["enum"] if isinstance(long.get("enum"), list) else ()):
        if not isinstance(value, int if kind == "integer" else str) or isinstance(value, bool):
            yield Problem((*path, "enum", index), show(value), f"a value of type {kind}")
        else:
            yield from limits((*path, "enum", index), value, others)
    if long.get("secret") is True:
        for key in _NEVER_SECRET:
            if long.get(key) is not None:
                expected = "no value of a secret in the contract"
                yield Problem((*path, key), f"{key} of a secret field", expected, "required: false lets it be left out")


def _differ(value: object) -> bool:
    texts = [json.dumps(item, sort_keys=True, default=str) for item in value] if isinstance(value, list) else []
    return len(texts) == len(set(texts))


def _is_email(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(at and name) and " " not in text and "." in host and _is_hostname(host)


def _is_uri(text: str) -> bool:
    split = urlsplit(text)
    return bool(split.scheme) and " " not in text


def _is_hostname(text: str) -> bool:
    return all(_LABEL.fullmatch(label) for label in text.split("."))


def _has_offset(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None


def _formed(test: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return bool(test(text))
        except ValueError:
            return False

    return fits


_FORMS: dict[str, Callable[[str], bool]] = {
    "email": _is_email,
    "uri": _formed(_is_uri),
    "hostname": _is_hostname,
    "ipv4": _formed(IPv4Address),
    "ipv6": _formed(IPv6Address),
    "offset": _formed(_has_offset),
}


def limits(path: Path, value: Any, long: Specs) -> Iterator[Problem]:
    """Find limits of a field that a value does not keep.

    Args:
        path: Where the value is.
        value: The value, of the field's type.
        long: The field in its long form.

    Yields:
        The problems.
    """
    number = Decimal(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    size = len(value) if isinstance(value, (str, list, Mapping)) else None
    checks: dict[str, Callable[[Any], bool]] = {
        "minimum": lambda bound: number is None or number >= Decimal(str(bound)),
        "maximum": lambda bound: number is None or number <= Decimal(str(bound)),
        "exclusiveMinimum": lambda bound: number is None or number > Decimal(str(bound)),
        "exclusiveMaximum": lambda bound: number is None or number < Decimal(str(bound)),
        "multipleOf": lambda bound: number is None or number % Decimal(str(bound)) == 0,
        "minLength": lambda bound: size is None or size >= bound,
        "maxLength": lambda bound: size is None or size <= bound,
        "minItems": lambda bound: size is None or size >= bound,
        "maxItems": lambda bound: size is None or size <= bound,
        "minProperties": lambda bound: size is None or size >= bound,
        "maxProperties": lambda bound: size is None or size <= bound,
        "pattern": lambda pattern: not isinstance(value, str) or patterns.matches(pattern, value),
        "enum": lambda values: value in values,
        "const": lambda wanted: (type(value), value) == (type(wanted), wanted),
        "format": lambda form: not isinstance(value, str) or _FORMS[form](value),
        "uniqueItems": lambda wanted: not wanted or _differ(value),
    }
    kinds: dict[str, type | tuple[type, ...]] = {
        "pattern": str,
        "enum": list,
        "const": (str, int),
        "format": str,
        "uniqueItems": bool,
    }
    for key, holds in checks.items():
        limit = long.get(key)
        is_limit = isinstance(limit, kinds[key]) if key in kinds else _is_number(limit)
        # A limit that is none is a problem of its own.
        if is_limit and not holds(limit):
            yield Problem(path, show(value), f"a value that meets {key}: {show(long[key])}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _parses(parse: Callable[[str], object]) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        try:
            parse(value if isinstance(value, str) else "")
        except (ValueError, InvalidOperation):
            return False
        return True

    return fits


def _from_base64(text: str) -> bytes:
    return b64decode(text, validate=True)


FITS: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "uuid": _parses(UUID),
    "datetime": lambda value: isinstance(value, datetime) or _parses(datetime.fromisoformat)(value),
    "date": lambda value: (
        (isinstance(value, date) and not isinstance(value, datetime)) or _parses(date.fromisoformat)(value)
    ),
    "time": lambda value: _parses(time.fromisoformat)(value) and time.fromisoformat(str(value)).tzinfo is None,
    "duration": lambda value: isinstance(value, str) and _DURATION.fullmatch(value) is not None,
    "decimal": lambda value: _is_number(value) or _parses(Decimal)(value),
    "bytes": lambda value: isinstance(value, str) and _parses(_from_base64)(value),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
}
