"""The real command line: exit status, messages, and what is left on the disk."""

from pathlib import Path

import pytest
import yaml

from examples.rendering import CONTRACTS, read_contract
from tests.conftest import Run

MISTAKES = {
    "name": "  Not A Name",
    "version": "one",
    "description": 7,
    "features": ["retri"],
    "enums": {"LockStatus": []},
    "models": {"LockInfo": {"fields": {"owner": {"type": "strin"}}}},
    "service": {"port": 99999},
    "descriptin": "a typing error",
}
PATHS_OF_MISTAKES = (
    "name",
    "version",
    "description",
    "features[0]",
    "enums.LockStatus",
    "models.LockInfo.fields.owner",
    "service.port",
    "descriptin",
    "operations[0].database.parameters[1]",
    "operations[1].colour",
)


@pytest.fixture
def lock_contract() -> dict[str, object]:
    return read_contract(CONTRACTS / "distributed_lock.yaml")


@pytest.fixture
def wrong_contract(lock_contract: dict[str, object]) -> dict[str, object]:
    operations = lock_contract["operations"]
    assert isinstance(operations, list)
    operations[0]["database"]["parameters"][1] = "ownr"
    operations[1]["colour"] = "blue"
    return lock_contract | MISTAKES


def copy(run: Run, template: Path, tmp_path: Path, data: object) -> tuple[int, str, Path]:
    data_file = tmp_path / "contract.yaml"
    data_file.write_text(data if isinstance(data, str) else yaml.safe_dump(data), encoding="utf-8")
    destination = tmp_path / "project"
    result = run("copier", "copy", "--trust", "--defaults", "--data-file", data_file, template, destination)
    return result.returncode, result.stdout + result.stderr, destination


def test_copy(run: Run, template: Path, tmp_path: Path, lock_contract: dict[str, object]) -> None:
    status, output, destination = copy(run, template, tmp_path, lock_contract)

    assert status == 0, output
    assert (destination / "node.yaml").is_file()


def test_copy_without_trust_is_refused(run: Run, template: Path, tmp_path: Path) -> None:
    data_file = CONTRACTS / "distributed_lock.yaml"
    settings = tmp_path / "settings.yml"
    settings.write_text("trust: []\n", encoding="utf-8")
    command = ("copier", "copy", "--defaults", "--data-file", data_file, template, tmp_path / "project")

    result = run(*command, COPIER_SETTINGS_PATH=str(settings))

    assert result.returncode == 4
    assert not (tmp_path / "project").exists()


def test_all_mistakes_are_reported_at_once(
    run: Run, template: Path, tmp_path: Path, wrong_contract: dict[str, object]
) -> None:
    status, output, destination = copy(run, template, tmp_path, wrong_contract)

    assert status == 1
    assert [path for path in PATHS_OF_MISTAKES if path not in output] == []
    assert "Traceback" not in output
    assert not destination.exists()


def test_mistake_leaves_an_existing_folder_alone(
    run: Run, template: Path, tmp_path: Path, wrong_contract: dict[str, object]
) -> None:
    kept = tmp_path / "project" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("mine\n")

    status, _, destination = copy(run, template, tmp_path, wrong_contract)

    assert status == 1
    assert [path.name for path in destination.iterdir()] == ["kept.txt"]


def test_unknown_key_names_the_nearest_known_one(
    run: Run, template: Path, tmp_path: Path, lock_contract: dict[str, object]
) -> None:
    status, output, destination = copy(run, template, tmp_path, lock_contract | {"descriptin": "a typing error"})

    assert status == 1
    assert "descriptin" in output
    assert "description" in output
    assert "Traceback" not in output
    assert not destination.exists()


def test_mistakes_come_with_the_place_in_the_data_file(run: Run, template: Path, tmp_path: Path) -> None:
    head = "name: greet\nnode_type: effect\npackage: acme\noperations:\n"
    contract = f"{head}  - name: greet\n    input: {{a: strng}}\n    handler: custom\n"

    status, output, _ = copy(run, template, tmp_path, contract)

    assert status == 1
    assert "  6:13: operations[0].input.a: found the unknown type 'strng'" in output


def test_key_that_stands_twice(run: Run, template: Path, tmp_path: Path) -> None:
    contract = (
        "name: greet\nnode_type: effect\npackage: acme\nname: lost\noperations:\n  - {name: greet, handler: custom}\n"
    )

    status, output, destination = copy(run, template, tmp_path, contract)

    assert status == 1
    assert "  4:1: name: found 'name' a second time" in output
    assert "Traceback" not in output
    assert not destination.exists()


def test_what_is_legacy_is_told_and_used(run: Run, template: Path, tmp_path: Path) -> None:
    head = "name: greet\nnode_type: effect\npackage: acme\noperations: [{name: greet, handler: custom}]\n"

    status, output, destination = copy(run, template, tmp_path, f"{head}error_handling: {{retry_policy: {{}}}}\n")

    assert status == 0, output
    assert "Warning: error_handling: found a legacy key" in output
    assert "error_handling:" in (destination / "node.yaml").read_text()


@pytest.mark.parametrize("missing", ["name", "operations", "package"])
def test_missing_key(run: Run, template: Path, tmp_path: Path, lock_contract: dict[str, object], missing: str) -> None:
    del lock_contract[missing]

    status, output, destination = copy(run, template, tmp_path, lock_contract)

    assert status == 1
    assert missing in output
    assert "Traceback" not in output
    assert not destination.exists()


@pytest.mark.parametrize("data", ["", "- a\n- list\n", "name: &a x\n? [*a]\n"], ids=["empty", "list", "odd key"])
def test_data_file_that_is_no_contract(run: Run, template: Path, tmp_path: Path, data: str) -> None:
    status, output, destination = copy(run, template, tmp_path, data)

    assert status == 1
    assert output.startswith("1 problem in the contract (")
    assert "Traceback" not in output
    assert not destination.exists()
