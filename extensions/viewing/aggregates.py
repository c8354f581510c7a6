"""What templates are handed about all aggregations of a node, and the tables of reducers."""

from dataclasses import dataclass

from ..language import fsm
from ..language.contract import Contract
from .aggregation import _COLUMNS, AggregateView


@dataclass(frozen=True, slots=True)
class Aggregations:
    """What a node's aggregations have in common: what the modules that they share have to hold."""

    views: tuple[AggregateView, ...]

    def uses(self, module: str) -> bool:
        """Tell whether they use a module of the runtime's aggregations."""
        return any(name.endswith(f".aggregations.{module}") for view in self.views for name, _ in view.imports)

    @property
    def intend(self) -> bool:
        """Whether they return intents."""
        return any(view.intents for view in self.views)

    @property
    def conditional(self) -> bool:
        """Whether a figure counts some events only."""
        return any(measure.where for view in self.views for measure in view.spec.measures)


def migrations(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return the migrations that follow from where state is kept: pairs of id and SQL."""
    return (*_of_states(contract), *_of_figures(contract))


def _of_figures(contract: Contract) -> tuple[tuple[str, str], ...]:
    store = contract.figure_store
    if store is None or store.backend != "postgres":
        return ()
    return ((fsm.migration_id(store), _FIGURES.format(place=store.place)),)


def _of_states(contract: Contract) -> tuple[tuple[str, str], ...]:
    spec, store = contract.fsm, contract.state_store
    if spec is None or store is None or store.backend != "postgres":
        return ()
    operation = next(op for op in contract.operations if op.by_state_machine)
    column = _COLUMNS[next(field for field in operation.input if field.name == spec.entity).kind]
    return ((fsm.migration_id(store), _TABLES.format(place=store.place, column=column)),)


_TABLES = """\
CREATE TABLE "{place}" (
    entity {column} PRIMARY KEY,
    state text NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE "{place}_events" (
    entity {column} NOT NULL REFERENCES "{place}" ON DELETE CASCADE,
    event_id text NOT NULL,
    trigger text NOT NULL,
    previous_state text NOT NULL,
    state text NOT NULL,
    version bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entity, event_id)
);
"""
_FIGURES = """\
CREATE TABLE "{place}" (
    scope text NOT NULL,
    name text NOT NULL,
    state json NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, name)
);

CREATE TABLE "{place}_events" (
    scope text NOT NULL,
    event_id text NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, event_id)
);
"""
