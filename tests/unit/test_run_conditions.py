"""Types of the conditions of workflows: what is refused where, and that what is allowed has a value for every input."""

import ast
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from onex_node_runtime.workflows.known import bounded, factor_of, value_at
from pydantic import BaseModel

from extensions.judging.judge import judge
from extensions.language.kinds import WrongError
from extensions.language.run_conditions import UNKNOWN, InputTypes, RunScope, check, read
from tests.expressions import ENUMS, INPUT, MODELS, kinds

TYPES = InputTypes(kinds(INPUT), {name: kinds(fields) for name, fields in MODELS.items()}, ENUMS)
SCOPE = RunScope(TYPES, ["a"], every=["a"], item=TYPES.item_of(("lines",)), previous=["a"], result=True)


class Tier(StrEnum):
    GOLD = "gold-plus"


class Size(BaseModel):
    width: float
    label: str | None = None


class Line(BaseModel):
    sku: str
    quantity: int
    price: Decimal
    weight: float
    size: Size
    wrap: Size | None = None
    gift: bool


def _input(*, absent: bool) -> Mapping[str, object]:
    size = Size(width=2.5, label=None if absent else "x")
    line = Line(sku="s", quantity=2, price=Decimal("1.5"), weight=0.5, size=size, gift=True)
    lines = [line if absent else line.model_copy(update={"wrap": size})]
    return {
        "lines": lines,
        "more": None if absent else lines,
        "count": 3,
        "rate": 0.5,
        "amount": Decimal(2),
        "name": "a",
        "note": None if absent else "n",
        "limit": None if absent else 4,
        "word": "b",
        "level": 1,
        "tier": Tier.GOLD,
        "since": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "lead": timedelta(hours=1),
        "owner": UUID(int=1),
        "extra": {"k": 1},
        "flag": True,
        "data": b"x",
        "numbers": [1, 2],
        "anything": [1, "a"],
    }


