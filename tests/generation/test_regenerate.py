"""`update-node`: what it merges, keeps and reports; what it leaves alone when it fails, or is killed."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from examples.rendering import CONTRACTS, ROOT, read_contract
from extensions.updating.apply import Change, Journal
from extensions.updating.command import main, main_fleet
from extensions.updating.update import UpdateError, is_unfinished, update
from tests.conftest import Run
from tests.generation.history import (
    KEY_OF_VERSION_3,
    LINE_OF_VERSION_2,
    RENAMED_IN_VERSION_2,
    change_contract,
    commit,
    contents,
    copy,
    edit,
    git,
    make_history,
)

NODE = "src/greeting_nodes/nodes/node_greeting_effect"
HANDLER = f"{NODE}/handlers/custom/handler_greet.py"


@pytest.fixture(scope="module")
def template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_history(run, tmp_path_factory.mktemp("history") / "template")


@pytest.fixture(scope="module")
def pristine(run: Run, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    contract = read_contract(CONTRACTS / "custom_greeting.yaml")
    return copy(run, template, tmp_path_factory.mktemp("pristine") / "project", contract, "v1.0.0")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "project")


def set_port(contract: dict[str, object]) -> None:
    contract["service"] = {"port": 8123}


def rename_operation(contract: dict[str, object]) -> None:
    operations = contract["operations"]
    assert isinstance(operations, list)
    operations[0]["name"] = "wave"


def test_make_regenerate(run: Run, project: Path, tmp_path: Path) -> None:
    change_contract(project, set_port)
    command = tmp_path / "update-node"
    module = f"PYTHONPATH={ROOT} exec {sys.executable} -m extensions.updating.command"
    command.write_text(f'#!/bin/sh\n{module} "$@"\n', encoding="utf-8")
    command.chmod(0o755)

    plain = run("make", "regenerate", cwd=project, UPDATE_NODE="no-such-command")
    result = run("make", "regenerate", cwd=project, UPDATE_NODE=str(command))

    assert plain.returncode != 0, "plain Copier wants a commit first"
    assert result.returncode == 0, result.stdout + result.stderr
    assert "8123" in (project / NODE / "settings.py").read_text(encoding="utf-8")
    commit(run, project, "Another port")
    plain = run("make", "regenerate", cwd=project, UPDATE_NODE="no-such-command")
    assert plain.returncode == 0, plain.stderr
    assert git(run, project, "status", "--porcelain") == ""


def test_contract_is_followed_without_a_commit(run: Run, project: Path) -> None:
    change_contract(project, set_port)
    index = (project / ".git" / "index").read_bytes()

    updated = update(project, tests=True)

    assert " passed" in updated.comparison.tests
    assert "8123" in (project / NODE / "settings.py").read_text(encoding="utf-8")
    assert (project / ".git" / "index").read_bytes() == index
    assert [str(each.place) for each in updated.comparison.contract] == ["service"]
    assert "## Contract" in (project / "build" / "update.md").read_text(encoding="utf-8")
    assert json.loads((project / "build" / "update.json").read_text(encoding="utf-8"))["files"]
    assert run("make", "drift", cwd=project).returncode == 0
    commit(run, project, "Another port")

    assert update(project).comparison.files == ()
    assert git(run, project, "status", "--porcelain") == ""


def test_dry_run_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_contract(project, set_port)
    before = contents(project)

    status = main([str(project), "--dry-run"])

    assert status == 0
    assert re.search(rf"{NODE}/settings.py +│ changed ", capsys.readouterr().out)
    assert contents(project) == before


def test_edits_are_merged_and_conflicts_marked_and_all_of_it_is_undone(
    run: Run, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project / "README.md", "\n", "\nA paragraph by a person.\n\n")
    settings = project / NODE / "settings.py"
    edit(settings, "8000", "8001")
    (project / ".python-version").unlink()
    commit(run, project, "Edit")
    change_contract(project, set_port)
    before = contents(project)

    updated = update(project, to="v2.0.0")

    assert updated.conflicts == [f"{NODE}/settings.py"]
    assert "README.md" in updated.comparison.of_kind("merged")
    assert LINE_OF_VERSION_2 in (project / "README.md").read_text(encoding="utf-8")
    assert "A paragraph by a person." in (project / "README.md").read_text(encoding="utf-8")
    assert "<" * 7 in settings.read_text(encoding="utf-8")
    assert f"UU {NODE}/settings.py" in git(run, project, "status", "--porcelain")
    assert not (project / ".python-version").exists()
    assert run("make", "drift", cwd=project).returncode != 0
    edit(project / "Makefile", "\n", "\n# Edited after the update.\n")

    assert main([str(project), "--undo"]) == 0

    shown = capsys.readouterr().out
    assert f"as before: {NODE}/settings.py" in shown
    changed = {path for path, content in contents(project).items() if before.get(path) != content}
    assert {path for path in changed if not path.startswith("build/")} <= {"Makefile"}
    assert set(before) <= set(contents(project))
    assert git(run, project, "ls-files", "--unmerged") == ""
    assert main([str(project), "--undo"]) == 1
    assert "no update to undo" in capsys.readouterr().err


def test_handler_without_its_operation_is_an_orphan(run: Run, project: Path) -> None:
    (project / HANDLER).write_text((project / HANDLER).read_text(encoding="utf-8") + "\n# Mine.\n", encoding="utf-8")
    commit(run, project, "Write the handler")
    mine = (project / HANDLER).read_bytes()
    change_contract(project, rename_operation)

    updated = update(project)

    assert any("greet" in line or "wave" in line for line in updated.comparison.onex)

    assert updated.comparison.of_kind("orphaned") == [
        f"orphans/{HANDLER}",
        "orphans/tests/custom/test_handler_greet.py",
    ]
    assert updated.comparison.renamed == {"greet": "wave"}
    assert (project / "orphans" / HANDLER).read_bytes() == mine
    assert run("ruff", "check", ".", cwd=project).returncode == 0


def test_versions_that_rename_a_file_and_a_key(run: Run, project: Path) -> None:
    old, new = RENAMED_IN_VERSION_2
    edit(project / old, '"""', '"""Edited. ')
    commit(run, project, "Edit a test")
    check = run("copier", "check-update", "--quiet", cwd=project)
    assert check.returncode == 2, check.stderr

    updated = update(project, to="v2.0.0")

    assert not (project / old).exists()
    assert "Edited. " in (project / new).read_text(encoding="utf-8")
    assert "# Renamed in version 2." in (project / new).read_text(encoding="utf-8")
    assert any(new in note for note in updated.comparison.notes)
    commit(run, project, "Second version")
    before = (project / "node.yaml").read_text(encoding="utf-8")

    updated = update(project, to="latest")

    after = (project / "node.yaml").read_text(encoding="utf-8")
    assert after == before.replace("\ndomain:", f"\n{KEY_OF_VERSION_3}:")
    assert updated.comparison.version_after == "v3.0.0"
    commit(run, project, "Third version")
    assert run("copier", "check-update", "--quiet", cwd=project).returncode == 0
    assert update(project).comparison.files == ()


def test_update_without_edits_equals_a_fresh_copy(run: Run, template: Path, project: Path, tmp_path: Path) -> None:
    change_contract(project, set_port)
    update(project, to="v3.0.0")
    contract = yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8"))
    fresh = copy(run, template, tmp_path / "fresh" / "project", contract, "v3.0.0")

    # The contract alone is a person's, comments and all.
    mine, theirs = contents(project), contents(fresh)
    mine.pop("node.yaml")
    theirs.pop("node.yaml")
    assert mine == theirs


@pytest.mark.parametrize("mistake", ["contract", "uncommitted", "no project"])
def test_what_can_not_be_updated_is_left_alone(
    project: Path, tmp_path: Path, mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if mistake == "contract":
        change_contract(project, lambda contract: contract.update({"version": "one"}))
    elif mistake == "uncommitted":
        edit(project / "README.md", "\n", "\n\n")
    before = contents(project)

    status = main([str(project if mistake != "no project" else tmp_path)])

    assert status == 1
    assert "Nothing was changed." in capsys.readouterr().err
    assert contents(project) == before


def until_undone(project: Path) -> None:
    """Wait for the process that undoes an update which was cut off."""
    end = time.monotonic() + 30
    while is_unfinished(project):
        assert time.monotonic() < end, "nobody undid it"
        time.sleep(0.05)


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.4, 2.0, 3.0])
def test_killed_at_any_moment(project: Path, seconds: float) -> None:
    change_contract(project, set_port)
    before, index = contents(project), (project / ".git" / "index").read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "extensions.updating.command", project], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.kill()
    process.wait()
    until_undone(project)

    after = contents(project)
    assert after == before or b"8123" in after[f"{NODE}/settings.py"]
    assert (project / ".git" / "index").read_bytes() == index
    assert not [path for path in after if path.endswith(".onex")]


CRASH = """
import os, sys
from pathlib import Path
from extensions.updating.apply import Change, Journal

