"""What the outcome of a call means: whether it is tried again, whether it may have taken effect, what it has to fit."""

import asyncio
from typing import Annotated, Any
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.workflows.calling import (
    RefusedError,
    check,
    code_of,
    deadline,
    leaves_open,
    repeated,
    told,
    unfit,
)
from onex_node_runtime.workflows.step import Call, Retry, Step
from pydantic import BaseModel, ConfigDict, Field, JsonValue

OTHER = "node_other_effect"
PASSING = EnumCoreErrorCode.NETWORK_ERROR


class Money(BaseModel):
    """A part of the output that lets in nothing else."""

    model_config = ConfigDict(extra="forbid")

    amount: int


class Outcome(BaseModel):
    """An output."""

    total: int | None = None
    price: Money | None = None
    few: Annotated[list[int], Field(max_length=2)] = []


def needing(*needed: tuple[str | int, ...], **fills: tuple[str | int, ...]) -> Step[BaseModel]:
    return Step("only", Call(OTHER, "do", lambda _: {}), needed=needed, fills=tuple(fills.items()))


def error(code: EnumCoreErrorCode = PASSING, **details: Any) -> ModelOnexError:
    return ModelOnexError(message="away", error_code=code, **details)


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


class Attempts:
    """Raises the same error each time, but for the last of so many attempts."""

    def __init__(self, raised: BaseException, last: int = 9) -> None:
        self.made = 0
        self._raised = raised
        self._last = last

    async def __call__(self) -> str:
        self.made += 1
        if self.made < self._last:
            raise self._raised
        return "done"


async def test_delays_between_attempts_grow_and_are_capped(delays: list[float]) -> None:
    retry = Retry(6, initial_delay_seconds=0.5, max_delay_seconds=4, backoff_multiplier=3)
    assert await repeated(Attempts(error(), 6), retry, idempotent=False) == "done"
    assert delays == [0.5, 1.5, 4, 4, 4]


PERMANENT = [
    EnumCoreErrorCode.CONTRACT_VIOLATION,
    EnumCoreErrorCode.INVALID_INPUT,
    EnumCoreErrorCode.INVALID_OPERATION,
    EnumCoreErrorCode.INVALID_PARAMETER,
    EnumCoreErrorCode.NOT_FOUND,
    EnumCoreErrorCode.VALIDATION_ERROR,
]


@pytest.mark.usefixtures("delays")
@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("code", PERMANENT)
async def test_what_would_fail_again_is_not_tried_again(code: EnumCoreErrorCode, idempotent: bool) -> None:
    raised = error(code, safe_to_repeat=True)
    attempts = Attempts(raised)
    with pytest.raises(ModelOnexError) as caught:
        await repeated(attempts, Retry(3), idempotent=idempotent)
    assert (caught.value, attempts.made) == (raised, 1)


OPEN = [
    # What is raised, whether it may have taken effect, and whether it is tried again where that might do harm.
    (error(), False, True),
    (error(outcome_unknown=True), True, False),
    (error(safe_to_repeat=False), True, False),
    (error(outcome_unknown=True, safe_to_repeat=True), True, True),
    (error(safe_to_repeat=True), False, True),
    (error(safe_to_repeat="no"), False, True),
    (error(outcome_unknown="yes"), False, True),
    (LookupError("away"), True, False),
    (RefusedError("It does not hold."), False, True),
]


@pytest.mark.usefixtures("delays")
@pytest.mark.parametrize(("raised", "unknown", "again"), OPEN)
async def test_where_nobody_knows_what_the_last_attempt_did_only_what_bears_it_is_repeated(
    raised: Exception, unknown: bool, again: bool
) -> None:
    assert leaves_open(raised) is unknown
    for idempotent in (False, True):
        attempts = Attempts(raised)
        with pytest.raises(type(raised)):
            await repeated(attempts, Retry(3), idempotent=idempotent)
        assert attempts.made == (3 if again or idempotent else 1)


TOLD = [
    (error(EnumCoreErrorCode.TIMEOUT), "away", str(EnumCoreErrorCode.TIMEOUT)),
    (ModelOnexError(message="away"), "away", ""),
    (RefusedError("It does not hold."), "It does not hold.", ""),
    (LookupError("away"), "LookupError: away", ""),
]


@pytest.mark.parametrize(("raised", "said", "code"), TOLD)
def test_what_an_error_says(raised: Exception, said: str, code: str) -> None:
    assert (told(raised), code_of(raised)) == (said, code)


