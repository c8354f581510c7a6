"""The command `import-sql`: turns a schema of PostgreSQL, and queries of it, into a contract."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..adopting.reference import BrokenError
from ..text.written import say, show, write
from .adopted import told

_EXAMPLE = """\
example:
  import-sql schema.sql queries.sql --name library -o node.yaml
  copier copy --trust --defaults --data-file node.yaml TEMPLATE DEST
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write to a file, the contract of an effect node for a database.

    Args:
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        0 when there is a contract without problems; 1 when it has some, which are listed, or when the scripts can't
        be read or PostgreSQL refuses them, in which case nothing is written.
    """
    parser = argparse.ArgumentParser(
        prog="import-sql",
        description="Turn a schema of PostgreSQL, and queries with names, into the contract of an effect node. "
        "They are run and asked on a server of its own, which holds nothing else.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("schema", metavar="SCHEMA", help="a script that builds the tables, or a folder of migrations")
    parser.add_argument(
        "queries", metavar="QUERIES", nargs="?", help="queries, or a folder of such: -- name: GetIt :one"
    )
    parser.add_argument("--name", help="the node's name; that of the schema's file when left out")
    parser.add_argument("--package", help="the node's Python package; one called after the node when left out")
    parser.add_argument(
        "--tables", metavar="NAME,...", help="the tables whose rows get operations; all when left out, none for ''"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; it must not be there")
    options = parser.parse_args(arguments)
    wanted = None
    if options.tables is not None:
        wanted = [name.strip() for name in options.tables.split(",") if name.strip()]
    try:
        # The parser of SQL and the server come with the extra `sql`.
        from ..adopting.postgres import ServerError  # noqa: PLC0415
        from ..adopting.sql import adopt  # noqa: PLC0415
    except ImportError:
        say("SQL is read with sqlglot and PostgreSQL: install copier-onex[sql].")
        return 1
    try:
        queries = Path(options.queries) if options.queries is not None else None
        adopted = adopt(Path(options.schema), queries, options.name, options.package, wanted)
        if options.output is None:
            show(adopted.document())
        else:
            write(Path(options.output), adopted.document())
    except (BrokenError, ServerError) as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error.filename!r}: {error.strerror or error}")
        return 1
    return told(adopted)


if __name__ == "__main__":
    sys.exit(main())
