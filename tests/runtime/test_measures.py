"""Single figures: the same however events are split, kept and put together, and told exactly."""

import json
import random
import time as clock
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, Inexact, InvalidOperation
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from onex_node_runtime.aggregations.measures import (
    Count,
    DecimalSum,
    ExactSum,
    Largest,
    MeanOfDecimals,
    MeanOfDurations,
    MeanOfIntegers,
    MeanOfNumbers,
    Percentile,
    Smallest,
    Sum,
)
from onex_node_runtime.aggregations.moments import in_utc, window_start
from onex_node_runtime.aggregations.packing import packed, unpacked
from onex_node_runtime.aggregations.values import (
    DeviationOfDecimals,
    DeviationOfDurations,
    DeviationOfNumbers,
    Distinct,
    First,
    FirstCome,
    Last,
    LastCome,
)

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Figure:
    """A measure of some values.

    Attributes:
        make: Makes it, of no values.
        added: What is added, one value after the other; a tuple is several arguments.
        value: What it is then.
        kept: What is kept of it.
        none: What it is of no values: a value, or the error that it raises.
    """

    make: Callable[[], Any]
    added: Sequence[Any]
    value: Any
    kept: Any
    none: Any

    def of(self, values: Sequence[Any]) -> Any:
        measure = self.make()
        for value in values:
            measure.add(*(value if isinstance(value, tuple) else (value,)))
        return measure


def seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=number) for number in numbers]


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


PLACED = [(LATE, "c"), (EARLY, "b"), (EARLY, "a"), (LATE, "d")]
FIGURES = [
    Figure(Count, [(), (), ()], 3, 3, 0),
    Figure(lambda: Sum(0), [1, 2, -5], -2, -2, 0),
    Figure(lambda: Sum(timedelta()), seconds(1, -3), timedelta(seconds=-2), -2_000_000, timedelta()),
    Figure(ExactSum, [1e100, 1.0, -1e100, 2.0], 3.0, [3.0], 0.0),
    Figure(ExactSum, [1e16, 1.0], 1e16, [1e16, 1.0], 0.0),
    Figure(
        DecimalSum,
        decimals("1.50", "2.5", "1e-30"),
        Decimal("4.000000000000000000000000000001"),
        "4." + "0" * 29 + "1",
        Decimal(0),
    ),
    Figure(MeanOfIntegers, [1, 2], 1.5, [2, 3], ZeroDivisionError),
    Figure(MeanOfNumbers, [1e100, 3.0, -1e100], 1.0, [3, [3.0]], ZeroDivisionError),
    Figure(MeanOfDecimals, decimals("1", "2.5"), Decimal("1.75"), [2, "3.5"], InvalidOperation),
    Figure(MeanOfDurations, seconds(1, 2), timedelta(seconds=1.5), [2, 3_000_000], ZeroDivisionError),
    Figure(lambda: Smallest(int), [3, 1, 2], 1, 1, ValueError),
    Figure(lambda: Smallest(Decimal), decimals("3", "-1.0", "2"), Decimal("-1.0"), "-1.0", ValueError),
    Figure(lambda: Largest(int), [1, 3, 2], 3, 3, ValueError),
    Figure(lambda: Largest(date), [date(2026, 1, 3), date(2026, 1, 2)], date(2026, 1, 3), "2026-01-03", ValueError),
    Figure(lambda: Percentile(int, 1, 2), [3, 1, 3, 2], 2, [3, 1, 3, 2], IndexError),
    Figure(lambda: Distinct(str), ["b", "a", "b"], 2, ["a", "b"], 0),
    Figure(lambda: Distinct(int), [9, 10, 9], 2, [10, 9], 0),
    Figure(DeviationOfNumbers, [2, 4, 4, 4, 5, 5, 7, 9], 2.0, [8, "40", "232"], ZeroDivisionError),
    Figure(DeviationOfNumbers, [0.5, 1], 0.25, [2, "3/2", "5/4"], ZeroDivisionError),
    Figure(
        DeviationOfDecimals,
        decimals("0", "1", "1"),
        Decimal("0.4714045207910316829338962414"),
        [3, "2", "2"],
        ZeroDivisionError,
    ),
    Figure(
        DeviationOfDurations,
        seconds(2, 4, 4, 4, 5, 5, 7, 9),
        timedelta(seconds=2),
        [8, "40000000", "232000000000000"],
        ZeroDivisionError,
    ),
    Figure(DeviationOfDurations, seconds(0, 0.000003), timedelta(microseconds=2), [2, "3", "9"], ZeroDivisionError),
    Figure(lambda: First(str, datetime), PLACED, "a", ["2026-01-01T00:00:00+00:00", "a"], ValueError),
    Figure(lambda: Last(str, datetime), PLACED, "d", ["2026-01-02T00:00:00+00:00", "d"], ValueError),
    Figure(lambda: First(int, int), [(2, 10), (1, 30), (1, 4)], 30, [1, 30], ValueError),
    Figure(lambda: Last(int, int), [(1, 10), (2, 30), (2, 4)], 4, [2, 4], ValueError),
    Figure(lambda: FirstCome(int), [3, 1, 2], 3, [3], IndexError),
    Figure(lambda: LastCome(int), [3, 1, 2], 2, [2], IndexError),
]


