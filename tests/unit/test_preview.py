"""Template authors see what a change does to the output, before they make anything of it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examples.rendering import CONTRACTS, export_template, read_contract
from scripts import preview

CONTRACT = CONTRACTS / "price_quote.yaml"


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=Ann", "-c", "user.email=ann@localhost")
    subprocess.run(["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True)


def test_what_changed_is_shown_and_nothing_else(template: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(template, repository)
    git(repository, "init", "--quiet")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "first")
    changed = shutil.copytree(template, tmp_path / "changed")
    (changed / "template" / "Makefile.j2").write_text("all: {{ node.contract.name }}\n", encoding="utf-8")
    (changed / "template" / "NEW.md.j2").write_text("# {{ node.class_name }}\n", encoding="utf-8")

    before = preview.export_commit("HEAD", tmp_path / "committed", repository)
    shown = preview.difference(before, changed, read_contract(CONTRACT), tmp_path).decode()

    assert "+all: price_quote\n" in shown
    assert "+# NodePriceQuoteCompute\n" in shown
    assert {line.split()[3] for line in shown.splitlines() if line.startswith("diff --git")} == {
        "b/after/Makefile",
        "b/after/NEW.md",
        "b/after/.onex-manifest.json",
    }
    assert "\x1b" not in shown


def test_a_contract_that_the_change_makes_possible_is_all_new(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former = shutil.copytree(template, tmp_path / "former")
    schema = former / "schemas" / "contract.schema.json"
    schema.write_text(schema.read_text(encoding="utf-8").replace('"compute", ', ""), encoding="utf-8")

    shown = preview.difference(former, template, read_contract(CONTRACT), tmp_path).decode()

    assert "Refused before the change" in capsys.readouterr().err
    assert "after/node.yaml" in shown
    assert "before/" not in shown


def test_no_difference_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(preview, "export_commit", lambda _, destination: export_template(destination))
    monkeypatch.setattr(sys, "argv", ["preview", str(CONTRACT)])

    assert preview.main() == 0
    assert capsys.readouterr().out == "No difference to HEAD.\n"


WRONG = [
    ("name: [", "HEAD", "1 problem"),
    ("name: a\n", "HEAD", "operations"),
    ("- a\n", "HEAD", "a contract: a mapping"),
    (None, "HEAD", "No such file"),
    (CONTRACT.read_text(encoding="utf-8"), "no-such-commit", "no-such-commit"),
]


@pytest.fixture(params=WRONG, ids=[said for _, _, said in WRONG])
def said(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    text, commit, expected = request.param
    contract = tmp_path / "contract.yaml"
    if text is not None:
        contract.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["preview", str(contract), "--against", commit])
    return str(expected)


def test_what_is_wrong_is_told(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview.main() == 1
    assert said in capsys.readouterr().err
