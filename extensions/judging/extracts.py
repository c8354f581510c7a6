"""The rule of what is extracted from answers: one answer has to be able to fill all outputs."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from ..language import answers, samples
from ..language.answers import Keys
from ..language.contract import Contract, Field, Operation, spell_out
from ..text.problems import Path, Problem, show
from ..text.specs import Specs


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


def disagreeing(contract: Contract, raw: Specs, rules: Rules) -> Iterator[Problem]:
    """Find outputs that no answer fills together: they take values of other types from the same place, or within.

    Args:
        contract: A contract without other problems.
        raw: The same as the document has it.
        rules: Tell which values fields take.

    Yields:
        One problem for each output that the answer of a test does not fill.
    """
    for index, operation in enumerate(contract.operations):
        extract = answers.json_paths(operation.http) if operation.http else {}
        taken = list(_taken(contract, operation, extract)) if len(extract) > 1 else []
        found = answers.together(taken)
        outputs = raw["operations"][index]["output"] if taken else {}
        for field, keys, _ in taken:
            others = [other.name for other, place, _ in taken if other.name != field.name and _meet(keys, place)]
            if field.kind in {"model", "union"} or not others:
                continue
            path: Path = ("operations", index, "http", "extract", field.name)
            long = spell_out(outputs[field.name])
            spec = long if answers.keys_of(extract[field.name]) is not None else long.get("items", long)
            if list(rules.value(path, answers.at(found, keys), spec)):
                shown = f"{show(extract[field.name])}, where {' and '.join(others)} takes a value of another type"
                yield Problem(path, shown, "a place of its own, or types that one value can have")


def _taken(
    contract: Contract, operation: Operation, extract: Mapping[str, str]
) -> Iterator[tuple[Field, Keys, object]]:
    """Yield the outputs whose place is known, with it and a value there: of an array of all values, the first."""
    values = samples.output(contract, operation) or {}
    # Of an object, [*] takes the values, whose names are not known.
    objects = {
        answers.keys_of(extract[field.name])
        for field in operation.output
        if field.name in extract and field.kind in {"object", "model", "union"}
    }
    for field in operation.output:
        if field.name not in extract or field.name not in values:
            continue
        value, keys = values[field.name], answers.keys_of(extract[field.name])
        if keys is not None:
            yield field, keys, value
            continue
        first = answers.first_of(extract[field.name])
        if first is None or value == [] or any(first[:length] in objects for length in range(len(first))):
            continue
        yield field, first, value[0] if isinstance(value, list) else value


def _meet(first: Keys, second: Keys) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]
