"""The rule of what is extracted from answers: one answer has to be able to fill all outputs."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..language import answers
from ..language.contract import Contract
from ..text.problems import Path, Problem, show

type Specs = Mapping[str, Any]


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
        places = {name: answers.keys_of(path) for name, path in extract.items()}
        if len(places) < 2 or None in places.values():  # noqa: PLR2004 - one has no other
            continue
        found = answers.answer(contract, operation)
        outputs = raw["operations"][index]["output"]
        whole = {field.name for field in operation.output if field.kind in {"model", "union"}}
        for name, keys in places.items():
            others = [other for other, place in places.items() if other != name and _meet(keys or (), place or ())]
            if name in whole or not others:
                continue
            path: Path = ("operations", index, "http", "extract", name)
            if list(rules.value(path, answers.at(found, keys or ()), outputs[name])):
                shown = f"{show(extract[name])}, where {' and '.join(others)} takes a value of another type"
                yield Problem(path, shown, "a place of its own, or types that one value can have")


def _meet(first: answers.Keys, second: answers.Keys) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]
