"""What a workflow reports of its own accord."""

from collections.abc import Callable

from ..text.specs import Specs
from .contract import spell_out

FAILED_COMPENSATIONS = "failed_compensations"
UNKNOWN_OUTCOMES = "unknown_outcomes"


def _takes_texts(spec: Specs) -> bool:
    return spec.get("type") == "array" and spell_out(spec.get("items", "string")).get("type") == "string"


REPORTED: dict[str, tuple[str, Callable[[Specs], bool]]] = {
    "failed_step": (
        "text",
        lambda spec: spec.get("type") == "string",
    ),
    FAILED_COMPENSATIONS: ("an array of texts", _takes_texts),
    UNKNOWN_OUTCOMES: ("an array of texts", _takes_texts),
}
