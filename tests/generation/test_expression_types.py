"""What is emitted for expressions passes mypy, whatever was put together to one that is allowed."""

import ast
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions.language import expressions
from extensions.language.computation import is_annotated
from extensions.language.expressions import Checked
from extensions.language.kinds import WrongError
from extensions.text import unparsed
from tests.conftest import Run
from tests.expressions import ENUMS, INPUT, MODELS, SCOPE, kinds

pytestmark = pytest.mark.slow

WANTED = 300
FIELDS: dict[str, dict[str, Any]] = {
    **INPUT,
    "maybe": {"type": "boolean", "required": False},
    "tiers": {"type": "array", "items": "Tier"},
    "words": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    "rates": {"type": "array", "items": "number"},
}
FIELD_KINDS = kinds(FIELDS)
ATOMS = [
    *(f"input.{name}" for name in FIELDS),
    *("x", "x.quantity", "x.size.width", "x.wrap", "x.price", "x.gift", "x.sku", "i"),
    *("1", "2", "3", "0.5", "'a'", "'b'", "None", "True", "'basic'", "[]"),
]
PATTERNS = [
    *("{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "{a} // {b}", "{a} % {b}", "{a} ** 2", "-{a}", "not {a}"),
    *("({a} if {b} else {c})", "({a} and {b})", "({a} or {b})", "{a} < {b}", "{a} == {b}", "{a} != {b}", "{a} in {b}"),
    *("{a} is None", "({a} is not None and {a} > {b})", "({a} if {a} is not None else {b})", "{a} in ['a', 'b']"),
    *("({a} is None or {a} == {b})", "[{a}, {b}]", "[{a} for x in {b}]", "{a}[0]", "{a}[{b}]", "{a}[1:]"),
    *("[x.quantity for x in input.lines if {a}]", "sum({a} for x in input.lines if {b})", "sum({a} for i in range(3))"),
    *("sum(x * {a} for x, i in zip({b}, {c}))", "[{a} for i, x in enumerate({b})]", "any({a} for x in {b})"),
    *("min(({a} for x in input.lines), default={b})", "max({a}, {b})", "min({a})", "sum({a})", "sorted({a})"),
    *("len({a})", "len(set({a}))", "str({a})", "int({a})", "float({a})", "bool({a})", "decimal({a})", "abs({a})"),
    *("round({a}, 2)", "round({a})", "sqrt({a})", "floor({a})", "lower({a})", "seconds({a})"),
    *("[Size(width={a}, label={b}) for x in input.lines]", "Size(width={a})"),
]
TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "uuid": "UUID",
    "datetime": "datetime",
}
TYPES |= {"date": "date", "duration": "timedelta", "decimal": "Decimal", "bytes": "bytes"}
TYPES |= {"object": "dict[str, JsonValue]", "Tier": "EnumTier", **{name: f"Model{name}" for name in MODELS}}
HEAD = """\
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import floor, sqrt
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue


class EnumTier(StrEnum):
    BASIC = "basic"
    GOLD_PLUS = "gold-plus"
"""


def written(spec: str | Mapping[str, Any]) -> str:
    """Return a field's type as code."""
    long = {"type": spec} if isinstance(spec, str) else spec
    if "enum" in long:
        code = f"Literal[{', '.join(map(repr, long['enum']))}]"
    elif long["type"] == "array":
        code = f"list[{written(long['items']) if 'items' in long else 'JsonValue'}]"
    else:
        code = TYPES[long["type"]]
    return code if long.get("required", True) else f"{code} | None"


def model(name: str, fields: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a class of pydantic's."""
    lines = [
        f"    {field}: {written(spec)}" + " = None" * (spec.get("required", True) is False)
        for field, spec in fields.items()
    ]
    return "\n".join([f"class {name}(BaseModel):", *lines])


def some(chance: random.Random, depth: int) -> str:
    """Return an expression, allowed or not."""
    if depth == 0 or chance.random() < 1 / 7:
        return chance.choice(ATOMS)
    return f"({chance.choice(PATTERNS).format(**{name: some(chance, depth - 1) for name in 'abc'})})"


def allowed(chance: random.Random) -> list[tuple[str, Checked]]:
    """Return expressions that are allowed, each with a field that takes it."""
    scope = replace(SCOPE, fields=FIELD_KINDS, known={}, later=())
    found: dict[str, tuple[str, Checked]] = {}
    while len(found) < WANTED:
        text = some(chance, chance.choice([1, 2, 2, 3]))
        for field in chance.sample([*FIELDS], 6):
            try:
                found[text] = field, expressions.read(text, scope, FIELD_KINDS[field])
            except WrongError:
                continue
            break
    return [*found.values()]


def test_allowed_expressions_pass_mypy(run: Run, tmp_path: Path) -> None:
    parts = [HEAD, *(model(f"Model{name}", fields) for name, fields in MODELS.items()), model("Input", FIELDS)]
    for number, (field, checked) in enumerate(allowed(random.Random(20261121))):  # noqa: S311 - the same each time
        annotated = f": {written(FIELDS[field])}" if is_annotated(checked, FIELD_KINDS[field]) else ""
        statement = f"value{annotated} = {unparsed.code(checked.tree)}"
        lines = [f"def f_{number}(request: Input) -> {written(FIELDS[field])}:", f"    {statement}", "    return value"]
        parts.append("\n".join(lines))
    module = tmp_path / "emitted.py"
    module.write_text("\n\n\n".join(parts) + "\n", encoding="utf-8")
    ast.parse(module.read_text(encoding="utf-8"))

    result = run("mypy", "--strict", module, cwd=tmp_path)

    assert result.returncode == 0, result.stdout


def test_vocabulary_covers_all_types() -> None:
    assert {spec["type"] for spec in FIELDS.values()} >= {*TYPES} - {"Line", "Size"}
    assert set(ENUMS) <= set(TYPES)
