"""Whoever answers the questions gets what whoever writes the file gets: each answer reaches the contract."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from extensions.reading.effective import effective_contract, is_contract
from extensions.reading.schema import ROOT, parts

# Legacy words are taken from a file, and asked of nobody.
_NOT_ASKED = {"error_handling"}


@pytest.fixture
def front_door(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "copier.yml").read_text(encoding="utf-8"))
    return loaded


def asked(front_door: dict[str, Any]) -> list[str]:
    return [key for key, spec in front_door.items() if key[0] != "_" and isinstance(spec, dict) and "help" in spec]


def test_each_key_of_the_contract_is_asked(front_door: dict[str, Any]) -> None:
    assert set(asked(front_door)) == parts()[ROOT]["properties"].keys() - _NOT_ASKED


def test_each_answer_reaches_the_contract(front_door: dict[str, Any]) -> None:
    environment = Environment()  # noqa: S701 - no HTML
    environment.filters["effective_contract"] = effective_contract
    answers = {key: f"the answer to {key}" for key in asked(front_door)}
    template = re.sub(r"_copier_conf\.data", "{}", front_door["contract"]["default"])

    assert environment.from_string(template).render(answers) == str(answers)


def test_each_question_is_left_out_where_there_is_a_contract(front_door: dict[str, Any]) -> None:
    whens = {front_door[key]["when"] for key in asked(front_door)}

    assert whens == {"{{ not (_copier_conf.data | is_contract) }}"}
    assert not is_contract({"name": "alone"})
