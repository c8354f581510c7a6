"""The names of template variants: a node's type, and what it is made for, such as `effect_database_kafka`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..text.problems import Problem, did_you_mean, show
from .classify import node_type

INTEGRATION_PARTS: Final = {
    "database": ("postgres", "database", "database"),
    "api": ("http", "http", "api_client"),
    "kafka": ("kafka", "kafka", "kafka"),
}
"""Parts that are integrations: the integration's key, its key in operations, and its key in `integrations`."""
DOMAIN_PARTS: Final = {
    "ml": ("ml", "inference", "model", "models"),
    "analytics": ("analytics", "aggregation"),
    "workflow": ("workflow", "workflows", "orchestration"),
}
"""Parts that are fields of work, with the whole words of `domain` that mean them."""
PARTS: Final = (*INTEGRATION_PARTS, *DOMAIN_PARTS)


def name(kind: str, parts: tuple[str, ...]) -> str:
    """Return the name of the variant for a type of node with some parts."""
    return "_".join((kind, *(part for part in PARTS if part in parts)))


def parts_of(variant: str, kind: str) -> tuple[str, ...] | None:
    """Return the parts of a variant, in the order of the catalogue.

    Args:
        variant: Its name, with or without the node's type in front; the type alone has no parts.
        kind: The node's type.

    Returns:
        The parts; None when it is no variant of this type.
    """
    words = variant.removeprefix(f"{kind}_").split("_") if variant != kind else []
    if len(words) != len(set(words)) or not set(words) <= set(PARTS):
        return None
    return tuple(part for part in PARTS if part in words)


def check(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find a variant that does not exist, or that leaves out what the contract needs.

    Args:
        raw: The contract; parts of it may not meet the schema.

    Yields:
        The problems.
    """
    variant = raw.get("template_variant")
    if not isinstance(variant, str):
        return
    path = ("template_variant",)
    kind = node_type(raw)
    parts = parts_of(variant, kind)
    if parts is None:
        hint = did_you_mean(variant.removeprefix(f"{kind}_"), PARTS)
        yield Problem(path, show(variant), f"{kind}, or parts joined by _: {', '.join(PARTS)}", hint)
        return
    settings = raw.get("integrations")
    settings = settings if isinstance(settings, Mapping) else {}
    operations = raw.get("operations")
    for part, (_, implementation, setting) in INTEGRATION_PARTS.items():
        needs = [
            f"operations[{index}].{implementation}"
            for index, operation in enumerate(operations if isinstance(operations, list) else [])
            if isinstance(operation, Mapping) and implementation in operation
        ]
        needs += [f"integrations.{setting}"] if settings.get(setting, False) is not False else []
        if needs and part not in parts:
            yield Problem(path, show(variant), f"a variant with {part}, which {needs[0]} needs")
        if part in parts and settings.get(setting) is False:
            yield Problem(path, show(variant), f"a variant without {part}, since integrations.{setting} is false")
