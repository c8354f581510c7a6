"""Parameters of queries: sqlc's named ones become numbered, and those that are numbered get names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from ..language import sql
from .vocabulary import word

_CALLS: Final = ("arg", "narg")
_OPERATORS: Final = frozenset("-+*/<>=~!@#%^&|`?")


@dataclass(slots=True)
class Rewritten:
    """A query whose parameters have numbers.

    Attributes:
        sql: The query.
        names: What the query calls them, by number.
        optional: Those that the query says may be null.
        problems: What sqlc knows and this does not: its position in the query as it was, and what it is.
    """

    sql: str = ""
    names: dict[int, str] = field(default_factory=dict)
    optional: set[int] = field(default_factory=set)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Use:
    """What a query does with a parameter.

    Attributes:
        name: What it may be called; empty where nothing tells.
        table: The table whose column it is written to, as SQL names it; empty for none.
        column: The column that it is written to; empty for the one at `position`.
        position: The place of its column in a table, from 0, where an insert names no columns.
        optional: Whether the query says what null means.
    """

    name: str = ""
    table: str = ""
    column: str = ""
    position: int = -1
    optional: bool = False


def numbered(query: str) -> Rewritten:
    """Return a query in which `sqlc.arg(name)`, `sqlc.narg(name)` and `@name` are numbered after those with numbers."""
    made = Rewritten()
    tokens = list(sql.scanned(query))
    texts = [query[start:end] for _, start, end in tokens]
    used = max(sql.placeholders(query), default=0)
    known: dict[str, int] = {}
    parts: list[str] = []
    end = index = 0

    def number(name: str) -> int:
        if name not in known:
            known[name] = used + len(known) + 1
            made.names[known[name]] = name
        return known[name]

    while index < len(tokens):
        kind, start, _ = tokens[index]
        call = [text.lower() for text in texts[index : index + 6]]
        length, name = 0, ""
        if kind == "word" and call[:2] == ["sqlc", "."] and len(call) > 2:  # noqa: PLR2004 - what is called
            if call[2] in _CALLS and call[3:4] == ["("] and call[5:6] == [")"]:
                length, name = 6, texts[index + 4].strip("'\"")
                if call[2] == "narg":
                    made.optional.add(number(name))
            else:
                made.problems.append((start, f"sqlc.{call[2]}"))
        elif _at_name(query, tokens, index):
            length, name = 2, texts[index + 1]
        if length:
            parts += [query[end:start], f"${number(name)}"]
            end = tokens[index + length - 1][2]
        index += length or 1
    made.sql = "".join([*parts, query[end:]])
    return made


def _at_name(query: str, tokens: Sequence[tuple[str, int, int]], index: int) -> bool:
    """Tell whether `@name` begins here, and no operator such as `@>` or `<@`."""
    _, start, stop = tokens[index]
    if query[start:stop] != "@" or index + 1 == len(tokens) or tokens[index + 1][:2] != ("word", stop):
        return False
    return not start or query[start - 1] not in _OPERATORS


def uses(tree: exp.Expr | None) -> Mapping[int, Use]:
    """Return what a query does with each of its parameters, by number."""
    found: dict[int, Use] = {}
    for parameter in tree.find_all(exp.Parameter) if tree is not None else ():
        try:
            number = int(parameter.this.name)
        except ValueError:
            continue
        use = found.setdefault(number, Use())
        other = _use(parameter)
        use.name = use.name or other.name
        use.optional = use.optional or other.optional
        if other.table and not use.table:
            use.table, use.column, use.position = other.table, other.column, other.position
    return found


def _use(parameter: exp.Expr) -> Use:
    use, part, above = Use(), parameter, parameter.parent
    while above is not None:
        match above:
            case exp.Paren() | exp.Cast() | exp.Any() | exp.Lower() | exp.Upper() | exp.Trim():
                pass
            case exp.Coalesce():
                use.optional = use.optional or above.this is part
                use.name = use.name or next((_column(one) for one in above.expressions if _column(one)), "")
            case exp.Is():
                use.optional = True
                return use
            case _:
                break
        part, above = above, above.parent
    match above:
        case exp.EQ() if isinstance(above.parent, exp.Update) and above.arg_key == "expressions":
            use.table, use.column = _table(above.parent), _column(above.this)
            use.name = use.column
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.Like() | exp.ILike():
            use.name = use.name or _column(above.expression if above.this is part else above.this)
        case exp.In():
            use.name = use.name or _column(above.this)
        case exp.Between() if above.this is not part:
            side = "from" if above.args["low"] is part else "to"
            name = _column(above.this)
            use.name = use.name or (f"{name}_{side}" if name else "")
        case exp.Limit() | exp.Offset():
            use.name = use.name or type(above).__name__.lower()
        case exp.Tuple() | exp.Select():
            _inserted(use, part, above)
    return use


def _inserted(use: Use, part: exp.Expr, above: exp.Expr) -> None:
    holder = above.parent.parent if isinstance(above.parent, exp.Values) else above.parent
    places = [index for index, one in enumerate(above.expressions) if one is part]
    if not isinstance(holder, exp.Insert) or not places:
        return
    use.table = _table(holder)
    columns = holder.this.expressions if isinstance(holder.this, exp.Schema) else []
    if not columns:
        use.position = places[0]
    elif places[0] < len(columns):
        use.column = columns[places[0]].name
    use.name = use.name or use.column


def _table(holder: exp.Expr) -> str:
    table = holder.this.this if isinstance(holder.this, exp.Schema) else holder.this
    if not isinstance(table, exp.Table):
        return ""
    return ".".join(part.sql("postgres") for part in (table.args.get("db"), table.this) if part is not None)


def _column(part: exp.Expr | None) -> str:
    """Return the name of the one column of an expression; empty for none or several."""
    if part is None:
        return ""
    found = {column.name for column in part.find_all(exp.Column)}
    return found.pop() if len(found) == 1 else ""


def filled(tree: exp.Expr | None, count: int) -> list[bool]:
    """Tell which of the columns that a query computes are never null, as far as their expressions show."""
    selects = list(tree.selects) if isinstance(tree, exp.Query) else []
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)) and (returning := tree.args.get("returning")):
        selects = list(returning.expressions)
    if len(selects) != count or any(one.find(exp.Star) and not one.find(exp.Count) for one in selects):
        return [False] * count
    if isinstance(tree, exp.SetOperation):
        return [False] * count
    return [_filled(one) for one in selects]


def _filled(part: exp.Expr) -> bool:
    match part:
        case exp.Alias() | exp.Paren() | exp.Cast():
            return _filled(part.this)
        case exp.Literal() | exp.Boolean() | exp.Count() | exp.Exists() | exp.CurrentTimestamp() | exp.CurrentDate():
            return True
        case exp.Window():
            return isinstance(part.this, (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Count))
        case exp.Coalesce():
            return any(_filled(one) for one in (part.this, *part.expressions))
    return False


def name_of(use: Use, given: str, number: int) -> str:
    """Return what a parameter is called: as the query says, or after its column, or by its number."""
    return word(given or use.name or f"parameter_{number}", "parameter")
