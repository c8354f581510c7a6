# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The form of the process's log lines, the node's own and those of libraries."""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, override

from .correlation import CALLER_CORRELATION_ID, CORRELATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from omnibase_core.enums import EnumLogLevel

    from .settings.logs import LogSettings

# ONEX writes its lines to this logger, as JSON.
ONEX_LOGGER = "omnibase"
_ONEX = logging.getLogger(ONEX_LOGGER)
# They tell of each request with its whole URL, which may hold a secret.
QUIET_LOGGERS = ("httpx", "httpcore")
FLOOD_SECONDS = 10.0
FLOOD_LINES = 20
_PLAIN = re.compile(r"[\w.:/@+-]+")
_KINDS = 200


def is_written(level: EnumLogLevel) -> bool:
    """Tell whether ONEX's lines of a level are written, before one is made that nobody reads.

    Args:
        level: One that the levels of Python have a name for, too.
    """
    return _ONEX.isEnabledFor(getattr(logging, level.name))


def no_trace() -> dict[str, str]:
    """Return what a log line says of its span where there are no spans."""
    return {}


def configure(settings: LogSettings, trace: Callable[[], dict[str, str]] = no_trace) -> None:
    """Write every log line of the process to standard error, in the form that the settings ask for.

    Args:
        settings: Form and lowest level.
        trace: Returns what a line says of the span that it is written in.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(settings, trace))
    handler.addFilter(FloodFilter())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


class FloodFilter(logging.Filter):
    """Lets so many warnings of a kind pass in a while, and counts the others.

    What callers do wrong is a warning, and whoever sends a flood of it must not fill the disk. Failures of the node
    itself, and lines of requests that succeed, always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing seen.

        Args:
            clock: Tells the time in seconds.
        """
        super().__init__()
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written; the first one after a flood says how many were not."""
        if not _is_sampled(record):
            return True
        kind, now = _kind(record), self._clock()
        began, count = self._seen.get(kind, (now, 0))
        left_out = 0
        if now - began >= FLOOD_SECONDS:
            left_out, began, count = max(0, count - FLOOD_LINES), now, 0
        if kind not in self._seen and len(self._seen) >= _KINDS:
            self._seen.pop(next(iter(self._seen)))
        self._seen[kind] = (began, count + 1)
        if left_out:
            record.left_out = left_out
        return count < FLOOD_LINES


def _is_sampled(record: logging.LogRecord) -> bool:
    # asyncio tells of each connection that it can't accept as an error.
    return record.levelno == logging.WARNING or (record.levelno > logging.WARNING and record.name == "asyncio")


def _kind(record: logging.LogRecord) -> str:
    entry = _entry_of_onex(record)
    if entry is None:
        return f"{record.name} {record.msg!s:.100}"
    context = entry["context"]
    return f"{record.name} {entry.get('message')} {context.get('operation')} {context.get('error_code')}"


class LogFormatter(logging.Formatter):
    """One JSON object a line, or text for people."""

    def __init__(self, settings: LogSettings, trace: Callable[[], dict[str, str]] = no_trace) -> None:
        """Keep the settings.

        Args:
            settings: The form, and what must not be seen.
            trace: Returns what a line says of the span that it is written in.
        """
        super().__init__()
        self._settings = settings
        self._trace = trace

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        entry = self._entry(record)
        if self._settings.log_format == "json":
            return json.dumps(entry, default=str)
        words = [entry["timestamp"], f"{entry['level'].upper():7}", entry["message"]]
        words += [f"{name}={_shown(value)}" for name, value in entry["context"].items()]
        line = " ".join(words)
        return f"{line}\n{entry['exception']}" if "exception" in entry else line

    def _entry(self, record: logging.LogRecord) -> dict[str, Any]:
        entry = _entry_of_onex(record) or {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": self._settings.redact(record.getMessage()),
            "context": {"logger": record.name},
        }
        context = entry["context"]
        correlation_id = CORRELATION_ID.get()
        if not self._settings.log_correlation_ids:
            context.pop("correlation_id", None)
        elif correlation_id is not None:
            context.setdefault("correlation_id", str(correlation_id))
            if own := CALLER_CORRELATION_ID.get():
                context.setdefault("caller_correlation_id", own)
        context |= self._trace()
        if left_out := getattr(record, "left_out", 0):
            context["left_out"] = left_out
        if record.exc_info:
            entry["exception"] = self._settings.redact(self.formatException(record.exc_info))
        return entry | {"context": self._settings.cleaned(context)}


def _entry_of_onex(record: logging.LogRecord) -> dict[str, Any] | None:
    if record.name != ONEX_LOGGER:
        return None
    try:
        entry = json.loads(record.getMessage())
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("context"), dict) else None


def _shown(value: object) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, default=str)
