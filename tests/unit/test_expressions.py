"""Expressions of contracts: what is allowed, what is refused and where, and what becomes of them."""

import ast
import builtins
import decimal
import math
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extensions.language import expressions
from extensions.language.functions import FUNCTIONS, LOOPS
from extensions.language.kinds import Kind, Scope, WrongError, kind_of
from extensions.text import encode, unparsed
from tests.expressions import ENUMS, INPUT, MODELS, SCOPE, kinds


def kind(text: str) -> Kind:
    return kind_of(ast.literal_eval(text) if text.startswith("{") else text, ENUMS, MODELS)


def written(text: str, kind_of_it: str) -> str:
    return unparsed.code(expressions.read(text, SCOPE, kind(kind_of_it)).tree)


def same(code: str) -> str:
    """Return what code means, whatever its layout."""
    return ast.dump(ast.parse(code, mode="eval"))


@pytest.mark.parametrize(
    ("text", "kind_of_it", "code"),
    [
        ("input.count", "integer", "request.count"),
        ("input.count", "number", "request.count"),
        ("total+1", "integer", "total + 1"),
        ("sum if sum is not None else 0", "number", "sum_ if sum_ is not None else 0"),
        ("input.count / 2", "number", "request.count / 2"),
        ("input.count // 2 % 3", "integer", "request.count // 2 % 3"),
        ("input.count - (total - 1)", "integer", "request.count - (total - 1)"),
        ("(input.count)**2", "integer", "request.count**2"),
        ("-2 ** 2", "integer", "-(2**2)"),
        ("input.amount * 2", "decimal", "request.amount * 2"),
        ("decimal('1.19') * input.amount", "decimal", 'Decimal("1.19") * request.amount'),
        ("round(input.amount, 2)", "decimal", "round(request.amount, 2)"),
        ("round(input.rate)", "integer", "round(request.rate)"),
        ("round(input.amount, -2)", "decimal", "round(request.amount, -2)"),
        ("round(input.count, input.count)", "integer", "round(request.count, max(min(request.count, 1000), -1000))"),
        ("ceil(input.rate) + floor(input.rate)", "integer", "ceil(request.rate) + floor(request.rate)"),
        ("sqrt(input.count)", "number", "sqrt(request.count)"),
        ("starts_with(input.name, 'a')", "boolean", 'request.name.startswith("a")'),
        ("ends_with(upper(input.name), input.name)", "boolean", "request.name.upper().endswith(request.name)"),
        ("replace(input.name, 'a', '')", "string", 'request.name.replace("a", "")'),
        ("len(split(input.name, ','))", "integer", 'len(request.name.split(","))'),
        ("join(sorted(split(input.name, ' ')), '-')", "string", '"-".join(sorted(request.name.split(" ")))'),
        (
            "join((strip(word) for word in split(input.name, ',')), '')",
            "string",
            '"".join((word.strip() for word in request.name.split(",")))',
        ),
        ("sha256(input.name)", "string", "sha256(request.name.encode()).hexdigest()"),
        ("sha512('a' + input.name)", "string", 'sha512(("a" + request.name).encode()).hexdigest()'),
        ("input.since + input.lead * 2", "datetime", "request.since + request.lead * 2"),
        ("seconds(input.lead) / 60", "number", "request.lead.total_seconds() / 60"),
        ("input.lead / input.lead", "number", "request.lead / request.lead"),
        ("input.day - input.lead", "date", "request.day - request.lead"),
        ("input.name + ':' + str(total)", "string", 'request.name + ":" + str(total)'),
        ("strip(lower(input.name))[:3]", "string", "request.name.lower().strip()[:3]"),
        ("'say \"hi\"'", "string", "'say \"hi\"'"),
        ("input.note or 'none'", "string", 'request.note or "none"'),
        ("'TEXT' if input.flag else input.name", "string", '"TEXT" if request.flag else request.name'),
        ("'a' if input.flag else 'b'", "{'type': 'string', 'enum': ['a', 'b', 'c']}", '"a" if request.flag else "b"'),
        ("'gold-plus' if input.flag else input.tier", "Tier", "EnumTier.GOLD_PLUS if request.flag else request.tier"),
        ("['basic']", "{'type': 'array', 'items': 'Tier'}", "[EnumTier.BASIC]"),
        ("None", "{'type': 'integer', 'required': False}", "None"),
        (
            "input.limit if input.limit is not None else 3",
            "integer",
            "request.limit if request.limit is not None else 3",
        ),
        ("3 if input.limit is None else input.limit", "integer", "3 if request.limit is None else request.limit"),
        ("input.limit is None or input.limit > 3", "boolean", "request.limit is None or request.limit > 3"),
        ("input.flag and not input.limit", "boolean", "request.flag and not request.limit"),
        ("(input.flag and total > 1) or total < 0", "boolean", "(request.flag and total > 1) or total < 0"),
        ("0 < total <= 10", "boolean", "0 < total <= 10"),
        ("input.word in ['a', 'b'] and 'key' in input.extra", "boolean", None),
        ("'x' in input.name and input.count in input.numbers", "boolean", None),
        ("sum(l.quantity for l in input.lines)", "integer", "sum(l_.quantity for l_ in request.lines)"),
        ("sum(l.weight for l in input.lines)", "number", "sum((l_.weight for l_ in request.lines), 0.0)"),
        ("sum(x.price for x in input.lines)", "decimal", "sum((x.price for x in request.lines), Decimal(0))"),
        ("sum(x.gift for x in input.lines)", "integer", "sum(x.gift for x in request.lines)"),
        ("max((x.quantity for x in input.lines), default=0)", "integer", None),
        ("min(input.count, total, 3)", "integer", "min(request.count, total, 3)"),
        (
            "[x for x in input.lines if x.wrap is not None and x.wrap.width > 1]",
            "{'type': 'array', 'items': 'Line'}",
            None,
        ),
        ("[y.width for x in input.lines for y in [x.size]]", "{'type': 'array', 'items': 'number'}", None),
        ("sorted(input.numbers, reverse=True)[0]", "integer", "sorted(request.numbers, reverse=True)[0]"),
        ("len([_ for _ in input.lines])", "integer", "len([_ for _ in request.lines])"),
        ("any(x.gift for x in input.lines) and all(x.gift for x in input.lines)", "boolean", None),
        ("[1, 2]", "{'type': 'array', 'items': 'number'}", "[1, 2]"),
        ("[]", "{'type': 'array', 'items': 'Line'}", "[]"),
        ("(\n  total +  # so many\n  1\n)", "integer", "total + 1"),
        ("total\n+ 1", "integer", "total + 1"),
        ("len(input.data) + len(input.extra)", "integer", None),
        ("bool(input.note)", "boolean", "bool(request.note)"),
        ("Size(width=input.rate)", "Size", "ModelSize(width=request.rate)"),
        ("len(set(x.sku for x in input.lines))", "integer", "len(set(x.sku for x in request.lines))"),
        ("sorted(set(input.numbers))[0]", "integer", "sorted(set(request.numbers))[0]"),
        (
            "sum(a * b for a, b in zip(input.numbers, input.numbers))",
            "integer",
            "sum(a * b for a, b in zip(request.numbers, request.numbers, strict=False))",
        ),
        (
            "sum(i * x.quantity for i, x in enumerate(input.lines, 1))",
            "integer",
            "sum(i * x.quantity for i, x in enumerate(request.lines, 1))",
        ),
        (
            "[input.numbers[i] for i in range(1, len(input.numbers) - 1)]",
            "{'type': 'array', 'items': 'integer'}",
            "[request.numbers[i] for i in range(1, len(request.numbers) - 1)]",
        ),
    ],
)
def test_what_is_allowed_is_written_anew(text: str, kind_of_it: str, code: str | None) -> None:
    found = written(text, kind_of_it)
    assert code is None or same(code) == same(found)
    assert compile(found, "expression", "eval").co_names is not None


