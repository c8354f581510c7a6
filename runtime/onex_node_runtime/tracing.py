# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Spans: what the node does, for whom, and what it asks of others. They go where the process sends its spans."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from omnibase_core.errors import ModelOnexError
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .spans import Spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

_W3C = TraceContextTextMapPropagator()


@contextmanager
def incoming(headers: Mapping[str, str]) -> Iterator[None]:
    """Go on with the caller's trace for as long as the context lasts.

    Args:
        headers: Those of the request or the message; W3C's `traceparent` and `tracestate` are read.
    """
    token = context.attach(_W3C.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


def outgoing() -> dict[str, str]:
    """Return the headers that hand the trace on to whom the node calls; none outside of a trace."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def trace_of_line() -> dict[str, str]:
    """Return what a log line says of its span; nothing outside of one."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(current.trace_id), "span_id": trace.format_span_id(current.span_id)}


@contextmanager
def operation_span(node: str, operation: str, correlation_id: UUID) -> Iterator[None]:
    """Make a span of an operation.

    Args:
        node: The node that runs it.
        operation: Its name.
        correlation_id: Identity of the request.
    """
    attributes = {"onex.node": node, "onex.operation": operation, "onex.correlation_id": str(correlation_id)}
    with _span(operation, SpanKind.SERVER, attributes):
        yield


@contextmanager
def node_span(node: str, operation: str) -> Iterator[None]:
    """Make a span of a call to another node.

    Args:
        node: Its name.
        operation: What it is asked for.
    """
    with _span(f"{node} {operation}", SpanKind.CLIENT, {"onex.peer": node, "onex.operation": operation}):
        yield


@contextmanager
def call_span(name: str) -> Iterator[None]:
    """Make a span of a call of an adapter's method.

    Args:
        name: What the adapter talks to, and the method, with a space between them.
    """
    with _span(name, SpanKind.CLIENT, {"onex.integration": name.partition(" ")[0]}):
        yield


@contextmanager
def _span(name: str, kind: SpanKind, attributes: Mapping[str, str]) -> Iterator[None]:
    # The library would record the message and the stack of a failure, and with them whatever they hold.
    with trace.get_tracer(__name__).start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except ModelOnexError as error:
            span.set_attribute("error.type", str(error.error_code))
            span.set_status(StatusCode.ERROR, error.message)
            raise
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


SPANS = Spans(call_span, outgoing, incoming)
"""How adapters of a node with tracing make spans."""
