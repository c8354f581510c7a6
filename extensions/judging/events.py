"""Rules for what operations take of events."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ..language import conditions, references
from ..language.contract import spell_out
from ..language.kinds import Scope
from ..language.values import EVENT
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    models: dict[str, Specs]
    enums: dict[str, list[str]]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


def check(rules: Rules, path: Path, spec: Specs, inputs: Specs) -> Iterator[Problem]:
    """Find what is wrong with the choice of an event.

    Args:
        rules: The rules for the whole contract.
        path: Where the consumed event is.
        spec: The consumed event.
        inputs: The input fields of its operation.

    Yields:
        The problems.
    """
    mapped = spec.get("map")
    for name, value in mapped.items() if isinstance(mapped, Mapping) else ():
        place = (*path, "map", name)
        if name not in inputs:
            expected = "an input field of the operation"
            yield Problem(place, f"the unknown field {show(name)}", expected, did_you_mean(name, inputs))
        elif references.member_of(value, EVENT) is None:
            wrong = list(references.problems(place, value, (EVENT,), lambda _: None))
            yield from wrong
            if wrong:
                continue
            if isinstance(value, str) and any(references.references(value)):
                yield Problem(place, show(value), "one reference such as ${event.field}, or a fixed value")
            else:
                yield from rules.value(place, value, inputs[name])
    where = spec.get("where")
    if isinstance(where, str):
        yield from conditions.check((*path, "where"), where, _scope(rules, inputs))


def _scope(rules: Rules, inputs: Specs) -> Scope:
    models = {name: {key: spell_out(spec) for key, spec in fields.items()} for name, fields in rules.models.items()}
    given = {name: spell_out(spec) for name, spec in inputs.items()}
    types = conditions.Types({**models, "": given}, rules.enums)
    return types.scope("")