left = int(sys.argv[2])
replace, unlink = Path.replace, Path.unlink

def count(call):
    def counted(*args, **named):
        global left
        if not left:
            os._exit(9)
        left -= 1
        return call(*args, **named)
    return counted

Path.replace, Path.unlink = count(replace), count(unlink)
Journal(Path(sys.argv[1])).apply({
    "README.md": Change(b"new"), "Makefile": Change(None), "a/b.txt": Change(b"added"), "pyproject.toml": Change(b"x"),
})
"""


@pytest.mark.parametrize("calls", range(0, 12, 2))
def test_killed_while_files_are_written(project: Path, calls: int) -> None:
    before = contents(project)

    result = subprocess.run([sys.executable, "-c", CRASH, str(project), str(calls)], cwd=ROOT, check=False)
    until_undone(project)

    after = contents(project)
    assert result.returncode in {0, 9}
    whole = {**before, "README.md": b"new", "a/b.txt": b"added", "pyproject.toml": b"x"}
    del whole["Makefile"]
    # What is kept for an undo by hand is written when all is done.
    assert after in (([whole]) if result.returncode == 0 else [before, whole])


def test_undo_of_what_was_killed_with_its_guard(project: Path) -> None:
    before = contents(project)
    unguarded = f"import os, extensions.updating.apply\nextensions.updating.apply._HOOK = os.devnull\n{CRASH}"
    subprocess.run([sys.executable, "-c", unguarded, str(project), "3"], cwd=ROOT, check=False)
    assert contents(project) != before

    assert main([str(project), "--undo"]) == 0

    assert contents(project) == before


@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.6])
def test_plain_copier_is_killed(run: Run, project: Path, seconds: float) -> None:
    change_contract(project, set_port)
    commit(run, project, "Another port")
    before = contents(project)
    command = ["copier", "update", "--trust", "--defaults", "--vcs-ref", "v2.0.0", "--data-file", "node.yaml"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.kill()
    process.wait()
    until_undone(project)

    after = contents(project)
    assert after == before or LINE_OF_VERSION_2 in after["README.md"].decode()


UNGUARDED = {"ONEX_REPORT": os.devnull}


def test_undo_of_what_copier_left(run: Run, project: Path) -> None:
    (project / "notes.txt").write_text("not in git\n", encoding="utf-8")
    before, index = contents(project), (project / ".git" / "index").read_bytes()
    hook = ROOT / "extensions" / "hook.py"
    assert run(sys.executable, "-I", hook, "before", cwd=project, **UNGUARDED).returncode == 0
    (project / "README.md").write_text("half", encoding="utf-8")
    (project / "Makefile").unlink()
    (project / "new" / "folder").mkdir(parents=True)
    (project / "new" / "folder" / "file.txt").write_text("new", encoding="utf-8")
    git(run, project, "add", "--all")

    assert main([str(project), "--undo"]) == 0

    assert contents(project) == before
    assert (project / ".git" / "index").read_bytes() == index
    assert not (project / "new").exists()


def test_undo_after_a_commit_is_refused(run: Run, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = ROOT / "extensions" / "hook.py"
    assert run(sys.executable, "-I", hook, "before", cwd=project, **UNGUARDED).returncode == 0
    edit(project / "README.md", "\n", "\n\n")
    commit(run, project, "Go on")
    before = contents(project)

    assert main([str(project), "--undo"]) == 1

    assert "commits since" in capsys.readouterr().err
    assert contents(project) == before


def test_edits_after_a_crash_are_left_alone(project: Path) -> None:
    subprocess.run([sys.executable, "-c", CRASH, str(project), "4"], cwd=ROOT, check=False)
    (project / "README.md").write_text("mine", encoding="utf-8")

    with pytest.raises(UpdateError, match=r"README\.md"):
        update(project)

    assert (project / "README.md").read_text(encoding="utf-8") == "mine"
    assert (project / "Makefile").is_file()


def test_error_while_files_are_written(project: Path) -> None:
    before = contents(project)
    (project / "a").write_text("a file where a folder has to be", encoding="utf-8")

    with pytest.raises(OSError, match="a"):
        Journal(project).apply({"README.md": Change(b"new"), "a/b.txt": Change(b"added")})

    (project / "a").unlink()
    assert contents(project) == before


def test_fleet(project: Path, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    for name in ("first", "second", "broken"):
        shutil.copytree(project, fleet / name)
        change_contract(fleet / name, set_port)
    change_contract(fleet / "broken", lambda contract: contract.update({"version": "one"}))
    broken = contents(fleet / "broken")

    status = main_fleet([str(fleet), "--json", str(tmp_path / "summary.json")])

    assert status == 1
    summary = {Path(each["project"]).name: each for each in json.loads((tmp_path / "summary.json").read_text())}
    assert {name: each["status"] for name, each in summary.items()} == {
        "broken": "failed",
        "first": "done",
        "second": "done",
    }
    assert "version" in summary["broken"]["error"]
    assert contents(fleet / "broken") == broken
    for name in ("first", "second"):
        assert "8123" in (fleet / name / NODE / "settings.py").read_text(encoding="utf-8")


def test_fleet_follows_a_folder_of_contracts(project: Path, tmp_path: Path) -> None:
    fleet, contracts = tmp_path / "fleet", tmp_path / "contracts"
    contracts.mkdir()
    shutil.copytree(project, fleet / "greeting")
    mine = yaml.safe_load((project / "node.yaml").read_text(encoding="utf-8"))
    (contracts / "a.yaml").write_text(yaml.safe_dump(mine | {"service": {"port": 8123}}), encoding="utf-8")
    (contracts / "b.yaml").write_text(yaml.safe_dump(mine | {"name": "unknown"}), encoding="utf-8")

    status = main_fleet([str(fleet), "--contracts", str(contracts), "--json", str(tmp_path / "summary.json")])

    assert status == 1
    summary = {Path(each["project"]).name: each for each in json.loads((tmp_path / "summary.json").read_text())}
    assert {name: each["status"] for name, each in summary.items()} == {"b.yaml": "failed", "greeting": "done"}
    own = (fleet / "greeting" / "node.yaml").read_bytes()
    assert own.startswith(b"# yaml-language-server: $schema=")
    assert own.endswith((contracts / "a.yaml").read_bytes())
    assert "8123" in (fleet / "greeting" / NODE / "settings.py").read_text(encoding="utf-8")


def test_node_in_a_folder_of_a_repository(run: Run, template: Path, tmp_path: Path) -> None:
    contract = read_contract(CONTRACTS / "custom_greeting.yaml")
    repository = tmp_path / "repository"
    for name in ("one", "two"):
        shutil.rmtree(copy(run, template, repository / name, contract, "v1.0.0") / ".git")
    git(run, repository, "init", "--quiet")
    commit(run, repository, "Two nodes")
    change_contract(repository / "one", set_port)

    update(repository / "one")

    changed = git(run, repository, "status", "--porcelain").splitlines()
    assert changed
    assert all(line[3:].startswith("one/") for line in changed)
