"""A schema of PostgreSQL, and queries of it, become an effect node: tables and queries are its operations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ..language import names
from ..text.nouns import plural
from .adopted import Adopted
from .fitting import fit, prune
from .postgres import Column, Described, RefusedError, Server, started
from .reference import BrokenError
from .sql_parameters import Use, filled, name_of, numbered, uses
from .sql_scripts import Query, Statement, migrations, queries, scripts, sorted_out
from .sql_tables import Table, TableColumn, operations, tables
from .sql_types import Types, parsed
from .vocabulary import Vocabulary, field_name, short, text, unique, word

MOST: Final = 300
_SCALARS: Final = frozenset({"array", "object"})


def adopt(
    schema: Path,
    asked: Path | None = None,
    name: str | None = None,
    package: str | None = None,
    wanted: Collection[str] | None = None,
) -> Adopted:
    """Return the contract of an effect node for a database.

    Args:
        schema: A script, or a folder of migrations, that builds the tables.
        asked: A script, or a folder of such, of queries with names.
        name: The node's name; that of the schema's file when left out.
        package: The node's package; when left out, it is called after the node.
        wanted: The tables whose rows get operations, by their names; all when left out.

    Returns:
        The contract, with the operations of queries first.

    Raises:
        BrokenError: When something can't be read, or PostgreSQL refuses it.
        ServerError: When there is no server to ask.
        OSError: When there is no such file.
    """
    # All of it is read before a server starts.
    vocabulary = Vocabulary()
    made = word(name or schema.name.removesuffix(".sql"), "database")
    contract: dict[str, Any] = {"name": made, "node_type": "effect", "version": "1.0.0"}
    contract["package"] = package or f"{made}_nodes"
    contract["description"] = f"Reads and writes the tables of {text(schema.name)}."
    built: list[Statement] = []
    applied: list[dict[str, Any]] = []
    taken: dict[str, Any] = {}
    problems: list[str] = []
    for path, script in scripts(schema):
        try:
            kept, notes = sorted_out(path, script)
        except BrokenError as error:
            problems.append(str(error))
            continue
        built += kept
        vocabulary.notes += notes
        applied += migrations(path, kept, taken)
    found: list[Query] = []
    for path, script in scripts(asked) if asked else ():
        try:
            found += queries(path, script)
        except BrokenError as error:
            problems.append(str(error))
    if problems:
        raise BrokenError("\n".join(problems))
    if not built:
        raise BrokenError(f"{schema}: found no statement that builds a schema, expected at least one")
    with started() as server:
        _build(server, built)
        importing = _Importing(server, vocabulary, made)
        contract["operations"] = importing.operations(found, wanted)
    if len(contract["operations"]) > MOST:
        hint = "choose tables with --tables"
        raise BrokenError(f"{schema}: {len(contract['operations'])} operations, expected at most {MOST} ({hint})")
    contract |= {"enums": vocabulary.enums, "models": vocabulary.models}
    contract["integrations"] = {"database": {"migrations": applied}}
    order = ("enums", "models", "integrations", "operations")
    contract = {key: contract[key] for key in (*(key for key in contract if key not in order), *order) if contract[key]}
    sources = schema.name if asked is None else f"{schema.name} and {asked.name}"
    adopted = Adopted(contract, notes=vocabulary.notes, head=(f"Made of {text(sources)} by import-sql.",))
    prune(adopted.contract)
    for problem in fit(adopted):
        vocabulary.note(problem.place, f"problem: {problem}")
    prune(adopted.contract)
    return adopted


def _build(server: Server, built: Iterable[Statement]) -> None:
    for statement in built:
        try:
            server.run(statement.sql)
        except RefusedError as error:
            raise BrokenError(f"{statement.place(error.position)}: {error}") from error


class _Importing:
    """Makes operations of what a server knows."""

    def __init__(self, server: Server, vocabulary: Vocabulary, name: str) -> None:
        self.server = server
        self.vocabulary = vocabulary
        self.types = Types(server, vocabulary)
        self.problems: list[str] = []
        for file in ("request", "response", "settings", "step_event"):
            vocabulary.reserve([f"model_{name}_{file}"])
        vocabulary.reserve([f"enum_{name}_operation", f"handler_{name}_effect"])
        self.taken = {f"{name}_effect"}
        self.tables: dict[int, Table] = {}

    def operations(self, found: Sequence[Query], wanted: Collection[str] | None) -> list[dict[str, Any]]:
        for query in found:
            self._take(unique(word(query.name, "query"), self.taken))
        self.tables = tables(self.server, self.types, self.vocabulary)
        known = {table.name for table in self.tables.values()}
        self.problems += [
            f"tables: found no {name!r}, expected one of {', '.join(sorted(known)) or 'none'}"
            for name in wanted or ()
            if name not in known
        ]
        made = [self.query(query) for query in found]
        for table in self.tables.values():
            if not table.columns or (wanted is not None and table.name not in wanted):
                continue
            for operation in operations(table):
                if operation["name"] in self.taken:
                    note = "of this name there is another operation, and none for the table"
                    self.vocabulary.note(operation["name"], note)
                    continue
                try:
                    self.server.describe(operation["database"]["query"])
                except RefusedError as error:
                    self.vocabulary.note(operation["name"], f"left out: {error}")
                    continue
                self._take(operation["name"])
                made.append(operation)
        if not made:
            self.problems.append("found neither tables nor queries, expected at least one")
        if self.problems:
            raise BrokenError("\n".join(self.problems))
        return [operation for operation in made if operation]

    def _take(self, name: str) -> None:
        self.taken.add(name)
        self.vocabulary.reserve(
            [f"handler_{name}", *(f"model_{name}_{part}" for part in ("input", "output", "event", "failure_event"))]
        )

    def query(self, query: Query) -> dict[str, Any]:
        """Return the operation of a query; empty where it has problems."""
        before = len(self.problems)
        statement = query.statement
        rewritten = numbered(statement.sql)
        for position, what in rewritten.problems:
            hint = "sqlc.arg, sqlc.narg, @name or $1"
            self.problems.append(f"{statement.place(position)}: {query.name}: found {what}, expected {hint}")
        if len(self.problems) > before:
            return {}
        try:
            described = self.server.describe(rewritten.sql)
        except RefusedError as error:
            self.problems.append(f"{statement.place(error.position)}: {query.name}: {error}")
            return {}
        tree = parsed(rewritten.sql)
        made: dict[str, Any] = {"name": word(query.name, "query")}
        if query.words:
            made["description"] = query.words
        inputs: dict[str, Any] = {}
        known = uses(tree)
        for number, oid in enumerate(described.parameters, 1):
            use = known.get(number, Use())
            column = self._target(use)
            spec = dict(column.spec) if column and column.plain else self.types.field(oid)
            if spec is None:
                self._unknown(query, f"${number}", oid, f"a cast, as in ${number}::text::{self.types.written(oid)}")
                continue
            optional = number in rewritten.optional or use.optional or bool(column and not column.needed)
            given = name_of(use, rewritten.names.get(number, ""), number)
            inputs[field_name(given, inputs)[0]] = short(spec | ({"required": False} if optional else {}))
        if inputs:
            made["input"] = inputs
        output, returns = self._outcome(query, described, filled(tree, len(described.columns)))
        if output:
            made["output"] = output
        made["database"] = {"query": f"{rewritten.sql}\n" if "\n" in rewritten.sql else rewritten.sql}
        if inputs:
            made["database"]["parameters"] = list(inputs)
        made["database"]["returns"] = returns
        return made if len(self.problems) == before else {}

    def _target(self, use: Use) -> TableColumn | None:
        """Return the column that a parameter is written to; None for none."""
        if not use.table:
            return None
        (row,) = self.server.rows("SELECT to_regclass(%s)::oid AS oid", use.table)
        held = self.tables.get(row["oid"] or 0)
        if held is None:
            return None
        if not use.column:
            return held.columns[use.position] if 0 <= use.position < len(held.columns) else None
        return next((one for one in held.columns if one.name == use.column), None)

    def _unknown(self, query: Query, what: str, oid: int, expected: str) -> None:
        place = f"{query.statement.place()}: {query.name}"
        found = self.types.written(oid)
        self.problems.append(f"{place}: found {what} of type {found}, which no field has, expected {expected}")

    def _outcome(
        self, query: Query, described: Described, computed: Sequence[bool]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the output of a query, and what becomes of its rows."""
        columns = described.columns
        place = f"{query.statement.place()}: {query.name}"
        if query.command == "exec":
            return {}, {"rows": "none"}
        if query.command == "execrows":
            return {"affected": {"type": "integer", "minimum": 0}}, {"rows": "none", "count": "affected"}
        if not columns:
            self.problems.append(f"{place}: found no columns, expected some, or :exec in the place of :{query.command}")
            return {}, {}
        fields = self._fields(query, columns, computed)
        whole = self._whole(columns, fields)
        many = query.command == "many"
        only = next(iter(fields.values()), {})
        if len(fields) == 1 and whole is None and only["type"] not in _SCALARS and only.get("required", True):
            (name,) = fields
            if many:
                into = plural(name)
                items = short({key: value for key, value in only.items() if key != "description"})
                return {into: {"type": "array", "items": items}}, {"rows": "many", "into": into}
            if described.one:
                return {name: short(only)}, {"rows": "one"}
            if name != "found":
                return {"found": "boolean", name: only | {"required": False}}, {"rows": "one", "found": "found"}
        if whole is not None:
            model, into = whole.model, unique(whole.many if many else whole.one, () if many else ("found",))
        else:
            model, into = (
                self.vocabulary.type_name(f"{names.pascal(word(query.name, 'query'))}Row"),
                "rows" if many else "row",
            )
            self.vocabulary.models[model] = {"fields": {name: short(spec) for name, spec in fields.items()}}
        if many:
            return {into: {"type": "array", "items": model}}, {"rows": "many", "into": into}
        if described.one:
            return {into: model}, {"rows": "one", "into": into}
        output = {"found": "boolean", into: {"type": model, "required": False}}
        return output, {"rows": "one", "into": into, "found": "found"}

    def _fields(self, query: Query, columns: Sequence[Column], computed: Sequence[bool]) -> dict[str, dict[str, Any]]:
        """Return the fields of what a query returns, and tell of columns that no field can have."""
        fields: dict[str, dict[str, Any]] = {}
        place = f"{query.statement.place()}: {query.name}"
        for column, always in zip(columns, computed, strict=True):
            held = self.tables.get(column.table)
            origin = held.numbered.get(column.number) if held else None
            spec = dict(origin.spec) if origin and origin.plain else self.types.field(column.type, column.modifier)
            name, _ = field_name(column.name, ())
            shown = column.name[:60]
            if name in fields:
                self.problems.append(f"{place}: found two columns called {shown}, expected another name by AS")
            elif name != column.name:
                self.problems.append(f"{place}: found a column called {shown}, expected another name, as in AS {name}")
            elif spec is None:
                self._unknown(query, f"the column {shown}", column.type, f"a cast, as in {shown}::text AS {shown}")
            else:
                needed = (column.always and origin.needed) if origin else always
                fields[name] = spec | ({} if needed else {"required": False})
        return fields

    def _whole(self, columns: Sequence[Column], fields: Mapping[str, Any]) -> Table | None:
        """Return the table of which a query returns whole rows; None for anything else."""
        table = self.tables.get(columns[0].table)
        if table is None or [column.number for column in columns] != [column.number for column in table.columns]:
            return None
        same = all(column.table == columns[0].table for column in columns)
        model = self.vocabulary.models.get(table.model, {})
        return table if same and model.get("fields") == {name: short(spec) for name, spec in fields.items()} else None
