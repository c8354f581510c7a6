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
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.models.container import ModelONEXContainer
from omnibase_core.models.health.model_health_status import ModelHealthStatus
from onex_node_runtime.command_line import CommandLine
from onex_node_runtime.settings.logs import LogSettings
from onex_node_runtime.settings.service import ListenerSettings
from pydantic import BaseModel, JsonValue


class EnumOperation(StrEnum):
    COUNT = "count"


class ModelRequest(BaseModel):
    operation: EnumOperation
    payload: dict[str, JsonValue]
    correlation_id: UUID


ASKED: list[ModelRequest] = []
SERVED: list[bool] = []
LIVED: list[str] = []


class Settings(ListenerSettings, LogSettings):
    pass


class Response(BaseModel):
    result: dict[str, JsonValue]


class Node:
    """Notes what it is asked, and how it lives."""

    NAME: ClassVar[str] = "node_count_effect"
    OPERATIONS: ClassVar[Any] = EnumOperation
    request_model = ModelRequest
    settings_model = Settings

    def __init__(self, container: ModelONEXContainer, settings: Settings) -> None:
        self.settings = settings
        self.has_bus = container.get_service_optional(EventBusInmemory) is not None

    async def initialize(self) -> None:
        LIVED.append(f"initialized, bus: {self.has_bus}, level: {self.settings.log_level}")

    async def shutdown(self) -> None:
        LIVED.append("shut down")

    async def health_check_async(self) -> ModelHealthStatus:
        return ModelHealthStatus.create_healthy()

    async def handle(self, request: ModelRequest) -> Response:
        ASKED.append(request)
        if fail := request.payload.get("fail"):
            problems: dict[str, Any] = {} if fail is True else {"problems": [{"field": fail}]}
            raise ModelOnexError(message="It is away.", error_code=EnumCoreErrorCode.TIMEOUT, **problems)
        return Response(result={"echo": request.payload})


def command(*, with_bus: bool = False) -> CommandLine:
    return CommandLine(Node, lambda: SERVED.append(True), with_bus)


@pytest.fixture
def asked() -> Iterator[list[ModelRequest]]:
    """What the node is asked."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield ASKED
    ASKED.clear()
    LIVED.clear()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_operation_is_called(asked: list[ModelRequest], capsys: pytest.CaptureFixture[str]) -> None:
    correlation_id = uuid4()
    assert command().main(["call", "count", '{"word": "größer"}', "--correlation-id", str(correlation_id)]) == 0
    assert capsys.readouterr().out == '{"echo": {"word": "größer"}}\n'
    (request,) = asked
    assert (request.operation, request.correlation_id) == ("count", correlation_id)


def test_the_node_lives_as_long_as_its_operation(asked: list[ModelRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    assert command().main(["call", "count"]) == 0
    assert command(with_bus=True).main(["call", "count", '{"fail": true}']) == 1
    assert LIVED == [
        "initialized, bus: False, level: ERROR",
        "shut down",
        "initialized, bus: True, level: ERROR",
        "shut down",
    ]


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
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "LOG_LEVEL": "ERROR"} | environment
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


@pytest.mark.parametrize(
    ("payload", "code", "more"),
    [
        ({"fail": True}, EnumCoreErrorCode.TIMEOUT, {}),
        ({"fail": "größer"}, EnumCoreErrorCode.TIMEOUT, {"problems": [{"field": "größer"}]}),
    ],
    ids=["alone", "with problems"],
)
def test_failure_is_told(
    asked: list[ModelRequest],
    capsys: pytest.CaptureFixture[str],
    payload: dict[str, JsonValue],
    code: EnumCoreErrorCode,
    more: dict[str, object],
) -> None:
    assert command().main(["call", "count", json.dumps(payload)]) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    identity = str(asked[0].correlation_id)
    assert json.loads(line) == {"code": str(code), "detail": "It is away.", "correlation_id": identity} | more
    assert captured.out == ""
    assert "\\u" not in line


@pytest.mark.parametrize("text", ["{", "[1]", "@no-such-file", "[" * 100_000])
def test_input_that_is_no_object_is_refused(
    asked: list[ModelRequest], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    identity = str(uuid4())
    assert command().main(["call", "count", text, "--correlation-id", identity]) == 1
    assert json.loads(capsys.readouterr().err) == {
        "code": "INVALID_INPUT",
        "detail": "The input is not a JSON object, or can't be read.",
        "correlation_id": identity,
    }
    assert asked == []


HELP = [
    "usage: node-count-effect [-h] {serve,call} ...",
    "commands: {serve,call}",
    "serve run the service until it is told to stop; the default",
    "call run one operation, and print its output as JSON",
]
HELP_OF_CALL = [
    "usage: node-count-effect call [-h] [--correlation-id CORRELATION_ID] {count} [input]",
    "{count} its name",
    "input JSON, @ and a file's name, or - for standard input",
    "--correlation-id CORRELATION_ID a UUID, for logs, events and errors",
]


@pytest.mark.parametrize(("arguments", "told"), [(["--help"], HELP), (["call", "--help"], HELP_OF_CALL)])
def test_what_can_be_asked_for_is_told(
    arguments: list[str], told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit, match="0"):
        command().main(arguments)
    said = " ".join(capsys.readouterr().out.split())
    assert [sentence for sentence in told if f" {sentence} " not in f" {said} "] == []


def test_logs_are_as_the_settings_say(asked: list[ModelRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    logging.getLogger().handlers.clear()
    assert command().main(["call", "count"]) == 0
    assert logging.getLogger().level == logging.ERROR
    assert len(asked) == 1


def test_arguments_are_those_of_the_process(asked: list[ModelRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["node-count-effect", "call", "count", '{"number": 3}'])
    assert command().main() == 0
    assert [request.payload for request in asked] == [{"number": 3}]


def test_numbers_keep_their_digits(asked: list[ModelRequest]) -> None:
    assert command().main(["call", "count", '{"number": 0.12345678901234567891}']) == 0
    assert str(asked[0].payload["number"]) == "0.12345678901234568"


@pytest.mark.parametrize("arguments", [["call"], ["call", "no-such-operation"], ["no-such-command"]])
def test_command_that_is_not_understood(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command().main(arguments)


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_service_is_the_default(arguments: list[str]) -> None:
    SERVED.clear()
    assert command().main(arguments) == 0
    assert SERVED == [True]
