"""Contracts that are nearly right are refused where they are wrong: every place of every example, in every way."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import judge
from extensions.text.problems import Path, Problem
from tests.contracts.walk import leave_out, parts, put, rename

EXAMPLES = {path.stem: read_contract(path) for path in sorted(CONTRACTS.glob("*.yaml"))}
_REFERENCE = re.compile(r"\$\{(input|steps)\.([a-z0-9_.]+)\}")
# Of a wrong kind wherever they stand.
_STRANGE = ({"odd key!": None}, [[None]], 7.5e-7)
# What may hold anything: values that are sent, and values that a field may have.
_ANYTHING = {
    "default",
    "body",
    "payload",
    "value",
    "content",
    "amount",
    "config",
    "input",
    "output",
    "minimum",
    "maximum",
}


def near(problems: list[Problem], path: Path) -> bool:
    """Tell whether a problem is at a path, or in what is there."""
    return any(problem.path[: len(path)] == path for problem in problems)


def places(contract: dict[str, Any]) -> Iterator[tuple[Path, Any, Any]]:
    for path, value, schema in parts(contract):
        if path:
            yield path, value, schema


@pytest.mark.parametrize("name", EXAMPLES)
def test_keys_that_are_misspelt(name: str) -> None:
    contract = EXAMPLES[name]
    missed = []
    tried = 0
    for path, value, schema in parts(contract):
        for key in value if isinstance(value, dict) else ():
            if key not in schema.get("properties", {}):
                continue
            # A letter twice, and a letter too few: of short keys nothing would be left.
            for wrong in (f"{key}{key[-1]}", key[1:])[: 1 if len(key) < 5 else 2]:
                tried += 1
                problems = judge(rename(contract, (*path, key), wrong))
                told = [problem for problem in problems if problem.path == (*path, wrong)]
                if not told or f"did you mean '{key}'" not in told[0].hint:
                    missed.append((*path, wrong))
    assert missed == []
    assert tried > 20


@pytest.mark.parametrize("name", EXAMPLES)
def test_keys_that_are_missing(name: str) -> None:
    contract = EXAMPLES[name]
    missing = [
        (*path, key)
        for path, value, schema in parts(contract)
        for key in schema.get("required", ())
        if isinstance(value, dict) and key in value
    ]
    assert [path for path in missing if not near(judge(leave_out(contract, path)), path)] == []
    assert len(missing) > 3


@pytest.mark.parametrize("name", EXAMPLES)
def test_words_of_a_list_that_are_misspelt(name: str) -> None:
    contract = EXAMPLES[name]
    missed = []
    for path, value, schema in places(contract):
        words = schema.get("enum", ())
        if isinstance(value, str) and value in words:
            problems = judge(put(contract, path, f"{value}{value[-1]}"))
            told = [problem for problem in problems if problem.path == path]
            if not told or f"did you mean '{value}'" not in told[0].hint:
                missed.append(path)
    assert missed == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_values_of_a_wrong_kind(name: str) -> None:
    contract = EXAMPLES[name]
    missed = []
    tried = 0
    for path, value, schema in places(contract):
        kinds = schema.get("type", "string" if "enum" in schema else None)
        for strange in _STRANGE:
            problems = judge(put(contract, path, strange))
            if kinds is None or path[-1] in _ANYTHING or type(strange) is type(value):
                continue
            if not (isinstance(strange, float) and "number" in kinds):
                tried += 1
                missed += [] if near(problems, path) else [(path, strange)]
    assert missed == []
    assert tried > 50


@pytest.mark.parametrize("name", EXAMPLES)
def test_items_that_stand_twice(name: str) -> None:
    contract = EXAMPLES[name]
    missed = []
    for path, value, schema in places(contract):
        named = value and isinstance(value, list) and isinstance(value[0], dict) and "name" in value[0]
        takes_one = isinstance(value, list) and value and (schema.get("uniqueItems") or named)
        if takes_one and not near(judge(put(contract, path, [*value, value[0]])), path):
            missed.append(path)
    assert missed == []


def _texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, key))


@pytest.mark.parametrize("name", EXAMPLES)
def test_references_to_what_does_not_exist(name: str) -> None:
    contract = EXAMPLES[name]
    missed = []
    for path, text in _texts(contract):
        if path[-1] in {"description", "sql"}:
            continue
        for match in _REFERENCE.finditer(text):
            # Which fields another node answers with is not known here, but which steps there are.
            step, _, field = match[2].partition(".")
            wrong = f"${{steps.{step}_q.{field}}}" if match[1] == "steps" else f"${{input.{match[2]}_q}}"
            problems = judge(put(contract, path, text[: match.start()] + wrong + text[match.end() :]))
            if not near(problems, path):
                missed.append((path, wrong))
    assert missed == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_names_of_fields_types_and_nodes_that_do_not_exist(name: str) -> None:
    contract = EXAMPLES[name]
    types: set[str] = {*contract.get("models", ()), *contract.get("enums", ())}  # type: ignore[misc]  # mappings
    missed = []
    for path, value, _ in places(contract):
        refers = path[-1] in {"into", "found", "count", "over", "unique_by", "by", "entity", "trigger", "initial_state"}
        refers = refers or (len(path) > 1 and path[-2] in {"parameters", "group_by", "after", "terminal_states"})
        refers = isinstance(value, str) and (refers or value in types) and "transitions" not in path
        if refers and not near(judge(put(contract, path, f"{value}x")), path):
            missed.append(path)
    assert missed == []
