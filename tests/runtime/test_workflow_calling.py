"""What is told of the outcome of a call."""

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.workflows.calling import RefusedError, told

REFUSED, BROKEN = EnumCoreErrorCode.VALIDATION_ERROR, EnumCoreErrorCode.CONTRACT_VIOLATION
COUNT = {"path": "count", "message": "Input should be greater than 0"}
SIZE = {"path": "sizes.0", "message": "Field required"}


@pytest.mark.parametrize(
    ("code", "problems", "text"),
    [
        (REFUSED, [COUNT], "It is not valid. count: Input should be greater than 0"),
        (REFUSED, [COUNT, SIZE], "It is not valid. count: Input should be greater than 0; sizes.0: Field required"),
        (REFUSED, [SIZE] * 9, f"It is not valid. {'; '.join(['sizes.0: Field required'] * 3)}"),
        (REFUSED, [], "It is not valid."),
        (REFUSED, None, "It is not valid."),
        (REFUSED, "of another form", "It is not valid."),
        (REFUSED, ["of", {"path": "another"}, COUNT], "It is not valid. count: Input should be greater than 0"),
        (BROKEN, [COUNT], "It is not valid."),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_input(code: EnumCoreErrorCode, problems: object, text: str) -> None:
    assert told(ModelOnexError(message="It is not valid.", error_code=code, problems=problems)) == text


def test_other_errors_are_told_by_their_names() -> None:
    assert told(RefusedError("This did not hold.")) == "This did not hold."
    assert told(KeyError("a")) == "KeyError: 'a'"
