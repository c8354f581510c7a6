"""What an operation may have done to the world, told by what became of its calls."""

import asyncio
import math
from contextlib import suppress

import pytest
from onex_node_runtime.effects import (
    EFFECTS,
    Effects,
    OutcomeUnknownError,
    begin,
    cause_of,
    effect,
    safe_to_repeat,
    seconds_left,
)

LOST, REFUSED = ConnectionError("lost"), LookupError("refused")


def noted(error: BaseException | None, *, idempotent: bool, begun: bool, begins: bool) -> tuple[bool, bool, object]:
    """What a call leaves behind: a doubt, something lasting, and an error."""
    effects = Effects()
    EFFECTS.set(effects)
    raised: object = None
    try:
        with effect(lambda error: error is LOST, idempotent=idempotent, begun=begun):
            if begins:
                begin()
            if error is not None:
                raise error
    except OutcomeUnknownError as unknown:
        raised = ("unknown", unknown.__cause__)
    except BaseException as other:  # noqa: BLE001 - one that cancels, too
        raised = other
    return effects.in_doubt, effects.lasting, raised


CUT = asyncio.CancelledError()


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize(
    ("error", "begun", "begins", "in_doubt", "lasting", "raised"),
    [
        (None, True, False, False, True, None),
        (None, False, False, False, True, None),
        (REFUSED, True, False, False, False, REFUSED),
        (REFUSED, False, True, False, False, REFUSED),
        (LOST, True, False, True, True, ("unknown", LOST)),
        (LOST, False, True, True, True, ("unknown", LOST)),
        (LOST, False, False, False, False, LOST),
        (CUT, True, False, True, True, CUT),
        (CUT, False, True, True, True, CUT),
        (CUT, False, False, False, False, CUT),
    ],
)
def test_what_became_of_a_call_is_noted(
    error: BaseException | None,
    begun: bool,
    begins: bool,
    in_doubt: bool,
    lasting: bool,
    raised: object,
    idempotent: bool,
) -> None:
    found = noted(error, idempotent=idempotent, begun=begun, begins=begins)
    assert found == (in_doubt, lasting and not idempotent, raised)


def test_by_default_a_call_begins_at_once_lasts_and_its_errors_leave_nothing_open() -> None:
    effects = Effects()
    EFFECTS.set(effects)
    with pytest.raises(ConnectionError), effect():
        raise LOST
    assert effects == Effects()
    with pytest.raises(asyncio.CancelledError), effect():
        raise CUT
    assert effects == Effects(in_doubt=True, lasting=True)


def test_what_is_noted_stays_noted() -> None:
    effects = Effects(in_doubt=True, lasting=True)
    EFFECTS.set(effects)
    with effect(idempotent=True):
        pass
    with pytest.raises(LookupError), effect():
        raise REFUSED
    with pytest.raises(OutcomeUnknownError), effect(lambda _: True, idempotent=True):
        raise LOST
    with pytest.raises(asyncio.CancelledError), effect(begun=False):
        raise CUT
    assert effects == Effects(in_doubt=True, lasting=True)


def cut_off(*, inner_begins: bool, outer_begins: bool) -> Effects:
    """What is known of a call that is cut off after one within it."""
    effects = Effects()
    EFFECTS.set(effects)
    with suppress(asyncio.CancelledError), effect(begun=False):
        with effect(idempotent=True, begun=False):
            if inner_begins:
                begin()
        if outer_begins:
            begin()
        raise CUT
    return effects


def test_a_call_within_a_call_begins_for_itself() -> None:
    begin()
    assert cut_off(inner_begins=True, outer_begins=False) == Effects()
    assert cut_off(inner_begins=False, outer_begins=True) == Effects(in_doubt=True, lasting=True)


def test_a_call_outside_of_operations_is_told_of_by_its_error_alone() -> None:
    EFFECTS.set(None)
    with pytest.raises(OutcomeUnknownError), effect(lambda _: True):
        raise LOST
    assert EFFECTS.get() is None


def test_the_cause_of_a_doubt_is_what_went_wrong() -> None:
    unknown, causeless = OutcomeUnknownError(), OutcomeUnknownError()
    unknown.__cause__ = LOST
    caused = ValueError()
    caused.__cause__ = LOST
    assert [cause_of(error) for error in (unknown, causeless, caused, CUT)] == [LOST, causeless, caused, CUT]


@pytest.mark.parametrize(
    ("effects", "safe"),
    [
        (None, True),
        (Effects(), True),
        (Effects(in_doubt=True), True),
        (Effects(lasting=True), False),
        (Effects(repeatable=True, in_doubt=True, lasting=True), True),
    ],
)
def test_what_left_nothing_that_lasts_may_run_again(effects: Effects | None, safe: bool) -> None:
    EFFECTS.set(effects)
    assert safe_to_repeat() is safe


async def test_time_runs_out_at_the_deadline() -> None:
    now = asyncio.get_running_loop().time()
    left = []
    for effects in (None, Effects(), Effects(ends_at=now + 1000), Effects(ends_at=now - 1000)):
        EFFECTS.set(effects)
        left.append(seconds_left())
    assert left[:2] == [math.inf, math.inf]
    assert 900 < left[2] <= 1000
    assert left[3] == 0.0
