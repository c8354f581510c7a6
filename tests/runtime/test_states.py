"""Entities move as a state machine says: alone, side by side, in a crowd, and when events are delivered twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from uuid import uuid4

import pytest
import pytest_asyncio
from doubles.redis_server import redis_url
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.models.secrets import SECRET
from onex_node_runtime.states.entities import Entities, delivery_id
from onex_node_runtime.states.machine import Asked, Machine, Transition
from onex_node_runtime.states.move import Entity, Move, Snapshot, StateStore
from onex_node_runtime.states.store_memory import MOST_EVENTS, StateStoreMemory
from onex_node_runtime.states.store_postgres import StateStorePostgres
from onex_node_runtime.states.store_redis import StateStoreRedis
from pydantic import BaseModel, Field

from tests.runtime import building

TABLE = "door_states"
MADE = f"""
DROP TABLE IF EXISTS "{TABLE}_events";
DROP TABLE IF EXISTS "{TABLE}";
CREATE TABLE "{TABLE}" (
    entity text PRIMARY KEY, state text NOT NULL, version bigint NOT NULL, updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE "{TABLE}_events" (
    entity text NOT NULL REFERENCES "{TABLE}" ON DELETE CASCADE, event_id text NOT NULL, trigger text NOT NULL,
    previous_state text NOT NULL, state text NOT NULL, version bigint NOT NULL, PRIMARY KEY (entity, event_id)
)
"""
CROWD = 50
DOOR = "front"


class DoorState(StrEnum):
    SHUT = "shut"
    OPEN = "open"
    BARRED = "barred"


class Badge(BaseModel):
    level: int = 0
    pin: str = Field(default="1234", json_schema_extra=SECRET)


RING = Asked("alarm_effect", "ring", 9, "door-barred")
MACHINE: Machine[Badge] = Machine(
    states=frozenset(DoorState),
    initial=DoorState.SHUT,
    transitions=(
        Transition(DoorState.SHUT, "badge", DoorState.OPEN, when=lambda badge: badge.level >= 3),
        Transition(DoorState.SHUT, "badge", DoorState.BARRED, lambda badge: badge.level == 0, (RING,)),
        Transition(DoorState.OPEN, "close", DoorState.SHUT),
        Transition(DoorState.OPEN, "knock", DoorState.OPEN),
    ),
    rejects=True,
)
HIGH, MIDDLE, LOW = Badge(level=3), Badge(level=1), Badge(level=0)


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_url() as url:
        yield url


class HesitantStore(StateStoreMemory):
    """Lets others act between what a writer reads and what it writes."""

    async def load(self, entity: object, event_id: str) -> Snapshot:
        snapshot = await super().load(entity, event_id)  # type: ignore[arg-type]  # any entity does
        await asyncio.sleep(0)
        return snapshot


@pytest_asyncio.fixture(params=["memory", "postgres", "redis"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[list[StateStore]]:
    """Two, as two processes would have them, on the same empty server."""
    if request.param == "memory":
        yield [HesitantStore()] * 2
    elif request.param == "postgres":
        async with building.two_postgres(request.getfixturevalue("postgres"), MADE) as adapters:
            yield [StateStorePostgres(adapter, TABLE) for adapter in adapters]
    else:
        place = f"doors-{uuid4()}"
        async with building.two_redis(request.getfixturevalue("redis")) as adapters:
            yield [StateStoreRedis(adapter, place) for adapter in adapters]


@pytest.fixture
def store(stores: list[StateStore]) -> StateStore:
    return stores[0]


@pytest.fixture
def doors(store: StateStore) -> Entities[Badge]:
    return Entities(MACHINE, store)


async def put(store: StateStore, state: str, door: str = DOOR) -> None:
    assert await store.save(door, 0, str(uuid4()), Move("test", str(state), str(state)))


async def state_of(store: StateStore, door: str = DOOR) -> str | None:
    return (await store.load(door, str(uuid4()))).state


async def test_what_is_not_known_starts_in_the_initial_state(doors: Entities[Badge], store: StateStore) -> None:
    assert await store.load(DOOR, "event") == Snapshot(None, 0, None)
    assert await doors.apply(DOOR, "badge", "event", HIGH) == Move("badge", "shut", "open")
    assert await state_of(store) == "open"


async def test_conditions_choose_the_transition(doors: Entities[Badge]) -> None:
    moves = {badge.level: await doors.apply(str(badge.level), "badge", "e", badge) for badge in (HIGH, LOW)}
    assert {level: move.state for level, move in moves.items()} == {3: "open", 0: "barred"}
    with pytest.raises(ModelOnexError) as caught:
        await doors.apply("1", "badge", "e", MIDDLE)
    assert caught.value.error_code is EnumCoreErrorCode.INVALID_OPERATION
    assert caught.value.message == "No transition is defined for 'badge' in the state shut."
    assert caught.value.context["additional_context"] == {"state": "shut", "trigger": "badge"}


async def test_what_others_are_asked_is_told_again(doors: Entities[Badge], store: StateStore) -> None:
    move = await doors.apply(DOOR, "badge", "event", LOW)
    wanted = {
        "target": "alarm_effect",
        "action": "ring",
        "priority": 9,
        "event": "door-barred",
        "payload": {"level": 0, "previous_state": "shut", "state": "barred"},
    }
    assert doors.asked(move, LOW) == [wanted]
    assert doors.asked(await doors.apply(DOOR, "badge", "event", LOW), LOW) == [wanted]
    assert doors.asked(Move("badge", "shut", "open"), HIGH) == []
    # A contract that leads elsewhere since asks nothing for a move that was made before.
    assert doors.asked(Move("badge", "shut", "open"), LOW) == []
    assert doors.asked(Move("badge", "shut", "shut"), MIDDLE) == []
    assert await state_of(store) == "barred"


async def test_a_trigger_without_transition_is_ignored_where_that_is_said(store: StateStore) -> None:
    lenient = Entities(Machine(MACHINE.states, MACHINE.initial, MACHINE.transitions, rejects=False), store)
    move = await lenient.apply(DOOR, "close", "early", HIGH)
    assert move == Move("close", "shut", "shut")
    assert not move.changed
    await lenient.apply(DOOR, "badge", "badge", HIGH)
    # It stays without effect when it is delivered late.
    assert await lenient.apply(DOOR, "close", "early", HIGH) == move
    assert await state_of(store) == "open"


async def test_entities_do_not_touch_each_other(doors: Entities[Badge], store: StateStore) -> None:
    others = ["back", "front}", "front%7D", "front:x", ""]
    for door in (DOOR, *others):
        await put(store, "shut", door)
    await doors.apply(DOOR, "badge", "event", HIGH)
    assert await state_of(store) == "open"
    assert [await state_of(store, door) for door in others] == ["shut"] * len(others)


async def test_writers_at_once_lose_no_transition(stores: list[StateStore]) -> None:
    await put(stores[0], "open")
    writers = [Entities(MACHINE, store) for store in stores]
    triggers = ["close", "badge", "knock"]
    answers = await asyncio.gather(
        *(writers[n % 2].apply(DOOR, triggers[n % 3], str(uuid4()), HIGH) for n in range(CROWD)),
        return_exceptions=True,
    )
    moves = [answer for answer in answers if isinstance(answer, Move)]
    refusals = [answer for answer in answers if isinstance(answer, ModelOnexError)]
    assert len(moves) + len(refusals) == CROWD
    assert {error.error_code for error in refusals} <= {EnumCoreErrorCode.INVALID_OPERATION}
    last = await stores[0].load(DOOR, str(uuid4()))
    assert last.version == 1 + len(moves)
    # Each move leaves the state that another one led to, so what is left of them is where the entity is.
    balance = Counter(["open", *(move.state for move in moves)])
    balance.subtract(move.previous_state for move in moves)
    assert {state: count for state, count in balance.items() if count} == {last.state: 1}


async def test_an_event_delivered_many_times_at_once_acts_once(stores: list[StateStore]) -> None:
    writers = [Entities(MACHINE, store) for store in stores]
    answers = await asyncio.gather(*(writers[n % 2].apply(DOOR, "badge", "event", HIGH) for n in range(CROWD)))
    assert answers == [Move("badge", "shut", "open")] * CROWD
    assert (await stores[1].load(DOOR, str(uuid4()))).version == 1


async def test_an_event_delivered_late_gets_its_first_answer(doors: Entities[Badge], store: StateStore) -> None:
    first = await doors.apply(DOOR, "badge", "event", HIGH)
    await doors.apply(DOOR, "close", "later", HIGH)
    assert await doors.apply(DOOR, "badge", "event", HIGH) == first
    assert await state_of(store) == "shut"


async def test_an_id_that_comes_with_another_trigger_is_refused(doors: Entities[Badge], store: StateStore) -> None:
    await doors.apply(DOOR, "badge", "event", HIGH)
    with pytest.raises(ModelOnexError) as caught:
        await doors.apply(DOOR, "close", "event", HIGH)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert caught.value.message == "The event was 'badge' when it was seen first, and is 'close' now."
    assert await state_of(store) == "open"


async def test_a_writer_that_was_overtaken_keeps_nothing(store: StateStore) -> None:
    await put(store, "shut")
    before = await store.load(DOOR, "event")
    assert not await store.save(DOOR, 0, "event", Move("test", "shut", "open"))
    assert await store.load(DOOR, "event") == before


async def test_a_state_that_the_machine_does_not_know_is_named(doors: Entities[Badge], store: StateStore) -> None:
    await put(store, "ajar")
    with pytest.raises(ModelOnexError) as caught:
        await doors.apply(DOOR, "badge", "event", HIGH)
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION
    assert caught.value.message == "The state 'ajar' is kept, and the contract does not know it."


@pytest.mark.parametrize("move", [Move("badge", "ajar", "open"), Move("badge", "shut", "ajar")], ids=str)
async def test_an_event_that_led_to_a_state_that_the_machine_does_not_know_is_no_answer(
    doors: Entities[Badge], store: StateStore, move: Move
) -> None:
    assert await store.save(DOOR, 0, "event", move)
    with pytest.raises(ModelOnexError) as caught:
        await doors.apply(DOOR, "badge", "event", HIGH)
    assert caught.value.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION


async def test_writers_that_were_overtaken_wait_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    class Overtaken(StateStoreMemory):
        async def save(self, entity: Entity, version: int, event_id: str, move: Move) -> bool:
            return len(slept) == 9 and await super().save(entity, version, event_id, move)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("random.random", lambda: 0.5)
    await Entities(MACHINE, Overtaken()).apply(DOOR, "badge", "event", HIGH)
    assert [round(2000 * seconds) for seconds in slept] == [1, 2, 4, 8, 16, 32, 64, 100, 100]


async def test_states_are_plain_texts_whatever_the_machine_has(doors: Entities[Badge]) -> None:
    move = await doors.apply(DOOR, "badge", "event", HIGH)
    assert (type(move.previous_state), type(move.state)) == (str, str)


def test_what_identifies_an_event_without_id() -> None:
    assert delivery_id("a") != delivery_id("a")
    identity = uuid4()
    CORRELATION_ID.set(identity)
    assert (delivery_id("a"), delivery_id("b")) == (f"{identity}:a", f"{identity}:b")


async def test_old_events_are_forgotten_in_memory() -> None:
    store = StateStoreMemory()
    for version in range(MOST_EVENTS + 1):
        assert await store.save(DOOR, version, str(version), Move("test", "shut", "shut"))
    assert (await store.load(DOOR, "0")).seen is None
    assert (await store.load(DOOR, "1")).seen is not None
