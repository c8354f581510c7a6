"""Texts are found for patterns, and limits of a text are put into its pattern."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.language import patterns
from extensions.viewing.strategies import _fitted, _text

FOUND = [
    ("^[0-9a-f]{64}$", 0, 99, "a" * 64),
    ("^[0-9a-f]+$", 5, 5, "aaaaa"),
    ("^[A-Z]{2}[0-9]{2}[A-Z0-9]+$", 15, 34, "AA00" + "A" * 11),
    (r"^\+\d{1,3}-\d+$", 0, 20, "+0-0"),
    ("^(red|green)(;(red|green))*$", 8, 20, "red;red;red"),
    ("^[^a-zA-Z]$", 1, 1, "0"),
    (r"^[^\W\d]\S?.$", 2, 3, "aa"),
    ("[^a]x??", 1, 9, "A"),
    (r"^\w+@\w+\.org$", 0, 50, "a@a.org"),
    ("[0-9]{4}", 10, 12, None),
    ("^[a-c]$", 2, 9, None),
    ("^$", 0, 0, ""),
    ("^[à-ü]$", 1, 1, None),
]


@pytest.mark.parametrize(("pattern", "shortest", "longest", "text"), FOUND)
def test_example_is_plain_and_within_the_limits(pattern: str, shortest: int, longest: int, text: str | None) -> None:
    assert patterns.example(pattern, shortest, longest) == text


@given(
    st.lists(st.sampled_from([*"abAB01-.", "[a-f]", "[^0-9]", r"\d", r"\w", "(a|b)", "x{2}", "y{1,3}", "z?", "[0-9]+"]))
)
def test_example_of_ordinary_parts_matches(parts: list[str]) -> None:
    pattern = f"^{''.join(parts).replace('.', '[.]')}$"

    text = patterns.example(pattern, 0, 10_000)

    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "least", "most", "fitted"),
    [
        ("^[0-9a-f]+$", 64, 64, "^[0-9a-f]{64,64}$"),
        ("^[A-Z]{2}[0-9]*$", 15, 34, "^[A-Z]{2}[0-9]{13,32}$"),
        ("^a+$", 0, 100_000, "^a{1,25}$"),
        ("^a*$", 0, 0, "^a{0,0}$"),
        ("^a+$", 0, 0, "^a+$"),
        ("^a+?b$", 9, 9, "^a+?b$"),
        ("^a+b*$", 9, 9, "^a+b*$"),
        ("^(ab)+$", 8, 8, "^(ab)+$"),
        ("^a+b?$", 9, 9, "^a+b?$"),
        ("a+", 9, 9, "a+"),
        (r"^\++$", 3, 3, r"^\+{3,3}$"),
        (r"^[\w\-]{40,}$", 0, 40, r"^[\w\-]{40,40}$"),
        ("^[A-Z]{2}[0-9]{3,}$", 8, 99, "^[A-Z]{2}[0-9]{6,30}$"),
        ("^a{3}{2,}$", 9, 9, "^a{3}{2,}$"),
    ],
)
def test_limits_are_put_into_a_pattern_that_repeats_one_character(
    pattern: str, least: int, most: int, fitted: str
) -> None:
    assert _fitted(pattern, least, most) == fitted


@pytest.mark.parametrize(
    ("pattern", "shortest", "longest", "text"),
    [("^x*$", 0, 9, "x"), ("^(|ab)$", 0, 9, ""), ("^$", 0, 9, ""), ("^x*$", 0, 0, ""), ("^a?b?$", 2, 2, "ab")],
)
def test_plainest_text_is_not_empty_where_another_fits(pattern: str, shortest: int, longest: int, text: str) -> None:
    assert patterns.plainest(pattern, shortest, longest) == text


@pytest.mark.parametrize("pattern", ["^[[:alpha:]]+$", "[a-z&&b]", "[a--b]", "[a~~b]", "[a||b]", "[[a]"])
def test_patterns_that_engines_read_in_two_ways_are_none(pattern: str) -> None:
    assert patterns.objection(pattern) is not None


DRAWN = [
    {"pattern": r"^\d{3}-[A-Z]{2}\.\w+@[^@\s]+$"},
    {"pattern": r"^[^/]{1,9}$"},
    {"pattern": r"^\W\S\D$"},
    {"pattern": r"(?i)^kelvin\b.*$"},
    {"pattern": r"^[\w\-]{40,}$", "maxLength": 40},
    {"pattern": "^[à-ü]{2,}$", "maxLength": 9},
    {"pattern": r"^é\w$"},
]


@pytest.mark.parametrize("limits", DRAWN, ids=lambda limits: limits["pattern"])
def test_texts_that_are_drawn_for_a_pattern_are_what_fields_take(limits: dict[str, Any]) -> None:
    strategy = eval(_text(limits).flat(), {"st": st})  # noqa: S307 - code as nodes have it, of a pattern above

    @settings(max_examples=100, deadline=None, database=None)
    @given(strategy)
    def drawn(text: str) -> None:
        assert patterns.matches(limits["pattern"], text)
        assert len(text) <= limits.get("maxLength", len(text))

    drawn()
