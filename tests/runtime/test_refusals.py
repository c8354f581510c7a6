"""What the log says of failures."""

from typing import Any

import pytest
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.refusals import reason_of


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({}, "It is away."),
        ({"integration": "http"}, "It is away."),
        ({"reason": ""}, "It is away."),
        ({"reason": "the driver says so"}, "the driver says so"),
        ({"reason": 7}, "7"),
    ],
)
def test_the_words_of_who_failed_come_before_those_for_callers(details: dict[str, Any], reason: str) -> None:
    assert reason_of(ModelOnexError(message="It is away.", **details)) == reason