LONG_SUM = " + ".join(["input.count"] * 100)
REFUSED = [
    ("", "integer", "an expression"),
    ("1 + * 2", "integer", "an expression at column 5"),
    ("input", "integer", "a field of it"),
    ("input.cuont", "integer", "did you mean 'count'?"),
    ("count", "integer", "did you mean 'input.count'?"),
    ("totl", "integer", "did you mean 'total'?"),
    ("grand_total", "integer", "worked out later"),
    ("hello", "string", "quotes of its own"),
    ("input.count.bit_length()", "integer", "the call .bit_length(…)"),
    ("input.name.upper()", "string", "did you mean 'upper'?"),
    ("starts_with(input.name, 1)", "boolean", "text"),
    ("replace(input.name, '', 'a')", "string", "not empty"),
    ("replace(input.name, 'a', input.name)", "string", "written down"),
    ("split(input.name, '')", "string", "not empty"),
    ("join([1], ',')", "string", "one of string"),
    ("join([input.name], input.name)", "string", "written down"),
    ("sha256(input.count)", "string", "text or bytes"),
    ("input.name.__class__", "string", "a field of a model"),
    ("input.lines[0].qty", "integer", "the unknown field 'qty'"),
    ("lenn(input.lines)", "integer", "did you mean 'len'?"),
    ("round(input.rate, ndigits=2)", "number", "arguments without names"),
    ("max(*input.numbers)", "integer", "an argument with a star"),
    ("sorted(input.numbers, **input.extra)", "{'type': 'array', 'items': 'integer'}", "reverse alone"),
    ("sorted(input.numbers, key=len)", "{'type': 'array', 'items': 'integer'}", "reverse alone"),
    ("round()", "integer", "0 arguments of round"),
    ("round(input.count, -1000000000)", "integer", "places from -1000 to 1000"),
    ("input.name + 1", "string", "str(…) makes text"),
    ("input.name * 3", "string", "types that go together"),
    ("input.name % 3", "string", "types that go together"),
    ("input.amount * 1.5", "decimal", "decimal('1.5')"),
    ("input.flag + 1", "integer", "1 if … else 0"),
    ("input.limit + 1", "integer", "which may be null"),
    ("input.rate", "integer", "round(…)"),
    ("total", "string", "str(…)"),
    ("total", "decimal", "decimal(…)"),
    ("input.note", "string", "which may be null"),
    ("input.name", "{'type': 'string', 'enum': ['a']}", "one of a"),
    ("'c' if input.flag else 'a'", "{'type': 'string', 'enum': ['a']}", "one of a"),
    ("'gold'", "Tier", "did you mean 'gold-plus'?"),
    ("input.numbers", "{'type': 'array', 'items': 'number'}", "array of number"),
    ("input.lines + input.numbers", "{'type': 'array', 'items': 'Line'}", "types that go together"),
    ("input.count == 'three'", "boolean", "values of the same type"),
    ("input.word == 'c'", "boolean", "one of a, b"),
    ("input.level == 3", "boolean", "one of 1, 2"),
    ("input.tier == 'gold'", "boolean", "one of basic, gold-plus"),
    ("input.count == None", "boolean", "is None, or is not None"),
    ("input.count is 3", "boolean", "is None, or is not None"),
    ("input.flag > True", "boolean", "an order of values of type boolean"),
    ("input.limit > 3", "boolean", "which may be null"),
    ("input.count in 3", "boolean", "a list of literals"),
    ("input.count in [total]", "boolean", "a literal"),
    ("input.count and input.name", "boolean", "values of the same type"),
    ("input.note and 'x'", "string", "which may be null"),
    ("1 if input.flag else 'a'", "integer", "values of the same type"),
    ("sum(input.name)", "integer", "an array, or a generator"),
    ("sum(x.sku for x in input.lines)", "integer", "values of type string"),
    ("sum(x.wrap.width for x in input.lines)", "number", "which may be null"),
    ("sum(x.quantity for x in input.more)", "integer", "which may be null"),
    ("sum(x for x in input.count)", "integer", "a loop over input.count"),
    ("[x.wrap for x in input.lines]", "{'type': 'array', 'items': 'Size'}", "which may be null"),
    ("[total for total in input.numbers]", "{'type': 'array', 'items': 'integer'}", "a second time"),
    ("[x for x, y in input.lines]", "{'type': 'array', 'items': 'Line'}", "one name"),
    ("[X for X in input.lines]", "{'type': 'array', 'items': 'Line'}", "snake_case"),
    ("[_x for _x in input.lines]", "{'type': 'array', 'items': 'Line'}", "snake_case"),
    ("(x for x in input.lines)", "{'type': 'array', 'items': 'Line'}", "of type generator"),
    ("len(x for x in input.lines)", "integer", "a list, as in"),
    ("bool(x for x in input.lines)", "boolean", "a list, as in"),
    (
        "sum(a.quantity for a in input.lines for b in input.lines for c in input.lines for d in input.lines)",
        "integer",
        "at most 3",
    ),
    ("total / 0", "number", "other than 0"),
    ("input.rate ** 0.5", "number", "sqrt(…)"),
    ("2 ** input.count", "integer", "a whole number from 0 to 16"),
    ("9 ** 99999", "integer", "a whole number from 0 to 16"),
    ("99999999999999999999", "integer", "64 bits"),
    ("1e999", "number", "a finite number"),
    ("1j", "number", "text, numbers"),
    ("b'x'", "string", "text, numbers"),
    ("...", "string", "text, numbers"),
    ("'\\ud800'", "string", "surrogates"),
    (f"'{'x' * 300}'", "string", "at most 200 characters"),
    ("input.numbers[::2]", "{'type': 'array', 'items': 'integer'}", "without a step"),
    ("input.numbers['a']", "integer", "integer"),
    ("input.count[0]", "integer", "indexing of integer"),
    ("input.extra['a']", "string", "which may be null"),
    ("decimal(input.rate)", "decimal", "not exact"),
    ("str(input.lines)", "string", "str(…) of array"),
    ("int(input.since)", "integer", "one of boolean"),
    ("lower(input.count)", "string", "text"),
    ("seconds(input.count)", "number", "a duration"),
    ("min(input.lines)", "Line", "values of type Line"),
    ("max(input.count, input.name)", "integer", "values of the same type"),
    ("max(1, 2, default=3)", "integer", "with an array alone"),
    ("Size(1.5)", "Size", "width=…"),
    ("Size(width='a')", "Size", "of type string"),
    ("Size(label='a')", "Size", "width is required"),
    ("Size(width=1, lable='a')", "Size", "did you mean 'label'?"),
    ("Size(**input.extra)", "Size", "a field of Size"),
    ("zip(input.numbers, input.numbers)", "array", "outside of a loop"),
    ("[a for a in zip(input.numbers, input.numbers)]", "array", "2 names"),
    ("[a for a, b in zip(input.numbers, input.count)]", "array", "an array"),
    ("[a for a, b in zip(input.numbers)]", "array", "2 to 5"),
    ("[i for i in range(input.count)]", "array", "which may be huge"),
    ("[i for i in range(10 ** 9)]", "array", "which may be huge"),
    ("[i for i in range(0, 10, step=2)]", "array", "without names"),
    ("[x for x in set(input.numbers)]", "array", "an array"),
    ("sum(set(input.numbers))", "integer", "an array, or a generator"),
    ("set(input.lines)", "array", "values of type Line"),
    ("lambda: 1", "integer", "a lambda"),
    ("(x := 1)", "integer", "an assignment"),
    ("f'{input.name}'", "string", "an f-string"),
    ("{'a': 1}", "object", "a mapping"),
    ("{1, 2}", "array", "a set"),
    ("{x for x in input.numbers}", "array", "a comprehension of a set"),
    ("(1, 2)", "array", "a tuple"),
    ("[*input.numbers]", "array", "a star"),
    ("~input.count", "integer", "-, +, or not"),
    ("input.count << 3", "integer", "one of +"),
    ("input.count @ 3", "integer", "one of +"),
    ("await input.count", "integer", "await"),
    ("[x async for x in input.lines]", "array", "async"),
    ("(yield 1)", "integer", "yield"),
    ("1; 2", "integer", "an expression"),
    ("import os", "integer", "an expression"),
    ("__import__('os').system('id')", "integer", "the call .system(…)"),
    ("__import__('os')", "integer", "the function '__import__'"),
    ("open('/etc/passwd')", "string", "the function 'open'"),
    ("eval('1')", "integer", "the function 'eval'"),
    ("getattr(input, 'count')", "integer", "the function 'getattr'"),
    ("(1).__class__.__bases__[0].__subclasses__()", "integer", "the call .__subclasses__(…)"),
    ("[c for c in ().__class__.__base__.__subclasses__()]", "array", "the call .__subclasses__(…)"),
    ("input.__dict__", "object", "the unknown field '__dict__'"),
    ("__builtins__", "object", "the name '__builtins__'"),
    ("print(1)", "integer", "the function 'print'"),
    ("'a' 'b' * 10 ** 9", "string", "types that go together"),
    ("[0] * 1000000000", "array", "types that go together"),
    ("(" * 300 + "1" + ")" * 300, "integer", "an expression"),
    ("not " * 100 + "input.flag", "boolean", "nested less deeply"),
    ("-" * 1500 + "1", "integer", "nested less deeply"),
    (f"{LONG_SUM} + {LONG_SUM}", "integer", "at most 2000 characters"),
]


