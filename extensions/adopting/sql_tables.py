"""Tables become models, and operations that create, read, list, update and delete their rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..text.nouns import plural, singular
from .postgres import Server
from .sql_types import Types, limits
from .vocabulary import Vocabulary, field_name, short, text, unique, word

_TABLES: Final = """
    SELECT c.oid, c.relname AS name, c.oid::regclass::text AS written, obj_description(c.oid, 'pg_class') AS comment,
           ARRAY(SELECT unnest(conkey) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p') AS key,
           ARRAY(SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c'
                  ORDER BY conname) AS checks
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
     ORDER BY c.oid"""
_COLUMNS: Final = """
    SELECT a.attnum AS number, a.attname AS name, quote_ident(a.attname) AS written, a.atttypid AS type,
           a.atttypmod AS modifier, a.attnotnull OR t.typnotnull AS needed,
           col_description(a.attrelid, a.attnum) AS comment,
           a.attgenerated::text <> '' AS computed, a.attidentity::text <> '' AS counted,
           pg_get_expr(d.adbin, d.adrelid) AS preset
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
MOST_ROWS: Final = 1_000
_USUAL_ROWS: Final = 100
_WIDTH: Final = 90


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table.

    Attributes:
        number: Its number in the table.
        name: Its name in the database.
        written: The same, as SQL writes it.
        type: How SQL writes its type.
        field: The name of its field.
        spec: Its field in the long form, without `required`.
        needed: Whether it is never null.
        preset: Its default, as SQL; empty for none.
        given: Whether inserts may set it, since the database doesn't.
        plain: Whether its type has a counterpart; when not, it is read and written as text.
    """

    number: int
    name: str
    written: str
    type: str
    field: str
    spec: dict[str, Any]
    needed: bool
    preset: str
    given: bool
    plain: bool

    @property
    def own(self) -> Any:
        """The field of a model that holds rows."""
        return short(self.spec | ({} if self.needed else {"required": False}))

    @property
    def read(self) -> str:
        """How a statement reads it, under the name of its field."""
        code = self.written if self.plain else f"{self.written}::text"
        return code if code == self.field else f"{code} AS {self.field}"

    def bound(self, number: int, *, typed: bool = False) -> str:
        """Return the placeholder of its value."""
        if not self.plain:
            return f"${number}::text::{self.type}"
        return f"${number}::{self.type}" if typed else f"${number}"


@dataclass(slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name, in snake_case.
        written: The same, as SQL writes it.
        comment: What the database says of it.
        columns: Its columns, in order.
        key: Those of its primary key.
        model: The name of the model of its rows.
    """

    name: str
    written: str
    comment: str
    columns: list[TableColumn]
    key: list[TableColumn]
    model: str = ""
    numbered: dict[int, TableColumn] = field(default_factory=dict)

    @property
    def one(self) -> str:
        """What a row is called."""
        return singular(self.name)

    @property
    def many(self) -> str:
        """What rows are called."""
        return plural(self.one)


def tables(server: Server, types: Types, vocabulary: Vocabulary) -> dict[int, Table]:
    """Return the tables of a database, by object identifier, and their models.

    Args:
        server: The database.
        types: What fields its types are.
        vocabulary: Where models and notes go.
    """
    found: dict[int, Table] = {}
    for row in server.rows(_TABLES):
        columns: list[TableColumn] = []
        for column in server.rows(_COLUMNS, row["oid"]):
            columns.append(_column(column, row, types, vocabulary, [one.field for one in columns]))
        name = unique(word(row["name"], "table"), (table.name for table in found.values()))
        table = Table(name, row["written"], row["comment"] or "", columns, [])
        table.numbered = {column.number: column for column in columns}
        table.key = [table.numbered[number] for number in row["key"]]
        if columns:
            table.model = vocabulary.type_name(table.one)
            model = {"description": text(table.comment)} if table.comment else {}
            vocabulary.models[table.model] = model | {"fields": {one.field: one.own for one in columns}}
        found[row["oid"]] = table
    return found


def _column(
    row: dict[str, Any], table: dict[str, Any], types: Types, vocabulary: Vocabulary, taken: list[str]
) -> TableColumn:
    made, _ = field_name(row["name"], taken)
    spec = types.field(row["type"], row["modifier"])
    place = f"{table['written']}.{row['written']}"
    plain = spec is not None
    if spec is None:
        spec = {"type": "string"}
        vocabulary.note(place, f"{types.written(row['type'])} has no counterpart: read and written as text")
    if made != row["name"]:
        vocabulary.note(place, f"its field is {made}")
    for check in table["checks"]:
        spec |= {key: value for key, value in limits(check, row["name"], spec["type"]).items() if key not in spec}
    if row["comment"]:
        spec["description"] = text(row["comment"])
    preset = "" if row["computed"] else row["preset"] or ""
    given = not (row["computed"] or row["counted"] or preset.startswith("nextval("))
    return TableColumn(
        row["number"],
        row["name"],
        row["written"],
        types.written(row["type"]),
        made,
        spec,
        row["needed"],
        preset,
        given,
        plain,
    )


def operations(table: Table) -> Iterator[dict[str, Any]]:
    """Yield what can be done with the rows of a table."""
    columns = _listed((column.read for column in table.columns), 7)
    row = {"type": table.model}
    one = unique(table.one, ("found",))
    yield _create(table, columns, {one: table.model})
    key = {column.field: _given(column) for column in table.key}
    where = " AND ".join(f"{column.written} = {column.bound(index)}" for index, column in enumerate(table.key, 1))
    if key:
        yield {
            "name": f"get_{table.one}",
            "description": f"Read one row of {table.written} by its key.",
            "input": key,
            "output": {"found": "boolean", one: row | {"required": False}},
            "database": {
                "query": f"SELECT {columns}\n  FROM {table.written}\n WHERE {where}\n",
                "parameters": list(key),
                "returns": {"rows": "one", "into": one, "found": "found"},
            },
        }
    yield _list(table, columns)
    changed = [column for column in table.columns if column.given and column not in table.key]
    if key and changed:
        yield _update(table, columns, changed, key, one)
    if key:
        yield {
            "name": f"delete_{table.one}",
            "description": f"Delete one row of {table.written} by its key.",
            "input": key,
            "output": {"deleted": "boolean"},
            "database": {
                "query": f"DELETE FROM {table.written}\n WHERE {where}\n",
                "parameters": list(key),
                "returns": {"rows": "none", "found": "deleted"},
            },
        }


def _create(table: Table, columns: str, output: dict[str, Any]) -> dict[str, Any]:
    given = [column for column in table.columns if column.given]
    values = [
        f"coalesce({column.bound(index, typed=True)}, {column.preset})" if column.preset else column.bound(index)
        for index, column in enumerate(given, 1)
    ]
    into = f" ({_listed((column.written for column in given), 4)})\n" if given else ""
    source = f"VALUES ({_listed(values, 8)})" if given else " DEFAULT VALUES"
    made: dict[str, Any] = {"name": f"create_{table.one}", "description": f"Add one row to {table.written}."}
    if given:
        made["input"] = {
            column.field: _given(column, optional=bool(column.preset) or not column.needed) for column in given
        }
    database: dict[str, Any] = {"query": f"INSERT INTO {table.written}{into}{source}\nRETURNING {columns}\n"}
    if given:
        database["parameters"] = [column.field for column in given]
    database["returns"] = {"rows": "one", "into": next(iter(output))}
    return made | {"output": output, "database": database}


def _list(table: Table, columns: str) -> dict[str, Any]:
    """Return the operation that reads rows in the order of their key, those after another one."""
    inputs: dict[str, Any] = {"limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": _USUAL_ROWS}}
    query = f"SELECT {columns}\n  FROM {table.written}\n"
    after = {unique(f"after_{column.field}"[:48], inputs): column for column in table.key}
    if after:
        inputs |= {name: _given(column, optional=True, described=False) for name, column in after.items()}
        bound = [column.bound(index, typed=True) for index, column in enumerate(table.key, 2)]
        keys = ", ".join(column.written for column in table.key)
        several = len(bound) > 1
        compared = f"({keys}) > ({', '.join(bound)})" if several else f"{keys} > {bound[0]}"
        query += f" WHERE {bound[0]} IS NULL OR {compared}\n ORDER BY {keys}\n"
    return {
        "name": f"list_{table.many}",
        "description": f"Read rows of {table.written}"
        + (" in the order of their key, those after the given one." if after else "."),
        "input": inputs,
        "output": {table.many: {"type": "array", "items": table.model}},
        "database": {
            "query": f"{query} LIMIT $1\n",
            "parameters": list(inputs),
            "returns": {"rows": "many", "into": table.many},
        },
    }


