# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How a node is: what its adapters answer, summed up as ONEX's health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnibase_core.enums import EnumLogLevel
from omnibase_core.logging import emit_log_event_sync
from omnibase_core.models.health.model_health_issue import ModelHealthIssue
from omnibase_core.models.health.model_health_status import ModelHealthStatus

from .refusals import reason_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from omnibase_core.errors import ModelOnexError

    from .adapters.group import AdapterGroup


async def health_of(adapters: AdapterGroup, optional: Collection[str] = ()) -> ModelHealthStatus:
    """Ask all adapters for a sign of life, and sum up what they answer.

    Args:
        adapters: The node's adapters.
        optional: Names of those without which the node still serves: it is degraded, and not unhealthy.
    """
    failures = await adapters.check()
    if not failures:
        return healthy()
    score = 1.0 - len(failures) / len(adapters.by_name)
    issues = [
        _issue(f"{name}: {error.error_code}", "low" if name in optional else "critical")
        for name, error in failures.items()
    ]
    if failures.keys() <= set(optional):
        return ModelHealthStatus.create_degraded(score=score, issues=issues)
    return ModelHealthStatus.create_unhealthy(score=score, issues=issues)


def healthy() -> ModelHealthStatus:
    """Return that all is well."""
    return ModelHealthStatus.create_healthy(score=1.0)


def degraded(message: str) -> ModelHealthStatus:
    """Return that the node does not serve for now.

    Args:
        message: Why.
    """
    return ModelHealthStatus.create_degraded(score=0.5, issues=[_issue(message, "critical")])


def warn_of(failures: Mapping[str, ModelOnexError], node_id: UUID) -> None:
    """Log which adapters a node started without.

    Args:
        failures: Their errors, by name.
        node_id: Identity of the node.
    """
    for name, error in failures.items():
        line = {"node_id": str(node_id), "adapter": name, "error": reason_of(error)}
        emit_log_event_sync(EnumLogLevel.WARNING, "started_degraded", line)


def _issue(message: str, severity: str) -> ModelHealthIssue:
    return ModelHealthIssue.create_connectivity_issue(message=message, severity=severity)
