# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How values get into PostgreSQL and out of it: whatever type the server has, it meets the type of the field."""

from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, IPv6Interface, ip_address, ip_interface
from math import isfinite
from typing import TYPE_CHECKING, Any, cast, overload

import asyncpg
from pydantic import JsonValue, TypeAdapter
from pydantic_core import to_jsonable_python

from ..json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    type Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    type Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# The server's words for infinity, and what Python has that comes closest.
_ENDLESS = {2**63 - 1: datetime.max.replace(tzinfo=UTC), -(2**63): datetime.min.replace(tzinfo=UTC)}
_ENDLESS_DAYS = {2**31 - 1: date.max, -(2**31): date.min}
_DAYS_PER_YEAR, _DAYS_PER_MONTH = 365, 30

_SAME_IN_JSON = frozenset({str, int, bool, type(None)})

_NUMERIC_HEAD = struct.Struct("!HhHH")
_NEGATIVE = 0x4000
_NO_NUMBERS = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}
_MOST_DIGITS, _MOST_PLACES = 131_072, 16_383

# How the server numbers the versions of addresses.
_FAMILIES = {4: 2, 6: 3}


async def register_types(connection: Connection) -> None:
    """Teach a connection how values of the node are written and read; arrays, domains and composites follow.

    A parameter takes a value of its type, or the text that JSON has for one. Moments without an offset are in UTC.

    Args:
        connection: A connection that was just opened.
    """
    for name, (encoder, decoder) in _BINARY.items():
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="binary")
    for name, (encoder, decoder) in _TUPLES.items():
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="tuple")


@overload
def row_values(row: None) -> None: ...
@overload
def row_values(row: Mapping[str, object] | asyncpg.Record) -> dict[str, Any]: ...
def row_values(row: Mapping[str, object] | asyncpg.Record | None) -> dict[str, Any] | None:
    """Return a row as JSON has it, which every type of field reads; None where there is no row.

    Args:
        row: The row, by column name.

    Returns:
        A text for what JSON has no type for, such as moments, decimals, Base64 of bytes, ranges and addresses.
    """
    if row is None:
        return None
    return {name: value if type(value) in _SAME_IN_JSON else plain(value) for name, value in row.items()}


def plain(value: object) -> JsonValue:
    """Return a value as JSON has it, bytes as Base64 and numbers that are none as text."""
    match value:
        case dict() | asyncpg.Record():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode("ascii")
        case float() if not isfinite(value):
            return json.dumps(value)
    return cast("JsonValue", to_jsonable_python(value, fallback=_known_to_postgres))


def _known_to_postgres(value: object) -> object:
    match value:
        case asyncpg.Range():
            return _range_text(value)
        case asyncpg.BitString():
            return value.as_string().replace(" ", "")
        case asyncpg.Path() | asyncpg.Polygon():
            return plain(value.points)
    return str(value)


def _range_text(value: asyncpg.Range[Any]) -> str:
    if value.isempty:
        return "empty"
    ends = ("" if end is None else str(plain(end)) for end in (value.lower, value.upper))
    return f"{'[' if value.lower_inc else '('}{','.join(ends)}{']' if value.upper_inc else ')'}"


def _json_bytes(value: object) -> bytes:
    return json.dumps(plain(value), ensure_ascii=False).encode()


def _jsonb_bytes(value: object) -> bytes:
    # The version of the format, which is the only one there has been.
    return b"\1" + _json_bytes(value)


def _from_jsonb(stored: bytes) -> Any:
    return parsed(stored[1:])


def _text_bytes(value: object) -> bytes:
    text = value if isinstance(value, str) else plain(value)
    if isinstance(text, (dict, list)):
        msg = f"expected text, got {type(value).__name__}"
        raise TypeError(msg)
    return (text if isinstance(text, str) else json.dumps(text)).encode()


def _numeric_bytes(value: float | Decimal | str) -> bytes:
    # A float goes by the shortest text that is the same float: 19.99, and not the 19.989999999999998436… that it is.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    sign, digits, exponent = number.as_tuple()
    if isinstance(exponent, str):
        kind = "NaN" if number.is_nan() else "-Infinity" if sign else "Infinity"
        return _NUMERIC_HEAD.pack(0, 0, next(bits for bits, name in _NO_NUMBERS.items() if name == kind), 0)
    places = max(-exponent, 0)
    if number.adjusted() >= _MOST_DIGITS or places > _MOST_PLACES:
        msg = "value out of range for numeric"
        raise ValueError(msg)
    text = "".join(map(str, digits)) + "0" * max(exponent, 0) + "0" * (-places % 4)
    text = text.zfill(len(text) + -len(text) % 4)
    groups = [int(text[start : start + 4]) for start in range(0, len(text), 4)]
    weight = len(groups) - (places + 3) // 4 - 1
    head = _NUMERIC_HEAD.pack(len(groups), weight, _NEGATIVE if sign else 0, places)
    return head + struct.pack(f"!{len(groups)}h", *groups)


