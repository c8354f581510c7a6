"""Values of every type get into PostgreSQL and out of it, whatever the time zone of the process and of the server."""

from __future__ import annotations

import json
import struct
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from omnibase_core.enums import EnumCoreErrorCode
from onex_node_runtime.adapters.postgres_refusals import refusal
from onex_node_runtime.adapters.postgres_values import plain, register_types, row_values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EASTERN = timezone(timedelta(hours=-5))
KEY = UUID("12345678-1234-5678-1234-567812345678")


@pytest_asyncio.fixture
async def connection(postgres: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(postgres, server_settings={"TimeZone": "America/New_York"})
    await register_types(connection)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("timestamp", NOON.astimezone(EASTERN), NOON),
        ("timestamp", NOON.replace(tzinfo=None), NOON),
        ("timestamp", date(2026, 1, 31), NOON.replace(hour=0)),
        ("timestamp", datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        ("timestamp[]", [NOON.astimezone(EASTERN), None], [NOON, None]),
        ("timestamptz", NOON.astimezone(EASTERN), NOON),
        ("timestamptz", NOON.replace(tzinfo=None), NOON),
        ("timestamptz", "2026-01-31T07:00:00-05:00", NOON),
        ("timestamptz", datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)),
        ("date", date(2026, 1, 31), date(2026, 1, 31)),
        ("date", datetime(2026, 1, 30, 22, tzinfo=EASTERN), date(2026, 1, 31)),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("date", date.max, date.max),
        ("time", "12:34:56.5", time(12, 34, 56, 500_000)),
        ("interval", timedelta(days=-1, microseconds=5), timedelta(days=-1, microseconds=5)),
        ("interval", "P1DT2H", timedelta(days=1, hours=2)),
        ("numeric", 19.99, Decimal("19.99")),
        ("numeric", -1e-7, Decimal("-1E-7")),
        ("numeric", 5e300, Decimal("5E+300")),
        ("numeric", 10_000, Decimal(10_000)),
        ("numeric", Decimal("0.00"), Decimal("0.00")),
        ("numeric", Decimal("12345678901234567890.0123456789"), Decimal("12345678901234567890.0123456789")),
        ("numeric", Decimal("-Infinity"), Decimal("-Infinity")),
        ("numeric(10, 2)", 19.999, Decimal("20.00")),
        ("numeric[]", [19.99, None, 3], [Decimal("19.99"), None, Decimal(3)]),
        ("float8", Decimal("19.99"), 19.99),
        ("text", KEY, str(KEY)),
        ("varchar", NOON, "2026-01-31T12:00:00Z"),
        ("text", True, "true"),
        ("text", 19.99, "19.99"),
        ("text", b"\xff", "/w=="),
        ("text[]", ['a"\\b{},', None, "NULL", ""], ['a"\\b{},', None, "NULL", ""]),
        ("uuid", str(KEY), KEY),
        ("inet", "10.1.2.3", "10.1.2.3"),
        ("inet", "10.1.2.3/24", "10.1.2.3/24"),
        ("inet", ip_address("2001:db8::1"), "2001:db8::1"),
        ("inet", "2001:db8::1/64", "2001:db8::1/64"),
        ("jsonb", [KEY, NOON, Decimal("1.50"), b"\xff"], [str(KEY), "2026-01-31T12:00:00Z", "1.50", "/w=="]),
        ("jsonb", {"a": [1, 19.99, None, {"b": "ü"}]}, {"a": [1, 19.99, None, {"b": "ü"}]}),
        ("json", "text", "text"),
        ("jsonb[]", [{"a": 1}, {"b": [2]}, None], [{"a": 1}, {"b": [2]}, None]),
    ],
)
async def test_a_value_comes_back(
    connection: asyncpg.Connection[asyncpg.Record], kind: str, given: object, expected: object
) -> None:
    value = await connection.fetchval(f"SELECT $1::{kind}", given)
    assert (str(value) if kind == "inet" else value) == expected
    assert str(value).endswith(str(expected)[-1])


