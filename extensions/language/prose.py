"""Words of prose that mean features of a node."""

import re
from collections.abc import Iterator
from typing import Final

from .contract import FEATURE_ALIASES

FEATURES: Final = (
    *("retry", "circuit_breaker", "service_discovery", "fail_fast", "cli", "state_machine", "canonical_yaml"),
    *("hybrid_execution", "persistence", "http_client", "event_driven", "caching", "redis", "rate_limiting"),
    *("dead_letter_queue", "service_mode", "no_service_mode", "custom_mixins", *FEATURE_ALIASES),
)
# Words of prose that mean a feature, beside the features' own names.
_PROSE = {"retries": "retry", "circuit breakers": "circuit_breaker", "cache": "caching", "dlq": "dead_letter_queue"}


def features_in(prose: str) -> Iterator[str]:
    """Yield the features that a text names and does not deny.

    Args:
        prose: The text.
    """
    words = " ".join(re.findall(r"[a-z0-9]+", prose.lower()))
    known = {feature.replace("_", " "): feature for feature in FEATURES} | _PROSE
    for phrase, feature in known.items():
        if re.search(rf"(?<!no )(?<!not )(?<!without )\b{phrase}\b", words):
            yield FEATURE_ALIASES.get(feature, feature)
