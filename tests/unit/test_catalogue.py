"""The catalogue's contracts are valid, and what is told of them is what was found."""

from pathlib import Path

import pytest

from examples.rendering import read_contract
from extensions.judging.judge import judge, read
from scripts import catalogue, nodes_page
from scripts.catalogue import Outcome


@pytest.mark.parametrize("path", nodes_page.contracts(), ids=lambda path: path.stem)
def test_contracts_are_valid(path: Path) -> None:
    assert list(map(str, judge(read_contract(path)))) == []


def test_names_are_distinct() -> None:
    names = [path.stem for path in nodes_page.contracts()]

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


def test_most_nodes_that_documents_name_leave_nothing_to_write() -> None:
    by_name = {path.stem: read(read_contract(path)) for path in nodes_page.contracts()}
    named = nodes_page.named_nodes()
    free = [name for name in named if not any(map(nodes_page.is_custom, by_name[name].operations))]

    assert len(named) == 23
    assert len(free) >= 17
    # What took lines by hand is compared with the contract alone.
    assert set(nodes_page.BY_HAND) <= {*free, "distributed_lock"}
    page = nodes_page.page()
    assert f"Of 23 nodes that documents of the ecosystem name, {len(free)} leave nothing to write." in page
    assert "| codegen_stub_extractor | 5" in page


def test_features_are_the_words_that_ask_for_more_than_operations() -> None:
    pipeline = next(path for path in nodes_page.contracts() if path.stem == "codegen_pipeline")

    assert nodes_page.features(read_contract(pipeline)) == [
        "compensate",
        "for_each",
        "intents",
        "repeat",
        "require",
        "state_management",
        "when",
    ]
