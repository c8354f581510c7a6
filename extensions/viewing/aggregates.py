"""What templates are handed about all aggregations of a node, and the tables of reducers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..language import fsm
from ..language.contract import Contract
from .aggregation import _COLUMNS, _MEANS, _STANDARD, AggregateView
from .fields import Symbol


@dataclass(frozen=True, slots=True)
class Aggregations:
    """What a node's aggregations have in common: what the modules that they share have to hold."""

    views: tuple[AggregateView, ...]

    @property
    def classes(self) -> frozenset[str]:
        """The classes of partial results that they use."""
        return frozenset(name for view in self.views for name in view.numbers)

    @property
    def means(self) -> tuple[tuple[str, str, str, str, str], ...]:
        """The classes of means among them: name, type of a value, start, words for values, type of the mean."""
        return tuple(mean for mean in _MEANS.values() if mean[0] in self.classes)

    @property
    def mergeable(self) -> bool:
        """Whether partial results of single figures are ever put together."""
        return any(not view.unique_by for view in self.views)

    @property
    def intend(self) -> bool:
        """Whether they return intents."""
        return any(view.intents for view in self.views)

    @property
    def conditional(self) -> bool:
        """Whether a figure counts some events only."""
        return any(measure.where for view in self.views for measure in view.spec.measures)

    @property
    def may_be_empty(self) -> bool:
        """Whether a figure may be without values."""
        return any(".empty" in measure.value for view in self.views for measure in view.measures)

    @property
    def helpers(self) -> frozenset[str]:
        """The functions about moments that they use."""
        return frozenset(name for view in self.views for _, name in view.imports) & {"window_start", "in_utc"}

    @property
    def sums(self) -> tuple[str, ...]:
        """The types whose sums are exact by themselves."""
        return ("int", "timedelta") if "Sum" in self.classes else ()

    @property
    def extremes(self) -> tuple[str, ...]:
        """The types that smallest and largest values are taken of."""
        return _at_least_two(self._held(r"(?:Smallest|Largest)\[(\w+)\]"))

    @property
    def percentiles(self) -> tuple[str, ...]:
        """The types that percentiles are taken of."""
        return _at_least_two(self._held(r"Percentile\[(\w+)\]"))

    @property
    def standard_imports(self) -> tuple[Symbol, ...]:
        """What the module of partial results imports of the standard library."""
        words = {*self.sums, *self.extremes, *self.percentiles}
        words |= {word for mean in self.means for word in (mean[1], mean[4])}
        symbols = [(_STANDARD[word], word) for word in words if word in _STANDARD]
        if "DecimalSum" in self.classes:
            symbols += [("decimal", name) for name in ("Context", "Decimal", "Inexact", "InvalidOperation", "Overflow")]
        return tuple(symbols)

    def _held(self, pattern: str) -> list[str]:
        code = (measure.accumulator for view in self.views for measure in view.measures)
        return sorted({match[1] for text in code if (match := re.match(pattern, text))})


def _at_least_two(types: Sequence[str]) -> tuple[str, ...]:
    # A constrained type variable needs two types.
    return tuple(types) if len(types) != 1 else (types[0], "int" if types[0] == "float" else "float")


def migrations(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return the migrations that follow from where state is kept: pairs of id and SQL."""
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