@pytest.mark.parametrize(("text", "kind_of_it", "meaning"), REFUSED, ids=[case[0][:40] for case in REFUSED])
def test_what_is_refused_is_told(text: str, kind_of_it: str, meaning: str) -> None:
    (problem,) = expressions.check(("compute", "x"), text, SCOPE, kind(kind_of_it))
    assert meaning in str(problem)
    assert str(problem).startswith("compute.x: ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("input.count + cuont", "at column 15"),
        ("  input.count + cuont", "at column 17"),
        ("'äöü' + cuont", "at column 9"),
        ("total\n+ cuont", "at line 2, column 3"),
        ("cuont +\ntotal", "at line 1, column 1"),
        ("total > 1 and\nlen(\n  cuont)", "at line 3, column 3"),
        ("total + + * 2", "at column 11"),
    ],
)
def test_problems_have_their_column(text: str, place: str) -> None:
    (problem,) = expressions.check((), text, SCOPE, Kind("integer"))
    assert place in str(problem)


def test_long_chains_are_no_deep_nesting() -> None:
    assert written(LONG_SUM, "integer").count("+") == 99


@pytest.mark.parametrize(
    "text",
    [
        *("event.count / event.count > 1", "event.numbers[0] > 1", "max(event.numbers) > 1", "int(event.name) > 1"),
        *(
            "event.since > event.since",
            "event.day + event.lead > event.day",
            "sqrt(event.rate) > 1",
            "round(event.rate)",
        ),
        *("str(event.count) == '1'", "event.rate ** 2 > 1", "decimal(event.count) > 1", "sorted(event.moments)"),
    ],
)
def test_conditions_have_a_value_for_every_event(text: str) -> None:
    fields = kinds(INPUT) | {"moments": kind("{'type': 'array', 'items': 'datetime'}")}
    scope = Scope("event", fields, SCOPE.models, ENUMS, "event", total=True)
    with pytest.raises(WrongError):
        expressions.read(text, scope)


