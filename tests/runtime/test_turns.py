"""Requests by the thousand take turns, and large ones wait for room."""

import asyncio
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onex_node_runtime.serving import turns
from onex_node_runtime.serving.admission import RefusedError
from onex_node_runtime.serving.turns import MOST_PER_ROUND, Budget, Turns, weight_of


async def receive() -> MutableMapping[str, Any]:
    raise NotImplementedError


async def send(_message: MutableMapping[str, Any]) -> None:
    raise NotImplementedError


async def test_a_few_begin_in_each_round_and_all_in_order() -> None:
    begun: list[str] = []

    async def app(scope: MutableMapping[str, Any], _receive: object, _send: object) -> None:
        begun.append(scope["path"])

    application = Turns(app)
    paths = [f"/{number}" for number in range(3 * MOST_PER_ROUND)]
    asked = [
        asyncio.create_task(application({"type": "http", "path": path}, receive, send)) for path in [*paths, "/health"]
    ]
    await asyncio.sleep(0)
    assert begun == [*paths[:MOST_PER_ROUND], "/health"]
    await asyncio.gather(*asked)
    assert begun == [*paths[:MOST_PER_ROUND], "/health", *paths[MOST_PER_ROUND:]]


async def test_those_who_left_take_no_turn() -> None:
    begun: list[str] = []

    async def app(scope: MutableMapping[str, Any], _receive: object, _send: object) -> None:
        begun.append(scope["path"])

    application = Turns(app)
    asked = [
        asyncio.create_task(application({"type": "http", "path": str(number)}, receive, send)) for number in range(500)
    ]
    await asyncio.sleep(0)
    for task in asked[MOST_PER_ROUND : 2 * MOST_PER_ROUND]:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert begun == [str(number) for number in range(500) if not MOST_PER_ROUND <= number < 2 * MOST_PER_ROUND]


@pytest.mark.parametrize("scope", [{"type": "websocket", "path": "/"}, {"type": "http", "path": "/health"}])
async def test_what_is_no_request_of_an_operation_waits_for_no_turn(scope: dict[str, str]) -> None:
    begun: list[object] = []

    async def app(*given: object) -> None:
        begun.append(given)

    application = Turns(app)
    asked = [
        asyncio.create_task(application({"type": "http", "path": "/a"}, receive, send)) for _ in range(MOST_PER_ROUND)
    ]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(application(scope, receive, send)) for _ in range(2)]
    await asyncio.sleep(0)
    assert begun[MOST_PER_ROUND:] == [(scope, receive, send)] * 2
    await asyncio.gather(*asked)


async def begun_of(*arriving: int) -> list[int]:
    """How many requests begin in each round of the event loop, by how many arrive in each."""
    begun: list[int] = []

    async def app(*_given: object) -> None:
        begun[-1] += 1

    application, asked = Turns(app), []
    for number in arriving:
        begun.append(0)
        asked += [
            asyncio.create_task(application({"type": "http", "path": "/a"}, receive, send)) for _ in range(number)
        ]
        await asyncio.sleep(0)
    while not all(task.done() for task in asked):
        begun.append(0)
        await asyncio.sleep(0)
    return begun


@pytest.mark.parametrize(
    ("arriving", "begun"),
    [
        ([1], [1]),
        ([MOST_PER_ROUND], [64]),
        ([MOST_PER_ROUND] * 3, [64] * 3),
        ([1, 1, MOST_PER_ROUND], [1, 1, 64]),
        ([200], [64, 0, 64, 64, 8]),
        # Those who come meanwhile begin at once where there is a turn left for them.
        ([MOST_PER_ROUND + 10, 60], [64, 54, 10, 6]),
        ([MOST_PER_ROUND + 1, 0, 0, MOST_PER_ROUND + 1], [64, 0, 1, 64, 0, 1]),
    ],
)
async def test_so_many_begin_in_each_round(arriving: list[int], begun: list[int]) -> None:
    assert await begun_of(*arriving) == begun


async def test_the_large_wait_for_room() -> None:
    budget, order = Budget(100, "No room."), []

    async def hold(size: int) -> None:
        async with budget.room(size):
            order.append(size)
            await asyncio.sleep(0.01)

    await asyncio.gather(hold(90), hold(60), hold(10), hold(1000))
    assert sorted(order) == [10, 60, 90, 1000]
    async with budget.room(100):
        pass


async def test_who_finds_no_room_is_refused_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    budget = Budget(100, "No room.")
    async with budget.room(60):
        for _ in range(3):
            with pytest.raises(RefusedError, match="No room"):
                async with budget.room(50):
                    raise NotImplementedError
        waiting = asyncio.create_task(budget.room(50).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        async with budget.room(40):
            pass
    async with budget.room(100):
        pass


@pytest.mark.parametrize(
    ("held", "size", "refused"),
    [(60, 40, False), (60, 41, True), (0, 1000, False), (1, 100, True), (100, 0, False), (1000, 1, True)],
)
async def test_room_is_for_so_many_bytes_and_for_a_single_larger_one(
    held: int, size: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.001)
    budget, found = Budget(100, "No room."), None
    async with budget.room(held):
        try:
            async with budget.room(size):
                pass
        except RefusedError as error:
            found = (error.status, error.detail)
    assert found == ((HTTPStatus.SERVICE_UNAVAILABLE, "No room.") if refused else None)


async def test_room_that_is_freed_is_for_all_who_wait_and_fit() -> None:
    budget, order = Budget(100, "No room."), []

    async def hold(size: int) -> None:
        async with budget.room(size):
            order.append(size)

    async with asyncio.timeout(10):
        async with budget.room(100):
            waiting = [asyncio.create_task(hold(size)) for size in (60, 30, 10)]
            await asyncio.sleep(0)
            assert order == []
        await asyncio.gather(*waiting)
    assert sorted(order) == [10, 30, 60]


async def test_room_is_free_after_a_failure() -> None:
    budget = Budget(100, "No room.")
    for _ in range(2):
        with pytest.raises(LookupError):
            async with budget.room(100):
                raise LookupError


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        (b"", 0),
        (b"12345", 10),
        (b"[]", 4 + 128),
        (b"[1,2,3]", 14 + 3 * 128),
        (b"{}", 4 + 512),
        (b'{"a":1,"b":[{}]}', 32 + 2 * 128 + 2 * 512),
    ],
)
def test_members_and_objects_weigh_more_than_their_text(body: bytes, weight: int) -> None:
    assert weight_of(body) == weight


@given(st.binary(max_size=200))
def test_nothing_weighs_less_than_it_has(body: bytes) -> None:
    assert weight_of(body) >= len(body)
