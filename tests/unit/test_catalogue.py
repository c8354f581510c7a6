"""The catalogue's contracts are valid, and what is told of them is what was found."""

from pathlib import Path

import pytest

from examples.rendering import read_contract
from extensions.judging.judge import judge
from scripts import catalogue
from scripts.catalogue import Outcome


@pytest.mark.parametrize("path", catalogue.contracts(), ids=lambda path: path.stem)
def test_contracts_are_valid(path: Path) -> None:
    assert list(map(str, judge(read_contract(path)))) == []


def test_names_are_distinct() -> None:
    names = [path.stem for path in catalogue.contracts()]

    assert sorted(set(names)) == names


def test_the_table_tells_what_failed_and_what_is_left() -> None:
    good = Outcome("a", contract=10, source=60, tests=30, others=10, custom=0, passed=7, seconds=1.0, failure="")
    bad = Outcome("b", contract=10, source=70, tests=20, others=5, custom=5, passed=0, seconds=1.0, failure="E")

    lines = catalogue.table([good, bad]).splitlines()

    assert not lines[1].endswith("FAILED")
    assert lines[2].endswith("FAILED")
    assert lines[-2:] == ["1 of 2 leave nothing to write", "5 of 200 lines are for you to write (2.5%)"]


def test_unknown_names_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ONLY", "hashing nothing_such")

    assert catalogue.main() == 1
    assert "nothing_such" in capsys.readouterr().err
