"""The form of log lines, the node's own and those of libraries."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from onex_node_runtime.correlation import CALLER_CORRELATION_ID, CORRELATION_ID
from onex_node_runtime.logs import FLOOD_LINES, FLOOD_SECONDS, FloodFilter, LogFormatter, configure
from onex_node_runtime.settings.logs import LogSettings as Settings


@contextmanager
def at_work() -> Iterator[UUID]:
    """Be within a request."""
    correlation_id = uuid4()
    token = CORRELATION_ID.set(correlation_id)
    yield correlation_id
    CORRELATION_ID.reset(token)


def line_of(settings: Settings, message: str, logger: str = "library", **attributes: object) -> str:
    record = logging.makeLogRecord({"name": logger, "levelname": "INFO", "msg": message, **attributes})
    return LogFormatter(settings).format(record)


def onex_line(**context: object) -> str:
    entry = {"timestamp": "2026-01-31T12:00:00+00:00", "level": "info", "message": "done", "context": context}
    return json.dumps(entry)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def machine(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_format": "json", "log_correlation_ids": True})


@pytest.fixture
def people(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_format": "text", "log_correlation_ids": True})


def test_line_of_a_library_is_json_that_says_for_whom(machine: Settings) -> None:
    with at_work() as correlation_id:
        line: dict[str, Any] = json.loads(line_of(machine, "all is %s", args=("well",)))
    assert (line["level"], line["message"]) == ("info", "all is well")
    assert line["context"] == {"logger": "library", "correlation_id": str(correlation_id)}
    assert "correlation_id" not in json.loads(line_of(machine, "idle"))["context"]


def test_line_of_the_node_keeps_its_own_correlation_id(machine: Settings) -> None:
    with at_work():
        line = json.loads(line_of(machine, onex_line(correlation_id="own"), "omnibase"))
    assert line["message"] == "done"
    assert line["context"]["correlation_id"] == "own"


@pytest.mark.parametrize("message", ["no JSON", "[1]", '{"context": 1}'])
def test_line_that_is_not_in_the_form_of_onex_becomes_so(machine: Settings, message: str) -> None:
    assert json.loads(line_of(machine, message, "omnibase"))["message"] == message


def test_correlation_ids_are_left_out_on_request(machine: Settings) -> None:
    silent = machine.model_copy(update={"log_correlation_ids": False})
    with at_work():
        for line in (line_of(silent, "text"), line_of(silent, onex_line(correlation_id="own"), "omnibase")):
            assert "correlation_id" not in json.loads(line)["context"]


def test_line_for_people_is_text(people: Settings) -> None:
    line = line_of(people, onex_line(operation="ping", error="it is\naway", count=2), "omnibase")
    assert line.startswith("2026-01-31T12:00:00+00:00 INFO    done operation=ping error=")
    assert line.endswith(" count=2")
    assert "\n" not in line


@pytest.mark.parametrize("form", ["json", "text"])
def test_exceptions_are_part_of_the_line(settings: Settings, form: str) -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        line = line_of(settings.model_copy(update={"log_format": form}), "it failed", exc_info=sys.exc_info())
    assert "LookupError: gone" in line


def test_process_logs_in_this_form(
    machine: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    configure(machine.model_copy(update={"log_level": "ERROR"}))
    (handler,) = root.handlers
    assert isinstance(handler.formatter, LogFormatter)
    assert root.level == logging.ERROR
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_line_tells_the_callers_own_id(machine: Settings) -> None:
    token = CALLER_CORRELATION_ID.set("order-7")
    with at_work():
        context = json.loads(line_of(machine, "text"))["context"]
    CALLER_CORRELATION_ID.reset(token)
    assert context["caller_correlation_id"] == "order-7"


def test_flood_of_warnings_is_counted() -> None:
    now = [0.0]
    flood = FloodFilter(lambda: now[0])

    def record(level: int = logging.WARNING, message: str = "bad %s") -> logging.LogRecord:
        return logging.makeLogRecord({"name": "uvicorn.error", "levelno": level, "msg": message})

    assert [flood.filter(record()) for _ in range(FLOOD_LINES + 2)] == [True] * FLOOD_LINES + [False, False]
    assert flood.filter(record(message="another"))
    assert all(flood.filter(record(logging.ERROR)) and flood.filter(record(logging.INFO)) for _ in range(50))
    now[0] = FLOOD_SECONDS
    first = record()
    assert flood.filter(first)
    assert first.__dict__["left_out"] == 2
