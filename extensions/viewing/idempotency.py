"""What templates are handed about answers that are kept by the keys of their requests."""

from ..language import idempotency
from ..language.contract import Contract

# What expires is looked for by its moment; such an index names itself.
_TABLE = """\
CREATE TABLE "{table}" (
    operation text NOT NULL,
    caller text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    answer text,
    announced boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (operation, caller, key)
);

CREATE INDEX ON "{table}" (expires_at);
"""


def migrations(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return the migration of the table of kept answers, as id and SQL, if there is one."""
    table = idempotency.table(contract)
    return ((idempotency.migration_id(contract), _TABLE.format(table=table)),) if table else ()
