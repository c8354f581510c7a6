"""Which events operations take, and what of them."""

from typing import Any

import pytest
from onex_node_runtime.serving.selection import Member, Selection
from pydantic import BaseModel, ConfigDict


class Refund(BaseModel):
    """An input."""

    model_config = ConfigDict(extra="forbid")

    cents: int
    kind: str = "a"


SELECTION = Selection(
    Refund,
    {"cents": Member(("amount", "cents")), "kind": "fixed"},
    lambda event: event.cents > 100,
)


@pytest.mark.parametrize(
    ("event", "payload", "taken"),
    [
        ({"amount": {"cents": 101}}, {"cents": 101, "kind": "fixed"}, True),
        ({"amount": {"cents": 100}, "cents": 500}, {"cents": 100, "kind": "fixed"}, False),
        ({"amount": 5, "cents": 5}, {"kind": "fixed"}, True),
        ({}, {"kind": "fixed"}, True),
        ({"amount": {"cents": "5"}}, {"cents": "5", "kind": "fixed"}, True),
    ],
)
def test_members_fill_fields_and_conditions_choose(event: dict[str, Any], payload: dict[str, Any], taken: bool) -> None:
    found = SELECTION.payload(event)
    found.pop("amount", None)
    assert found == payload
    assert SELECTION.takes(event) is taken


def test_without_words_everything_is_taken_as_it_is() -> None:
    selection = Selection(Refund)
    assert selection.payload({"cents": 1, "more": 2}) == {"cents": 1, "more": 2}
    assert selection.takes({})


@pytest.mark.parametrize(
    ("path", "event", "found"),
    [
        (("a",), {"a": 1}, {"kept": 0, "name": 1}),
        (("a", "b", "c"), {"a": {"b": {"c": None}}}, {"kept": 0, "name": None}),
        (("a", "b"), {"a": {"c": 1}}, {"kept": 0}),
        (("a", "b"), {"a": ["b"]}, {"kept": 0}),
        (("a", "b"), {"b": 1}, {"kept": 0}),
        ((), {"a": 1}, {"kept": 0, "name": {"a": 1}}),
    ],
)
def test_a_member_is_where_its_path_leads(
    path: tuple[str, ...], event: dict[str, Any], found: dict[str, object]
) -> None:
    into: dict[str, object] = {"kept": 0}
    Member(path).put(event, into, "name")
    assert into == found


def test_an_event_is_left_as_it_is_and_fills_fields_by_their_names_or_by_others() -> None:
    event = {"amount": {"cents": 7}, "cents": 500, "kind": "b", "more": 1}
    assert SELECTION.payload(event) == {"amount": {"cents": 7}, "cents": 7, "kind": "fixed", "more": 1}
    assert Selection(Refund, {"cents": Member(("none",))}).payload(event) == {
        "amount": {"cents": 7},
        "kind": "b",
        "more": 1,
    }
    assert event == {"amount": {"cents": 7}, "cents": 500, "kind": "b", "more": 1}


@pytest.mark.parametrize(
    ("event", "taken"),
    [
        ({"cents": 101, "more": 1}, True),
        ({"cents": 100, "more": 1}, False),
        ({"cents": 100, "kind": "\x00"}, True),
        ({"cents": 2**64}, True),
        ({"cents": "100"}, True),
    ],
)
def test_what_is_no_input_is_taken_and_what_says_more_is_judged(event: dict[str, Any], taken: bool) -> None:
    assert Selection(Refund, condition=lambda refund: refund.cents > 100).takes(event) is taken