async def test_what_the_server_reads_is_what_was_given(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    query = "SELECT $1::numeric::text, $2::timestamp::text, $3::interval::text, $4::jsonb ->> 0"
    row = await connection.fetchrow(query, 19.99, NOON.astimezone(EASTERN), timedelta(hours=26), [KEY])
    assert row is not None
    assert list(row.values()) == ["19.99", "2026-01-31 12:00:00", "1 day 02:00:00", str(KEY)]


async def test_a_number_of_any_size_comes_back(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    digits = "12345000067890000000009"
    for places in range(len(digits) + 6):
        number = Decimal(f"-{digits}E-{places}")
        stored, text = await connection.fetchrow("SELECT $1::numeric, $1::numeric::text", number) or (None, "")
        assert (str(stored), text) == (str(number), f"{number:f}")
    longest = Decimal(f"-{'9' * 131_072}.{'9' * 16_383}")
    for number in (Decimal("1E+131071"), longest):
        assert await connection.fetchval("SELECT $1::numeric", number) == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r"'\xfffe00'::bytea", "//4A"),
        (r"ARRAY['\xff'::bytea]", ["/w=="]),
        ("B'101'", "101"),
        ("int4range(1, 5)", "[1,5)"),
        ("int4range(1, 1)", "empty"),
        ("numrange(1.5, NULL, '()')", "(1.5,)"),
        ("tsrange('2026-01-31 12:00', NULL)", "[2026-01-31T12:00:00Z,)"),
        ("int4multirange(int4range(1, 5))", ["[1,5)"]),
        ("ROW(1, 19.99, 'a')", [1, "19.99", "a"]),
        ("point '(1,2)'", [1.0, 2.0]),
        ("polygon '((0,0),(1,1))'", [[0.0, 0.0], [1.0, 1.0]]),
        ("cidr '10.0.0.0/8'", "10.0.0.0/8"),
        ("time '12:34:56'", "12:34:56"),
        ("'NaN'::float8", "NaN"),
        ("'infinity'::timestamptz", "9999-12-31T23:59:59.999999Z"),
        ("'-infinity'::float8", "-Infinity"),
        ("interval '1 mon -2 days 3:04'", "P28DT3H4M"),
        ("interval '-1 year -1 mon'", "-P1Y30D"),
        ("'[1, {\"a\": 2.5}]'::jsonb", [1, {"a": 2.5}]),
    ],
)
async def test_a_row_is_what_json_has_for_it(
    connection: asyncpg.Connection[asyncpg.Record], value: str, expected: object
) -> None:
    row = row_values(await connection.fetchrow(f"SELECT {value} AS value"))
    assert row is not None
    assert json.loads(json.dumps(row["value"], allow_nan=False)) == expected


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("date", date.max, "9999-12-31"),
        ("date", date.min, "0001-01-01"),
        ("timestamptz", datetime.max.replace(tzinfo=UTC), "9999-12-31 23:59:59.999999+00"),
    ],
)
async def test_the_last_day_is_a_day(
    connection: asyncpg.Connection[asyncpg.Record], kind: str, given: date, stored: str
) -> None:
    await connection.execute("SET TimeZone = 'UTC'")
    assert await connection.fetchval(f"SELECT $1::{kind}::text", given) == stored


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("int4", 2**40),
        ("int4", "five"),
        ("numeric", "five"),
        ("numeric", Decimal("1E+999999")),
        ("numeric", Decimal("1E-20000")),
        ("timestamptz", datetime.max.replace(tzinfo=EASTERN)),
        ("timestamp", "tomorrow"),
        ("date", True),
        ("uuid", "x"),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("text", {"a": 1}),
        ("jsonb", "a\0b"),
        ("inet", "nowhere"),
        ("inet", "fe80::1%eth0"),
    ],
)
async def test_a_value_that_does_not_fit_is_the_callers(
    connection: asyncpg.Connection[asyncpg.Record], kind: str, given: Any
) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await connection.fetchval(f"SELECT $1::{kind}", given)
    refused = refusal(caught.value, str)
    assert refused is not None
    assert refused.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert str(given) not in refused.message


def test_a_value_without_a_type_in_json_is_text() -> None:
    assert plain({EnumCoreErrorCode.TIMEOUT, 1.5}) in (
        [EnumCoreErrorCode.TIMEOUT.value, 1.5],
        [1.5, EnumCoreErrorCode.TIMEOUT.value],
    )


class Codecs:
    """A connection that learns how values are written and read."""

    def __init__(self) -> None:
        self.learnt: dict[str, tuple[str, str]] = {}
        self.write: dict[str, Callable[[Any], Any]] = {}
        self.read: dict[str, Callable[[Any], Any]] = {}

    async def set_type_codec(self, name: str, *, schema: str, encoder: Any, decoder: Any, format: str) -> None:  # noqa: A002 - as asyncpg has it
        self.learnt[name] = schema, format
        self.write[name], self.read[name] = encoder, decoder


@pytest_asyncio.fixture
async def codecs() -> Codecs:
    found: Any = Codecs()
    await register_types(found)
    learnt: Codecs = found
    return learnt


