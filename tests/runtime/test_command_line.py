"""The command line of a node."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.command_line import CommandLine
from onex_node_runtime.settings.logs import LogSettings
from pydantic import BaseModel, JsonValue


class EnumOperation(StrEnum):
    COUNT = "count"


class ModelRequest(BaseModel):
    operation: EnumOperation
    payload: dict[str, JsonValue]
    correlation_id: UUID


ASKED: list[ModelRequest] = []
SERVED: list[bool] = []


async def call(request: ModelRequest) -> dict[str, JsonValue]:
    ASKED.append(request)
    if request.payload.get("fail"):
        raise ModelOnexError(message="It is away.", error_code=EnumCoreErrorCode.TIMEOUT, problems=[{"field": "fail"}])
    return {"echo": request.payload}


def command() -> CommandLine[ModelRequest]:
    return CommandLine("node-count", EnumOperation, ModelRequest, LogSettings, lambda: SERVED.append(True), call)


@pytest.fixture
def asked() -> Iterator[list[ModelRequest]]:
    """What the node is asked."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield ASKED
    ASKED.clear()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_operation_is_called(asked: list[ModelRequest], capsys: pytest.CaptureFixture[str]) -> None:
    correlation_id = uuid4()
    assert command().main(["call", "count", '{"word": "größer"}', "--correlation-id", str(correlation_id)]) == 0
    assert json.loads(capsys.readouterr().out) == {"echo": {"word": "größer"}}
    (request,) = asked
    assert (request.operation, request.correlation_id) == ("count", correlation_id)


def test_input_comes_from_elsewhere(asked: list[ModelRequest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"number": 1}', encoding="utf-8")
    assert command().main(["call", "count", f"@{tmp_path / 'input.json'}"]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"number": 2}')))
    assert command().main(["call", "count", "-"]) == 0
    assert command().main(["call", "count"]) == 0
    assert [request.payload for request in asked] == [{"number": 1}, {"number": 2}, {}]


# A locale in which Python knows ASCII alone, and streams that take nothing else.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
PROGRAM = "import sys; from tests.runtime.test_command_line import command; sys.exit(command().main(sys.argv[1:]))"


def called(redirected: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the node in a process of its own, with a line of the shell around it."""
    line = f'exec "$0" -c "$1" call count {redirected}'
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    return subprocess.run(
        ["sh", "-c", line, sys.executable, PROGRAM], env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("given", ["""'{"word": "größer"}'""", """- < "$2" """, """"@$2" """])
@pytest.mark.parametrize("environment", [{}, ASCII, {"PYTHONIOENCODING": "latin-1"}])
def test_json_is_json_whatever_the_locale(given: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "input").write_text('{"word": "größer"}', encoding="utf-8")
    result = called(given.replace("$2", str(tmp_path / "input")), **environment, PYTHONWARNINGS="ignore")
    said = result.stdout.encode().decode("utf-8")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(said) == {"echo": {"word": "größer"}}


@pytest.mark.parametrize("redirected", [">&-", "> /dev/full", "2>&- >&-", "> /dev/full 2> /dev/full"])
def test_output_that_nobody_gets_is_no_failure(redirected: str) -> None:
    result = called(redirected)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    assert ("The operation is done" in result.stderr) == ("2>" not in redirected)


def test_failure_that_nobody_gets_is_one() -> None:
    assert called("""'{"fail": true}' 2>&-""").returncode == 1


def test_failure_is_told(asked: list[ModelRequest], capsys: pytest.CaptureFixture[str]) -> None:
    assert command().main(["call", "count", '{"fail": true}']) == 1
    captured = capsys.readouterr()
    failure = json.loads(captured.err.splitlines()[-1])
    assert failure["correlation_id"] == str(asked[0].correlation_id)
    assert failure["detail"] == "It is away."
    assert failure["problems"] == [{"field": "fail"}]
    assert captured.out == ""


@pytest.mark.parametrize("text", ["{", "[1]", "@no-such-file", "[" * 100_000])
def test_input_that_is_no_object_is_refused(
    asked: list[ModelRequest], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert command().main(["call", "count", text]) == 1
    assert "not a JSON object" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("arguments", [["call"], ["call", "no-such-operation"], ["no-such-command"]])
def test_command_that_is_not_understood(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command().main(arguments)


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_service_is_the_default(arguments: list[str]) -> None:
    SERVED.clear()
    assert command().main(arguments) == 0
    assert SERVED == [True]
