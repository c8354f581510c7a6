"""The command `import-sql`: turns a schema of PostgreSQL, and queries of it, into a contract."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..adopting.reference import BrokenError
from ..terminal.command import command, json_option, output_option, package_option, run
from ..terminal.status import Status
from ..text.written import say
from .adopted import deliver


@command(
    "import-sql",
    "Turn a schema of PostgreSQL, and queries with names, into the contract of an effect node. They are run and asked "
    "on a server of its own, which holds nothing else.",
    ("import-sql schema.sql queries.sql --name library -o node.yaml", "write a contract of tables and queries"),
    ("copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST", "generate the node"),
)
@click.argument("schema", metavar="SCHEMA", type=click.Path())
@click.argument("queries", metavar="[QUERIES]", required=False, type=click.Path())
@click.option("--name", metavar="NAME", help="The node's name; that of the schema's file when left out.")
@click.option(
    "--tables", metavar="NAME,...", help="The tables whose rows get operations; all when left out, none for ''."
)
@package_option("one called after the node when left out")
@output_option
@json_option("the contract, with what has to be looked at,")
def _command(  # noqa: PLR0917 - one for each option
    schema: str,
    queries: str | None,
    name: str | None,
    tables: str | None,
    package: str | None,
    output: str | None,
    *,
    as_json: bool,
) -> int:
    wanted = None if tables is None else [table.strip() for table in tables.split(",") if table.strip()]
    try:
        # The parser of SQL and the server come with the extra `sql`.
        from ..adopting.postgres import ServerError  # noqa: PLC0415
        from ..adopting.sql import adopt  # noqa: PLC0415
    except ImportError:
        say("SQL is read with sqlglot and PostgreSQL: install copier-onex[sql].")
        return Status.NOT_DONE
    try:
        asked = Path(queries) if queries is not None else None
        return deliver(adopt(Path(schema), asked, name, package, wanted), output, as_json=as_json)
    except (BrokenError, ServerError) as error:
        say(str(error))
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
    return Status.NOT_DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of an effect node for a database.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the scripts can't
        be read or PostgreSQL refuses them, in which case nothing is written.
    """
    return run(_command, arguments)


if __name__ == "__main__":
    sys.exit(main())
