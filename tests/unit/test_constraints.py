"""What a project pins is consistent, whichever groups a node needs, and the extra is in it."""

import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.pin import INFRA


@pytest.fixture
def pins(root: Path) -> dict[str, dict[str, str]]:
    folder = root / "extensions" / "data" / "constraints"
    files = {file.stem: file.read_text(encoding="utf-8").splitlines() for file in folder.glob("*.txt")}
    return {
        group: dict(line.split(" ;")[0].split("==") for line in lines if not line.startswith("#"))
        for group, lines in files.items()
    }


def test_groups_agree_with_the_lock(root: Path, pins: dict[str, dict[str, str]]) -> None:
    lock = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (root / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )

    assert {group: {name: lock.get(name) for name in named} for group, named in pins.items()} == pins


def test_each_requirement_is_pinned_within_its_bounds(root: Path, pins: dict[str, dict[str, str]]) -> None:
    groups = json.loads((root / "extensions" / "data" / "requirements.json").read_text(encoding="utf-8"))
    wanted = {group: [*needed["run"], *needed["dev"]] for group, needed in groups.items()} | {"infra": [INFRA]}

    for group, requirements in wanted.items():
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(pins[group][requirement.name]), (group, requirement)


def test_the_extra_is_what_is_pinned(root: Path) -> None:
    assert f'infra = ["{INFRA}"]' in (root / "template" / "pyproject.toml.j2").read_text(encoding="utf-8")