ATOMS = [
    *(f"input.{name}" for name in INPUT),
    *("x", "x.quantity", "x.size.width", "x.wrap", "input.lines[0].price", "input.lines[0].wrap.label"),
    *("1", "2", "0.5", "'a'", "None", "True", "'gold-plus'", "item.price", "item.size.label"),
]
PATTERNS = [
    *("{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "{a} // {b}", "{a} % {b}", "-{a}", "not {a}"),
    *("({a} if {b} else {c})", "({a} and {b})", "({a} or {b})", "{a} < {b}", "{a} == {b}", "{a} in {b}"),
    *("{a} is None", "({a} is not None and {a} > {b})", "({a} is None or {a} == {b})", "[{a}, {b}]", "{a} is True"),
    *("[{a} for x in {b}]", "sum({a} for x in input.lines if {b})", "any({a} for x in {b})", "max({a}, {b})"),
    *("min({a})", "sum({a})", "sorted({a})", "len({a})", "str({a})", "int({a})", "float({a})", "abs({a})"),
    *("round({a}, {b})", "round({a})", "all({a})"),
]


@st.composite
def conditions(draw: DrawFn, depth: int = 3) -> str:
    """Draw conditions, allowed or not."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(ATOMS))
    pattern = draw(st.sampled_from(PATTERNS))
    return f"({pattern.format(**{name: draw(conditions(depth - 1)) for name in 'abc' if f'{{{name}}}' in pattern})})"


@settings(max_examples=600, deadline=None)
@given(conditions())
def test_what_is_allowed_has_a_value_for_every_input(text: str) -> None:
    try:
        made = read(text, SCOPE)
    except WrongError:
        return
    for absent in (False, True):
        values = _input(absent=absent)
        item = {"price": "1.5", "size": {"label": "x", "width": 2.5}}
        known = SimpleNamespace(request=values, steps={}, item=item, previous={}, result={})
        try:
            looks = {"bounded": bounded, "factor_of": factor_of, "value_at": value_at}
            names = {"known": known, "Decimal": Decimal, "timedelta": timedelta}
            eval(made.code, names | looks)  # noqa: S307 - that is what is tested
        except (ArithmeticError, ValueError):
            # What depends on the values alone is a failure of the step.
            continue
        except TypeError as error:
            pytest.fail(f"{text}: {error}")
    # Nothing is refused for what is known of the item less.
    open_item = RunScope(TYPES, ["a"], every=["a"], item=UNKNOWN, previous=["a"], result=True)
    assert not list(check(("when",), text, open_item))


@settings(max_examples=150, deadline=None)
@given(conditions(), st.sampled_from(["input.count", "input.name", "input.flag", "x.quantity", "item.price"]))
def test_what_nodes_answer_goes_with_what_a_known_value_goes_with(text: str, known: str) -> None:
    """A condition that is allowed stays so, and keeps its shape, when a value in it has no known type."""
    try:
        read(text, SCOPE)
    except WrongError:
        return
    assert not list(check(("when",), text.replace(known, "steps.a.b"), SCOPE))


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("'yes'", "'yes', which never changes at column 1", "a condition that names something"),
        ("1", "1, which never changes at column 1", "a condition that names something"),
        ("None", "None, which never changes at column 1", "a condition that names something"),
        ("not 'no'", "'no', which never changes at column 5", "a condition that names something"),
        ("input.count > 1 and 'a'", "'a', which never changes at column 21", "a condition that names something"),
        ("'a' + 'b'", "'a' + 'b', which never changes at column 1", "a condition that names something"),
        ("len(5)", "len(…) of integer at column 5", "an array, text, bytes, or an object"),
        ("len(input.count) > 1", "len(…) of integer at column 5", "an array, text, bytes, or an object"),
        (
            "input.name == 3",
            "a comparison of input.name, of type string, with one of type integer at column 15",
            "values of the same type",
        ),
        (
            "'a' < 3",
            "a comparison of 'a', of type string, with one of type integer at column 7",
            "values of the same type",
        ),
        (
            "input.owner == 'x'",
            "a comparison of input.owner, of type uuid, with one of type string at column 16",
            "values of the same type",
        ),
        ("input.tier == 'silver'", "'silver' at column 15", "one of basic, gold-plus"),
        ("input.limit > 3", "an order with input.limit, which may be null at column 1", "a value"),
        ("input.owner", "input.owner, of type uuid, which is always true at column 1", "a condition"),
        ("(x for x in result)", "a generator at column 1", "any(…), or all(…)"),
        ("result.ok == None", "a comparison with None by == or != at column 14", "is None, or is not None"),
        ("result.count + None > 1", "arithmetic with None, of type None at column 16", "one of integer, number"),
        (
            "'a' - result.x == 1",
            "'a' - result.x, of the types string and unknown at column 1",
            "types that go together",
        ),
        ("sum(input.name) > 1", "sum(…) of input.name, of type string at column 5", "an array"),
        ("max(result.x, 'a', 1) == 1", "result.x and 1, of the types string and integer at column 20", "values"),
        ("round(result.x, 'a') == 1", "arithmetic with 'a', of type string at column 17", "one of integer"),
        ("any(result.x, 1)", "2 arguments of any at column 1", "1"),
        ("input.lines[0].colour == 'a'", "input.lines[0].colour at column 1", "a field of Line"),
        ("input.name[0] == 'a'", "an item of input.name, which is of type string at column 1", "an array"),
        ("input.name.first == 'a'", "a field of input.name, which is of type string at column 1", "a field of a model"),
        (
            "item.price > 3",
            "a comparison of item.price, of type string, with one of type integer",
            "values of the same",
        ),
        ("item.sky == 'a'", "item.sky at column 1", "a field of Line as JSON"),
        ("[x + 'a' for x in [1, 2]] == []", "x + 'a', of the types integer and string at column 2", "types"),
        ("sorted(result.x) == 1", "a comparison of sorted(result.x), of type array", "values of the same type"),
        ("str(result.x) > 1", "a comparison of str(result.x), of type string, with one of type integer", "values"),
        ("1 if True else 2", "if True at column 6", "a condition that depends on something"),
        ("input.count / 0 > 1", "a division by what may be 0 at column 15", "a number other than 0"),
    ],
)
def test_types_that_do_not_go_together(text: str, found: str, expected: str) -> None:
    (problem,) = check(("when",), text, SCOPE)

    assert problem.found.startswith(found)
    assert problem.expected.startswith(expected) or expected == "a value"


@pytest.mark.parametrize(
    "text",
    [
        "len(result) > 0 and result[0].ok is True",
        "sum(x.n for x in result) > 3 and max(result.a, result.b) > 1",
        "'a' in result.list or result.text in ['a', 'b'] or result.x in input.numbers",
        "abs(result.x - input.rate) < 0.1",
        "input.limit is not None and input.limit > 3",
        "input.limit is None or input.limit == result.limit",
        "input.tier == 'basic' and input.tier == result.tier",
        "input.amount > 3 and sum(x.price for x in input.lines) > 10",
        "item.price == '1.5' and item.quantity > 1 and item.size.width < 3",
        "all(x.quantity > steps.a.least for x in input.lines)",
        "input.extra['k'] == 1 and previous.a is None",
        "sorted(result.list + ['a']) == sorted(input.numbers)",
        "round(result.x, 2) == 1.5 and str(result.x) == 'a' and int(result.x) % 2 == 0",
        "input.more is not None and len(input.more) == len(steps.a.lines)",
    ],
)
def test_types_that_go_together(text: str) -> None:
    assert list(check(("when",), text, SCOPE)) == []
    ast.parse(read(text, SCOPE).code)


def test_each_place_of_a_condition_is_judged() -> None:
    steps: list[dict[str, Any]] = [
        {"name": "a", "node": "node_x_effect", "operation": "o", "when": "input.n == 'x'"},
        {"name": "b", "node": "node_x_effect", "operation": "o", "require": "len(5) > result.n"},
        {
            "name": "c",
            "steps": [{"name": "d", "node": "node_x_effect", "operation": "o", "when": "item + 1 > 1"}],
            "for_each": "${input.words}",
            "repeat": {"until": "input.n < 'x'", "max_rounds": 2},
        },
    ]
    contract = {
        "name": "n",
        "node_type": "orchestrator",
        "operations": [
            {
                "name": "go",
                "input": {"n": "integer", "words": {"type": "array", "items": "string"}},
                "output": {"status": "string"},
                "workflow": {"steps": steps, "timeout_seconds": 9},
            }
        ],
    }

    places = {problem.path[4:] for problem in judge(contract) if problem.path[:1] == ("operations",)}

    assert places == {(0, "when"), (1, "require"), (2, "repeat", "until"), (2, "steps", 0, "when")}
