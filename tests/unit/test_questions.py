"""Whoever answers the questions gets what whoever writes the file gets: each answer reaches the contract."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from extensions.drafting.front_door import ASKED, completed, mistake
from extensions.drafting.questions import NODE_TYPES
from extensions.judging.judge import judge
from extensions.reading.effective import effective_contract, is_contract
from extensions.reading.schema import ROOT, parts

# Legacy words are taken from a file alone.
_NO_ANSWERS = {"error_handling"}


@pytest.fixture
def front_door(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "copier.yml").read_text(encoding="utf-8"))
    return loaded


def keys(front_door: dict[str, Any]) -> list[str]:
    return [key for key, spec in front_door.items() if isinstance(spec, dict) and "ask" in spec and key != "contract"]


def test_data_may_have_each_key_of_the_contract(front_door: dict[str, Any]) -> None:
    assert set(keys(front_door)) == parts()[ROOT]["properties"].keys() - _NO_ANSWERS


def test_a_person_is_asked_five_questions_in_a_line_each(front_door: dict[str, Any]) -> None:
    asked = [key for key in keys(front_door) if front_door[key]["ask"]]

    assert tuple(asked) == ASKED
    for key in asked:
        assert front_door[key]["ask"] == f"{{{{ '{key}' | asked }}}}"
        assert not front_door[key].get("multiline")
        assert "choices" in front_door[key] or front_door[key]["validator"] == f"{{{{ '{key}' | mistake({key}) }}}}"


def test_each_answer_reaches_the_contract(front_door: dict[str, Any]) -> None:
    environment = Environment()  # noqa: S701 - no HTML
    environment.filters["effective_contract"] = effective_contract
    answers = {key: f"the answer to {key}" for key in keys(front_door)}
    template = re.sub(r"_copier_conf\.data", "{}", front_door["contract"]["default"])

    assert ast.literal_eval(environment.from_string(template).render(answers)) == answers


def test_each_question_is_left_out_where_there_is_a_contract(front_door: dict[str, Any]) -> None:
    whens = {front_door[key]["when"] for key in keys(front_door)}

    assert whens == {"{{ not (_copier_conf.data | is_contract) }}"}
    assert not is_contract({"name": "alone"})


ANSWERS = {
    "name": "stock_levels",
    "node_type": "effect",
    "package": "shop_nodes",
    "description": "Keep levels of stock in Redis.",
    "version": "1.2.0",
}
WRONG = [
    ("name", "", "an answer is needed"),
    ("name", "stock-levels", "did you mean 'stock_levels'?"),
    ("package", "my shop", "my_shop"),
    ("package", "class", "expected"),
    ("description", "", "an answer is needed"),
    ("description", "x" * 200_000, "at most"),
    ("version", "one", "expected"),
]


@pytest.mark.parametrize(("key", "answer", "said"), WRONG)
def test_a_mistake_is_answered_where_it_is_made(key: str, answer: str, said: str) -> None:
    before = {asked: ANSWERS[asked] for asked in ASKED[: ASKED.index(key)]}

    assert said in mistake(key, answer, before)
    assert mistake(key, ANSWERS[key], before) == ""


@pytest.mark.parametrize("node_type", NODE_TYPES)
@settings(max_examples=15, deadline=None)
@given(text=st.one_of(st.text(), st.text("ab dor ,.:").map(lambda text: f"Create {text}")))
def test_what_is_no_mistake_comes_to_a_contract(node_type: str, text: str) -> None:
    answers = ANSWERS | {"node_type": node_type, "description": text}
    assume(not mistake("description", text, answers))

    contract = completed(answers)

    assert judge(contract) == []
    assert {key: contract[key] for key in ASKED} == answers
    assert contract["operations"]
