"""Which events operations take, and what of them."""

from typing import Any

import pytest
from onex_node_runtime.serving.selection import Member, Selection
from pydantic import BaseModel


class Refund(BaseModel):
    """An input."""

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