async def test_a_connection_learns_the_types_of_the_server(codecs: Codecs) -> None:
    binary = ("text", "varchar", "bpchar", "name", "inet", "json", "jsonb", "numeric")
    tuples = ("timestamp", "timestamptz", "date", "time", "interval")
    assert codecs.learnt == {
        **dict.fromkeys(binary, ("pg_catalog", "binary")),
        **dict.fromkeys(tuples, ("pg_catalog", "tuple")),
    }


def numeric(weight: int, sign: int, places: int, *groups: int) -> bytes:
    """Return a number as the server has it: groups of four digits, the first of which counts 10000 ** weight."""
    return struct.pack(f"!HhHH{len(groups)}h", len(groups), weight, sign, places, *groups)


NEGATIVE = 0x4000
NUMBERS = [
    ("0", numeric(0, 0, 0, 0)),
    ("7", numeric(0, 0, 0, 7)),
    ("-9999", numeric(0, NEGATIVE, 0, 9999)),
    ("10000", numeric(1, 0, 0, 1, 0)),
    ("12345.678", numeric(1, 0, 3, 1, 2345, 6780)),
    ("0.5", numeric(0, 0, 1, 0, 5000)),
    ("1.50", numeric(0, 0, 2, 1, 5000)),
    ("-0.00001", numeric(0, NEGATIVE, 5, 0, 0, 1000)),
    ("123456789.0123456789", numeric(2, 0, 10, 1, 2345, 6789, 123, 4567, 8900)),
    ("NaN", numeric(0, 0xC000, 0)),
    ("Infinity", numeric(0, 0xD000, 0)),
    ("-Infinity", numeric(0, 0xF000, 0)),
]


@pytest.mark.parametrize(("number", "stored"), NUMBERS)
async def test_a_number_is_written_as_the_server_has_it(codecs: Codecs, number: str, stored: bytes) -> None:
    write, read = codecs.write["numeric"], codecs.read["numeric"]
    for given in (number, Decimal(number)):
        assert read(write(given)).compare_total(Decimal(number)) == 0
    if number not in {"-0.00001", "0.5"}:
        # Zeros at the front are left out by nobody who does not have to.
        assert write(number) == stored
    assert str(read(stored)) == str(Decimal(number))


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (19.99, "19.99"),
        (1e-7, "1E-7"),
        (5e3, "5000.0"),
        (3, "3"),
        (Decimal("5E+3"), "5000"),
        (float("inf"), "Infinity"),
    ],
)
async def test_a_float_is_the_shortest_text_of_it(codecs: Codecs, given: object, number: str) -> None:
    assert str(codecs.read["numeric"](codecs.write["numeric"](given))) == number


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        (numeric(0, 0, 0), "0"),
        (numeric(0, 0, 2), "0.00"),
        (numeric(1, 0, 0, 1), "10000"),
        (numeric(2, 0, 3, 1), "100000000.000"),
        (numeric(-1, 0, 4, 1), "0.0001"),
        (numeric(-2, NEGATIVE, 8, 1), "-1E-8"),
        (numeric(0, 0, 1, 1, 5000), "1.5"),
    ],
)
async def test_zeros_that_are_not_sent_are_there(codecs: Codecs, stored: bytes, number: str) -> None:
    assert str(codecs.read["numeric"](stored)) == number


@pytest.mark.parametrize(
    ("fits", "does_not"), [("1E+131071", "1E+131072"), ("-9.5E+131071", "1E+999999"), ("1E-16383", "1E-16384")]
)
async def test_numbers_have_a_range(codecs: Codecs, fits: str, does_not: str) -> None:
    write, read = codecs.write["numeric"], codecs.read["numeric"]
    assert read(write(fits)) == Decimal(fits)
    with pytest.raises(ValueError, match=r"^value out of range for numeric$"):
        write(does_not)


HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("timestamp", datetime(2000, 1, 1, 1, 0, 0, 5), (HOUR + 5,)),  # noqa: DTZ001 - without a zone it is in UTC
        ("timestamp", datetime(1999, 12, 31, 23, tzinfo=UTC), (-HOUR,)),
        ("timestamptz", datetime(2000, 1, 1, 1, tzinfo=EASTERN), (6 * HOUR,)),
        ("timestamptz", date(2000, 1, 2), (24 * HOUR,)),
        ("timestamptz", "2000-01-01T01:00:00+01:00", (0,)),
        ("date", date(2000, 2, 1), (31,)),
        ("date", date(1999, 12, 31), (-1,)),
        ("date", datetime(2000, 1, 1, 23, tzinfo=EASTERN), (1,)),
        ("date", datetime(2000, 1, 1, 23), (0,)),  # noqa: DTZ001 - without a zone it is that day
        ("date", "2000-01-03", (2,)),
        ("time", time(1, 0, 0, 7), (HOUR + 7,)),
        ("time", "01:00", (HOUR,)),
        ("interval", timedelta(days=2, seconds=3, microseconds=4), (0, 2, 3_000_004)),
        ("interval", "-P1D", (0, -1, 0)),
    ],
)
async def test_a_moment_is_counted_from_the_servers_beginning(
    codecs: Codecs, kind: str, given: object, stored: tuple[int, ...]
) -> None:
    assert codecs.write[kind](given) == stored


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        ("timestamp", (HOUR,), datetime(2000, 1, 1, 1, tzinfo=UTC)),
        ("timestamptz", (0,), datetime(2000, 1, 1, tzinfo=UTC)),
        ("timestamptz", (2**63 - 1,), datetime.max.replace(tzinfo=UTC)),
        ("timestamptz", (-(2**63),), datetime.min.replace(tzinfo=UTC)),
        ("date", (31,), date(2000, 2, 1)),
        ("date", (2**31 - 1,), date.max),
        ("date", (-(2**31),), date.min),
        ("time", (HOUR + 7,), time(1, 0, 0, 7)),
        ("time", (24 * HOUR,), time(0)),
        ("interval", (0, 2, 5), timedelta(days=2, microseconds=5)),
        ("interval", (12, 0, 0), timedelta(days=365)),
        ("interval", (27, 1, 0), timedelta(days=2 * 365 + 3 * 30 + 1)),
        ("interval", (-14, 1, 0), timedelta(days=-365 - 2 * 30 + 1)),
    ],
)
async def test_a_moment_is_read_as_the_server_has_it(
    codecs: Codecs, kind: str, stored: tuple[int, ...], value: object
) -> None:
    assert codecs.read[kind](stored) == value


async def test_texts_and_json_are_written_in_utf_8(codecs: Codecs) -> None:
    written = {kind: codecs.write[kind]({"\u00e4": [b"\xff", NOON]}) for kind in ("json", "jsonb")}
    plain_json = '{"\u00e4": ["/w==", "2026-01-31T12:00:00Z"]}'.encode()
    assert written == {"json": plain_json, "jsonb": b"\1" + plain_json}
    assert codecs.read["jsonb"](written["jsonb"]) == codecs.read["json"](plain_json)
    assert [codecs.write["text"](value) for value in ("\u00e4", KEY, 1.5, False, b"\xff")] == [
        "\u00e4".encode(),
        str(KEY).encode(),
        b"1.5",
        b"false",
        b"/w==",
    ]
    assert codecs.read["varchar"]("\u00e4".encode()) == "\u00e4"
    for value, kind in (({"a": 1}, "dict"), ([1], "list"), ((1,), "tuple")):
        with pytest.raises(TypeError, match=f"^expected text, got {kind}$"):
            codecs.write["text"](value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: b"\xff", "a": {"b": (1, 2)}}, {"1": "/w==", "a": {"b": [1, 2]}}),
        ([bytearray(b"\xfb"), memoryview(b"\xff"), frozenset({1})], ["+w==", "/w==", [1]]),
        ([float("nan"), float("inf"), float("-inf"), 1.5], ["NaN", "Infinity", "-Infinity", 1.5]),
        ([Decimal("1.50"), NOON, KEY, None], ["1.50", "2026-01-31T12:00:00Z", str(KEY), None]),
        (asyncpg.Range(1, 5), "[1,5)"),
        (asyncpg.Range(None, NOON, upper_inc=True), "(,2026-01-31T12:00:00Z]"),
        (asyncpg.Range(Decimal("1.5"), None, lower_inc=False), "(1.5,)"),
        (asyncpg.Range(empty=True), "empty"),
        (asyncpg.BitString.from_int(0b10101, 5), "10101"),
        (asyncpg.Path(asyncpg.Point(0, 1), asyncpg.Point(2, 3)), [[0.0, 1.0], [2.0, 3.0]]),
        (asyncpg.Polygon(asyncpg.Point(0, 1), asyncpg.Point(2, 3)), [[0.0, 1.0], [2.0, 3.0]]),
        (asyncpg.Point(1, 2), [1.0, 2.0]),
    ],
)
def test_a_value_is_what_json_has_for_it(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_a_row_that_is_none_has_no_values() -> None:
    assert row_values(None) is None
    assert row_values({"a": b"\xff", "b": NOON}) == {"a": "/w==", "b": "2026-01-31T12:00:00Z"}
