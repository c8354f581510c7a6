"""What is decided from a contract: integrations and base class, each with its reasons."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .contract import Contract

MIXIN_MODULES: dict[str, str] = json.loads((Path(__file__).parent / "data" / "mixins.json").read_text(encoding="utf-8"))
DEFAULT_MIXINS = ("MixinHealthCheck", "MixinMetrics")
_NODE_TYPE_TITLES = {"effect": "Effect", "compute": "Compute", "reducer": "Reducer", "orchestrator": "Orchestrator"}
_DATABASE_DEPENDENCIES = ("postgres", "postgresql", "database")
_GENERATED_FEATURES = ("retry", "circuit_breaker", "persistence", "service_mode", "no_service_mode", "custom_mixins")
_DATABASE_WORDS = ("database", "postgres", "postgresql", "sql")


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, for people to read.

    Attributes:
        subject: What was decided about.
        choice: What was chosen.
        reasons: What in the contract led to it.
    """

    subject: str
    choice: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BaseClass:
    """What the node class derives from.

    Attributes:
        name: ONEX's base class.
        mixins: Mixins after it, in this order.
        service_mode: Whether the base class is a ModelService wrapper, which needs cures.
        decision: The same, for people to read.
    """

    name: str
    mixins: tuple[str, ...]
    service_mode: bool
    decision: Decision


def decide_base_class(contract: Contract) -> BaseClass:
    """Choose the base class and mixins of the node.

    Args:
        contract: A contract without problems.

    Returns:
        `ModelService<Type>` under `service_mode`, the contract's own mixins under `custom_mixins`, and otherwise
        `Node<Type>` with MixinHealthCheck and MixinMetrics, followed by what else the contract asks for.
    """
    title = _NODE_TYPE_TITLES[contract.node_type]
    asked = tuple(mixin.name for mixin in contract.mixins if mixin.enabled)
    if "service_mode" in contract.features:
        name, built_in, reason = f"ModelService{title}", (*DEFAULT_MIXINS, "MixinCaching"), "features: service_mode"
        mixins = tuple(mixin for mixin in asked if mixin not in built_in)
    elif "custom_mixins" in contract.features:
        name, mixins, reason = f"Node{title}", asked, "features: custom_mixins"
    else:
        name = f"Node{title}"
        mixins = (*DEFAULT_MIXINS, *(mixin for mixin in asked if mixin not in DEFAULT_MIXINS))
        reason = f"the default of {contract.node_type} nodes"
    reasons = (reason, *(f"mixins: {mixin}" for mixin in asked if mixin in mixins))
    return BaseClass(
        name=name,
        mixins=mixins,
        service_mode="service_mode" in contract.features,
        decision=Decision("base class", ", ".join((name, *mixins)), reasons),
    )


def decide_database(contract: Contract) -> Decision | None:
    """Tell whether the node talks to PostgreSQL, and why.

    The first kind of evidence that there is settles it: operations, then `integrations`, `dependencies`, `features`,
    and last whole words in `domain`.

    Args:
        contract: A contract without problems.

    Returns:
        The decision, or None when the node has no database.
    """
    if "database" in contract.integrations_off:
        return None
    evidence: tuple[Callable[[], list[str]], ...] = (
        lambda: [f"operations[{i}].database" for i, op in enumerate(contract.operations) if op.database],
        lambda: ["integrations.database"] if contract.database is not None else [],
        lambda: [f"dependencies.{name}" for name in contract.dependencies if name in _DATABASE_DEPENDENCIES],
        lambda: ["features: persistence"] if "persistence" in contract.features else [],
        lambda: [f"domain: {word}" for word in _words(contract.domain) if word in _DATABASE_WORDS],
    )
    for find in evidence:
        if reasons := find():
            return Decision("integration", "PostgreSQL", tuple(reasons))
    return None


def not_generated(contract: Contract) -> tuple[str, ...]:
    """Name what the contract asks for and this version of the template does not generate.

    Args:
        contract: A contract without problems.

    Returns:
        Places in the contract.
    """
    features = (f"features: {word}" for word in contract.features if word not in _GENERATED_FEATURES)
    dependencies = (f"dependencies.{name}" for name in contract.dependencies if name not in _DATABASE_DEPENDENCIES)
    base = decide_base_class(contract)
    measured = base.service_mode or "MixinMetrics" in base.mixins
    settings = {
        "deployment.service_monitor": contract.deployment.service_monitor and not measured,
        "service.enabled": not contract.service.enabled,
        "template_variant": contract.template_variant,
        "validation_level": contract.validation_level != "standard",
    }
    configured = (f"mixins: config of {mixin.name}" for mixin in contract.mixins if mixin.config)
    return (*features, *dependencies, *configured, *(name for name, value in settings.items() if value))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
