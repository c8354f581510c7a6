"""Adapters open, answer and close together, and one that is away blocks no other."""

import asyncio
import math

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters import group
from onex_node_runtime.adapters.group import AWAY, AdapterGroup, Figure


class Fake:
    """An adapter that fails as it is told to."""

    def __init__(self, code: EnumCoreErrorCode | None = None) -> None:
        self.error = ModelOnexError(message="It failed.", error_code=code) if code else None
        self.closed = 0

    async def open(self) -> None:
        await self.check()

    async def close(self) -> None:
        self.closed += 1

    async def check(self) -> None:
        if self.error:
            raise self.error

    def figures(self) -> list[Figure]:
        return [("closed", float(self.closed), {})]


@pytest.mark.parametrize("code", sorted(AWAY))
async def test_those_that_are_away_are_named(code: EnumCoreErrorCode) -> None:
    away, there = Fake(code), Fake()
    adapters = AdapterGroup(away=away, there=there)
    assert await adapters.open() == {"away": away.error}
    assert await adapters.check() == {"away": away.error}
    assert (away.closed, there.closed) == (0, 0)


async def test_what_is_wrong_ends_the_start_and_closes_all() -> None:
    wrong, there = Fake(EnumCoreErrorCode.MIGRATION_ERROR), Fake()
    with pytest.raises(ModelOnexError) as caught:
        await AdapterGroup(there=there, wrong=wrong).open()
    assert caught.value is wrong.error
    assert (wrong.closed, there.closed) == (1, 1)


async def test_other_errors_are_raised_as_they_are() -> None:
    class Broken(Fake):
        async def check(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await AdapterGroup(broken=Broken(), there=Fake()).check()


async def test_one_that_hangs_keeps_no_other_from_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(Fake):
        async def close(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(group, "CLOSE_SECONDS", 0.01)
    there = Fake()
    await AdapterGroup(hanging=Hanging(), there=there).close()
    assert there.closed == 1


def test_figures_of_all_are_put_together() -> None:
    adapters = AdapterGroup(one=Fake(), other=Fake())
    assert adapters.figures()[2:] == [("closed", 0.0, {}), ("closed", 0.0, {})]


async def test_what_answered_a_while_ago_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = AdapterGroup(away=Fake(EnumCoreErrorCode.TIMEOUT), there=Fake())

    def up() -> dict[str, float]:
        return {tags["dependency"]: value for name, value, tags in adapters.figures() if name == "dependency_up"}

    assert all(math.isnan(value) for value in up().values())
    await adapters.open()
    assert up() == {"away": 0.0, "there": 1.0}
    adapters.by_name["away"] = Fake()
    await adapters.check()
    assert up() == {"away": 1.0, "there": 1.0}
    monkeypatch.setattr(group, "KNOWN_SECONDS", 0.0)
    assert all(math.isnan(value) for value in up().values())


async def test_figures_name_their_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    adapters = AdapterGroup(away=Fake(EnumCoreErrorCode.TIMEOUT), there=Fake())
    await adapters.check()
    own: list[Figure] = [("closed", 0.0, {}), ("closed", 0.0, {})]
    now += 59.9
    assert adapters.figures() == [
        ("dependency_up", 0.0, {"dependency": "away"}),
        ("dependency_up", 1.0, {"dependency": "there"}),
        *own,
    ]
    now += 0.1
    assert [value for _, value, _ in adapters.figures()] == [pytest.approx(math.nan, nan_ok=True)] * 2 + [0.0, 0.0]
    await adapters.open()
    assert [value for _, value, _ in adapters.figures()] == [0.0, 1.0, 0.0, 0.0]