def _update(table: Table, columns: str, changed: list[TableColumn], key: dict[str, Any], one: str) -> dict[str, Any]:
    """Return the operation that sets all columns; those that may not be null and have a default may be left out."""
    start = len(table.key) + 1
    sets = [
        f"{column.written} = coalesce({column.bound(index, typed=True)}, {column.written})"
        if column.needed and column.preset
        else f"{column.written} = {column.bound(index)}"
        for index, column in enumerate(changed, start)
    ]
    where = " AND ".join(f"{column.written} = {column.bound(index)}" for index, column in enumerate(table.key, 1))
    inputs = key | {
        column.field: _given(column, optional=bool(column.preset) or not column.needed) for column in changed
    }
    return {
        "name": f"update_{table.one}",
        "description": f"Set the columns of one row of {table.written}.",
        "input": inputs,
        "output": {"found": "boolean", one: {"type": table.model, "required": False}},
        "database": {
            "query": f"UPDATE {table.written}\n   SET {',\n       '.join(sets)}\n WHERE {where}\nRETURNING {columns}\n",
            "parameters": list(inputs),
            "returns": {"rows": "one", "into": one, "found": "found"},
        },
    }


def _given(column: TableColumn, *, optional: bool = False, described: bool = True) -> Any:
    spec = {key: value for key, value in column.spec.items() if described or key != "description"}
    return short(spec | ({"required": False} if optional else {}))


def _listed(parts: Iterable[str], indent: int) -> str:
    """Return a list with commas, broken where it gets long."""
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) > _WIDTH:
            lines.append("")
        lines[-1] += f"{part}, "
    return f"\n{' ' * indent}".join(line.rstrip() for line in lines).removesuffix(",")
