"""What an update may run: what Copier's settings or the installed template name, and nothing else."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from examples.rendering import ROOT
from extensions.project import vcs
from extensions.updating import command, trust


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copier's settings, without a word about trust."""
    file = tmp_path / "settings.yml"
    file.write_text("{}\n", encoding="utf-8")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(file))
    return file


@pytest.mark.parametrize("form", ["{}", "git+file://{}", "file://{}", "{}/", "git+file://{}/.git", "{}/tests/.."])
@pytest.mark.usefixtures("settings")
def test_forms_of_the_installed_template(tmp_path: Path, form: str) -> None:
    if form.endswith(".git") and (ROOT / ".git").is_file():
        form = f"git+file://{vcs.git(ROOT, 'rev-parse', '--path-format=absolute', '--git-common-dir').strip()}"
    assert trust.why_trusted(form.format(ROOT), tmp_path) == "installed"


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/evil.git",
        "git@example.org:evil/template.git",
        "gh:evil/template",
        "{root}-evil",
        "{root}/tests",
        "{root}/../evil",
        "file://{root}%2f..%2fevil",
        "git+file://localhost{root}",
        "{tmp}",
        ".",
        "./",
        "template",
        "../../../../../../../../{root}x",
        "ext::sh -c true",
        "--upload-pack=x",
    ],
)
@pytest.mark.usefixtures("settings")
def test_others_are_not_trusted(tmp_path: Path, source: str) -> None:
    assert trust.why_trusted(source.format(root=ROOT, tmp=tmp_path), tmp_path) == ""


@pytest.mark.usefixtures("settings")
def test_repository_that_points_at_the_installed_one_is_another(tmp_path: Path) -> None:
    common = vcs.git(ROOT, "rev-parse", "--path-format=absolute", "--git-common-dir").strip()
    (tmp_path / ".git").write_text(f"gitdir: {common}\n", encoding="utf-8")

    assert trust.why_trusted(str(tmp_path), tmp_path) == ""


@pytest.fixture
def installed_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    trust._installed.cache_clear()  # noqa: SLF001 - it is asked once a process
    monkeypatch.setattr(trust, "origins", lambda: iter(["https://user:word@Example.org/Some/template.git"]))
    yield
    trust._installed.cache_clear()  # noqa: SLF001


@pytest.mark.usefixtures("settings", "installed_from")
def test_address_that_was_installed_from(tmp_path: Path) -> None:
    for source in ("https://example.org/Some/template", "git+https://example.org/Some/template.git"):
        assert trust.why_trusted(source, tmp_path) == "installed"
    for source in ("http://example.org/Some/template", "https://example.org/some/template", "https://example.org/Some"):
        assert trust.why_trusted(source, tmp_path) == ""


def test_settings_of_copier_count(settings: Path, tmp_path: Path) -> None:
    settings.write_text(yaml.safe_dump({"trust": ["https://example.org/ours/"]}), encoding="utf-8")

    assert trust.why_trusted("https://example.org/ours/template", tmp_path) == "settings"
    assert trust.why_trusted("https://example.org/ours/../evil/template", tmp_path) == ""


def test_broken_settings_trust_nothing(settings: Path, tmp_path: Path) -> None:
    for text in ("trust: 7\n", "{", "- a\n"):
        settings.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="Copier's settings can't be read"):
            trust.why_trusted("https://example.org/x", tmp_path)


def test_refusal_shows_the_difference_and_the_ways() -> None:
    text = trust.refusal("https://example.org/\x1b[2Jevil", ".copier-answers.yml")

    assert str(ROOT) in text
    assert "https://example.org/\\x1b[2Jevil" in text
    assert all(word in text for word in ("--trust", "--source", "`trust`"))


def test_no_variable_of_an_outer_git_reaches_an_inner_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = vcs.git(tmp_path, "rev-parse", "--local-env-vars").split()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in (*variables, "GIT_AUTHOR_DATE", "GIT_EXTERNAL_DIFF", "GIT_LITERAL_PATHSPECS", "GIT_NEW_ONE"):
        monkeypatch.setenv(name, str(tmp_path / "outer"))
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -v")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    inner = vcs.environment()

    assert {name for name in inner if name.startswith("GIT_")} - {"GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL"} == {
        "GIT_OPTIONAL_LOCKS",
        "GIT_CONFIG_COUNT",
        *(f"GIT_CONFIG_{part}_{number}" for part in ("KEY", "VALUE") for number in range(3)),
    }
    assert vcs.git(tmp_path, "init", "--quiet") == ""
    assert (tmp_path / ".git").is_dir()


def test_settings_of_a_project_start_no_program(tmp_path: Path) -> None:
    vcs.git(tmp_path, "init", "--quiet")
    for key in ("core.fsmonitor", "core.hooksPath"):
        vcs.git(tmp_path, "config", key, f"touch {tmp_path / 'ran'}; false")
    (tmp_path / "a").write_text("a", encoding="utf-8")

    vcs.git(tmp_path, "add", "a")
    vcs.git(tmp_path, "status")

    assert not (tmp_path / "ran").exists()


def test_folder_that_looks_like_a_repository_is_none(tmp_path: Path) -> None:
    # Such a folder can be committed, its settings included, where one that is called .git can't.
    project, ran = tmp_path / "project", tmp_path / "ran"
    project.mkdir()
    own = ("-c", "safe.bareRepository=all", f"--git-dir={project}", f"--work-tree={project}")
    subprocess.run(["git", "init", "--quiet", "--bare", project], check=True)
    (project / "info" / "exclude").write_text("*\n!a\n!.gitattributes\n", encoding="utf-8")
    (project / "a").write_text("a", encoding="utf-8")
    (project / ".gitattributes").write_text("a filter=odd\n", encoding="utf-8")
    vcs.git(project, *own, "add", "a", ".gitattributes")
    for key, value in (("core.bare", "false"), ("core.worktree", project), ("filter.odd.clean", f"touch {ran}; cat")):
        vcs.git(project, *own, "config", key, str(value))
    os.utime(project / "a", (1, 1))

    with pytest.raises(subprocess.CalledProcessError):
        vcs.git(project, "status")
    assert not ran.exists()
    vcs.git(project, *own, "status")
    assert ran.exists()


def test_git_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        vcs.git(tmp_path, "rev-parse", "HEAD")

    assert "not a git repository" in vcs.why(caught.value)


@pytest.mark.parametrize(
    ("said", "runs"), [("y\n", True), ("Yes\n", True), ("\n", False), ("", False), ("yn\n", False)]
)
def test_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, *, runs: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))

    assert command._confirm("A template.") is runs  # noqa: SLF001

    assert "A template.\nRun it this time? [y/N]" in capsys.readouterr().err
