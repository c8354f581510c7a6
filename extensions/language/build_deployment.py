"""How a node is deployed, made of what a contract says."""

from collections.abc import Mapping
from typing import Any

from .contract import environment_text
from .deployment import Amounts, Autoscaling, Deployment, Environment, NetworkPolicy, ServiceMonitor


def build_deployment(spec: Mapping[str, Any], scrape_seconds: int) -> Deployment:
    """Return how the node is deployed.

    Args:
        spec: What the contract says.
        scrape_seconds: Between two scrapes, where it does not say.
    """
    resources = spec.get("resources", {})
    return Deployment(
        replicas=spec.get("replicas"),
        requests=_amounts(resources.get("requests", {})),
        limits=_amounts(resources.get("limits", {})),
        image=spec.get("image", ""),
        namespace=spec.get("namespace", ""),
        env=_env(spec),
        autoscaling=Autoscaling(**spec.get("autoscaling", {})),
        service_monitor=_service_monitor(spec.get("service_monitor", False), scrape_seconds),
        network_policy=_network_policy(spec.get("network_policy", True)),
        environments=tuple(
            Environment(
                name=name,
                namespace=there.get("namespace", ""),
                image=there.get("image", ""),
                replicas=there.get("replicas"),
                env=_env(there),
            )
            for name, there in sorted(spec.get("environments", {}).items())
        ),
    )


def _env(spec: Mapping[str, Any]) -> dict[str, str]:
    return {name: environment_text(value) for name, value in spec.get("env", {}).items()}


def build_tls(spec: Mapping[str, Any] | bool) -> str | None:
    """Return the Secret with the service's certificate: empty for the one named after the node, None for none."""
    if isinstance(spec, Mapping):
        return str(spec.get("secret", ""))
    return "" if spec else None


def _network_policy(spec: Mapping[str, Any] | bool) -> NetworkPolicy | None:
    settings: Mapping[str, Any] = {"enabled": spec} if isinstance(spec, bool) else spec
    return NetworkPolicy(tuple(settings.get("egress_ports", ()))) if settings.get("enabled", True) else None


def _amounts(spec: Mapping[str, str | float]) -> Amounts:
    return Amounts(**{name: f"{value:f}" if isinstance(value, float) else str(value) for name, value in spec.items()})


def _service_monitor(spec: Mapping[str, Any] | bool, seconds: int) -> ServiceMonitor | None:
    settings: Mapping[str, Any] = {"enabled": spec} if isinstance(spec, bool) else spec
    if not settings.get("enabled", True):
        return None
    return ServiceMonitor(settings.get("interval_seconds", seconds), dict(settings.get("labels", {})))
