"""The command that turns legacy contracts into today's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.rendering import CONTRACTS, ROOT
from extensions.adopting.adopted import Adopted
from extensions.commands import migrate_contract
from extensions.commands.migration import migrate
from extensions.judging.judge import judge

LEGACY = sorted((Path(__file__).parent / "legacy").glob("*.yaml"))


def legacy(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "legacy" / f"{name}.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item)
            yield str(key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_nothing_is_lost(path: Path) -> None:
    old = yaml.safe_load(path.read_text())

    contract, changes, kept = migrate(old)

    told = Adopted(contract, kept).document() + "\n".join(changes)
    # Keys of JSON Schema are said in the language's own words, and names and versions stand apart.
    said = {"definitions", "properties", "$ref", "#/definitions/EnumKind", "format", "required", "True", "False"}
    said |= {"major", "minor", "patch", "null", "object", "postgres>=14"}
    assert [leaf for leaf in leaves(old) if leaf not in told and leaf not in said] == []


@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_what_was_migrated_stays_as_it_is(path: Path) -> None:
    contract, changes, _ = migrate(yaml.safe_load(path.read_text()))

    assert changes
    assert migrate(contract) == (contract, [], {})


VALID = [path for path in sorted(CONTRACTS.glob("*.yaml")) if not judge(yaml.safe_load(path.read_text()))]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_contracts_of_today_stay_as_they_are(path: Path) -> None:
    contract = yaml.safe_load(path.read_text())

    assert migrate(contract) == (contract, [], {})


def test_error_handling_and_io_operations() -> None:
    contract, _, _ = migrate(legacy("llm_effect"))

    assert judge(contract) == []
    assert contract["name"] == "llm"
    assert contract["version"] == "1.0.0"
    assert contract["advanced_features"] == {
        "retry_policy": {"max_attempts": 3},
        "circuit_breaker": {"enabled": True, "failure_threshold": 5},
    }
    assert contract["operations"] == [
        {
            "name": "complete",
            "description": "Ask for one answer",
            "timeout_seconds": 30,
            "handler": "custom",
        }
    ]


def test_features_in_prose_and_dependencies_as_a_list() -> None:
    contract, changes, kept = migrate(legacy("database_adapter"))

    assert judge(contract) == []
    assert contract["features"] == ["retry", "circuit_breaker", "no_service_mode"]
    assert contract["dependencies"] == {"postgres": ">=14", "kafka": ">=3", "consul": "*"}
    assert kept[""]["features"] == "Automatic retry with exponential backoff"
    assert "error_handling.retry_policy: overruled by advanced_features.retry_policy" in changes
    assert contract["advanced_features"]["retry_policy"] == {"max_attempts": 5}
    assert [operation["name"] for operation in contract["operations"]] == ["write_row", "read_row"]
    assert {operation["timeout_seconds"] for operation in contract["operations"]} == {2.5}
    assert contract["models"]["Row"]["fields"]["tags"]["items"] == {"type": "string", "minLength": 1}


def test_requirements() -> None:
    contract, _, _ = migrate(legacy("requirements"))

    assert judge(contract) == []
    assert contract["dependencies"] == {"postgres": "*"}
    assert [operation["name"] for operation in contract["operations"]] == ["create", "read", "update", "delete"]


def test_events_and_variables() -> None:
    contract, _, _ = migrate(legacy("event_reducer"))

    assert contract["name"] == "codegen_metrics"
    assert contract["version"] == "2.1.0"
    assert contract["deployment"]["env"] == {
        "KAFKA": "${env.KAFKA_BOOTSTRAP_SERVERS}",
        "KEY": "Bearer ${secret.LLM_API_KEY}",
    }
    assert contract["operations"][0]["description"] == "Fold ${EVENTS}"
    assert contract["operations"][0]["publishes"] == "metrics-ready"
    assert contract["subcontracts"] == {
        "event_type": {"consumed_events": [{"event": "workflow-started", "operation": "on_workflow_started"}]}
    }


@pytest.mark.parametrize(
    ("prose", "words"),
    [
        ("Retries with backoff", ["retry"]),
        ("works without retry", []),
        ("capital retrying", []),
        ("state machine and dead letter queue", ["state_machine", "dead_letter_queue"]),
    ],
)
def test_whole_words_of_prose_mean_features(prose: str, words: list[str]) -> None:
    contract, _, kept = migrate({"features": [prose]})

    assert contract.get("features", []) == words
    assert kept == {"": {"features": prose}}


def test_a_typing_error_is_a_problem_and_not_moved_away() -> None:
    contract, changes, _ = migrate({"name": "a", "package": "b", "node_type": "effect", "operatoins": ["x"]})

    assert changes == []
    assert contract["operatoins"] == ["x"]


def test_package_from_the_command_line() -> None:
    contract, changes, _ = migrate({"name": "a", "node_type": "effect", "operations": ["go"]}, package="acme")

    assert judge(contract) == []
    assert contract["package"] == "acme"
    assert "package: acme, from the command line" in changes


def run(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "extensions.commands.migrate_contract", *map(str, arguments)]
    return subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, check=False)


def test_command_keeps_comments_and_reports_changes() -> None:
    result = run(LEGACY[-2])

    assert LEGACY[-2].stem == "llm_effect"
    assert result.returncode == 0
    assert result.stdout.startswith(
        "# line 1: The contract of the LLM effect, before mixins.\n# line 7: what it does\nname: llm\n"
    )
    assert result.stderr.count("changed: ") == 8
    assert judge(yaml.safe_load(result.stdout)) == []


def test_command_with_what_only_a_person_can_solve() -> None:
    result = run("-", text="name: x\nnode_type: effect\noperations: [go]\nfeatures: [retry, resilience]\n")

    assert result.returncode == 1
    assert yaml.safe_load(result.stdout)["operations"] == [{"name": "go", "handler": "custom"}]
    assert "problem: package: found nothing" in result.stderr


def test_warnings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(
        "name: x\nnode_type: effect\npackage: y\noperations: [go]\nfeatures: [retry, resilience]\n"
        "error_handling: {retry_policy: {enabled: false}}\n"
    )

    assert migrate_contract.main([str(path)]) == 0
    error = capsys.readouterr().err
    assert "warning: features[1]: found 'resilience', which means 'retry'" in error
    assert "warning: features[0]: found 'retry', which advanced_features.retry_policy turns off" in error


TOP = (
    *("name", "node_type", "version", "description", "features", "dependencies", "definitions", "operations"),
    *("io_operations", "error_handling", "advanced_features", "mixins", "subcontracts", "configuration", "models"),
)
INSIDE = {
    "subcontracts": ("effect", "event_type"),
    "event_type": ("consumed_events", "published_events"),
    "error_handling": ("retry_policy", "timeout_policy", "other"),
    "definitions": ("ModelX", "EnumY"),
    "ModelX": ("properties", "type", "required"),
    "properties": ("a", "b"),
    "EnumY": ("enum",),
    "a": ("type", "format", "items", "$ref"),
    "models": ("X",),
    "X": ("fields",),
}
OTHERWISE = ("name", "operations", "input_model", "timeout_ms", "version", "type", "description", "required")
LEAVES: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 1, -1, 2.5, "", "x", "ModelX", "EFFECT", "${A_B}", "Retry now", "v1_2", [], {}]
)


@st.composite
def legacy_values(draw: st.DrawFn, key: str = "", depth: int = 0) -> object:
    shape = draw(st.integers(0, 3)) if depth else 3
    if shape == 0 or depth > 4:
        return draw(LEAVES)
    if shape == 1:
        return draw(st.lists(legacy_values(key, depth + 1), max_size=2))
    keys = INSIDE.get(key, OTHERWISE) if key else TOP
    chosen = draw(st.lists(st.sampled_from(keys), max_size=4, unique=True))
    return {name: draw(legacy_values(name, depth + 1)) for name in chosen}


@given(legacy_values().filter(lambda value: isinstance(value, dict)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mapping_is_a_traceback(old: dict[str, object]) -> None:
    contract, _, kept = migrate(old)

    Adopted(contract, kept).document()


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: &a [*a]", "\x00"], ids=repr)
def test_what_is_no_contract_yields_nothing(text: str) -> None:
    result = run("-", text=text)

    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert result.stderr


def test_missing_file() -> None:
    result = run("nowhere.yaml")

    assert (result.returncode, result.stdout) == (1, "")
    assert "can't be read" in result.stderr


def test_folder_becomes_another_and_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "shop").mkdir(parents=True)
    (old / "a.yaml").write_text("name: a\nnode_type: EFFECT\noperations: [go]\ncapabilities: [x]\n", encoding="utf-8")
    (old / "shop" / "b.yml").write_text("name: b\nnode_type: COMPUTE\noperations: [run]\n", encoding="utf-8")
    (old / "broken.yaml").write_text("a: [", encoding="utf-8")
    (old / "notes.txt").write_text("no contract", encoding="utf-8")
    command = ["--package", "shop_nodes", str(old), "-o", str(new), "--json"]

    assert migrate_contract.main(command) == 1
    told = capsys.readouterr()
    written = {path.relative_to(new).as_posix(): path.read_text("utf-8") for path in new.rglob("*.yaml")}
    assert sorted(written) == ["a.yaml", "shop/b.yaml"]
    assert "# capabilities:\n#   - x\n" in written["a.yaml"]
    assert [result["done"] for result in json.loads(told.out)] == [True, False, True]
    assert f"{old / 'broken.yaml'}: 1:" in told.err
    assert "2 of 3" in told.err

    (old / "broken.yaml").unlink()
    assert migrate_contract.main(command) == 1
    assert "a.yaml is not written: File exists" in capsys.readouterr().err
    assert {path.relative_to(new).as_posix(): path.read_text("utf-8") for path in new.rglob("*.yaml")} == written


def test_several_contracts_need_a_place(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        migrate_contract.main([str(tmp_path)])
