"""What is taken of the answers of HTTP APIs."""

import jsonpath
import pytest
from omnibase_core.errors import ModelOnexError
from onex_node_runtime import answers
from pydantic import JsonValue

ROOT = jsonpath.compile("$")
INSIDE = jsonpath.compile("$.x")
ALL = jsonpath.compile("$[*]")


@pytest.mark.parametrize("answer", ["text", '{"x": 1}', "", "5", 5, 1.5, True, None, {"x": 1}, [1, 2]])
def test_an_answer_may_be_any_value_of_json(answer: JsonValue) -> None:
    assert answers.first(ROOT, answer) == answer
    assert answers.first_or_none(ROOT, answer) == answer


@pytest.mark.parametrize("answer", ["text", '{"x": 1}', 5, True])
def test_a_single_value_has_nothing_inside(answer: JsonValue) -> None:
    assert answers.every(ALL, answer) == []
    assert answers.first_or_none(INSIDE, answer) is None
    with pytest.raises(ModelOnexError, match="nothing at"):
        answers.first(INSIDE, answer)
