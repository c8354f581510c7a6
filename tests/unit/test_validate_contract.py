"""The command that judges contract files."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from examples.rendering import CONTRACTS, ROOT
from extensions.commands import validate_contract

GOOD = CONTRACTS / "custom_greeting.yaml"
BAD = """\
name: greet
pakage: acme
node_type: effect
operations:
  - name: greet
    input:
      name: strng
    handler: custom
    handler: custom
"""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return path


def test_good_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate_contract.main([str(GOOD)]) == 0
    assert capsys.readouterr().out == f"{GOOD}: valid\n"


def test_problems_come_with_line_and_column_in_the_order_of_the_file(
    capsys: pytest.CaptureFixture[str], bad: Path
) -> None:
    assert validate_contract.main([str(bad), str(GOOD)]) == 1

    *problems, valid = capsys.readouterr().out.splitlines()
    starts = [line.partition(": found")[0].removeprefix(f"{bad}:") for line in problems]
    assert starts == [
        "1:1: package",
        "2:1: pakage",
        "7:7: operations[0].input.name",
        "9:5: operations[0].handler",
    ]
    assert valid == f"{GOOD}: valid"


def test_json(capsys: pytest.CaptureFixture[str], bad: Path) -> None:
    assert validate_contract.main(["--json", str(bad), str(GOOD)]) == 1

    result = json.loads(capsys.readouterr().out)
    assert not result["valid"]
    first, second = result["files"]
    assert (second["file"], second["valid"], second["problems"]) == (str(GOOD), True, [])
    assert first["problems"][2] == {
        "path": "operations[0].input.name",
        "pointer": "/operations/0/input/name",
        "line": 7,
        "column": 7,
        "found": "the unknown type 'strng'",
        "expected": "a type of the language, an enum or a model",
        "hint": "did you mean 'string'?",
    }


def test_what_could_not_be_read_is_one_problem(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(f"{GOOD.read_text()}\ntemplate_variant: 2026-13-45\n")

    assert validate_contract.main([str(path)]) == 1
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    assert validate_contract.main([str(tmp_path / name)]) == 1
    assert "can't be read" in capsys.readouterr().out


def test_names_that_a_terminal_cannot_show(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert validate_contract.main([str(tmp_path / "\udcff\x1b.yaml")]) == 1
    output = capsys.readouterr().out
    assert "\\udcff\\x1b.yaml" in output
    assert "\x1b" not in output


def test_as_a_process_from_standard_input() -> None:
    command = [sys.executable, "-m", "extensions.commands.validate_contract", "-"]

    result = subprocess.run(command, input="a: [\n", cwd=ROOT, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("standard input:2:1: contract: found broken YAML")


def test_no_copier_is_loaded() -> None:
    code = "import sys, extensions.commands.validate_contract; sys.exit('copier' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="validate-contract")

    assert command.value == "copier_onex.extensions.commands.validate_contract:main"
    assert (Path(sys.executable).parent / "validate-contract").is_file()