def name_of(figure: Figure) -> str:
    return f"{type(figure.make()).__name__} {figure.value}"


@pytest.fixture(params=FIGURES, ids=name_of)
def figure(request: pytest.FixtureRequest) -> Figure:
    found: Figure = request.param
    return found


def test_each_figure_is_told_exactly(figure: Figure) -> None:
    told = figure.of(figure.added).value()
    assert (type(told), told) == (type(figure.value), figure.value)


def test_however_events_are_split_the_figure_is_the_same(figure: Figure) -> None:
    for place in range(len(figure.added) + 1):
        before, after = figure.of(figure.added[:place]), figure.of(figure.added[place:])
        before.merge(after)
        assert before.value() == figure.value, place
        assert before.value() == before.value()


def test_what_is_kept_of_a_figure_goes_on(figure: Figure) -> None:
    for place in range(len(figure.added) + 1):
        again = figure.of(figure.added[1:])  # what is restored takes its place
        again.restore(json.loads(json.dumps(figure.of(figure.added[:place]).dump())))
        again.merge(figure.of(figure.added[place:]))
        assert again.value() == figure.value, place
    assert figure.of(figure.added).dump() == figure.kept


def test_a_figure_of_no_values(figure: Figure) -> None:
    none, some = figure.make(), figure.of(figure.added)
    if isinstance(figure.none, type):
        assert (none.empty, some.empty) == (True, False)
        with pytest.raises(figure.none) as caught:
            none.value()
        assert figure.none is not ValueError or str(caught.value) == "There are no values."
    else:
        assert (type(none.value()), none.value()) == (type(figure.none), figure.none)
    none.restore(json.loads(json.dumps(none.dump())))
    some.merge(none)
    assert some.value() == figure.value


@pytest.mark.parametrize(
    "places", [(1, 2), (EARLY.date(), LATE.date()), (EARLY, LATE)], ids=["int", "date", "datetime"]
)
def test_the_order_in_which_events_come_changes_nothing(places: tuple[Any, Any]) -> None:
    order = type(places[0])
    events = [(place, word) for place in places for word in ("b", "a", "c")]
    chance = random.Random(7)  # noqa: S311 - the same each time, no secret
    for _ in range(20):
        chance.shuffle(events)
        first, last = First(str, order), Last(str, order)
        for place, word in events:
            first.add(place, word)
            last.add(place, word)
        assert (first.value(), last.value()) == ("a", "c")


def test_however_many_floats_there_are_few_are_held() -> None:
    chance = random.Random(7)  # noqa: S311 - the same each time, no secret
    numbers = [chance.uniform(-1e9, 1e9) for _ in range(3000)]
    whole = ExactSum()
    for number in [*numbers, 0.25, *(-number for number in numbers)]:
        whole.add(number)
        assert len(whole.terms) <= 1024
    assert whole.value() == 0.25
    halves = [ExactSum(), ExactSum()]
    for half, number in zip([*halves] * 600, numbers, strict=False):
        half.add(number)
    halves[0].merge(halves[1])
    assert len(halves[0].terms) <= 600
    assert halves[0].value() == float(sum(map(Fraction, numbers[:1200])))


