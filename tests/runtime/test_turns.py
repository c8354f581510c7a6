"""Requests by the thousand take turns, and large ones wait for room."""

import asyncio
from collections.abc import MutableMapping
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


@given(st.binary(max_size=200))
def test_nothing_weighs_less_than_it_has(body: bytes) -> None:
    assert weight_of(body) >= len(body)
