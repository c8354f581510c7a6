"""How much work expressions are: told before they run, and never less than it is."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.language import expressions
from extensions.language.kinds import Kind, Scope, WrongError, kind_of
from extensions.language.work import ANY, MOST_BITS, MOST_ROUNDS
from extensions.text import unparsed

MODELS: dict[str, dict[str, Any]] = {
    "Line": {"number": "integer", "parts": {"type": "array", "items": "integer"}},
    "Order": {"lines": {"type": "array", "items": "Line"}, "few": {"type": "array", "items": "Line", "maxItems": 5}},
}
FIELDS: dict[str, Any] = {
    "x": "integer",
    "rate": "number",
    "text": "string",
    "xs": {"type": "array", "items": "integer"},
    "ys": {"type": "array", "items": "integer"},
    "few": {"type": "array", "items": "integer", "maxItems": 10},
    "orders": {"type": "array", "items": "Order"},
    "some": {"type": "array", "items": "Order", "maxItems": 10},
}
KINDS = {
    name: {field: kind_of(spec, [], MODELS) for field, spec in fields.items()}
    for name, fields in {"": FIELDS, **MODELS}.items()
}
SCOPE = Scope("input", KINDS[""], KINDS, {}, "request")
INTEGER = Kind("integer")


@pytest.mark.parametrize(
    ("text", "rounds"),
    [
        ("sum(input.xs)", ()),
        ("sum(a for a in input.xs)", ()),
        ("sum(a * b for a in input.xs for b in input.ys)", ((1, 2),)),
        ("sum(sum(b for b in input.ys) for a in input.xs)", ((1, 2),)),
        ("sum(a * b * c for a in input.xs for b in input.ys for c in input.xs)", ((1, 3),)),
        ("sum(1 for a in input.xs if a in input.ys)", ((1, 2),)),
        ("sum(max(input.ys) for a in input.xs)", ((1, 2),)),
        ("sum(len(input.ys[1:]) for a in input.xs)", ((1, 2),)),
        ("sum(1 for a in input.xs if a in set(input.ys))", ((1, 2),)),
        ("sum(a * b for a in input.xs for b in input.few)", ()),
        ("sum(a * b for a in input.few for b in input.few)", ()),
        ("sum(a * b for a in input.xs for b in range(100))", ((100, 1),)),
        ("sum(a * b for a in input.xs for b in range(len(input.ys)))", ((1, 2),)),
        ("sum(a * b for i, a in enumerate(input.xs) for j, b in enumerate(input.ys))", ((1, 2),)),
        ("sum(a + b for a, b in zip(input.xs, input.few))", ()),
        ("len([a for a in input.xs for b in input.ys])", ((1, 2),)),
        ("sum(c for c in [a for a in input.xs for b in input.ys])", ((1, 2),)),
        ("sum(c + d for c in [2 * a for a in input.xs] for d in input.ys)", ((1, 2),)),
        # All lines of all orders are no more than the request holds, each of them counted once.
        ("sum(l.number for o in input.orders for l in o.lines)", ()),
        ("sum(p for o in input.orders for l in o.lines for p in l.parts)", ()),
        ("sum(sum(l.parts) for o in input.orders for l in o.lines)", ((1, 2),)),
        ("sum(l.number + m.number for o in input.orders for l in o.lines for m in o.lines)", ((1, 2),)),
        ("sum(l.number for o in input.some for l in o.lines)", ()),
        ("sum(l.number for o in input.orders for l in o.few)", ()),
    ],
)
def test_rounds_are_told(text: str, rounds: tuple[tuple[int, int], ...]) -> None:
    assert expressions.read(text, SCOPE, INTEGER).rounds == rounds


@pytest.mark.parametrize(
    "text",
    [
        "sum(a * b for a in range(10000) for b in range(10000))",
        "sum(a * b * c for a in range(300) for b in range(300) for c in range(300))",
        "sum(a * b * c for a in range(9000) for b in range(9000) for c in input.xs)",
    ],
)
def test_loops_that_are_too_long_for_any_request_are_mistakes(text: str) -> None:
    with pytest.raises(WrongError) as caught:
        expressions.read(text, SCOPE, INTEGER)
    assert str(MOST_ROUNDS) in caught.value.expected


def test_conditions_have_no_loops_that_grow_with_the_square() -> None:
    total = Scope("event", KINDS[""], KINDS, {}, "event", total=True)
    expressions.read("any(a in event.few for a in event.xs)", total)
    with pytest.raises(WrongError):
        expressions.read("any(a in event.ys for a in event.xs)", total)


TEXTS = {"text": Kind("string"), "texts": Kind("array", items=Kind("string"), size=ANY), "xs": KINDS[""]["xs"]}
TOTAL = Scope("event", TEXTS, {"": TEXTS}, {}, "event", total=True)


@pytest.mark.parametrize(
    "text",
    [
        "any(a in event.text for a in event.texts)",
        "any(lower(event.text) == a for a in event.texts)",
        "any(a == event.text + 'x' for a in event.texts)",
        "any(a == 'x' for b in event.texts for a in split(event.text, ','))",
        "len(replace(event.text, 'a', 'aa')) > 5",
        "sum((x ** 16) ** 16 % 7 for x in event.xs) > 5",
    ],
)
def test_conditions_keep_nothing_waiting(text: str) -> None:
    with pytest.raises(WrongError, match=r"rounds|longer|bits"):
        expressions.read(text, TOTAL)


@pytest.mark.parametrize(
    "text",
    [
        "any(a == event.text for a in event.texts)",
        "any('x' in a for a in event.texts)",
        "any(lower(a) == 'x' for a in event.texts)",
        "event.text in 'abc' or 'a' in event.text",
        "len(replace(event.text, 'ab', 'c')) > 5",
        "lower(event.text) == 'x'",
        "sum(x ** 8 for x in event.xs) > 5",
    ],
)
def test_conditions_over_what_a_request_holds(text: str) -> None:
    expressions.read(text, TOTAL)


@pytest.mark.parametrize(
    "text",
    [
        "((input.x ** 16) ** 16) % 7",
        "sum(input.xs) ** 16",
        "round(input.rate) ** 16",
        "int(input.text) * int(input.text)",
    ],
)
def test_long_numbers_are_taken(text: str) -> None:
    assert expressions.read(text, SCOPE, INTEGER).kind.bits <= MOST_BITS


@pytest.mark.parametrize(
    "text",
    [
        "((input.x ** 16) ** 16) ** 16 % 7",
        "((input.x ** 16) ** 16) * (((input.x ** 16) ** 16) ** 4)",
        "int(input.text) ** 5",
        "(round(input.rate) ** 16) ** 5",
        "max((input.x ** 16) ** 16, 1) ** 5",
        "(((input.x ** 16) ** 16) if input.x > 1 else 2) ** 5",
        "sum((x ** 16) ** 16 for x in input.xs) ** 5",
        "abs(-((input.x ** 16) ** 16)) ** 5",
        "sorted([(x ** 16) ** 16 for x in input.xs])[0] ** 5",
    ],
)
def test_endless_numbers_are_mistakes(text: str) -> None:
    with pytest.raises(WrongError) as caught:
        expressions.read(text, SCOPE, INTEGER)
    assert "bits" in caught.value.expected


def test_what_was_worked_out_before_counts() -> None:
    first = expressions.read("(input.x ** 16) ** 16", SCOPE, INTEGER)
    later = Scope("input", KINDS[""], KINDS, {}, "request", known={"big": (first.kind, "big")})
    with pytest.raises(WrongError):
        expressions.read("big ** 5", later, INTEGER)
    expressions.read("big % 1000 ** 5", later, INTEGER)


NUMBERS = st.recursive(
    st.sampled_from(["input.x", "3", "(-5)", "1000"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner)
        | st.builds("({} {} {})".format, inner, st.sampled_from(["//", "%"]), st.sampled_from(["7", "(-3)", "100"]))
        | st.builds("({} ** {})".format, inner, st.integers(0, 4))
    ),
    max_leaves=6,
)


@given(NUMBERS, st.integers(-(2**63), 2**63 - 1))
def test_numbers_never_have_more_bits(text: str, x: int) -> None:
    try:
        checked = expressions.read(text, SCOPE, INTEGER)
    except WrongError:
        return
    value = eval(unparsed.code(checked.tree), {"request": SimpleNamespace(x=x)})  # noqa: S307 - it was judged
    assert value.bit_length() <= checked.kind.bits


LOOPS = st.lists(st.sampled_from(["input.xs", "input.ys", "input.few", "range(7)"]), min_size=1, max_size=3)


@given(LOOPS, st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))
def test_there_are_never_more_rounds(arrays: list[str], xs: int, ys: int, few: int) -> None:
    loops = " ".join(f"for a{number} in {array}" for number, array in enumerate(arrays))
    checked = expressions.read(f"sum(1 {loops})", SCOPE, INTEGER)
    lengths = Counter({"input.xs": xs, "input.ys": ys, "input.few": few, "range(7)": 7})
    rounds = 1
    for array in arrays:
        rounds *= lengths[array]
    items = xs + ys + few
    assert rounds <= max((factor * items**power for factor, power in checked.rounds), default=50 * 500_000)
