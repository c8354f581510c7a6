"""An update of a project that was generated before nodes had a `runtime/` folder, with edits in all kinds of files.

`old_house.tar.xz` is the template as it was in the commit 4d00482, without the files that this node never had.
"""

import shutil
import tarfile
from pathlib import Path

import pytest

from examples.rendering import CONTRACTS, PARTS, export_template, read_contract
from tests.conftest import Generate, Run
from tests.generation.history import commit, contents, copy, git

pytestmark = pytest.mark.slow

OLD_HOUSE = Path(__file__).with_name("old_house.tar.xz")
NODE = "src/omninode_bridge/nodes/node_distributed_lock_effect"
# Each gets a line where this house changed nothing.
LIFECYCLE = f"{NODE}/lifecycle.py"
BELOW_DOCSTRING = (LIFECYCLE, f"{NODE}/handlers/handler_acquire_lock.py")
SERVICE = f"{NODE}/service.py"
MERGED = (
    *BELOW_DOCSTRING,
    SERVICE,
    f"{NODE}/node.py",
    "pyproject.toml",
)
TAKEN_AWAY = (f"{NODE}/logs.py", f"{NODE}/correlation.py", f"{NODE}/adapters/adapter_postgres.py")
RENAMED = ("tests/unit/fakes.py", "tests/fakes.py")
DELETED = ("tests/unit/test_models.py", f"{NODE}/discovery.py")
MINE = "# Mine: {}.\n"


def with_mark(text: str, name: str) -> str:
    """Return a text with a person's line in it."""
    mark = MINE.format(name)
    if name == SERVICE:
        return text.replace("def main(", f"{mark}def main(", 1)
    if name == RENAMED[0]:
        return text.replace("\nclass FakeTransaction", f"\n{mark}class FakeTransaction", 1)
    return text.replace('"""\n', f'"""\n{mark}', 1) if name in BELOW_DOCSTRING else text + mark


@pytest.fixture(scope="module")
def houses(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template of two versions: the old house, and this one."""
    repository = tmp_path_factory.mktemp("houses") / "template"
    with tarfile.open(OLD_HOUSE) as archive:
        archive.extractall(repository, filter="data")
    git(run, repository, "init", "--quiet")
    commit(run, repository, "The old house")
    git(run, repository, "tag", "v1.0.0")
    for part in repository.iterdir():
        if part.name in PARTS:
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    export_template(repository)
    commit(run, repository, "This house")
    git(run, repository, "tag", "v2.0.0")
    return repository


@pytest.fixture(scope="module")
def lived_in(run: Run, houses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of the old house, with edits."""
    contract = read_contract(CONTRACTS / "distributed_lock.yaml")
    project = copy(run, houses, tmp_path_factory.mktemp("old") / "project", contract, "v1.0.0")
    for name in (*MERGED, *TAKEN_AWAY, RENAMED[0]):
        lines = (project / name).read_text(encoding="utf-8")
        (project / name).write_text(with_mark(lines, name), encoding="utf-8")
    for name in DELETED:
        (project / name).unlink()
    commit(run, project, "Edits")
    return project


@pytest.mark.parametrize("command", ["update-node", "copier"])
def test_edits_are_merged_or_shown(
    run: Run, generate_project: Generate, lived_in: Path, tmp_path: Path, command: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(lived_in, project)
    if command == "copier":
        result = run("copier", "update", "--trust", "--defaults", "--data-file", "node.yaml", cwd=project)
        said = result.stderr
    else:
        result = run("update-node", "--to", "latest", "--trust", cwd=project)
        said = result.stdout
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"
    fresh = contents(generate_project(CONTRACTS / "distributed_lock.yaml", tmp_path / "fresh"))
    updated = contents(project)
    renamed, taken_away = RENAMED[1], [name for name in TAKEN_AWAY if name not in fresh]
    assert taken_away
    for name in {*MERGED, *TAKEN_AWAY, renamed} - set(taken_away):
        old = RENAMED[0] if name == renamed else name
        assert updated.pop(name).decode() == with_mark(fresh.pop(name).decode(), old), name
    for name in taken_away:
        kept = f"orphans/{name}"
        difference = updated.pop(f"{kept}.diff").decode()
        assert [line for line in difference.splitlines() if line[:1] in {"+", "-"}] == [
            f"--- generated/{name}",
            f"+++ yours/{name}",
            f"+{MINE.format(name)}".rstrip(),
        ]
        assert kept in said
        assert command == "copier" or difference.strip() in (project / "build/update.md").read_text(encoding="utf-8")
        assert updated.pop(kept) == (lived_in / name).read_bytes()
    for name in DELETED:
        assert name not in updated
        fresh.pop(name, None)
    # The version that they name differs, and the contract is the project's own text.
    for own in (".copier-answers.yml", ".onex-manifest.json", "node.yaml"):
        assert own in fresh
        del updated[own], fresh[own]
    assert updated == fresh
