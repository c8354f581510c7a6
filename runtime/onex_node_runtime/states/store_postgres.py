# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""States kept in PostgreSQL, shared by all processes of the node."""

from ..adapters.adapter_postgres import AdapterPostgres, StatementOptions
from .move import Entity, Move, Snapshot

LOAD = """\
SELECT entity.state, entity.version, event.trigger, event.previous_state, event.state AS next_state
FROM "{table}" AS entity
LEFT JOIN "{table}_events" AS event ON event.entity = entity.entity AND event.event_id = $2
WHERE entity.entity = $1
"""
# Each is one statement, which takes effect as a whole: no move without its event, and no event without its move.
FIRST = """\
WITH moved AS (
    INSERT INTO "{table}" (entity, state, version) VALUES ($1, $2, 1)
    ON CONFLICT (entity) DO NOTHING
    RETURNING entity, version
)
INSERT INTO "{table}_events" (entity, event_id, trigger, previous_state, state, version)
SELECT entity, $3, $4, $5, $2, version FROM moved
"""
NEXT = """\
WITH moved AS (
    UPDATE "{table}" SET state = $2, version = version + 1, updated_at = now()
    WHERE entity = $1 AND version = $6
    RETURNING entity, version
)
INSERT INTO "{table}_events" (entity, event_id, trigger, previous_state, state, version)
SELECT entity, $3, $4, $5, $2, version FROM moved
"""

# A statement that ran twice finds the version that the first run left, and the writer looks again.
_OPTIONS: StatementOptions = {"idempotent": True, "transaction": False}


class StateStorePostgres:
    """Keeps states in two tables that a migration of the node makes."""

    def __init__(self, postgres: AdapterPostgres, table: str) -> None:
        """Keep the adapter.

        Args:
            postgres: The database.
            table: The table of the states, whose name has no quotation marks in it; that of the events is called so,
                too, with `_events` at the end.
        """
        self._postgres = postgres
        self._table = table

    async def load(self, entity: Entity, event_id: str) -> Snapshot:
        """Return what is known of an entity, and of an event that may have been seen before."""
        row = await self._postgres.fetch_one(self._of(LOAD), entity, event_id, **_OPTIONS)
        if row is None:
            return Snapshot(None, 0, None)
        seen = None
        if row["trigger"] is not None:
            seen = Move(row["trigger"], row["previous_state"], row["next_state"])
        return Snapshot(row["state"], row["version"], seen)

    async def save(self, entity: Entity, version: int, event_id: str, move: Move) -> bool:
        """Keep a move, and that the event was seen; false when the entity has another version by now."""
        values = (entity, move.state, event_id, move.trigger, move.previous_state)
        statement, more = (NEXT, (version,)) if version else (FIRST, ())
        return await self._postgres.execute(self._of(statement), *values, *more, **_OPTIONS) > 0

    def _of(self, statement: str) -> str:
        return statement.format(table=self._table)
