"""Legacy keys of the contract language, and what a contract says twice: accepted, with a warning."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..deciding.unanswered import unanswered
from ..language import migrations, mixins
from ..language.build import build
from ..language.contract import FEATURE_ALIASES
from ..text.problems import Problem, show
from . import unbraced

_SETTINGS_OF = {
    "retry": "retry_policy",
    "circuit_breaker": "circuit_breaker",
    "dead_letter_queue": "dead_letter_queue",
}


def check_legacy(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find legacy keys that stand beside what replaced them.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Yields:
        The problems.
    """
    if "error_handling" in raw and "advanced_features" in raw:
        found = "error_handling beside advanced_features"
        yield Problem(("error_handling",), found, "advanced_features alone", "migrate-contract merges them")


def warnings(raw: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return what is legacy, said twice, or without effect in a contract.

    Args:
        raw: A contract without problems.

    Returns:
        The warnings; none of them keeps the contract from being used.
    """
    return tuple(_warnings(raw))


def _warnings(raw: Mapping[str, Any]) -> Iterator[Problem]:
    if "error_handling" in raw:
        yield Problem(("error_handling",), "a legacy key", "advanced_features, to which it is mapped")
    seen: dict[str, str] = {}
    settings = raw.get("advanced_features", raw.get("error_handling", {}))
    for index, word in enumerate(raw.get("features", ())):
        meaning = FEATURE_ALIASES.get(word, word)
        if meaning in seen:
            yield Problem(("features", index), f"{show(word)}, which means {show(seen[meaning])}", "each feature once")
        seen.setdefault(meaning, word)
        key = _SETTINGS_OF.get(meaning, "")
        if settings.get(key, {}).get("enabled", True) is False:
            where = "advanced_features" if "advanced_features" in raw else "error_handling"
            found = f"{show(word)}, which {where}.{key} turns off"
            yield Problem(("features", index), found, "a feature that is on")
    yield from mixins.warnings(raw)
    yield from migrations.warnings(build(raw))
    yield from unbraced.warnings(raw)
    settings_key = "advanced_features" if "advanced_features" in raw else "error_handling"
    for problem in unanswered(build(raw)):
        first, *rest = problem.path
        legacy = first == "advanced_features" and settings_key in raw
        yield replace(problem, path=(settings_key if legacy else first, *rest))
