"""Hints where YAML reads a word as something else than people mean."""

import pytest
import yaml

from extensions.judging.judge import judge
from extensions.text.problems import show
from extensions.text.yaml_words import misread


@pytest.mark.parametrize("text", ["1e16", "1E5", "-2.5e3", "1e-7", "+1e2", "1.e5", "0o17"])
def test_the_number_that_is_told_is_one_and_the_same(text: str) -> None:
    assert isinstance(yaml.safe_load(text), str)
    told = misread(text, {"number"}).removeprefix("YAML read text: write ")
    number = yaml.safe_load(told)
    assert isinstance(number, (int, float))
    assert number == (int(text, 8) if text.startswith("0o") else float(text))


@pytest.mark.parametrize(("text", "number"), [("1e3", 1000), ("0o17", 15), ("5", 5), ("-5", -5)])
def test_whole_numbers_are_told_as_such(text: str, number: int) -> None:
    words = misread(text, {"integer"}).replace("without", " ").split()
    assert words[words.index("write") + 1] == str(number)


@pytest.mark.parametrize(
    "text", ["12:30:00", "017", "0x1F", "yes", "No", "on", "null", "~", "1.0", "1", "2020-01-01", "2020-01-01 12:00:00"]
)
def test_what_should_have_been_text_says_quotes(text: str) -> None:
    value = yaml.safe_load(text)
    assert not isinstance(value, str)
    assert "quote" in misread(value, {"string"})
    contract = {"name": "a", "package": "acme", "enums": {"Kind": [value]}, "operations": []}
    told = [str(problem) for problem in judge(contract) if problem.path == ("enums", "Kind", 0)]
    assert len(told) == 1
    assert "quote" in told[0]
    assert "datetime" not in told[0]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", "number"),
        ("1e", "number"),
        ("1e400x", "integer"),
        (1.5, "integer"),
        ([], "string"),
        ({}, "string"),
        (True, "integer"),
    ],
)
def test_nothing_is_told_of_other_mistakes(value: object, wanted: str) -> None:
    assert misread(value, {wanted}) == ""


def test_dates_are_shown_as_they_are_written() -> None:
    assert show(yaml.safe_load("2020-01-31")) == "2020-01-31"
