"""A project remembers a place and a version of its template that are found again; else it says how to go on."""

import subprocess
from pathlib import Path

import pytest

from extensions.project.origin import absolute, not_found, recorded


def _git(folder: Path, *arguments: str) -> str:
    options = ("-c", "user.name=Ann", "-c", "user.email=ann@localhost", "-c", "protocol.file.allow=always")
    command = ["git", *options, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with two commits, the first of them tagged."""
    folder = tmp_path / "template"
    (folder / "template").mkdir(parents=True)
    _git(folder, "init", "--quiet")
    for number in (1, 2):
        (folder / "template" / "file").write_text(f"{number}\n", encoding="utf-8")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", f"Change {number}")
    _git(folder, "tag", "v1.0.0", "HEAD~1")
    return folder


def _as_copier_takes_it(template: Path, clone: Path) -> str:
    """Clone it, with what is in no commit committed in the clone; return what Copier calls the version."""
    _git(template.parent, "clone", "--quiet", str(template), str(clone))
    if _git(template, "status", "--porcelain"):
        _git(clone, f"--work-tree={template}", "add", "--all")
        _git(clone, f"--work-tree={template}", "commit", "--quiet", "--message", "Draft")
    return _git(clone, "describe", "--tags", "--always")


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("", "", []),
        ("notes.yaml", "name: notes\n", []),
        (".onex_state/state", "1\n", []),
        ("template/file", "3\n", ["template/file"]),
        ("template/new", "3\n", ["template/new"]),
        ("runtime/new.py", "3\n", ["runtime/new.py"]),
    ],
)
def test_recorded_version_is_one_that_the_source_has(
    template: Path, tmp_path: Path, file: str, text: str, changed: list[str]
) -> None:
    if file:
        (template / file).parent.mkdir(exist_ok=True)
        (template / file).write_text(text, encoding="utf-8")
    version = _as_copier_takes_it(template, tmp_path / "clone")

    known, differing = recorded(str(template), tmp_path / "clone", version)

    assert _git(template, "rev-parse", f"{known}^{{commit}}") == _git(template, "rev-parse", "HEAD")
    assert known.startswith("v1.0.0-1-g")
    assert differing == changed


def test_version_of_a_template_elsewhere_is_taken_as_it_is(template: Path, tmp_path: Path) -> None:
    version = _as_copier_takes_it(template, tmp_path / "clone")

    assert recorded("https://example.org/template.git", tmp_path / "clone", version) == (version, [])


def test_places_are_remembered_from_the_root_on(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert absolute("template") == str(template)
    assert absolute("gh:owner/name") == "gh:owner/name"
    assert absolute("https://example.org/template.git") == "https://example.org/template.git"


def test_shallow_clone_is_told_how_to_become_a_whole_one(template: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    _git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{template}", str(shallow))

    assert f"git -C {shallow} fetch --unshallow" in not_found(str(shallow), "v1.0.0", "ValueError: Unknown revision")
    assert "unshallow" not in not_found(str(template), "v2.0.0", "ValueError: Unknown revision")


def test_what_git_said_is_told_without_how_it_was_called() -> None:
    said = """copier.errors.ProcessExecutionError: Unexpected exit code: 128
Command line: | /usr/bin/git ls-remote --tags -- https://example.org/template.git
Stderr:       | fatal: repository not found
"""

    message = not_found("https://example.org/template.git", "v1.0.0", said)

    assert message.splitlines()[:2] == [
        "Version v1.0.0 of the template https://example.org/template.git can't be had.",
        "  fatal: repository not found",
    ]
    assert "update-node --source PLACE" in message
    assert "update-node --from VERSION" in message