REQUEST = SimpleNamespace(
    lines=[
        SimpleNamespace(
            sku="a",
            quantity=2,
            price=decimal.Decimal("1.5"),
            weight=0.5,
            size=SimpleNamespace(width=2.0, label=None),
            wrap=None,
            gift=True,
        )
    ],
    more=None,
    count=3,
    rate=1.5,
    amount=decimal.Decimal("9.99"),
    name="7",
    note=None,
    limit=None,
    word="a",
    level=1,
    tier="basic",
    since=datetime(2026, 1, 31, tzinfo=UTC),
    day=date(2026, 1, 31),
    lead=timedelta(hours=1),
    owner=UUID(int=1),
    extra={},
    flag=True,
    data=b"",
    numbers=[1, 2, 3],
    anything=[],
)
NAMESPACE: dict[str, Any] = {
    "__builtins__": {name: getattr(builtins, name) for name in (*FUNCTIONS, *LOOPS) if hasattr(builtins, name)},
    "request": REQUEST,
    "total": 4,
    "sum_": None,
    "Decimal": decimal.Decimal,
    "timedelta": timedelta,
    **{name: getattr(math, name) for name in ("ceil", "floor", "sqrt")},
}


class _Watch:
    on = False
    touched: tuple[str, ...] = ()

    def __call__(self, event: str, _arguments: tuple[object, ...]) -> None:
        if self.on and event.partition(".")[0] in {"open", "os", "socket", "subprocess", "import", "compile"}:
            self.touched += (event,)