def _from_numeric(stored: bytes) -> Decimal:
    count, weight, sign, places = _NUMERIC_HEAD.unpack_from(stored)
    if sign in _NO_NUMBERS:
        return Decimal(_NO_NUMBERS[sign])
    groups = struct.unpack_from(f"!{count}h", stored, _NUMERIC_HEAD.size)
    text = "".join(f"{group:04}" for group in groups)
    # Groups of zeros at the end are not sent; what is beyond the scale is zeros.
    surplus = 4 * (count - weight - 1) - places
    text = text[: len(text) - surplus] if surplus > 0 else text + "0" * -surplus
    return Decimal(f"{'-' if sign else ''}{text or 0}E-{places}")


def _moment(value: datetime | date | str) -> tuple[int]:
    moment = _MOMENTS.validate_strings(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return ((moment - _EPOCH) // _MICROSECOND,)


def _from_moment(stored: tuple[int]) -> datetime:
    return _ENDLESS.get(stored[0]) or _EPOCH + timedelta(microseconds=stored[0])


def _day(value: date | str) -> tuple[int]:
    day = _DAYS.validate_strings(value) if isinstance(value, str) else value
    if isinstance(day, datetime):
        day = (day if day.tzinfo is None else day.astimezone(UTC)).date()
    return (day.toordinal() - _EPOCH.toordinal(),)


def _from_day(stored: tuple[int]) -> date:
    return _ENDLESS_DAYS.get(stored[0]) or date.fromordinal(stored[0] + _EPOCH.toordinal())


def _clock(value: time | str) -> tuple[int]:
    clock = time.fromisoformat(value) if isinstance(value, str) else value
    return ((datetime.combine(_EPOCH, clock, UTC) - _EPOCH) // _MICROSECOND,)


def _from_clock(stored: tuple[int]) -> time:
    # The server has 24:00, which Python takes for the start of the day.
    return (_EPOCH + timedelta(microseconds=stored[0])).time()


def _length(value: timedelta | str) -> tuple[int, int, int]:
    length = _DURATIONS.validate_strings(value) if isinstance(value, str) else value
    return (0, length.days, length.seconds * 1_000_000 + length.microseconds)


def _from_length(stored: tuple[int, int, int]) -> timedelta:
    months, days, microseconds = stored
    years, rest = divmod(abs(months), 12)
    whole = years * _DAYS_PER_YEAR + rest * _DAYS_PER_MONTH
    return timedelta(days=days + (-whole if months < 0 else whole), microseconds=microseconds)


def _address_bytes(value: object) -> bytes:
    address = ip_interface(cast("str", value))
    if isinstance(address, IPv6Interface) and address.scope_id:
        msg = "the server keeps no zone of an address"
        raise ValueError(msg)
    family = _FAMILIES[address.version]
    return bytes((family, address.network.prefixlen, 0, len(address.packed))) + address.packed


def _from_address(stored: bytes) -> IPv4Address | IPv6Address:
    address, prefix = ip_address(stored[4:]), stored[1]
    return address if prefix == address.max_prefixlen else ip_interface((address, prefix))


_MOMENTS, _DAYS, _DURATIONS = TypeAdapter(datetime), TypeAdapter(date), TypeAdapter(timedelta)
# Not as text, which asyncpg can't read inside of ranges and composites.
_BINARY: dict[str, Codec] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name"), (_text_bytes, bytes.decode)),
    "inet": (_address_bytes, _from_address),
    "json": (_json_bytes, parsed),
    "jsonb": (_jsonb_bytes, _from_jsonb),
    "numeric": (_numeric_bytes, _from_numeric),
}
_TUPLES: dict[str, Codec] = {
    **dict.fromkeys(("timestamp", "timestamptz"), (_moment, _from_moment)),
    "date": (_day, _from_day),
    "time": (_clock, _from_clock),
    "interval": (_length, _from_length),
}
