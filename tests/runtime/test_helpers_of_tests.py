"""What tests of all nodes have in common does what it says, and does not pass what is wrong."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest
from doubles.asked import connected, empty_database, is_refusal, is_turned_away, prepared, rows_in
from doubles.deployed import DeployedContainers, DeployedFiles, checksum
from doubles.echo import Echo
from doubles.lived import Lived
from doubles.measured import RUNS, Measured
from doubles.watched import unshown
from doubles.world import FakeWorld
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

AWAY = ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)


class Name(StrEnum):
    ECHO = "echo"


class Request(BaseModel):
    operation: Name = Name.ECHO
    payload: dict[str, object] = {}
    correlation_id: UUID | None = None


class Response(BaseModel):
    operation: Name
    result: dict[str, object]
    correlation_id: UUID | None = None


class Handler:
    async def handle(self, request: Request) -> Response:
        raise NotImplementedError


async def test_an_echo_answers_in_place_of_a_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    echo, request = Echo.in_place_of(monkeypatch, Handler, Response), Request(payload={"a": 1}, correlation_id=uuid4())
    answer = await Handler().handle(request)
    assert (answer.result, answer.correlation_id) == ({"echo": {"a": 1}}, request.correlation_id)
    echo.error = AWAY
    with pytest.raises(ModelOnexError):
        await Handler().handle(request)
    assert echo.calls == 2


async def test_a_world_counts_and_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    world, adapter = FakeWorld.in_place_of(monkeypatch, AdapterPostgres), adapter_of(Settings())
    await adapter.open()
    world.error = AWAY
    with pytest.raises(ModelOnexError):
        await adapter.check()
    await adapter.close()
    assert (world.opened, world.closed) == (1, 1)


@pytest.fixture
def watch(tmp_path: Path) -> Path:
    board = {"panels": [{"targets": [{"expr": 'onex_runs_total{operation="onex_not_this"}'}]}]}
    (tmp_path / "dashboard.json").write_text(json.dumps(board), encoding="utf-8")
    rules = {"groups": [{"rules": [{"expr": "process_open_fds > 1 and onex_dead_letter_alert > 0"}]}]}
    (tmp_path / "alerts.yaml").write_text(json.dumps(rules), encoding="utf-8")
    return tmp_path


def test_what_is_watched_and_not_shown_is_named(watch: Path) -> None:
    process = {"process_open_fds"} if sys.platform == "linux" else set()
    assert unshown(watch, "onex_runs_total{} 1.0\nonex_more 2\n", "onex") == process
    assert unshown(watch, "process_open_fds 3\n", "onex") == {"onex_runs_total"}
    assert unshown(watch, "process_open_fds 3\n", "shop") == set()


async def test_runs_are_measured_and_held_against_objectives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[None] = []

    async def run() -> None:
        calls.append(None)

    assert (await Measured.of(run)).p95_ms < 1000
    assert len(calls) == RUNS + RUNS // 10
    measured = Measured.of_times([1.0] * 190 + [50.0] * 10)
    measured.report("run")
    assert "run: p50 1.00 ms, p95 " in capsys.readouterr().out
    monkeypatch.delenv("PERFORMANCE_GATE", raising=False)
    assert measured.meets(1, 1e9)
    monkeypatch.setenv("PERFORMANCE_GATE", "1")
    assert measured.meets(None, None)
    assert measured.meets(60, 100)
    assert not measured.meets(1, None)
    assert not measured.meets(None, 1e9)


async def test_a_server_is_asked_beside_the_node(postgres: str) -> None:
    async with empty_database(postgres, "onex_helpers_test") as url:
        async with connected(url) as connection:
            await connection.execute("CREATE TABLE a (n int); CREATE TABLE kept (n int); INSERT INTO a VALUES (5)")
        assert await prepared(url, "SELECT n FROM a WHERE n = $1") == (1, {"n"})
        assert await rows_in(url, "kept") == {"public.a": ["(5)"]}
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)


def test_refusals_are_told_from_failures() -> None:
    refused = ModelOnexError(message="no", error_code=EnumCoreErrorCode.VALIDATION_ERROR)
    refused.__cause__ = asyncpg.UniqueViolationError("there already")
    assert is_refusal(refused)
    outside = ModelOnexError(message="no", error_code=EnumCoreErrorCode.VALIDATION_ERROR)
    outside.__cause__ = asyncpg.DataError("invalid input for query argument $1: 'd' (invalid date)")
    assert is_refusal(outside)
    other_type = ModelOnexError(message="no", error_code=EnumCoreErrorCode.VALIDATION_ERROR)
    other_type.__cause__ = asyncpg.DataError("invalid input for query argument $1: 5 (expected str, got int)")
    assert not is_refusal(other_type)
    assert is_refusal(ModelOnexError(message="no row", error_code=EnumCoreErrorCode.RESOURCE_NOT_FOUND))
    assert not is_refusal(AWAY)
    assert not is_refusal(ValueError())
    assert is_turned_away(ModelOnexError(message="All connections are in use", error_code=AWAY.error_code))
    assert not is_turned_away(AWAY)


class Environment(BaseSettings):
    service_port: int = 1
    word: SecretStr | None = None


class Files(DeployedContainers, DeployedFiles):
    SETTINGS: ClassVar[type[BaseSettings]] = Environment
    OFFERED: ClassVar[bool] = False


@pytest.fixture
def files(tmp_path: Path) -> type[Files]:
    class Here(Files):
        FOLDER: ClassVar[Path] = tmp_path

    return Here


def test_what_is_deployed_beside_the_settings_is_found(files: type[Files]) -> None:
    compose = {"services": {"node": {"environment": {"SERVICE_PORT": "1", "UNKNOWN": "2"}}}}
    (files.FOLDER / "compose.yaml").write_text(json.dumps(compose), encoding="utf-8")
    with pytest.raises(AssertionError):
        files().test_variables_are_settings({}, {"SERVICE_PORT": "1"})
    files.OTHERS = frozenset({"UNKNOWN"})
    files().test_variables_are_settings({}, {"SERVICE_PORT": "1"})


def test_secrets_and_changes_are_found_in_what_is_deployed(files: type[Files]) -> None:
    files().test_files_hold_no_secrets({"env": [{"name": "WORD", "valueFrom": {}}]}, {"SERVICE_PORT": "1"})
    with pytest.raises(AssertionError):
        files().test_files_hold_no_secrets({"env": [{"name": "WORD", "value": "hidden-word"}]}, {})
    (files.FOLDER / "kubernetes").mkdir()
    mark = {"metadata": {"annotations": {"onex/configuration-checksum": checksum({"A": "1"})}}}
    deployment = files.FOLDER / "kubernetes" / "deployment.yaml"
    deployment.write_text(json.dumps({"spec": {"template": mark}}), encoding="utf-8")
    files().test_pods_are_replaced_when_the_configuration_changes({"A": "1"})
    with pytest.raises(AssertionError):
        files().test_pods_are_replaced_when_the_configuration_changes({"A": "2"})


class Eager:
    """A node that answers before it runs."""

    async def handle(self, _request: object) -> object:
        return None

    async def health_check_async(self) -> Any:
        return self

    status = "healthy"


class Life(Lived):
    REQUEST = Request
    OPERATION = Name.ECHO


async def test_a_node_that_runs_too_early_does_not_pass() -> None:
    with pytest.raises(pytest.fail.Exception):
        await Life().test_nothing_runs_before_it_is_initialized(Eager())
    with pytest.raises(AssertionError):
        await Life().test_node_opens_and_closes_what_it_has(Eager(), FakeWorld())