WATCH = _Watch()
sys.addaudithook(WATCH)


@contextmanager
def watched() -> Iterator[None]:
    WATCH.on, WATCH.touched = True, ()
    try:
        yield
    finally:
        WATCH.on = False
    assert WATCH.touched == ()


ATOMS = st.sampled_from(
    [
        *(f"input.{name}" for name in INPUT),
        *("total", "sum", "x", "x.quantity", "x.size.width", "1", "0", "2.5", "'a'", "None", "True", "[]", "-1"),
        *("input", "__import__('os')", "input.__class__", "open", "().__class__", "_", "os", "...", "1e400"),
    ]
)
PATTERNS = st.sampled_from(
    [
        *("{} + {}", "{} * {}", "{} / {}", "{} ** {}", "{} - {}", "{} % {}", "({} if {} else {})", "{} and {}"),
        *("{} or {}", "not {}", "{} < {}", "{} == {}", "{} in {}", "{} is None", "[{}, {}]", "[{} for x in {}]"),
        *("sum({} for x in {} if {})", "{}[{}]", "{}[{}:]", "({})", "max({}, {})", "len({})", "str({})", "int({})"),
        *("sorted({})", "round({}, {})", "min(({} for x in {}), default={})", "any({} for x in {})", "decimal({})"),
        *("set({})", "[{} for x in range({})]", "[{} for x, y in zip({}, {})]", "Size(width={})", "{}.__dict__"),
        *(
            "{}.strip()",
            "lambda: {}",
            "(x := {})",
            "f'{{{}}}'",
            "eval({})",
            "{}.__dict__",
            "getattr({}, {})",
            "sqrt({})",
        ),
    ]
)


