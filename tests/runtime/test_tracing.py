"""Spans: what they tell, whose trace they belong to, and where they go."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Literal
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime import exporting as exporting_module
from onex_node_runtime.exporting import exporter_of, exporting, provider_of
from onex_node_runtime.settings.tracing import TracingSettings
from onex_node_runtime.spans import UNTRACED
from onex_node_runtime.tracing import SPANS, call_span, incoming, node_span, operation_span, outgoing, trace_of_line
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

NODE = "node_lock_effect"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
SETTINGS = TracingSettings()


async def call() -> dict[str, str]:
    with call_span("something call"):
        return outgoing()


async def fail_to_call(error: Exception) -> None:
    with call_span("something fail_to_call"):
        raise error


class Collector:
    """A collector that counts what it is sent."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                collector.paths.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Stay silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector for as long as the context lasts."""
    collector = Collector()
    threading.Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


def use(provider: TracerProvider, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Let the process send its spans to a list."""
    spans = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return spans


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    return use(provider_of(SETTINGS, NODE, None), monkeypatch)


async def test_calls_are_spans_within_that_of_the_operation(spans: InMemorySpanExporter) -> None:
    correlation_id = uuid4()
    with incoming({"traceparent": TRACEPARENT}), operation_span(NODE, "outer", correlation_id):
        headers = await call()
    inner, outer = spans.get_finished_spans()
    assert (inner.name, outer.name) == ("something call", "outer")
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert headers["traceparent"].split("-")[2] == trace.format_span_id(inner.context.span_id)
    assert outer.parent is not None
    assert trace.format_trace_id(outer.context.trace_id) == TRACE_ID
    assert trace.format_span_id(outer.parent.span_id) == SPAN_ID
    assert dict(outer.attributes or {}) == {
        "onex.node": NODE,
        "onex.operation": "outer",
        "onex.correlation_id": str(correlation_id),
    }
    assert outer.resource.attributes["service.name"] == NODE


@pytest.mark.parametrize(
    ("error", "kind", "description"),
    [
        (
            ModelOnexError(message="It is away.", error_code=EnumCoreErrorCode.NETWORK_ERROR),
            str(EnumCoreErrorCode.NETWORK_ERROR),
            "It is away.",
        ),
        (LookupError("hidden"), "LookupError", None),
    ],
)
async def test_failures_are_failed_spans_without_what_they_hold(
    spans: InMemorySpanExporter, error: Exception, kind: str, description: str | None
) -> None:
    with pytest.raises(type(error)):
        await fail_to_call(error)
    (span,) = spans.get_finished_spans()
    assert (span.status.is_ok, span.status.description) == (False, description)
    assert dict(span.attributes or {}) == {"onex.integration": "something", "error.type": kind}
    assert span.events == ()


def test_calls_of_other_nodes_are_spans(spans: InMemorySpanExporter) -> None:
    with node_span("other", "ask"):
        pass
    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind) == ("other ask", trace.SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {"onex.peer": "other", "onex.operation": "ask"}


@pytest.mark.parametrize(
    ("made", "name", "kind", "attributes"),
    [
        (
            lambda: operation_span(NODE, "ping", UUID(int=7)),
            "ping",
            trace.SpanKind.SERVER,
            {"onex.node": NODE, "onex.operation": "ping", "onex.correlation_id": str(UUID(int=7))},
        ),
        (
            lambda: node_span("other", "ask"),
            "other ask",
            trace.SpanKind.CLIENT,
            {"onex.peer": "other", "onex.operation": "ask"},
        ),
        (lambda: call_span("http get it"), "http get it", trace.SpanKind.CLIENT, {"onex.integration": "http"}),
    ],
    ids=["operation", "node", "call"],
)
@pytest.mark.parametrize("error", [None, ValueError("hidden"), asyncio.CancelledError()])
def test_spans_tell_what_is_done_and_what_kind_of_failure_ends_it(
    spans: InMemorySpanExporter,
    made: Callable[[], AbstractContextManager[None]],
    name: str,
    kind: trace.SpanKind,
    attributes: dict[str, str],
    error: BaseException | None,
) -> None:
    with contextlib.suppress(ValueError, asyncio.CancelledError), made():
        if error is not None:
            raise error
    (span,) = spans.get_finished_spans()
    failed = {} if error is None else {"error.type": type(error).__name__}
    assert (span.name, span.kind, dict(span.attributes or {})) == (name, kind, attributes | failed)
    assert span.status.status_code is (trace.StatusCode.UNSET if error is None else trace.StatusCode.ERROR)
    assert (span.status.description, span.events) == (None, ())
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "onex_node_runtime.tracing"


def test_a_trace_is_handed_on_as_it_came_until_its_request_ends() -> None:
    headers = {"traceparent": TRACEPARENT, "tracestate": "shop=1"}
    with contextlib.suppress(LookupError), incoming(headers):
        assert outgoing() == headers
        raise LookupError
    assert outgoing() == {}


def test_nodes_without_tracing_make_no_spans(spans: InMemorySpanExporter) -> None:
    with UNTRACED.call("http get"), UNTRACED.incoming({"traceparent": TRACEPARENT}):
        assert dict(UNTRACED.outgoing()) == {}
    with SPANS.incoming({"traceparent": TRACEPARENT}), SPANS.call("http get"):
        assert SPANS.outgoing()["traceparent"].startswith(f"00-{TRACE_ID}-")
    assert [span.name for span in spans.get_finished_spans()] == ["http get"]


def test_nothing_is_handed_on_outside_of_a_trace() -> None:
    assert outgoing() == {}


def test_log_lines_name_their_span(spans: InMemorySpanExporter) -> None:
    assert trace_of_line() == {}
    with operation_span(NODE, "outer", uuid4()):
        line = trace_of_line()
    (span,) = spans.get_finished_spans()
    assert line == {
        "trace_id": trace.format_trace_id(span.context.trace_id),
        "span_id": trace.format_span_id(span.context.span_id),
    }


def test_part_of_the_traces_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    none = SETTINGS.model_copy(update={"tracing_sample_rate": 0.0})
    spans = use(provider_of(none, NODE, None), monkeypatch)
    with operation_span(NODE, "dropped", uuid4()):
        pass
    with incoming({"traceparent": TRACEPARENT}), operation_span(NODE, "kept by the caller", uuid4()):
        pass
    assert [span.name for span in spans.get_finished_spans()] == ["kept by the caller"]


def test_spans_go_where_the_settings_say() -> None:
    def made(exporter: Literal["otlp", "console", "none"], endpoint: str | None = None) -> object:
        return exporter_of(TracingSettings(tracing_exporter=exporter), endpoint)

    assert made("none", "http://collector:4318") is None
    assert made("otlp") is None
    assert isinstance(made("console"), ConsoleSpanExporter)
    for endpoint, path in (("", "/v1/traces"), ("/", "/v1/traces"), ("/own/path", "/own/path")):
        exporter = made("otlp", f"http://collector:4318{endpoint}")
        assert getattr(exporter, "_endpoint", None) == f"http://collector:4318{path}"


def test_collector_is_sent_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    providers: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    with collecting() as collector:
        with exporting(SETTINGS, NODE, collector.url):
            providers[0].get_tracer("test").start_span("one").end()
        assert collector.paths == ["/v1/traces"]


def test_collector_that_is_away_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    providers: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    monkeypatch.setattr(exporting_module, "EXPORT_TIMEOUT_SECONDS", 0.2)
    with exporting(SETTINGS, NODE, "http://127.0.0.1:1"):
        providers[0].get_tracer("test").start_span("lost").end()


def test_tracing_may_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    providers: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    with exporting(TracingSettings(tracing_enabled=False), NODE, "http://127.0.0.1:1"):
        pass
    assert providers == []


def test_spans_are_sent_in_so_much_time_and_by_nobody_without_an_address() -> None:
    exporter = exporter_of(TracingSettings(tracing_exporter="otlp"), "http://collector:4318//")
    assert getattr(exporter, "_timeout", None) == exporting_module.EXPORT_TIMEOUT_SECONDS
    assert exporter_of(TracingSettings(tracing_exporter="otlp"), "") is None


class Provider:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.ended = 0

    def of(self, *how: object) -> "Provider":
        self.made += how
        return self

    def shutdown(self) -> None:
        self.ended += 1


def test_spans_are_those_of_the_node_until_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, used, console = Provider(), list[object](), TracingSettings(tracing_exporter="console")
    monkeypatch.setattr(exporting_module, "provider_of", provider.of)
    monkeypatch.setattr(trace, "set_tracer_provider", used.append)
    with contextlib.suppress(LookupError), exporting(console, NODE, None):
        assert (used, provider.ended) == ([provider], 0)
        raise LookupError
    assert provider.ended == 1
    settings, node, exporter = provider.made
    assert (settings, node, type(exporter)) == (console, NODE, ConsoleSpanExporter)


def test_an_exporter_gets_spans_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = InMemorySpanExporter()
    registered: list[object] = []
    monkeypatch.setattr("opentelemetry.sdk.trace.atexit.register", registered.append)
    provider = provider_of(SETTINGS, NODE, taken)
    provider.get_tracer("test").start_span("one").end()
    assert taken.get_finished_spans() == ()
    provider.force_flush()
    assert [span.name for span in taken.get_finished_spans()] == ["one"]
    provider.shutdown()
    # The process ends it itself.
    assert registered == []
