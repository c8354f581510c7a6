"""Advanced features that have no integration of their own: security validation, tracing, and the rate limit."""

import math
from dataclasses import dataclass

from ..language.contract import Contract
from .integrations import Environment, PlaceView


@dataclass(frozen=True, slots=True)
class TracingView:
    """Where spans go.

    Attributes:
        exporter: `otlp`, `console` or `none`.
        sample_rate: Which part of the traces that begin here is kept.
        endpoint: Where OpenTelemetry's collector is.
        named: Whether the contract says anything about that.
    """

    exporter: str
    sample_rate: float
    endpoint: PlaceView
    named: bool


@dataclass(frozen=True, slots=True)
class RateLimitView:
    """How many operations there may be each second, and at once after a pause."""

    requests_per_second: float
    burst: int


def tracing(contract: Contract, environment: Environment) -> TracingView | None:
    """Return where spans go; None where there are none.

    Args:
        contract: A contract without problems.
        environment: Its environment variables.
    """
    settings = contract.observability.tracing
    if settings is None:
        return None
    endpoint = environment.place(settings.endpoint, "tracing_endpoint", secret=False)
    return TracingView(settings.exporter, settings.sample_rate, endpoint, named=settings.endpoint is not None)


def rate_limit(contract: Contract) -> RateLimitView | None:
    """Return how many operations there may be; None for any number.

    Args:
        contract: A contract without problems.
    """
    limit = contract.rate_limiting
    if limit is None:
        return None
    return RateLimitView(limit.requests_per_second, limit.burst or max(1, math.ceil(limit.requests_per_second)))
