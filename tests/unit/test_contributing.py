"""The walk through a change in CONTRIBUTING.md leads along files that do what it says."""

import re
from pathlib import Path

import pytest

from extensions.viewing import calls

# What a second run changes once more.
CHANGING = {"incr", "decr", "lpush", "rpush", "lpop", "rpop", "zincrby", "zpopmin", "zpopmax"}
WALKS = {
    "A command of Redis": ("scard", set()),
    "A file of the project": (
        "caches.py",
        {"tests/unit/test_paths.py", "tests/unit/test_templates.py", "tests/unit/verbatim.txt"},
    ),
    "A key of the contract": ("tls", {"tests/contracts/hostile_nodes.py"}),
}


@pytest.mark.parametrize("title", WALKS)
def test_each_file_of_a_walk_has_its_part(root: Path, title: str) -> None:
    word, conditions = WALKS[title]
    page = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = page.partition(f"**{title}**")[2].partition("\n**")[0].partition("\nEach ends")[0]
    named = re.findall(r"`((?:docs|extensions|schemas|template|tests)/[^`]*\.[a-z0-9]+)`", walk)

    assert len(named) > len(conditions)
    assert [path for path in named if not (root / path).is_file()] == []
    texts = {path: (root / path).read_text(encoding="utf-8") for path in named if path not in conditions}
    assert [path for path, text in texts.items() if word not in text] == []


def test_each_command_of_redis_is_repeatable_or_known_not_to_be(root: Path) -> None:
    schema = (root / "schemas" / "operation.schema.json").read_text(encoding="utf-8")
    commands = set(re.findall(r'"([a-z]+)"', schema.partition('"What Redis does."')[2].partition("]")[0])) - {"enum"}

    assert commands - {*calls._REPEATABLE_COMMANDS} == CHANGING  # noqa: SLF001 - the list that is easily forgotten