@pytest.mark.parametrize(("exponent", "exact"), [(999, True), (1000, False)])
def test_a_sum_of_decimals_that_would_be_rounded_is_an_error(exponent: int, exact: bool) -> None:
    total = DecimalSum()
    total.add(Decimal(1).scaleb(exponent))
    if exact:
        total.add(Decimal(1))
        assert total.value() - Decimal(1).scaleb(exponent) == 1 or total.value() % 10 == 1
    else:
        with pytest.raises(Inexact):
            total.add(Decimal(1))


@pytest.mark.parametrize(
    ("part", "count", "rank"),
    [
        ((1, 100), 20, 1),
        ((1, 2), 20, 10),
        ((1, 2), 21, 11),
        ((95, 100), 20, 19),
        ((95, 100), 21, 20),
        ((95, 100), 1, 1),
        ((999, 1000), 1000, 999),
        ((999, 1000), 1001, 1000),
        ((100, 100), 20, 20),
    ],
    ids=str,
)
def test_a_percentile_is_the_value_of_its_rank(part: tuple[int, int], count: int, rank: int) -> None:
    measure = Percentile(int, *part)
    for number in range(count, 0, -1):
        measure.add(number)
    assert measure.value() == rank


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Wait(Enum):
    LONG = timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (-(2**80), -(2**80)),
        (0.1, 0.1),
        ("ä\n", "ä\n"),
        (Colour.RED, "red"),
        (Size.BIG, 3),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(1, 2, 3), "01:02:03"),
        (datetime(2026, 1, 31, 1, 2, 3, 4, tzinfo=UTC), "2026-01-31T01:02:03.000004+00:00"),
        (timedelta(days=-1, microseconds=1), -86_399_999_999),
        (Wait.LONG, 86_400_000_000),
    ],
)
def test_how_values_are_kept(value: Any, kept: Any) -> None:
    found = packed(value)
    assert (type(found), found) == (type(kept), kept)
    if value is not None and not isinstance(value, Wait):
        again = unpacked(type(value), found)
        assert (type(again), again) == (type(value), value)


def test_what_is_no_value_is_not_kept() -> None:
    with pytest.raises(TypeError, match=r"^list can't be kept\.$"):
        packed([1])


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in another time zone."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        clock.tzset()
        yield
    clock.tzset()


EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        (datetime(2026, 1, 1, 3), datetime(2026, 1, 1, 3, tzinfo=UTC)),  # noqa: DTZ001 - as some send them
        (datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 1, 3, tzinfo=UTC)),
        (datetime(2026, 1, 1, 3, tzinfo=EAST), datetime(2025, 12, 31, 21, 30, tzinfo=UTC)),
    ],
)
def test_moments_in_utc(moment: datetime, utc: datetime) -> None:
    assert in_utc(moment) == utc
    assert in_utc(moment).tzinfo is UTC
    # Windows of half a day begin at midnight and at noon, in UTC.
    half = utc.replace(hour=utc.hour // 12 * 12, minute=0)
    assert window_start(moment, timedelta(hours=12)) == half
    assert window_start(moment, timedelta(hours=12)).tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "length", "start"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), timedelta(hours=1), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(1969, 12, 31, 23, 59, tzinfo=UTC), timedelta(hours=1), datetime(1969, 12, 31, 23, tzinfo=UTC)),
        (datetime(1970, 1, 8, tzinfo=UTC), timedelta(days=7), datetime(1970, 1, 8, tzinfo=UTC)),
        (datetime(1970, 1, 7, 23, 59, 59, 999_999, tzinfo=UTC), timedelta(days=7), datetime(1970, 1, 1, tzinfo=UTC)),
        (datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC), timedelta(seconds=7), datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
    ],
)
def test_windows_are_counted_from_1970(moment: datetime, length: timedelta, start: datetime) -> None:
    assert window_start(moment, length) == start
