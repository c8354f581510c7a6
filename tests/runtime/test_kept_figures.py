"""Figures that are kept, on real servers: exact however many count at once, and whatever is delivered twice."""

import asyncio
import hashlib
import itertools
import json
import random
import statistics
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
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
from onex_node_runtime.aggregations.figure_store import FigureStore, KeptWindow, KnownFigures
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
        order=lambda key: key[0][::-1],
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
    assert await figures.count([sale(5, "az"), sale(6, "ba")]) == [("ba", 1, 100), ("az", 1, 100)]
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
    with pytest.raises(ModelOnexError) as caught:
        await KeptFigures(folding(), store).count([sale(1)])
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION
    assert caught.value.message == "Figures are kept that were counted without cents."


class Spied(FigureStoreMemory):
    """Remembers what it was asked for and what was to be kept, and lets a writer be overtaken."""

    def __init__(self, overtaken: int = 0) -> None:
        super().__init__()
        self.asked: list[tuple[str, list[str], list[str]]] = []
        self.kept: list[tuple[str, dict[str, KeptWindow], list[str]]] = []
        self.overtaken = overtaken

    async def load(self, scope: str, names: Sequence[str], event_ids: Sequence[str]) -> KnownFigures:
        self.asked.append((scope, list(names), list(event_ids)))
        return await super().load(scope, names, event_ids)

    async def save(self, scope: str, windows: Mapping[str, KeptWindow], event_ids: Sequence[str]) -> bool:
        self.kept.append((scope, dict(windows), list(event_ids)))
        if self.overtaken:
            self.overtaken -= 1
            return False
        return await super().save(scope, windows, event_ids)


async def test_only_what_changes_is_kept_under_names_that_an_index_takes() -> None:
    store = Spied()
    figures = KeptFigures(folding(), store)
    fits, long = "s" * 496, "ä" * 249
    await figures.count([sale(2, "south"), sale(1)])
    await figures.count([sale(1), sale(3, fits), Sale(id="i" * 501, shop=long, cents=5)])
    first, second = store.asked[0], store.asked[2]
    assert first == ("sales", ['["north"]', '["south"]'], ["sale-2", "sale-1"])
    assert store.kept[0] == (
        "sales",
        {name: KeptWindow('{"sales": 1, "cents": 100}', 0) for name in ('["north"]', '["south"]')},
        ["sale-2", "sale-1"],
    )
    digests = [f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for text in (json.dumps([long]), "i" * 501)]
    assert second == ("sales", sorted(['["north"]', f'["{fits}"]', digests[0]]), ["sale-1", "sale-3", digests[1]])
    assert sorted(store.kept[1][1]) == sorted([f'["{fits}"]', digests[0]])
    assert store.kept[1][2] == ["sale-3", digests[1]]
    # What is known already is asked for, and not kept again.
    await figures.count([sale(1)])
    assert len(store.kept) == 2


async def test_a_writer_that_was_overtaken_counts_again_after_pauses_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    store, slept = Spied(9), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("random.random", lambda: 0.5)
    assert await KeptFigures(folding(), store).count([sale(1)]) == [("north", 1, 100)]
    assert [round(2000 * seconds) for seconds in slept] == [1, 2, 4, 8, 16, 32, 64, 100, 100]


async def test_of_two_events_under_one_id_the_one_that_sorts_first_counts_in_any_order() -> None:
    for events in itertools.permutations([sale(1, cents=9), sale(1, cents=10), sale(1, cents=11)]):
        assert await KeptFigures(folding(), FigureStoreMemory()).count(events) == [("north", 1, 10)]


async def test_without_ids_a_batch_is_named_after_its_request_and_what_is_in_it() -> None:
    store, identity = Spied(), uuid4()
    CORRELATION_ID.set(identity)
    batch = [sale(1), sale(2)]
    figures = KeptFigures(folding(by_id=False), store)
    await figures.count(batch)
    digest = hashlib.sha256("\n".join(event.model_dump_json() for event in batch).encode()).hexdigest()
    assert store.asked[0][2] == [f"{identity}:{digest}"]
    CORRELATION_ID.set(None)
    # Without a request, nobody delivers it again.
    assert await figures.count(batch) == [("north", 4, 400)]
    assert await figures.count(batch) == [("north", 6, 600)]


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
