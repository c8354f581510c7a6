"""The tutorial can be followed by a program: `make tutorial`."""

from pathlib import Path

from scripts import tutorial
from scripts.tutorial import Step, place_of


def test_tutorial_says_what_to_do_with_each_of_its_blocks(root: Path) -> None:
    page = (root / "docs" / "tutorial.md").read_text(encoding="utf-8")

    found = list(tutorial.steps(page))

    assert {step.language for step in found} == {"sh", "yaml"}
    assert 2 * len(found) == page.count("\n```")
    assert [step.text for step in found if step.language == "yaml" and place_of(step) is None] == []


def test_files_are_saved_or_added_to() -> None:
    assert place_of(Step("yaml", "a: 1\n", "Save this as `notes.yaml`:\n\n")) == ("notes.yaml", "w")
    assert place_of(Step("yaml", "a: 1\n", "Add a line to `node.yaml`, below the others:\n\n")) == ("node.yaml", "a")
    assert place_of(Step("yaml", "a: 1\n", "Look at this:\n\n")) is None


def test_terminal_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    terminal = tutorial.Terminal(tmp_path)

    terminal.run("cd folder\nexport WORD=x\n", tmp_path)
    terminal.run('test "$WORD" = x && touch here\n', tmp_path)

    assert (tmp_path / "folder" / "here").is_file()
