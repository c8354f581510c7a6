# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where the process sends its spans."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings.tracing import TracingSettings

TRACES_PATH = "/v1/traces"
# A collector that is away must not hold up the end of the process.
EXPORT_TIMEOUT_SECONDS = 5.0


@contextmanager
def exporting(settings: TracingSettings, node: str, endpoint: str | None) -> Iterator[None]:
    """Send spans where the settings say, in the background, for as long as the context lasts.

    A collector that is away costs spans and a line in the log, nothing else.

    Args:
        settings: Whether spans are made, how many, and who takes them.
        node: Whose spans they are.
        endpoint: URL of OpenTelemetry's collector; None where nobody says.
    """
    if not settings.tracing_enabled:
        yield
        return
    provider = provider_of(settings, node, exporter_of(settings, endpoint))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def provider_of(settings: TracingSettings, node: str, exporter: SpanExporter | None) -> TracerProvider:
    """Return what makes spans and hands them to an exporter; the process does not use it yet.

    Args:
        settings: How many of the traces that begin here are kept; those of callers are kept as they say.
        node: Whose spans they are.
        exporter: Who takes spans; None drops them, and traces are handed on all the same.
    """
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: node}),
        sampler=ParentBased(TraceIdRatioBased(settings.tracing_sample_rate)),
        shutdown_on_exit=False,
    )
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def exporter_of(settings: TracingSettings, endpoint: str | None) -> SpanExporter | None:
    """Return who takes spans; None where nobody does, or nobody says where the collector is.

    Args:
        settings: Who takes spans.
        endpoint: URL of OpenTelemetry's collector; without a path, spans go to that of OTLP.
    """
    if settings.tracing_exporter == "console":
        return ConsoleSpanExporter()
    if settings.tracing_exporter == "none" or not endpoint:
        return None
    at_root = not endpoint.partition("://")[2].partition("/")[2]
    url = endpoint.rstrip("/") + TRACES_PATH if at_root else endpoint
    return OTLPSpanExporter(endpoint=url, timeout=EXPORT_TIMEOUT_SECONDS)
