"""What is decided from a contract: integrations and base class, each with its reasons."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..language import variants
from ..language.contract import Contract
from ..language.mixins import CATALOGUE, DEFAULT_MIXINS

_NODE_TYPE_TITLES = {"effect": "Effect", "compute": "Compute", "reducer": "Reducer", "orchestrator": "Orchestrator"}
_GENERATED_FEATURES = (
    *("retry", "circuit_breaker", "persistence", "http_client", "event_driven", "redis", "dead_letter_queue"),
    *("service_discovery", "service_mode", "no_service_mode", "custom_mixins", "fail_fast", "rate_limiting"),
    "cli",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What in a contract speaks for an integration.

    Attributes:
        title: What people call it.
        setting: Its key in `integrations`.
        implementation: Its key in operations.
        dependencies: Its names in `dependencies`.
        features: Its words in `features`.
        words: Its words in `domain`.
    """

    title: str
    setting: str
    implementation: str
    dependencies: tuple[str, ...]
    features: tuple[str, ...]
    words: tuple[str, ...]


INTEGRATIONS = {
    "postgres": Evidence(
        "PostgreSQL",
        "database",
        "database",
        ("postgres", "postgresql", "database"),
        ("persistence",),
        ("database", "postgres", "postgresql", "sql"),
    ),
    "http": Evidence(
        "HTTP API",
        "api_client",
        "http",
        ("http", "https", "api", "rest"),
        ("http_client",),
        ("api", "http", "https", "rest", "webhook"),
    ),
    "kafka": Evidence(
        "Kafka",
        "kafka",
        "kafka",
        ("kafka", "redpanda"),
        ("event_driven",),
        ("kafka", "redpanda", "streaming"),
    ),
    "redis": Evidence(
        "Redis", "redis", "redis", ("redis", "valkey", "cache"), ("redis",), ("redis", "valkey", "cache")
    ),
    "files": Evidence(
        "files",
        "filesystem",
        "filesystem",
        ("filesystem", "files"),
        (),
        ("filesystem", "files"),
    ),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, for people to read.

    Attributes:
        subject: What was decided about.
        choice: What was chosen.
        reasons: What in the contract led to it.
        idle: Whether the contract asks for it, and nothing in it uses it.
    """

    subject: str
    choice: str
    reasons: tuple[str, ...]
    idle: bool = False


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
    asked = {mixin.name: f"mixins: {mixin.name}" for mixin in contract.mixins if mixin.enabled}
    refused = {mixin.name for mixin in contract.mixins if not mixin.enabled}
    for entry in CATALOGUE.values():
        if entry.status == "composes" and entry.feature in contract.features and entry.name not in refused:
            asked.setdefault(entry.name, f"features: {entry.feature}")
    name = f"Node{title}"
    if "service_mode" in contract.features:
        name, mixins, reason = f"ModelService{title}", tuple(asked), "features: service_mode"
    elif "custom_mixins" in contract.features:
        mixins, reason = tuple(asked), "features: custom_mixins"
    else:
        if not contract.observability.metrics:
            refused.add("MixinMetrics")
        defaults = tuple(mixin for mixin in DEFAULT_MIXINS if mixin not in refused)
        mixins = (*defaults, *(mixin for mixin in asked if mixin not in defaults))
        reason = f"the default of {contract.node_type} nodes"
    mixins = tuple(mixin for mixin in mixins if name not in CATALOGUE[mixin].built_into)
    reasons = (reason, *(why for mixin, why in asked.items() if mixin in mixins))
    return BaseClass(
        name=name,
        mixins=mixins,
        service_mode="service_mode" in contract.features,
        decision=Decision("base class", ", ".join((name, *mixins)), reasons),
    )


def decide_integrations(contract: Contract) -> dict[str, Decision]:
    """Tell what the node talks to, and why.

    For each integration the first kind of evidence that there is settles it: operations and consumed events, then
    `integrations`, `dependencies`, `features`, and last whole words in `domain`. Where the contract has a
    `template_variant`, it stands in the place of the last three.

    Args:
        contract: A contract without problems.

    Returns:
        The decisions by the integration's key, of those that the node has.
    """
    idle = () if any(operation.custom for operation in contract.operations) else idle_integrations(contract)
    return {key: decision for key, decision in _asked(contract).items() if key not in idle}


def idle_integrations(contract: Contract) -> dict[str, Decision]:
    """Tell what is asked for beside the node's own kind of work, which only effects do.

    Args:
        contract: A contract without problems.

    Returns:
        The decisions by the integration's key. Nothing that is generated calls these: a node has them only where its
        author writes a handler, which may.
    """
    if contract.node_type == "effect":
        return {}
    return {key: decision for key, decision in _asked(contract).items() if key != "kafka" and decision.idle}


def _asked(contract: Contract) -> dict[str, Decision]:
    found = {key: _decide_integration(contract, evidence) for key, evidence in INTEGRATIONS.items()}
    return {key: decision for key, decision in found.items() if decision}


def adapters(contract: Contract) -> tuple[str, ...]:
    """Return the keys of the adapters that the node has: one for each integration, and for each HTTP API."""
    found: list[str] = []
    for key in decide_integrations(contract):
        found += contract.clients if key == "http" else (key,)
    return tuple(found)


def called(adapter: str) -> tuple[str, str]:
    """Return what contracts call an adapter: its key, and the setting of its integration or the name of its API."""
    api = adapter.removeprefix("http_")
    return adapter, INTEGRATIONS[adapter].setting if api == adapter else api


def decide_database(contract: Contract) -> Decision | None:
    """Tell whether the node talks to PostgreSQL, and why; None when it does not."""
    return decide_integrations(contract).get("postgres")


def _decide_integration(contract: Contract, evidence: Evidence) -> Decision | None:
    if evidence.setting in contract.integrations_off and not (evidence.setting == "api_client" and contract.apis):
        return None
    key = evidence.implementation
    settings = {
        "database": contract.database,
        "api_client": contract.api_client,
        "kafka": contract.kafka,
        "redis": contract.redis,
        "filesystem": contract.filesystem,
    }
    named = "apis" if key == "http" and contract.apis else ""
    written = (evidence.setting if settings[evidence.setting] is not None else "", named)
    consumes = ["subcontracts.event_type.consumed_events"] if key == "kafka" and contract.consumed_events else []
    kept = [f"operations[{i}].cache" for i, op in enumerate(contract.operations) if op.cache and op.cache.place == key]
    used: list[Callable[[], list[str]]] = [
        lambda: [
            *(f"operations[{i}].{key}" for i, op in enumerate(contract.operations) if getattr(op, key)),
            *consumes,
            *kept,
        ],
        lambda: _state_kept_in(contract, evidence.setting),
    ]
    asked: list[Callable[[], list[str]]] = [
        lambda: [f"integrations.{name}" for name in written if name],
        lambda: [f"dependencies.{name}" for name in contract.dependencies if name in evidence.dependencies],
        lambda: [f"features: {word}" for word in contract.features if word in evidence.features],
        lambda: [f"domain: {word}" for word in _words(contract.domain) if word in evidence.words],
    ]
    part = next((part for part, (_, word, _) in variants.INTEGRATION_PARTS.items() if word == key), None)
    if contract.template_variant and part:
        parts = variants.parts_of(contract.template_variant, contract.node_type) or ()
        used.append(lambda: [f"template_variant: {contract.template_variant}"] if part in parts else [])
        asked = []
    for find in (*used, *asked):
        if reasons := find():
            return Decision("integration", evidence.title, tuple(reasons), idle=find in asked)
    return None


def decide_variant(contract: Contract) -> Decision:
    """Choose the variant of the template: the type of the node, and what it is made for.

    Args:
        contract: A contract without problems.

    Returns:
        The decision. `template_variant` decides where there is one; else integrations, whole words of `domain`, and
        the feature `hybrid_execution`.
    """
    kind = contract.node_type
    if contract.template_variant:
        parts = variants.parts_of(contract.template_variant, kind) or ()
        return Decision("template variant", variants.name(kind, parts), ("template_variant",))
    integrations = decide_integrations(contract)
    reasons = {
        part: list(integrations[key].reasons)
        for part, (key, _, _) in variants.INTEGRATION_PARTS.items()
        if key in integrations
    }
    words = _words(contract.domain)
    for part, known in variants.DOMAIN_PARTS.items():
        found = [f"domain: {word}" for word in words if word in known]
        if part == "workflow" and "hybrid_execution" in contract.features:
            found.insert(0, "features: hybrid_execution")
        if found:
            reasons[part] = found
    why = tuple(reason for part in reasons.values() for reason in part)
    return Decision("template variant", variants.name(kind, tuple(reasons)), why or (f"the default of {kind} nodes",))


def decide_discovery(contract: Contract) -> Decision | None:
    """Tell whether the service registers with Consul, and why.

    Args:
        contract: A contract without problems.

    Returns:
        The decision, or None when it does not.
    """
    if "consul" in contract.integrations_off or not contract.service.enabled:
        return None
    evidence = {
        "integrations.consul": contract.consul is not None,
        "dependencies.consul": "consul" in contract.dependencies,
        "features: service_discovery": "service_discovery" in contract.features,
        "domain: consul": "consul" in _words(contract.domain),
    }
    reason = next((reason for reason, holds in evidence.items() if holds), None)
    return Decision("service discovery", "Consul", (reason,)) if reason else None


def _state_kept_in(contract: Contract, setting: str) -> list[str]:
    backends = {"postgres": "database", "redis": "redis"}
    stores = (contract.state_store, contract.run_store, contract.figure_store)
    kept = any(store and backends.get(store.backend) == setting for store in stores)
    return ["subcontracts.state_management.backend"] if kept else []


def not_generated(contract: Contract) -> tuple[str, ...]:
    """Name what the contract asks for and this version of the template does not generate.

    Args:
        contract: A contract without problems.

    Returns:
        Places in the contract.
    """
    workflows = any(operation.workflow for operation in contract.operations)
    asked = {"state_machine": contract.fsm, "caching": contract.caching, "hybrid_execution": workflows}
    generated = {*_GENERATED_FEATURES, *(feature for feature, made in asked.items() if made)}
    features = (f"features: {word}" for word in contract.features if word not in generated)
    known = {name for evidence in INTEGRATIONS.values() for name in evidence.dependencies} | {"consul"}
    dependencies = (f"dependencies.{name}" for name in contract.dependencies if name not in known)
    base = decide_base_class(contract)
    measured = contract.service.enabled and (base.service_mode or "MixinMetrics" in base.mixins)
    unread = contract.deployment.service_monitor and not (measured and contract.observability.metrics)
    return (*features, *dependencies, *(("deployment.service_monitor",) if unread else ()))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
