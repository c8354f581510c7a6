"""The copy of a project that an update works on, in each kind of repository that git has."""

import subprocess
from pathlib import Path

import pytest

from extensions.project import vcs
from tests.conftest import Run
from tests.generation.history import commit, git

FILES = {"README.md": "one", "src/a.py": "two", "deploy/image/Dockerfile": "three", "tests/deep/er/b.py": "four"}
CLONES = {
    "whole": (),
    "shallow": ("--depth=1",),
    "shared": ("--shared",),
    "without blobs": ("--filter=blob:none",),
    "without trees": ("--filter=tree:0",),
    "sparse": ("--sparse",),
    "sparse without blobs": ("--filter=blob:none", "--sparse"),
    "sparse without trees": ("--filter=tree:0", "--sparse"),
}


@pytest.fixture
def origin(run: Run, tmp_path: Path) -> Path:
    origin = tmp_path / "origin"
    origin.mkdir()
    git(run, origin, "init", "--quiet")
    for content in ("", "more"):
        for name, text in FILES.items():
            path = origin / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + content, encoding="utf-8")
        commit(run, origin, f"Files {content}")
    git(run, origin, "config", "uploadpack.allowFilter", "true")
    return origin


def copied(project: Path, folder: Path, prefix: str) -> dict[str, str]:
    vcs.copy_of(project, folder, prefix)
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(folder / "shop").as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("prefix", ["", "shop/"])
@pytest.mark.parametrize("options", CLONES.values(), ids=CLONES.keys())
def test_the_copy_has_all_files_of_the_commit(
    run: Run, origin: Path, tmp_path: Path, options: tuple[str, ...], prefix: str
) -> None:
    project = tmp_path / "project"
    where = str(origin) if "--shared" in options else origin.as_uri()
    git(run, tmp_path, "clone", "--quiet", *options, where, str(project))
    if "--sparse" in options:
        git(run, project, "sparse-checkout", "set", "shop/src")
        assert not (project / "shop" / "deploy").exists()
    assert copied(project, tmp_path / "copy", prefix) == {name: f"{text}more" for name, text in FILES.items()}


@pytest.mark.parametrize("name", [":(top)a", "a*", "[b]", "c?", "d\\e", "ä ö", '"f"', "-g", "#h", "!i"])
def test_the_folder_of_a_project_may_be_called_like_a_pattern(run: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "whole" / name / "shop"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("one", encoding="utf-8")
    git(run, tmp_path / "whole", "init", "--quiet")
    commit(run, tmp_path / "whole", "Files")
    vcs.copy_of(folder, tmp_path / "copy", f"{name}/shop/")
    assert (tmp_path / "copy" / name / "shop" / "a.py").read_text(encoding="utf-8") == "one"


def test_a_partial_clone_whose_origin_is_gone_is_no_copy(run: Run, origin: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    git(run, tmp_path, "clone", "--quiet", "--filter=blob:none", "--sparse", origin.as_uri(), str(project))
    origin.rename(tmp_path / "elsewhere")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        copied(project, tmp_path / "copy", "")
    assert vcs.why(caught.value).startswith("fatal: ")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "git ended with 128"),
        (b"hint: a\nhint: b\n", "hint: b"),
        (b"warning: a\nerror: b\nfatal: c\n", "fatal: c"),
        (
            b"fatal: detected dubious ownership in repository at '/x'\nTo add it, call:\n\n\tgit config --add x",
            "fatal: detected dubious ownership in repository at '/x' To add it, call: git config --add x",
        ),
    ],
)
def test_why_git_fails_is_one_line(said: bytes, why: str) -> None:
    assert vcs.why(subprocess.CalledProcessError(128, ["git", "status"], stderr=said)) == why


def test_a_repository_that_lost_a_file_is_no_copy(run: Run, origin: Path, tmp_path: Path) -> None:
    lost = git(run, origin, "rev-parse", "HEAD:shop/src/a.py").strip()
    (origin / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(subprocess.CalledProcessError) as caught:
        copied(origin, tmp_path / "copy", "")
    assert vcs.why(caught.value) == "the repository lacks 1 of its objects"