ANSWER: JsonValue = {"inner": {"total": None, "lines": [{"sku": "a"}, []]}, "text": "abc"}


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ((), True),
        (("inner", "total"), True),
        (("inner", "lines", 0, "sku"), True),
        (("inner", "lines", 1), True),
        (("inner", "lines", 2), False),
        (("inner", "lines", 1, 0), False),
        (("inner", "lines", 0, 0), False),
        (("inner", "lines", "sku"), False),
        (("inner", "other"), False),
        (("text", 0), False),
        (("text", "a"), False),
        ((0,), False),
    ],
    ids=str,
)
def test_what_later_steps_refer_to_has_to_be_there(path: tuple[str | int, ...], there: bool) -> None:
    needing_both = needing(("inner",), path)
    if there:
        check(Outcome, needing_both, OTHER, ANSWER)
        return
    with pytest.raises(ModelOnexError) as caught:
        check(Outcome, needing_both, OTHER, ANSWER)
    assert caught.value.message == f"{OTHER}: The answer has no {'.'.join(map(str, path))}."
    assert_of_no_use(caught.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"sum": 3, "money": {"amount": 1}, "list": [1, 2]}, ""),
        # The other node may say more than the output takes.
        ({"sum": None, "money": {"amount": 1, "currency": "EUR"}, "list": []}, ""),
        ({"sum": "many"}, "sum does not fit total: Input should be a valid integer, unable to parse string as an"),
        ({"money": {}}, "money does not fit price: Field required"),
        ({"deep": {"sum": []}}, "deep.sum does not fit total: Input should be a valid integer"),
        ({"list": [1, 2, 3]}, "list does not fit few: List should have at most 2 items"),
    ],
    ids=str,
)
def test_what_an_answer_fills_in_has_to_fit_the_output(answer: dict[str, JsonValue], problem: str) -> None:
    paths: dict[str, tuple[str, ...]] = {"total": ("sum",), "price": ("money",), "few": ("list",)}
    if "deep" in answer:
        paths["total"] = ("deep", "sum")
    filling = needing(**{field: path for field, path in paths.items() if path[0] in answer})
    if not problem:
        check(Outcome, filling, OTHER, answer)
        return
    with pytest.raises(ModelOnexError) as caught:
        check(Outcome, filling, OTHER, answer)
    assert caught.value.message.startswith(f"{OTHER}: {problem}")
    assert_of_no_use(caught.value)


def assert_of_no_use(refused: ModelOnexError) -> None:
    """The node answered, so it did something, and would answer the same again."""
    assert refused.error_code is EnumCoreErrorCode.CONTRACT_VIOLATION
    assert refused.context["additional_context"]["outcome_unknown"] is True


def test_the_node_whose_answer_is_of_no_use_is_named() -> None:
    refused = unfit(OTHER, "The answer is empty.")
    assert refused.message == f"{OTHER}: The answer is empty."
    assert_of_no_use(refused)


async def test_what_takes_too_long_is_given_up_and_its_outcome_unknown() -> None:
    correlation_id = uuid4()
    with pytest.raises(ModelOnexError) as caught:
        async with deadline(0.005, OTHER, correlation_id):
            await asyncio.Event().wait()
    assert caught.value.message == f"{OTHER} gave no answer within 0.005 s."
    assert caught.value.error_code is EnumCoreErrorCode.TIMEOUT
    assert caught.value.correlation_id == correlation_id
    assert leaves_open(caught.value)


async def test_what_is_in_time_is_left_alone() -> None:
    async with deadline(60, OTHER, uuid4()):
        await asyncio.sleep(0)


REFUSED, BROKEN = EnumCoreErrorCode.VALIDATION_ERROR, EnumCoreErrorCode.CONTRACT_VIOLATION
COUNT = {"path": "count", "message": "Input should be greater than 0"}
SIZE = {"path": "sizes.0", "message": "Field required"}


@pytest.mark.parametrize(
    ("code", "problems", "text"),
    [
        (REFUSED, [COUNT], "It is not valid. count: Input should be greater than 0"),
        (REFUSED, [COUNT, SIZE], "It is not valid. count: Input should be greater than 0; sizes.0: Field required"),
        (REFUSED, [SIZE] * 9, f"It is not valid. {'; '.join(['sizes.0: Field required'] * 3)}"),
        (REFUSED, [], "It is not valid."),
        (REFUSED, None, "It is not valid."),
        (REFUSED, "of another form", "It is not valid."),
        (REFUSED, ["of", {"path": "another"}, COUNT], "It is not valid. count: Input should be greater than 0"),
        (BROKEN, [COUNT], "It is not valid."),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_input(code: EnumCoreErrorCode, problems: object, text: str) -> None:
    assert told(ModelOnexError(message="It is not valid.", error_code=code, problems=problems)) == text
