"""What continuous integration runs is named by what it is, not by a tag that may be moved."""

import re
from pathlib import Path

import pytest
import yaml


@pytest.mark.parametrize("workflow", [".github/workflows/ci.yml", "template/.github/workflows/ci.yml"])
def test_actions_are_named_by_digest_and_have_no_rights(root: Path, workflow: str) -> None:
    text = (root / workflow).read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    steps = [step for job in loaded["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]

    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
    assert loaded["permissions"] == {}
    assert {tuple(job["permissions"].items()) for job in loaded["jobs"].values()} == {(("contents", "read"),)}
    assert any(step.get("run") == "make audit" for step in steps)
