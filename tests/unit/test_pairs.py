"""All mistakes at once: of two mistakes from different rules, none hides the other."""

import copy
import itertools

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import judge
from tests.contracts.mistakes import PLANTS, hidden, told

EXAMPLES = {path.stem: read_contract(path) for path in sorted(CONTRACTS.glob("*.yaml"))}


@pytest.mark.parametrize("name", EXAMPLES)
def test_of_two_mistakes_both_are_told(name: str) -> None:
    plants = []
    for what, plant in PLANTS.items():
        contract = copy.deepcopy(EXAMPLES[name])
        path = plant(contract)
        if path is not None:
            assert told(judge(contract), path), what
            plants.append(what)
    pairs = itertools.combinations(plants, 2)
    assert [line for first, second in pairs for line in hidden(EXAMPLES[name], first, second)] == []
