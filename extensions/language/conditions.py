"""Conditions of aggregations: expressions on one event that have a value for every event."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..text.problems import Path, Problem
from ..text.specs import Specs
from . import expressions, syntax
from .kinds import Kind, Scope, WrongError, kind_of
from .values import EVENT


@dataclass(frozen=True, slots=True)
class Types:
    """The fields of models in their long form, and the values of enums."""

    models: Mapping[str, Mapping[str, Specs]]
    enums: Mapping[str, Sequence[str]]

    def scope(self, event: str, root: str = EVENT) -> Scope:
        """Return what a condition may name, for the model of its event, by which it goes as the root."""
        kinds = {name: kinds_of(fields, self.enums, self.models) for name, fields in self.models.items()}
        return Scope(root, kinds.get(event, {}), kinds, self.enums, root, total=True)


def kinds_of(fields: Mapping[str, Specs], enums: Collection[str], models: Collection[str]) -> dict[str, Kind]:
    """Return the types of fields."""
    return {name: kind_of(spec, enums, models) for name, spec in fields.items()}


def check(path: Path, text: str, scope: Scope) -> Iterator[Problem]:
    """Find what is wrong with a condition.

    Args:
        path: Where it is.
        text: The condition.
        scope: What it may name.

    Yields:
        At most one problem with it, with its column.
    """
    try:
        expressions.read(text, scope)
    except WrongError as wrong:
        yield syntax.problem(path, text, wrong)
