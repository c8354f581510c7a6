"""Values of every type get into PostgreSQL and out of it, whatever the time zone of the process and of the server."""

from __future__ import annotations

import json
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
    from collections.abc import AsyncIterator

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
