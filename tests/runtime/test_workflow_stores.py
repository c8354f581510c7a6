"""Stores of runs, on real servers: one process at a time works on each run, and nothing that is kept is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from uuid import uuid4

import pytest
import pytest_asyncio
from doubles.redis_server import redis_url
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.adapter_redis import AdapterRedis
from onex_node_runtime.workflows.run import Run, StepRecord, load
from onex_node_runtime.workflows.run_store import Lease, RunStore
from onex_node_runtime.workflows.run_store_memory import RunStoreMemory
from onex_node_runtime.workflows.run_store_postgres import RunStorePostgres
from onex_node_runtime.workflows.run_store_redis import RunStoreRedis
from pydantic import SecretStr

from tests.runtime import building

TABLE = "order_runs"
MADE = f"""
DROP TABLE IF EXISTS "{TABLE}";
CREATE TABLE "{TABLE}" (
    run_id uuid PRIMARY KEY, operation text NOT NULL, state jsonb NOT NULL, finished boolean NOT NULL, token uuid,
    lease_until timestamptz NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_url() as url:
        yield url


@pytest_asyncio.fixture(params=["memory", "postgres", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[RunStore]:
    if request.param == "memory":
        yield RunStoreMemory()
        return
    adapter: AdapterPostgres | AdapterRedis
    made: RunStore
    if request.param == "postgres":
        url = SecretStr(request.getfixturevalue("postgres"))
        adapter = building.postgres(building.Settings(database_url=url))
        for statement in MADE.split(";"):
            await adapter.execute(statement)
        made = RunStorePostgres(adapter, TABLE)
    else:
        adapter = building.redis(building.Settings(redis_url=request.getfixturevalue("redis")))
        made = RunStoreRedis(adapter, f"runs-{uuid4()}")
    await adapter.open()
    yield made
    await adapter.close()


@pytest.fixture
def run() -> Run:
    return Run(uuid4(), "order", uuid4(), {"number": 1})


async def test_one_of_many_gets_a_run(store: RunStore, run: Run) -> None:
    leases = [Lease(uuid4(), 60) for _ in range(20)]
    claims = await asyncio.gather(*(store.claim(run, lease) for lease in leases))
    (holder,) = [lease for lease, claimed in zip(leases, claims, strict=True) if claimed]
    assert await store.claim_abandoned(Lease(uuid4(), 60)) is None
    assert await store.renew(run.run_id, holder)
    await store.release(run.run_id, holder)
    assert not await store.renew(run.run_id, holder)
    claims = await asyncio.gather(*(store.claim_abandoned(lease) for lease in leases))
    (holder,) = [lease for lease, claimed in zip(leases, claims, strict=True) if claimed]
    run.status = "completed"
    assert await store.save(run, holder)
    assert await store.claim(run, Lease(uuid4(), 60)) == run
    assert await store.claim_abandoned(Lease(uuid4(), 60)) is None


async def test_who_lost_the_lease_keeps_nothing(store: RunStore, run: Run) -> None:
    late, holder = Lease(uuid4(), 0.05), Lease(uuid4(), 60)
    assert await store.claim(run, late) == run
    await asyncio.sleep(0.1)
    assert await store.claim(run, holder) == run
    assert not await store.save(run, late)
    run.steps.append(StepRecord("first", "completed", {"total": [1, None, "ä"]}))
    run.status = "failed"
    assert await store.save(run, holder)
    assert await store.claim(run, late) == load(run.dump())


async def test_the_holder_of_a_lease_may_take_the_run_again_and_finds_it_as_it_was_kept(
    store: RunStore, run: Run
) -> None:
    lease = Lease(uuid4(), 60)
    assert await store.claim(run, lease) == run
    run.steps.append(StepRecord("first", "completed"))
    assert await store.save(run, lease)
    assert await store.claim(Run(run.run_id, "order", run.correlation_id, {}), lease) == run
    await store.release(run.run_id, Lease(uuid4(), 60))
    assert await store.renew(run.run_id, lease)


async def test_a_lease_lasts_as_long_as_the_last_that_was_asked_for(store: RunStore, run: Run) -> None:
    holder, other = uuid4(), Lease(uuid4(), 60)
    assert await store.claim(run, Lease(holder, 60))
    changes: list[Callable[[Lease], Awaitable[object]]] = [
        partial(store.claim, run),
        partial(store.save, run),
        partial(store.renew, run.run_id),
    ]
    for change in changes:
        await store.renew(run.run_id, Lease(holder, 60))
        assert await store.claim(run, other) is None
        await change(Lease(holder, -1))
        assert await store.claim_abandoned(Lease(holder, 60)) == run
    assert await store.claim(run, other) is None


class SpiedRedis:
    """Remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[list[object], bool]] = []

    async def send(self, command: list[object], *, idempotent: bool) -> None:
        self.sent.append((command, idempotent))


class SpiedPostgres:
    """Remembers what it was told to run, and how."""

    def __init__(self) -> None:
        self.options: list[dict[str, object]] = []

    async def fetch_one(self, statement: str, *_: object, **options: object) -> None:
        assert f'"{TABLE}"' in statement
        self.options.append(options)

    async def execute(self, statement: str, *values: object, **options: object) -> int:
        await self.fetch_one(statement, *values, **options)
        return 0


async def use(store: RunStore, run: Run) -> None:
    lease = Lease(uuid4(), 60)
    assert await store.claim(run, lease) is None
    assert await store.claim_abandoned(lease) is None
    assert not await store.save(run, lease)
    assert not await store.renew(run.run_id, lease)
    await store.release(run.run_id, lease)


async def test_on_redis_only_taking_what_was_left_is_not_to_be_repeated_and_all_keys_are_together(run: Run) -> None:
    redis = SpiedRedis()
    await use(RunStoreRedis(redis, "runs"), run)  # type: ignore[arg-type]  # what stores need of it
    own, unfinished = f"{{runs}}:run:{run.run_id}", "{runs}:unfinished"
    assert [command[2 : 3 + int(str(command[2]))] for command, _ in redis.sent] == [
        [2, own, unfinished],
        [1, unfinished],
        [2, own, unfinished],
        [2, own, unfinished],
        [2, own, unfinished],
    ]
    assert redis.sent[1][0][4] == "{runs}:run:"
    assert [idempotent for _, idempotent in redis.sent] == [True, False, True, True, True]


async def test_on_postgres_each_statement_may_be_repeated_and_is_a_transaction_by_itself(run: Run) -> None:
    postgres = SpiedPostgres()
    await use(RunStorePostgres(postgres, TABLE), run)  # type: ignore[arg-type]  # what stores need of it
    assert postgres.options == [{"idempotent": True, "transaction": False}] * 6
