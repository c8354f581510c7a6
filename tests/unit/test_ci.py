"""What continuous integration runs is named by what it is, not by a tag that may be moved."""

import re
from pathlib import Path

import pytest
import yaml

from scripts import notes
from tests.conftest import Run


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


def test_release_names_actions_by_digest_and_may_write_releases_alone(root: Path) -> None:
    loaded = yaml.safe_load((root / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    (job,) = loaded["jobs"].values()
    actions = [step["uses"] for step in job["steps"] if "uses" in step]

    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
    assert (loaded["permissions"], job["permissions"]) == ({}, {"contents": "write"})
    assert not any(
        "persist-credentials" in step.get("with", {}) and step["with"]["persist-credentials"] for step in job["steps"]
    )


def test_version_has_a_section_of_the_changelog_and_no_other_tag_has_notes(capsys: pytest.CaptureFixture[str]) -> None:
    assert notes.main([f"v{notes.version()}"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("### ")
    assert "\n## " not in shown
    assert [notes.main([tag]) for tag in ("v0.0.1", notes.version(), "")] == [1, 1, 1]


def test_notes_are_those_of_one_version() -> None:
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2027-01-01\n### Added\n- B\n\n## [1.0.0]\n- A\n"

    assert notes.notes(changelog, "1.1.0") == "### Added\n- B\n"
    assert notes.notes(changelog, "1.0.0") == "- A\n"
    assert notes.notes(changelog, "1.0") == ""


def test_proposing_updates_has_the_rights_for_it_and_no_others(root: Path) -> None:
    loaded = yaml.safe_load((root / "template/.github/workflows/template.yml").read_text(encoding="utf-8"))
    (job,) = loaded["jobs"].values()
    actions = [step["uses"] for step in job["steps"] if "uses" in step]

    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
    assert (loaded["permissions"], job["permissions"]) == ({}, {"contents": "write", "pull-requests": "write"})


@pytest.mark.parametrize("workflow", ["ci", "template"])
def test_workflows_are_what_github_and_shells_take(root: Path, run: Run, workflow: str) -> None:
    path = root / f"template/.github/workflows/{workflow}.yml"
    result = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    assert result.returncode == 0, result.stdout
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    for script in (step["run"] for job in jobs for step in job["steps"] if "run" in step):
        assert run("bash", "-n", "-c", re.sub(r"\${{.*?}}", "x", script)).returncode == 0, script
