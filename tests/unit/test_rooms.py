"""Documents name modules and records that are there."""

import re
from pathlib import Path

import pytest

PAGES = ("CONTRIBUTING.md", "docs/explanation/architecture.md", *(f"docs/decisions/00{n}" for n in (16, 17, 18, 19)))


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_documents_name_are_there(root: Path, page: str) -> None:
    file = next(root.glob(f"{page}*"))
    named = re.findall(r"`((?:extensions|runtime|schemas|tests)/[\w./]+)`", file.read_text(encoding="utf-8"))

    assert named
    assert [path for path in named if not (root / path).exists()] == []


def test_the_index_lists_every_decision(root: Path) -> None:
    folder = root / "docs" / "decisions"
    records = {
        path.name: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for path in folder.glob("0*.md")
    }
    listed = re.findall(
        r"^\| \[(.+)\]\((.+)\) \| \d{4}-\d\d-\d\d \| ", (folder / "README.md").read_text("utf-8"), re.MULTILINE
    )

    assert {name: title for title, name in listed} == records
    assert [name for _, name in listed] == sorted(records)


def test_the_picture_of_the_rooms_is_whole(root: Path) -> None:
    rooms = {path.parent.name for path in (root / "extensions").glob("*/__init__.py")}
    page = (root / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")

    assert rooms == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
