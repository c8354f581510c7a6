# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs kept in PostgreSQL, shared by all processes of the node."""

from uuid import UUID

from ..adapters.adapter_postgres import AdapterPostgres, StatementOptions
from .run import Run, load
from .run_store import Lease

CLAIM = """\
INSERT INTO "{table}" AS kept (run_id, operation, state, finished, token, lease_until)
VALUES ($1, $2, $3::text::jsonb, false, $4, now() + make_interval(secs => $5))
ON CONFLICT (run_id) DO UPDATE SET token = $4, lease_until = now() + make_interval(secs => $5)
WHERE NOT kept.finished AND (kept.token IS NULL OR kept.token = $4 OR kept.lease_until < now())
RETURNING state::text AS state
"""
FINISHED = """\
SELECT state::text AS state FROM "{table}"
WHERE run_id = $1 AND finished
"""
CLAIM_ABANDONED = """\
UPDATE "{table}" SET token = $1, lease_until = now() + make_interval(secs => $2)
WHERE run_id = (
    SELECT run_id FROM "{table}"
    WHERE NOT finished AND (token IS NULL OR token = $1 OR lease_until < now())
    ORDER BY lease_until
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING state::text AS state
"""
SAVE = """\
UPDATE "{table}"
SET state = $3::text::jsonb, finished = $4, lease_until = now() + make_interval(secs => $5), updated_at = now()
WHERE run_id = $1 AND token = $2
"""
RENEW = """\
UPDATE "{table}" SET lease_until = now() + make_interval(secs => $3) WHERE run_id = $1 AND token = $2
"""
RELEASE = """\
UPDATE "{table}" SET token = NULL
WHERE run_id = $1 AND token = $2 AND NOT finished
"""


# Each statement does no harm when it runs twice, and is a transaction by itself.
_OPTIONS: StatementOptions = {"idempotent": True, "transaction": False}


class RunStorePostgres:
    """Keeps runs in a table that a migration of the node makes."""

    def __init__(self, postgres: AdapterPostgres, table: str) -> None:
        """Keep the adapter.

        Args:
            postgres: The database.
            table: The table, whose name has no quotation marks in it.
        """
        self._postgres = postgres
        self._table = table

    async def claim(self, run: Run, lease: Lease) -> Run | None:
        """Take a run, which is kept from now on; None when somebody else has it."""
        row = await self._postgres.fetch_one(
            self._of(CLAIM),
            run.run_id,
            run.operation,
            run.dump(),
            lease.token,
            lease.seconds,
            **_OPTIONS,
        )
        if row is None:
            row = await self._postgres.fetch_one(
                self._of(FINISHED),
                run.run_id,
                **_OPTIONS,
            )
        return None if row is None else load(row["state"])

    async def claim_abandoned(self, lease: Lease) -> Run | None:
        """Take a run that is not finished and that nobody has; None when there is none."""
        row = await self._postgres.fetch_one(
            self._of(CLAIM_ABANDONED),
            lease.token,
            lease.seconds,
            **_OPTIONS,
        )
        return None if row is None else load(row["state"])

    async def save(self, run: Run, lease: Lease) -> bool:
        """Keep a run as it is, and renew the lease, or end it for one that is finished; false for a lost lease."""
        affected = await self._postgres.execute(
            self._of(SAVE),
            run.run_id,
            lease.token,
            run.dump(),
            run.finished,
            lease.seconds,
            **_OPTIONS,
        )
        return affected > 0

    async def renew(self, run_id: UUID, lease: Lease) -> bool:
        """Renew the lease; false for a lost one."""
        affected = await self._postgres.execute(
            self._of(RENEW),
            run_id,
            lease.token,
            lease.seconds,
            **_OPTIONS,
        )
        return affected > 0

    async def release(self, run_id: UUID, lease: Lease) -> None:
        """End the lease of a run that is not finished, so that anybody may go on with it at once."""
        await self._postgres.execute(
            self._of(RELEASE),
            run_id,
            lease.token,
            **_OPTIONS,
        )

    def _of(self, statement: str) -> str:
        return statement.format(table=self._table)