def filled(parts: tuple[str, list[str]]) -> str:
    pattern, values = parts
    return pattern.format(*values)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.recursive(
        ATOMS, lambda inner: st.tuples(PATTERNS, st.lists(inner, min_size=3, max_size=3)).map(filled), max_leaves=8
    ),
)


@given(TEXTS, st.sampled_from([*INPUT, ""]))
@example("sum(x.quantity for x in input.lines)", "count")
@example("9 ** 16 ** 16", "count")
def test_any_text_is_refused_or_harmless(text: str, field: str) -> None:
    expected = SCOPE.fields[field] if field else None
    problems = list(expressions.check(("a",), text, SCOPE, expected))
    if problems:
        assert str(problems[0]).startswith("a: found ")
        return
    checked = expressions.read(text, SCOPE, expected)
    code = unparsed.code(checked.tree)
    compiled = compile(ast.parse(code, mode="eval"), "expression", "eval")
    enums = {"EnumTier": SimpleNamespace(BASIC="basic", GOLD_PLUS="gold-plus"), "ModelSize": SimpleNamespace}
    with watched(), suppress(ArithmeticError, LookupError, ValueError):
        eval(compiled, NAMESPACE | enums)  # noqa: S307 - whether that does harm is what is tested


class _Grammar:
    """Expressions at random, of any shape that the layout knows, with names long enough to need several lines."""

    names = (
        "request.subtotal_cents",
        "line.quantity",
        "x",
        "request.customer.address.country_name",
        "3",
        "'text'",
        "1.5",
    )

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same each time

    def expression(self, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.1:
            return self.random.choice((*self.names, "request.maximum_number_of_entries_allowed"))
        return self.random.choice(self.shapes)(self, lambda: f"({self.expression(depth - 1)})")

    shapes: tuple[Callable[["_Grammar", Callable[[], str]], str], ...] = (
        lambda g, e: f"{e()} {g.random.choice(['+', '-', '*', '/', '//', '%', '**'])} {e()}",
        lambda _, e: f"{e()} - {e()} + {e()}",
        lambda g, e: f"{e()} {g.random.choice(['==', '<', '>=', 'is not', 'in'])} {e()}",
        lambda g, e: f" {g.random.choice(['and', 'or'])} ".join(e() for _ in range(g.random.randrange(2, 5))),
        lambda _, e: f"{e()} if {e()} else {e()}",
        lambda g, e: f"max({', '.join(e() for _ in range(g.random.randrange(1, 4)))})",
        lambda _, e: f"max(({e()} for line in {e()}), default={e()})",
        lambda _, e: f"sum({e()} for line in {e()})",
        lambda _, e: f"[{e()} for line in {e()} if {e()}]",
        lambda _, e: f"not {e()}",
        lambda _, e: f"-{e()}",
        lambda g, _: f"request.numbers[{g.random.choice(['0', '-1', '1:', 'a:b', 'x + 1 :'])}]",
        lambda g, e: f"[{', '.join(e() for _ in range(g.random.randrange(1, 4)))}]",
    )


@pytest.mark.parametrize("seed", range(3))
def test_code_means_what_the_expression_means(seed: int) -> None:
    grammar = _Grammar(seed)
    for number in range(200):
        tree = ast.parse(grammar.expression(1 + number % 4), mode="eval").body

        assert ast.dump(ast.parse(unparsed.code(tree), mode="eval").body) == ast.dump(tree)


@pytest.mark.parametrize("text", ["TODO", "a'b\"c", "\\", "\u202e", "\x00", "{x}", "\n", "FIXME: \u00e9"])
def test_texts_are_encoded_as_everywhere(text: str) -> None:
    code = unparsed.code(ast.Constant(text))

    assert code == encode.py(text)
    assert ast.literal_eval(code) == text
