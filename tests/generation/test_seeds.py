"""Contracts that people of the field would write: each is valid, and its node passes the validation of a copy."""

from pathlib import Path

import pytest

from examples.rendering import ROOT, read_contract
from extensions.judging.judge import judge
from tests.contracts.fuzz import generate

SEEDS = sorted((ROOT / "tests" / "contracts" / "seeds").glob("*.yaml"))


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_it_is_valid(path: Path) -> None:
    assert list(map(str, judge(read_contract(path)))) == []


@pytest.mark.slow
def test_nodes_pass_the_stages_of_a_copy(tmp_path: Path) -> None:
    rendered, wrong = generate([read_contract(path) for path in SEEDS], tmp_path)
    assert (rendered, wrong) == (len(SEEDS), [])
