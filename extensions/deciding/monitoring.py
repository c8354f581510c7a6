"""What the configuration of MixinHealthCheck and MixinMetrics means for a node."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..language.contract import Contract
from .decisions import INTEGRATIONS, called

DEFAULT_CHECK_SECONDS = 2.0
DEFAULT_PROBE_SECONDS = 5
# That of `Metrics` in the runtime.
USUAL_PREFIX = "onex"
# Those of Prometheus' client.
_USUAL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TOKEN_WORDS = frozenset({"token", "tokens"})
_COST_WORDS = frozenset({"cost", "costs", "price", "cent", "cents"})


@dataclass(frozen=True, slots=True)
class HealthView:
    """How the node's health is checked.

    Attributes:
        timeout_seconds: Longest wait for a check.
        timeouts: Longest wait for the checks that have one of their own, by adapter.
        optional: The adapters without which the node stays ready.
        probe_seconds: The period of the readiness probe.
        unknown: Components that belong to none of the node's adapters.
    """

    timeout_seconds: float
    timeouts: Mapping[str, float]
    optional: tuple[str, ...]
    probe_seconds: int
    unknown: tuple[str, ...]

    def timeout_setting(self, adapter: str) -> str:
        """Return the setting that limits an adapter's check."""
        return f"{adapter}_health_check_timeout_seconds" if adapter in self.timeouts else "health_check_timeout_seconds"


@dataclass(frozen=True, slots=True)
class MetricsView:
    """What the node measures.

    Attributes:
        prefix: First part of the metrics' names.
        buckets: Upper limits of the latency histogram's buckets in seconds; empty for the library's.
        latency: Whether the time that operations take is measured.
        success: Whether operations that succeed are counted.
        failure: Whether operations that fail are counted.
        counted: Integer output fields whose values are added up.
        without_fields: Kinds of fields that are to be added up, and of which there are none.
    """

    prefix: str
    buckets: tuple[float, ...]
    latency: bool
    success: bool
    failure: bool
    counted: tuple[str, ...]
    without_fields: tuple[str, ...]

    @property
    def has_own_prefix(self) -> bool:
        """Whether the metrics' names begin otherwise than those of most nodes."""
        return self.prefix != USUAL_PREFIX


def health(contract: Contract, adapters: Collection[str]) -> HealthView:
    """Return how the node's health is checked.

    Args:
        contract: A contract without problems.
        adapters: The keys of the node's adapters.

    Returns:
        The view; a component belongs to the adapter in whose words one of its own words is.
    """
    config = _config(contract, "MixinHealthCheck")
    timeouts: dict[str, float] = {}
    optional: list[str] = []
    unknown: list[str] = []
    for component in config.get("components", ()):
        adapter = next((key for key in _named_first(adapters) if _is_of(component["name"], key)), None)
        if adapter is None:
            unknown.append(component["name"])
            continue
        if "timeout_seconds" in component:
            timeouts[adapter] = float(component["timeout_seconds"])
        if component.get("critical", True) is False:
            optional.append(adapter)
    interval = config.get("check_interval_ms")
    return HealthView(
        timeout_seconds=float(config.get("timeout_seconds", DEFAULT_CHECK_SECONDS)),
        timeouts=timeouts,
        optional=tuple(dict.fromkeys(optional)),
        probe_seconds=DEFAULT_PROBE_SECONDS if interval is None else math.ceil(interval / 1000),
        unknown=tuple(unknown),
    )


def metrics(contract: Contract) -> MetricsView:
    """Return what the node measures.

    Args:
        contract: A contract without problems.

    Returns:
        The view.
    """
    config = _config(contract, "MixinMetrics")
    integers = dict.fromkeys(
        field.name for operation in contract.operations for field in operation.output if field.kind == "integer"
    )
    counted: list[str] = []
    without: list[str] = []
    for key, words in (("collect_token_usage", _TOKEN_WORDS), ("collect_cost", _COST_WORDS)):
        if config.get(key, False):
            found = [name for name in integers if words & set(name.split("_"))]
            counted += found
            without += [] if found else [key]
    return MetricsView(
        prefix=config.get("metrics_prefix", USUAL_PREFIX),
        buckets=_buckets(contract, config.get("histogram_buckets", ())),
        latency=config.get("collect_latency", True),
        success=config.get("collect_throughput", True),
        failure=config.get("collect_error_rates", True),
        counted=tuple(dict.fromkeys(counted)),
        without_fields=tuple(without),
    )


def _buckets(contract: Contract, stated: Collection[float]) -> tuple[float, ...]:
    """Return the limits of buckets in seconds: with one at each target, it is exact whether that is met."""
    targets = {operation.target.p95_ms for operation in contract.operations if operation.target} - {None}
    limits = (limit / 1000 for limit in stated) if stated else _USUAL_BUCKETS
    wanted = {*limits, *(target / 1000 for target in targets if target is not None)}
    return () if wanted == set(_USUAL_BUCKETS) else tuple(sorted(wanted))


def without_effect(contract: Contract, adapters: Collection[str]) -> tuple[str, ...]:
    """Return what the configuration of mixins asks for and nothing in the node answers to, as places in words."""
    components = (f"mixins: the component {name} of MixinHealthCheck" for name in health(contract, adapters).unknown)
    fields = (f"mixins: {key} of MixinMetrics" for key in metrics(contract).without_fields)
    return (*components, *fields)


def _config(contract: Contract, name: str) -> Mapping[str, Any]:
    return next((mixin.config for mixin in contract.mixins if mixin.name == name and mixin.enabled), {})


def _named_first(adapters: Collection[str]) -> list[str]:
    """Return the adapters, those first that the contract itself gives a name."""
    return sorted(adapters, key=lambda adapter: adapter in INTEGRATIONS)


def _is_of(component: str, adapter: str) -> bool:
    words = set(called(adapter))
    if evidence := INTEGRATIONS.get(adapter):
        words |= {evidence.implementation, *evidence.dependencies, *evidence.words}
    return bool(words & set(re.findall(r"[a-z0-9]+", component.lower()))) or component in words
