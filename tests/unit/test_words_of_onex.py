"""Words that ONEX forbids in its own code: a contract may have each of them in each place, whatever the node's type.

That their nodes pass ONEX's own checkers is tested in `tests/generation/test_words.py`, with all of them in one node of
each type.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from extensions.judging.judge import judge, read
from extensions.viewing.build import view

FORBIDDEN = ("manager", "handler", "helper", "utility", "util", "service", "controller", "processor", "worker")
MARKS = ("todo", "fixme", "hack", "xxx")
CLASS = re.compile(r"\b(?:Model|Enum|Node|Protocol|Adapter)[A-Z][A-Za-z0-9]*")
STEP = {"name": "a", "node": "node_other_effect", "operation": "look"}
IMPLEMENTED: dict[str, dict[str, Any]] = {
    "effect": {"database": {"query": "SELECT $1::text AS text -- word", "parameters": ["text"]}},
    "compute": {"compute": {"text": "input.text"}},
    "reducer": {"handler": "custom"},
    "orchestrator": {"workflow": {"steps": [STEP], "output": {"text": "word"}}},
}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "node": lambda word: {"name": f"cache_{word}"},
    "first word of the node": lambda word: {"name": f"{word}_cache"},
    "model": lambda word: {"models": {f"Cache{word.title()}": {"fields": {"a": "string"}}}},
    "field": lambda word: {"models": {"Thing": {"fields": {word: "string", f"a_{word}": "string"}}}},
    "enum": lambda word: {"enums": {f"{word.title()}State": ["a"]}},
    "value": lambda word: {"enums": {"State": [word.upper(), word, word.title(), "done"]}},
    "operation": lambda word: {"operations": [{"name": f"{word}_it"}]},
    "operation of one word": lambda word: {"operations": [{"name": word}]},
    "event": lambda word: {"operations": [{"publishes": f"{word}-changed"}]},
    "description": lambda word: {"description": f"{word.upper()}: a {word.title()}."},
    "description of an operation": lambda word: {"operations": [{"description": f"{word.upper()} {word.title()}"}]},
    "default": lambda word: {"operations": [{"input": {"text": {"type": "string", "default": word.upper()}}}]},
    "example": lambda word: {
        "operations": [{"examples": [{"input": {"text": word.upper()}, "output": {"text": word}}]}]
    },
    "implementation": lambda word: {"word": word.upper()},
}


def contract(kind: str, place: str, word: str) -> dict[str, Any]:
    changed = PLACES[place](word)
    written = changed.pop("word", "word")
    implemented = _filled(IMPLEMENTED[kind], written)
    (own,) = changed.pop("operations", [{}])
    operation = {"name": "look", "input": {"text": "string"}, "output": {"text": "string"}, **implemented, **own}
    return {"name": "cache", "package": "acme", "node_type": kind, "operations": [operation], **changed}


def _filled(value: Any, word: str) -> Any:  # noqa: ANN401 - any part of a contract
    if isinstance(value, dict):
        return {key: _filled(item, word) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, word) for item in value]
    return value.replace("word", word) if isinstance(value, str) else value


@pytest.mark.parametrize("kind", IMPLEMENTED)
@pytest.mark.parametrize("place", PLACES)
def test_words_are_fine_and_lead_to_no_forbidden_class(kind: str, place: str) -> None:
    for word in (*FORBIDDEN, *MARKS):
        made = contract(kind, place, word)
        assert list(map(str, judge(made))) == [], word
        if word in MARKS:
            continue
        classes = set(CLASS.findall(repr(view(read(made)))))
        assert classes
        assert not {name for name in classes if re.search("|".join(FORBIDDEN), name, re.IGNORECASE)}, word
