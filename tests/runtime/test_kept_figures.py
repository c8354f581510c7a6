"""Figures that are kept, on real servers: exact however many count at once, and whatever is delivered twice."""

import asyncio
import random
import statistics
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from doubles.redis_server import redis_url
from hypothesis import given
from hypothesis import strategies as st
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.aggregations.figure_store import FigureStore, KeptWindow
from onex_node_runtime.aggregations.keeping import Folding, KeptFigures
from onex_node_runtime.aggregations.measures import Count, ExactSum, MeanOfDecimals, Measure, Percentile, Smallest, Sum
from onex_node_runtime.aggregations.packing import packed, unpacked
from onex_node_runtime.aggregations.store_memory import FigureStoreMemory
from onex_node_runtime.aggregations.store_postgres import FigureStorePostgres
from onex_node_runtime.aggregations.store_redis import FigureStoreRedis
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
from onex_node_runtime.correlation import CORRELATION_ID
from pydantic import BaseModel

from tests.runtime import building

TABLE = "totals_windows"
MADE = f"""
DROP TABLE IF EXISTS "{TABLE}_events";
DROP TABLE IF EXISTS "{TABLE}";
CREATE TABLE "{TABLE}" (
    scope text NOT NULL, name text NOT NULL, state json NOT NULL, version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (scope, name)
);
CREATE TABLE "{TABLE}_events" (
    scope text NOT NULL, event_id text NOT NULL, counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, event_id)
)
"""


class Sale(BaseModel):
    id: str
    shop: str
    cents: int


type Key = tuple[str]
type Figures = tuple[str, int, int]


class Totals:
    def __init__(self) -> None:
        self.sales = Count()
        self.cents = Sum(0)


def add(totals: dict[Key, Totals], sale: Sale) -> None:
    known = totals.setdefault((sale.shop,), Totals())
    known.sales.add()
    known.cents.add(sale.cents)


def folding(*, by_id: bool = True, scope: str = "sales") -> Folding[Sale, Key, Totals, Figures]:
    return Folding(
        scope=scope,
        key=lambda sale: (sale.shop,),
        totals=Totals,
        add=add,
        figures=lambda key, totals: (key[0], totals.sales.value(), totals.cents.value()),
        order=lambda key: key,
        event_id=(lambda sale: sale.id) if by_id else None,
    )


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_url() as url:
        yield url


@pytest_asyncio.fixture(params=["memory", "postgres", "redis"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[list[FigureStore]]:
    """Two, as two processes would have them, on the same empty server."""
    if request.param == "memory":
        yield [FigureStoreMemory()] * 2
    elif request.param == "postgres":
        async with building.two_postgres(request.getfixturevalue("postgres"), MADE) as adapters:
            yield [FigureStorePostgres(adapter, TABLE) for adapter in adapters]
    else:
        place = f"totals-{uuid4()}"
        async with building.two_redis(request.getfixturevalue("redis")) as adapters:
            yield [FigureStoreRedis(adapter, place) for adapter in adapters]


@pytest.fixture
def store(stores: list[FigureStore]) -> FigureStore:
    return stores[0]


def sale(number: int, shop: str = "north", cents: int = 100) -> Sale:
    return Sale(id=f"sale-{number}", shop=shop, cents=cents)


async def test_figures_go_on(store: FigureStore) -> None:
    figures = KeptFigures(folding(), store)
    assert await figures.count([]) == []
    assert await figures.count([sale(1)]) == [("north", 1, 100)]
    assert await figures.count([sale(2, "south"), sale(3, cents=7)]) == [("north", 2, 107), ("south", 1, 100)]
    # Another process sees the same.
    assert await KeptFigures(folding(), store).count([sale(4)]) == [("north", 3, 207)]
    assert await KeptFigures(folding(scope="others"), store).count([sale(4)]) == [("north", 1, 100)]


async def test_what_was_counted_is_not_counted_again(store: FigureStore) -> None:
    figures = KeptFigures(folding(), store)
    batch = [sale(1), sale(1), sale(2), sale(3, "s" * 600)]
    counted = [("north", 2, 200), ("s" * 600, 1, 100)]
    assert await figures.count(batch) == counted
    assert await figures.count(batch) == counted
    assert await figures.count([*batch, sale(4)]) == [("north", 3, 300), ("s" * 600, 1, 100)]
    # Under the same id, what comes later changes nothing, wherever it says that it belongs.
    assert await figures.count([sale(1, "west", cents=9)]) == []
    assert await figures.count([sale(1, cents=9)]) == [("north", 3, 300)]


async def test_without_ids_a_request_that_is_repeated_counts_once(store: FigureStore) -> None:
    figures = KeptFigures(folding(by_id=False), store)
    CORRELATION_ID.set(uuid4())
    batch = [sale(1), sale(1)]
    assert await figures.count(batch) == await figures.count(batch) == [("north", 2, 200)]
    assert await figures.count([sale(2)]) == [("north", 3, 300)]
    CORRELATION_ID.set(uuid4())
    assert await figures.count(batch) == [("north", 5, 500)]


async def test_writers_at_once_lose_nothing_and_count_nothing_twice(stores: list[FigureStore]) -> None:
    writers = [KeptFigures(folding(), store) for store in stores]
    sales = [sale(n, f"shop-{n % 3}", n) for n in range(60)]
    chance = random.Random(7)  # noqa: S311 - the same each time, no secret
    # Every sale is delivered three times, in batches that overlap.
    batches = [chance.sample(sales, 9) for _ in range(14)] + [sales[n : n + 3] for n in range(0, 60, 3)]
    await asyncio.gather(*(writers[n % 2].count(batch) for n, batch in enumerate(batches)))
    wanted = [(f"shop-{shop}", 20, sum(n for n in range(60) if n % 3 == shop)) for shop in range(3)]
    assert await writers[0].count(sales) == wanted


async def test_a_batch_is_kept_as_a_whole_or_not_at_all(store: FigureStore) -> None:
    assert await store.save("s", {"a": KeptWindow("1", 0)}, ["x"])
    for windows, events in (
        ({"a": KeptWindow("2", 0), "b": KeptWindow("2", 0)}, ["y"]),
        ({"a": KeptWindow("2", 2), "b": KeptWindow("2", 0)}, ["y"]),
        ({"a": KeptWindow("2", 1), "b": KeptWindow("2", 1)}, ["y"]),
        ({"a": KeptWindow("2", 1), "b": KeptWindow("2", 0)}, ["y", "x"]),
    ):
        assert not await store.save("s", windows, events)
        known = await store.load("s", ["a", "b"], ["x", "y"])
        assert known.windows == {"a": KeptWindow("1", 1)}
        assert known.seen == {"x"}
    assert await store.save("s", {"a": KeptWindow("2", 1), "b": KeptWindow("3", 0)}, ["y"])
    known = await store.load("s", ["a", "b", "c"], ["x", "y", "z"])
    assert known.windows == {"a": KeptWindow("2", 2), "b": KeptWindow("3", 1)}
    assert known.seen == {"x", "y"}


async def test_figures_that_lack_a_measure_are_named(store: FigureStore) -> None:
    await store.save("sales", {'["north"]': KeptWindow('{"sales": 3}', 0)}, ["x"])
    with pytest.raises(ModelOnexError, match="without cents") as caught:
        await KeptFigures(folding(), store).count([sale(1)])
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        True,
        -(2**80),
        0.1,
        5e-324,
        "ä\n",
        Colour.RED,
        UUID(int=7),
        Decimal("1.50"),
        date(2026, 1, 31),
        time(1, 2, 3),
        timedelta(days=-1, microseconds=1),
        datetime(2026, 1, 31, tzinfo=UTC),
    ],
)
def test_values_come_back_as_they_were(value: object) -> None:
    assert unpacked(type(value), packed(value)) == value
    assert type(unpacked(type(value), packed(value))) is type(value)


NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


def again[M: Measure](measure: M, empty: M) -> M:
    """Return another one of what a measure dumps."""
    empty.restore(measure.dump())
    return empty


@given(NUMBERS, NUMBERS)
def test_partial_results_that_were_kept_are_put_together_exactly(first: list[float], second: list[float]) -> None:
    sums, deviations = [ExactSum(), ExactSum()], [DeviationOfNumbers(), DeviationOfNumbers()]
    for part, numbers in enumerate((first, second)):
        for number in numbers:
            sums[part].add(number)
            deviations[part].add(number)
    total, deviation = again(sums[0], ExactSum()), again(deviations[0], DeviationOfNumbers())
    total.merge(again(sums[1], ExactSum()))
    deviation.merge(again(deviations[1], DeviationOfNumbers()))
    exact = [Fraction(number) for number in first + second]
    assert total.value() == float(sum(exact))
    assert deviation.value() == pytest.approx(statistics.pstdev(exact), rel=1e-12, abs=1e-12)


def test_deviations_of_other_types() -> None:
    prices, times = DeviationOfDecimals(), DeviationOfDurations()
    assert prices.empty
    for number in (2, 4, 4, 4, 5, 5, 7, 9):
        prices.add(Decimal(number))
        times.add(timedelta(seconds=number))
    assert again(prices, DeviationOfDecimals()).value() == 2
    assert again(times, DeviationOfDurations()).value() == timedelta(seconds=2)


def test_values_of_the_first_and_the_last_event() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    events = [(late, "c"), (early, "b"), (early, "a"), (late, "d")]
    for order in (events, events[::-1]):
        first, last = First(str, datetime), Last(str, datetime)
        assert first.empty
        for moment, word in order:
            first.add(moment, word)
            last.add(moment, word)
        first, last = again(first, First(str, datetime)), again(last, Last(str, datetime))
        first.add(late, "z")
        last.add(early, "z")
        assert (first.value(), last.value()) == ("a", "d")
    come, went = FirstCome(int), LastCome(int)
    assert come.empty
    for number in (3, 1, 2):
        come.add(number)
        went.add(number)
    assert (again(come, FirstCome(int)).value(), again(went, LastCome(int)).value()) == (3, 2)


def test_other_measures_go_on() -> None:
    distinct, least, median, mean = Distinct(UUID), Smallest(date), Percentile(int, 1, 2), MeanOfDecimals()
    for number in (3, 1, 3, 2):
        distinct.add(UUID(int=number))
        least.add(date(2026, 1, number))
        median.add(number)
        mean.add(Decimal(number))
    assert again(distinct, Distinct(UUID)).value() == 3
    assert again(least, Smallest(date)).value() == date(2026, 1, 1)
    assert again(median, Percentile(int, 1, 2)).value() == 2
    assert again(mean, MeanOfDecimals()).value() == Decimal("2.25")
