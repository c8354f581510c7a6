"""Puts values that nobody expects into each place of a contract, and has the outcome judged."""

import traceback
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from extensions.judging.judge import judge
from extensions.text.problems import Path
from tests.contracts.walk import put

STRANGE: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        7.5e-7,
        1e308,
        2**62,
        "",
        "x",
        "${",
        "${input.}",
        "a\0b",
        "\ud800",
        "{{ 7 }}",
        date(2026, 1, 2),
    ),
    *([], [None], [[None]], [{}], ["x", "x"], [{"name": {}}], [{"type": []}]),
    *(
        {},
        {"a": None},
        {"type": {}},
        {"type": ["string"]},
        {"type": "array", "items": []},
        {"x y": 1},
        {1: 2},
        {None: []},
    ),
    *(
        {"type": "string", "pattern": "("},
        {"type": "integer", "minimum": {}, "default": 1},
        {"type": "array", "items": {}},
    ),
    b"x",
)


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Find every place of a contract but its root."""
    if path:
        yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def failures(contract: dict[str, Any], strange: Sequence[object] = STRANGE) -> list[str]:
    """Judge a contract with each strange value in each of its places.

    Args:
        contract: A contract.
        strange: The values.

    Returns:
        What went wrong: tracebacks, and problems that can't be shown on one line.
    """
    found = []
    for path in places(contract):
        for value in strange:
            try:
                told = [str(problem) for problem in judge(put(contract, path, value))]
            except Exception:  # noqa: BLE001 - whatever it is, it is a find
                found.append(f"{path} {value!r}: {traceback.format_exc(limit=-2)}")
                continue
            found += [f"{path} {value!r}: {line!r}" for line in told if not line.isprintable()]
    return found
