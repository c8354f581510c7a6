"""Names that files of a project hold are anybody's: none of them leads out of it, or into git's folder."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extensions.project import ownership, reports
from extensions.project.host import register
from extensions.project.places import Place, UntrustedNameError, file_in

REFUSED = (
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/..",
    "./x",
    "a//b",
    "a/",
    "~/x",
    "~root/x",
    "C:/x",
    "a\\..\\x",
    ".git/config",
    ".GIT/config",
    ".Git./config",
    ".git /config",
    "git~1/config",
    "sub/.git/hooks/pre-commit",
    ".git",
    ".git::$INDEX_ALLOCATION/config",
    ".g\u200cit/config",
    "a\nb",
    "a\0b",
    "\udcff",
)


@pytest.mark.parametrize("name", [*REFUSED, None, 7, ["a"]])
def test_what_does_not_stay_is_refused(tmp_path: Path, name: object) -> None:
    with pytest.raises(UntrustedNameError):
        file_in(tmp_path, name)


@pytest.mark.parametrize("name", ["a", "a/b.py", ".gitignore", ".github/x.yml", "git/x", "a b/ü.py", "..a", "a..b/c"])
def test_what_stays_is_taken(tmp_path: Path, name: str) -> None:
    assert file_in(tmp_path, name) == tmp_path / name


PARTS = st.sampled_from(["..", ".", "", "a", ".git", ".GIT", "git~1", "~", "/", "b.py", "link", "C:", "a\\b", "\u202e"])


@given(st.lists(PARTS, min_size=1, max_size=5).map("/".join))
@example("link/x")
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.getbasetemp() / "names"
    if not root.exists():
        (root / "project").mkdir(parents=True)
        (root / "project" / "link").symlink_to(root)
    try:
        path = file_in(root / "project", name)
    except UntrustedNameError:
        return
    assert path.resolve().is_relative_to(root / "project")
    assert not {".git", "git~1"} & {part.casefold() for part in path.relative_to(root / "project").parts}


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / "folder").symlink_to(tmp_path / "elsewhere")
    (project / "file").symlink_to(tmp_path / "secret")
    (project / "build").symlink_to(tmp_path / "elsewhere")

    for name in ("folder/x", "file", "folder"):
        with pytest.raises(UntrustedNameError, match="over the link"):
            file_in(project, name)
    with pytest.raises(UntrustedNameError, match="over the link build"):
        reports.folder(project, Place())


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("owner", ["yours", "generated", "copier"])
def test_manifest_with_such_a_name_is_refused_as_a_whole(tmp_path: Path, name: str, owner: str) -> None:
    files = {"README.md": {"owner": "generated"}, name: {"owner": owner}}
    (tmp_path / ".onex-manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")

    for command in (ownership.read, ownership.complete):
        with pytest.raises(UntrustedNameError, match=r"\.onex-manifest\.json names files"):
            command(tmp_path)


def test_odd_manifests_are_none(tmp_path: Path) -> None:
    for text in ("[]", "{}", '{"files": []}', "nothing", "[" * 100_000, '{"files": {"a": 7}, "operations": 3}'):
        (tmp_path / ".onex-manifest.json").write_text(text, encoding="utf-8")
        manifest = ownership.read(tmp_path)
        assert ownership.owned(manifest, "generated") == []
        assert manifest.get("operations", {}) == {}


def test_package_of_a_manifest_stays_in_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    text = '[project]\nname = "a"\n'
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    wanted = {"module": "a", "requirements": [], "dev_requirements": [], "untyped": [], "package": "../../outside"}

    with pytest.raises(UntrustedNameError):
        register(project, {"node": "node_a", "project": wanted})

    assert (project / "pyproject.toml").read_text(encoding="utf-8") == text
    assert not (tmp_path / "outside").exists()
