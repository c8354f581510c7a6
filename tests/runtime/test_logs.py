"""The form of log lines, the node's own and those of libraries."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from onex_node_runtime.correlation import CALLER_CORRELATION_ID, CORRELATION_ID
from onex_node_runtime.logs import (
    FLOOD_LINES,
    FLOOD_SECONDS,
    QUIET_LOGGERS,
    FloodFilter,
    LogFormatter,
    configure,
    no_trace,
)
from onex_node_runtime.settings.logs import LogSettings
from onex_node_runtime.settings.masking import MaskingSettings


class Settings(LogSettings, MaskingSettings):
    """Settings of a node that logs, and masks api_keys."""

    security_redact_fields: tuple[str, ...] = ("api_key",)


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


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()


def test_every_part_of_a_line_is_there_in_both_forms(machine: Settings, people: Settings) -> None:
    record = logging.makeLogRecord(
        {
            "name": "library",
            "levelname": "WARNING",
            "msg": "api_key=%s",
            "args": ("word",),
            "created": NOON,
            "left_out": 3,
        }
    )
    trace = {"trace_id": "0af7", "span_id": "b7ad"}
    with at_work() as correlation_id:
        written, shown = (LogFormatter(settings, lambda: trace).format(record) for settings in (machine, people))
    assert json.loads(written) == {
        "timestamp": "2026-01-31T12:00:00+00:00",
        "level": "warning",
        "message": "api_key=***",
        "context": {"logger": "library", "correlation_id": str(correlation_id), **trace, "left_out": 3},
    }
    assert shown == (
        "2026-01-31T12:00:00+00:00 WARNING api_key=*** "
        f"logger=library correlation_id={correlation_id} trace_id=0af7 span_id=b7ad left_out=3"
    )


def test_a_line_tells_nothing_of_what_there_is_not(machine: Settings) -> None:
    line = json.loads(line_of(machine, "idle", created=NOON))
    assert line == {
        "timestamp": "2026-01-31T12:00:00+00:00",
        "level": "info",
        "message": "idle",
        "context": {"logger": "library"},
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("word", "word"),
        ("a.b:c/d@e+f-g_1", "a.b:c/d@e+f-g_1"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        (2, "2"),
        (None, "null"),
        (True, "true"),
        (["a", 1], '["a", 1]'),
    ],
)
def test_values_for_people_are_words_or_json(people: Settings, value: object, shown: str) -> None:
    line = line_of(people, onex_line(value=value), "omnibase")
    assert line == f"2026-01-31T12:00:00+00:00 INFO    done value={shown}"


def test_what_the_context_holds_is_masked(machine: Settings) -> None:
    line = json.loads(line_of(machine, onex_line(api_key="word", error="api_key=word"), "omnibase"))
    assert line["context"] == {"api_key": "***", "error": "api_key=***"}


@pytest.mark.parametrize("form", ["json", "text"])
def test_exceptions_are_masked_and_follow_the_line(settings: Settings, form: str) -> None:
    try:
        raise LookupError("api_key=word")
    except LookupError:
        settings = settings.model_copy(update={"log_format": form})
        line = line_of(settings, "it failed", created=NOON, exc_info=sys.exc_info())
    assert "word" not in line.replace("api_key=***", "")
    if form == "json":
        assert json.loads(line)["exception"].endswith("LookupError: api_key=***")
    else:
        first, *rest = line.splitlines()
        assert first == "2026-01-31T12:00:00+00:00 INFO    it failed logger=library"
        assert (rest[0], rest[-1]) == ("Traceback (most recent call last):", "LookupError: api_key=***")


def test_a_callers_own_id_is_told_with_the_others_or_not_at_all(machine: Settings) -> None:
    silent = machine.model_copy(update={"log_correlation_ids": False})
    token = CALLER_CORRELATION_ID.set("order-7")
    try:
        with at_work() as correlation_id:
            told = [json.loads(line_of(settings, "text"))["context"] for settings in (machine, silent)]
            kept = json.loads(line_of(machine, onex_line(caller_correlation_id="own"), "omnibase"))["context"]
        outside = json.loads(line_of(machine, "text"))["context"]
    finally:
        CALLER_CORRELATION_ID.reset(token)
    assert told == [
        {"logger": "library", "correlation_id": str(correlation_id), "caller_correlation_id": "order-7"},
        {"logger": "library"},
    ]
    assert kept == {"caller_correlation_id": "own", "correlation_id": str(correlation_id)}
    assert outside == {"logger": "library"}


@contextmanager
def process(settings: Settings, trace: Callable[[], dict[str, str]] = no_trace) -> Iterator[None]:
    """Log as a process of its own does, for as long as the context lasts."""
    root, quiet = logging.getLogger(), [logging.getLogger(name) for name in QUIET_LOGGERS]
    handlers, levels = root.handlers, [logger.level for logger in (root, *quiet)]
    root.handlers = []
    try:
        configure(settings, trace)
        yield
    finally:
        root.handlers = handlers
        for logger, level in zip((root, *quiet), levels, strict=True):
            logger.setLevel(level)


def test_process_writes_lines_with_their_span_and_no_urls(
    machine: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with process(machine.model_copy(update={"log_level": "DEBUG"}), lambda: {"trace_id": "0af7"}):
        for name in ("httpx", "httpcore", "shop"):
            logging.getLogger(name).info("GET https://shop.example/?key=word")
            logging.getLogger(name).warning("It is slow.")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["context"]) for line in lines] == [
        ("warning", {"logger": "httpx", "trace_id": "0af7"}),
        ("warning", {"logger": "httpcore", "trace_id": "0af7"}),
        ("info", {"logger": "shop", "trace_id": "0af7"}),
        ("warning", {"logger": "shop", "trace_id": "0af7"}),
    ]


def test_process_writes_no_flood_and_nothing_below_its_level(
    people: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with process(people.model_copy(update={"log_level": "WARNING"})):
        for _ in range(FLOOD_LINES + 5):
            logging.getLogger("shop").info("fine")
            logging.getLogger("shop").warning("bad")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["WARNING bad logger=shop"] * FLOOD_LINES


def onex_warning(**context: object) -> dict[str, object]:
    return {"name": "omnibase", "msg": json.dumps({"message": context.pop("message", "refused"), "context": context})}


FLOOD = onex_warning(operation="ping", error_code="A")


@pytest.mark.parametrize(
    ("flood", "other", "same"),
    [
        (FLOOD, onex_warning(operation="ping", error_code="A", correlation_id="another"), True),
        (FLOOD, onex_warning(operation="pong", error_code="A"), False),
        (FLOOD, onex_warning(operation="ping", error_code="B"), False),
        (FLOOD, onex_warning(operation="ping", error_code="A", message="failed"), False),
        ({"name": "a", "msg": "bad %s", "args": (1,)}, {"name": "a", "msg": "bad %s", "args": (2,)}, True),
        ({"name": "a", "msg": "bad"}, {"name": "b", "msg": "bad"}, False),
        ({"name": "a", "msg": "x" * 100 + "1"}, {"name": "a", "msg": "x" * 100 + "2"}, True),
        ({"name": "a", "msg": "x" * 99 + "1"}, {"name": "a", "msg": "x" * 99 + "2"}, False),
        ({"name": "omnibase", "msg": "no JSON"}, {"name": "omnibase", "msg": "other"}, False),
        ({"name": "asyncio", "msg": "bad", "levelno": logging.ERROR}, {"name": "asyncio", "msg": "bad"}, True),
    ],
)
def test_warnings_of_a_kind_are_one_flood(flood: dict[str, object], other: dict[str, object], same: bool) -> None:
    filtering = FloodFilter(lambda: 0.0)
    for _ in range(FLOOD_LINES):
        assert filtering.filter(logging.makeLogRecord({"levelno": logging.WARNING, **flood}))
    assert not filtering.filter(logging.makeLogRecord({"levelno": logging.WARNING, **flood}))
    assert filtering.filter(logging.makeLogRecord({"levelno": logging.WARNING, **other})) is not same


@pytest.mark.parametrize(
    ("level", "logger"), [(logging.INFO, "asyncio"), (logging.ERROR, "shop"), (logging.INFO, "shop")]
)
def test_what_is_no_flood_always_passes(level: int, logger: str) -> None:
    filtering = FloodFilter(lambda: 0.0)
    record = logging.makeLogRecord({"name": logger, "levelno": level, "msg": "it is so"})
    assert all(filtering.filter(record) for _ in range(2 * FLOOD_LINES))


def test_each_while_has_lines_of_its_own_and_tells_what_the_last_one_left_out() -> None:
    now = [100.0]
    filtering = FloodFilter(lambda: now[0])

    def passed(count: int) -> list[int]:
        """What the lines that pass say of those before them."""
        records = [logging.makeLogRecord({"name": "a", "levelno": logging.WARNING, "msg": "b"}) for _ in range(count)]
        return [record.__dict__.get("left_out", 0) for record in records if filtering.filter(record)]

    assert passed(FLOOD_LINES) == [0] * FLOOD_LINES
    now[0] += FLOOD_SECONDS
    assert passed(FLOOD_LINES + 3) == [0] * FLOOD_LINES
    now[0] += FLOOD_SECONDS - 0.5
    assert passed(1) == []
    now[0] += 0.5
    assert passed(FLOOD_LINES + 1) == [4] + [0] * (FLOOD_LINES - 1)
    now[0] += FLOOD_SECONDS
    assert passed(2) == [1, 0]
    now[0] += FLOOD_SECONDS
    assert passed(1) == [0]


@pytest.mark.parametrize(("others", "forgotten"), [(199, False), (200, True)])
def test_the_oldest_of_many_kinds_is_forgotten(others: int, forgotten: bool) -> None:
    filtering = FloodFilter(lambda: 0.0)

    def passes(message: str) -> bool:
        return filtering.filter(logging.makeLogRecord({"name": "a", "levelno": logging.WARNING, "msg": message}))

    for _ in range(FLOOD_LINES):
        passes("first")
    assert all(passes(f"other {number}") for number in range(others))
    assert passes("first") is forgotten
