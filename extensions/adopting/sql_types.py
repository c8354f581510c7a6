"""Types of PostgreSQL become fields: what its catalogue says of a type, and what the checks of a column bound."""

import re
from collections.abc import Mapping
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from .postgres import Server
from .vocabulary import Vocabulary, short, text

_KINDS: Final = {
    "bool": "boolean",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "number",
    "float8": "number",
    "numeric": "decimal",
    "text": "string",
    "varchar": "string",
    "bpchar": "string",
    "citext": "string",
    "name": "string",
    "uuid": "uuid",
    "timestamp": "datetime",
    "timestamptz": "datetime",
    "date": "date",
    "time": "time",
    "interval": "duration",
    "bytea": "bytes",
    "json": "object",
    "jsonb": "object",
    "inet": "string",
    "cidr": "string",
}
_HEADER: Final = 4  # bytes, which modifiers of text types count
_NUMBERS: Final = frozenset({"integer", "number", "decimal"})
_TYPE: Final = """
    SELECT t.typname AS name, t.typtype AS form, t.typelem AS item, t.typbasetype AS base, t.typtypmod AS modifier,
           t.typcategory AS category, n.nspname AS schema, obj_description(t.oid, 'pg_type') AS comment,
           format_type(t.oid, NULL) AS written,
           ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels,
           ARRAY(SELECT pg_get_expr(conbin, 0) FROM pg_constraint WHERE contypid = t.oid AND conbin IS NOT NULL
                  ORDER BY conname) AS checks
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = %s"""
# Of the regular expressions of PostgreSQL, those that mean the same in Python.
_PATTERN: Final = re.compile(r"(?!.*\(\?)(?!.*\[[\[:.=])[\w ^$\[\]().+*?{}|,@:;/=<>!%&#~\"-]{1,200}", re.ASCII)
_BOUNDS: Final[Mapping[type[exp.Expr], str]] = {
    exp.GT: "exclusiveMinimum",
    exp.GTE: "minimum",
    exp.LT: "exclusiveMaximum",
    exp.LTE: "maximum",
}
_TURNED: Final[Mapping[type[exp.Expr], type[exp.Expr]]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
}


class Types:
    """Fields of types, by what the server says of them.

    Args:
        server: Who is asked.
        vocabulary: Where enums go.
    """

    def __init__(self, server: Server, vocabulary: Vocabulary) -> None:
        """Start with no type known."""
        self._server = server
        self._vocabulary = vocabulary
        self._known: dict[int, dict[str, Any]] = {}
        self._enums: dict[int, str] = {}

    def field(self, oid: int, modifier: int = -1) -> dict[str, Any] | None:
        """Return a type as a field in its long form; None for a type that no field has.

        Args:
            oid: The object identifier of the type.
            modifier: Its modifier, such as the length of varchar; -1 for none.
        """
        row = self._row(oid)
        if row is None:
            return None
        if row["form"] == "e":
            return {"type": self._enum(oid, row)}
        if row["form"] == "d":
            made = self.field(row["base"], row["modifier"])
            if made is None:
                return None
            for check in row["checks"]:
                made |= limits(check, "value", made["type"])
            return made | ({"description": text(row["comment"])} if row["comment"] else {})
        if row["category"] == "A" and row["item"]:
            item = self.field(row["item"], modifier)
            if item is None or item["type"] == "array":
                return None
            return {"type": "array", "items": short({key: item[key] for key in item if key != "description"})}
        kind = _KINDS.get(row["name"])
        if kind is None or (row["schema"] != "pg_catalog" and row["name"] != "citext"):
            return None
        made = {"type": kind}
        if row["name"] in {"varchar", "bpchar"} and modifier > _HEADER:
            made["maxLength"] = modifier - _HEADER
        return made

    def written(self, oid: int) -> str:
        """Return how SQL writes a type, without its modifier."""
        row = self._row(oid)
        return str(row["written"]) if row else "text"

    def _row(self, oid: int) -> dict[str, Any] | None:
        if oid not in self._known:
            (self._known[oid],) = self._server.rows(_TYPE, oid) or [{}]
        return self._known[oid] or None

    def _enum(self, oid: int, row: Mapping[str, Any]) -> str:
        if oid not in self._enums:
            made = self._vocabulary.type_name(row["name"])
            spec: dict[str, Any] = {"values": list(row["labels"])}
            if row["comment"]:
                spec["description"] = text(row["comment"])
            self._vocabulary.enums[made] = spec
            self._enums[oid] = made
        return self._enums[oid]


