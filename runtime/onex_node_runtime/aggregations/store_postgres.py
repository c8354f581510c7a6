# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Figures kept in PostgreSQL, shared by all processes of the node."""

from collections.abc import Mapping, Sequence

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError

from ..adapters.adapter_postgres import AdapterPostgres, StatementOptions
from .figure_store import KeptWindow, KnownFigures

LOAD = """\
SELECT name, state::text AS state, version FROM "{table}"
WHERE scope = $1 AND name = ANY($2::text[])
"""
SEEN = """\
SELECT event_id FROM "{table}_events"
WHERE scope = $1 AND event_id = ANY($2::text[])
"""
# One statement, which takes effect as a whole. Windows are locked in one order; one that was changed meanwhile leaves
# nothing ready to be kept, and one that is new meanwhile, or an event that was counted, is an error that undoes it all.
SAVE = """\
WITH given AS (
    SELECT name, state, version FROM unnest($2::text[], $3::text[], $4::bigint[]) AS given (name, state, version)
), held AS MATERIALIZED (
    SELECT kept.name FROM "{table}" AS kept
    JOIN given ON given.name = kept.name AND given.version = kept.version
    WHERE kept.scope = $1
    ORDER BY kept.name
    FOR UPDATE OF kept
), ready AS MATERIALIZED (
    SELECT 1 AS yes
    WHERE (SELECT count(*) FROM held) = (SELECT count(*) FROM given WHERE version > 0)
), changed AS (
    UPDATE "{table}" AS kept SET state = given.state::json, version = kept.version + 1, updated_at = now()
    FROM given, ready
    WHERE kept.scope = $1 AND kept.name = given.name AND given.version > 0
), made AS (
    INSERT INTO "{table}" (scope, name, state, version)
    SELECT $1, name, state::json, 1 FROM given, ready WHERE version = 0 ORDER BY name
), counted AS (
    INSERT INTO "{table}_events" (scope, event_id)
    SELECT $1, event_id FROM unnest($5::text[]) AS event_id, ready ORDER BY event_id
)
SELECT yes FROM ready
"""

# What ran twice finds the versions that the first run left, and the writer looks again.
_OPTIONS: StatementOptions = {"idempotent": True, "transaction": False}


class FigureStorePostgres:
    """Keeps figures in two tables that a migration of the node makes."""

    def __init__(self, postgres: AdapterPostgres, table: str) -> None:
        """Keep the adapter.

        Args:
            postgres: The database.
            table: The table of the windows, whose name has no quotation marks in it; that of the events is called so,
                too, with `_events` at the end.
        """
        self._postgres = postgres
        self._table = table

    async def load(self, scope: str, names: Sequence[str], event_ids: Sequence[str]) -> KnownFigures:
        """Return what is known of windows and events."""
        # Events first: one that is counted between the two is found by its window's version, or by its id.
        seen = await self._postgres.fetch_all(self._of(SEEN), scope, list(event_ids), **_OPTIONS)
        rows = await self._postgres.fetch_all(self._of(LOAD), scope, list(names), **_OPTIONS)
        windows = {row["name"]: KeptWindow(row["state"], row["version"]) for row in rows}
        return KnownFigures(windows, frozenset(row["event_id"] for row in seen))

    async def save(self, scope: str, windows: Mapping[str, KeptWindow], event_ids: Sequence[str]) -> bool:
        """Keep all windows and all events, or nothing, and return whether they are kept."""
        names = list(windows)
        states = [window.state for window in windows.values()]
        versions = [window.version for window in windows.values()]
        values = (scope, names, states, versions, list(event_ids))
        try:
            return await self._postgres.fetch_one(self._of(SAVE), *values, **_OPTIONS) is not None
        except ModelOnexError as error:
            if error.error_code is EnumCoreErrorCode.DUPLICATE_REGISTRATION:
                return False
            raise

    def _of(self, statement: str) -> str:
        return statement.format(table=self._table)