def limits(check: str, column: str, kind: str) -> dict[str, Any]:
    """Return what a check says of one column alone, in words of fields.

    What fields have no word for is left to the database, which checks all of it.

    Args:
        check: The expression, as PostgreSQL writes it.
        column: The column.
        kind: The type of the field.
    """
    tree = parsed(check)
    found: dict[str, Any] = {}
    waiting = [tree] if tree is not None else []
    while waiting:
        part = waiting.pop(0).unnest()
        if isinstance(part, exp.And):
            waiting[:0] = [part.left, part.right]
        elif isinstance(part, exp.Between) and kind in _NUMBERS and _is(part.this, column):
            low, high = _value(part.args["low"]), _value(part.args["high"])
            found |= {key: value for key, value in (("minimum", low), ("maximum", high)) if _number(value)}
        else:
            found |= _limit(part, column, kind)
    return found


def _limit(part: exp.Expr, column: str, kind: str) -> dict[str, Any]:
    match part:
        case exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.EQ() | exp.NEQ():
            one, other = _bare(part.this), part.expression
            form: type[exp.Expr] = type(part)
            if _value(one) is not None:
                one, other, form = _bare(part.expression), part.this, _TURNED[form]
            return _compared(one, form, other, column, kind)
        case exp.RegexpLike() if kind == "string" and _is(part.this, column):
            pattern = _value(part.expression)
            return {"pattern": pattern} if isinstance(pattern, str) and _PATTERN.fullmatch(pattern) else {}
        case exp.In() if kind == "string" and _is(part.this, column):
            return _choice(part.expressions)
    return {}


def _compared(one: exp.Expr, form: type[exp.Expr], other: exp.Expr, column: str, kind: str) -> dict[str, Any]:
    if isinstance(other.unnest(), exp.Any) and form is exp.EQ and kind == "string" and _is(one, column):
        listed = _bare(other.unnest().this)
        return _choice(listed.expressions) if isinstance(listed, exp.Array) else {}
    value = _value(other)
    if isinstance(one, exp.Length) and kind == "string" and _is(one.this, column) and isinstance(value, int):
        match form:
            case exp.GT | exp.GTE:
                return {"minLength": value + (form is exp.GT)} if value >= 0 else {}
            case exp.LT | exp.LTE:
                return {"maxLength": value - (form is exp.LT)} if value > 0 else {}
            case exp.EQ:
                return {"minLength": value, "maxLength": value}
        return {}
    if not _is(one, column):
        return {}
    if form in _BOUNDS and kind in _NUMBERS and _number(value):
        return {_BOUNDS[form]: value}
    if form is exp.NEQ and kind == "string" and value == "":
        return {"minLength": 1}
    return {}


def _choice(values: list[exp.Expr]) -> dict[str, Any]:
    found = [_value(value) for value in values]
    return {"enum": found} if found and all(isinstance(value, str) for value in found) else {}


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _bare(part: exp.Expr) -> exp.Expr:
    """Return an expression without what only casts it or sets it in parentheses."""
    while isinstance(part, (exp.Paren, exp.Cast)):
        part = part.this
    return part


def _is(part: exp.Expr, column: str) -> bool:
    bare = _bare(part)
    return isinstance(bare, exp.Column) and bare.name.lower() == column.lower()


def _value(part: exp.Expr) -> int | float | str | None:
    """Return the value of a literal; None for anything else."""
    bare = _bare(part)
    sign = 1
    if isinstance(bare, exp.Neg):
        bare, sign = _bare(bare.this), -1
    if not isinstance(bare, exp.Literal):
        return None
    if bare.is_string:
        cast = part.unnest()
        numeric = isinstance(cast, exp.Cast) and cast.to.this in exp.DataType.NUMERIC_TYPES
        if not numeric:
            return str(bare.this)
    try:
        return sign * int(bare.this)
    except ValueError:
        pass
    try:
        return sign * float(bare.this)
    except ValueError:
        return None


def parsed(statement: str) -> exp.Expr | None:
    """Return the tree of a statement or expression of PostgreSQL; None where the parser does not know it."""
    try:
        return sqlglot.parse_one(statement, dialect="postgres")
    except (SqlglotError, RecursionError, ValueError):
        return None
