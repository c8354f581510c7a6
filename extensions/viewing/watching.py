"""What watches a node: the counters that it shows from the start, a dashboard for Grafana, alerts for Prometheus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..language import names
from ..text.json_data import laid_out

if TYPE_CHECKING:
    from .node import NodeView

type Counter = tuple[str, Mapping[str, tuple[str, ...]]]

_JOB: Final = "$job"
_ENOUGH_OF_A_POOL: Final = 0.9
_TOO_MANY_FAILURES: Final = 0.05
_TOO_MANY_WAITING: Final = 1000
_MOST_OF_FILES: Final = 0.8
_WIDTH: Final = 12
_HEIGHT: Final = 8
_QUANTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert.

    Attributes:
        name: Of it, in PascalCase.
        expression: In PromQL; it fires for each series that this gives.
        wait: How long that has to last, as Prometheus has durations.
        severity: `critical` where the node does not do its work, else `warning`.
        summary: What is wrong, with labels of the series.
        description: What that means, and where to look.
    """

    name: str
    expression: str
    wait: str
    severity: str
    summary: str
    description: str


@dataclass(frozen=True, slots=True)
class _Query:
    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    queries: Sequence[_Query]
    unit: str = "short"
    description: str = ""


def counters(node: "NodeView") -> tuple[Counter, ...]:
    """Return the counters that begin at zero beside those of the handler, each with the values of its tags.

    Args:
        node: The view of the contract.
    """
    return tuple(_counters(node))


def further_counters(node: "NodeView") -> tuple[str, ...]:
    """Return the counters that each operation has beside those of the handler.

    Args:
        node: The view of the contract.
    """
    return (
        *(("operation_rate_limited",) if node.rate_limit else ()),
        *(("cache_hit", "cache_miss") if node.caching else ()),
    )


def alerts(node: "NodeView") -> tuple[AlertView, ...]:
    """Return the node's alerts.

    Args:
        node: The view of the contract.
    """
    return tuple(_Watch(node, f"job='{node.deploy.name}'", "10m").alerts())


def dashboard(node: "NodeView") -> str:
    """Return the node's dashboard as the JSON that Grafana imports, with one line for each panel.

    Args:
        node: The view of the contract.
    """
    watch = _Watch(node, f"job=~'{_JOB}'", "$__rate_interval")
    source = {"type": "prometheus", "uid": "${datasource}"}
    job = {
        "name": "job",
        "type": "query",
        "label": "Job",
        "datasource": source,
        "query": f"label_values({watch.anything}, job)",
        "definition": f"label_values({watch.anything}, job)",
        "refresh": 2,
        "current": {"text": node.deploy.name, "value": node.deploy.name},
    }
    return laid_out(
        {
            "uid": names.kebab(f"{node.package}-{node.name}-{node.node_type}")[:40].strip("-"),
            "title": node.full_name,
            "description": node.description,
            "tags": ["onex", node.node_type],
            "schemaVersion": 39,
            "editable": True,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}, job]},
            "panels": [_drawn(index, panel) for index, panel in enumerate(watch.panels())],
        },
        2,
    )


def _drawn(index: int, panel: _Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    targets = [
        {"refId": chr(ord("A") + number), "datasource": source, "expr": query.expression, "legendFormat": query.legend}
        for number, query in enumerate(panel.queries)
    ]
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": panel.title,
        **({"description": panel.description} if panel.description else {}),
        "datasource": source,
        "gridPos": {"x": index % 2 * _WIDTH, "y": index // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def _counters(node: "NodeView") -> Iterator[Counter]:
    if node.consuming:
        for outcome in _outcomes(node):
            yield f"event_{outcome}", {"topic": node.consumed_topics}
    if node.workflows:
        yield "event_publish_failure", {"topic": (node.step_topic,)}
    for operation in node.operations:
        if view := operation.workflow:
            own, steps = (operation.name,), tuple(step.path for step in view.steps)
            yield "workflow_run", {"operation": own, "status": ("completed", "failed", "compensated")}
            for status in ("completed", "failed"):
                yield f"step_{status}", {"operation": own, "step": steps}


def _outcomes(node: "NodeView") -> tuple[str, ...]:
    buries = node.kafka is not None and node.kafka.dead_letters
    return ("handled", "buried" if buries else "given_up", *(("left_out",) if node.selecting else ()))


def _told(node: "NodeView") -> tuple[str, ...]:
    events = [event.topic for operation in node.operations for event in operation.events]
    return tuple(dict.fromkeys([*events, *([node.step_topic] if node.workflows else [])]))


class _Watch:
    """What there is to see of a node, and when that is bad."""

    def __init__(self, node: "NodeView", chosen: str, window: str) -> None:
        """Keep the node.

        Args:
            node: The view of the contract.
            chosen: The matcher of its series.
            window: Over how long rates are taken.
        """
        self._node = node
        self._chosen = chosen
        self._window = window

    @property
    def anything(self) -> str:
        """A metric that each node of the kind has."""
        return self._name(
            "operation_success_total" if self._node.metrics.success else "operation_duration_seconds_count"
        )

    def panels(self) -> Iterator[_Panel]:
        """Yield the panels, for what the node has."""
        yield from self._of_operations()
        yield from self._of_dependencies()
        yield from self._of_events()
        yield from self._of_workflows()
        yield _Panel(
            "Processor", [_Query(f"rate({self._of_process('cpu_seconds_total')}[{self._window}])", "{{instance}}")]
        )
        yield _Panel("Memory", [_Query(self._of_process("resident_memory_bytes"), "{{instance}}")], "bytes")
        yield _Panel(
            "Open files",
            [
                _Query(self._of_process("open_fds"), "{{instance}}"),
                _Query(f"max({self._of_process('max_fds')})", "the most"),
            ],
        )

    def _of_operations(self) -> Iterator[_Panel]:
        measured, node = self._node.metrics, self._node
        outcomes = [*(["success"] if measured.success else []), *(["refused", "failure"] if measured.failure else [])]
        if outcomes:
            rates = [
                _Query(self._rate(f"operation_{one}_total", "operation"), f"{{{{operation}}}} {one}")
                for one in outcomes
            ]
            yield _Panel("Operations a second", rates, "ops")
        if measured.failure:
            failed = self._rate("operation_failure_total", "operation, code")
            yield _Panel("Failures by code", [_Query(failed, "{{operation}} {{code}}")], "ops")
            refused = self._rate("operation_refused_total", "operation, code")
            yield _Panel(
                "Refusals by code",
                [_Query(refused, "{{operation}} {{code}}")],
                "ops",
                "Mistakes of callers, which are no failures of the node.",
            )
        if measured.latency:
            for operation in node.operations:
                queries = [_Query(self._quantile(operation.name, q / 100), f"{q} of 100") for q in _QUANTILES]
                if operation.target and operation.target.p95_ms:
                    queries.append(_Query(f"vector({operation.target.p95_ms / 1000:g})", "target for 95 of 100"))
                yield _Panel(f"Duration of {operation.name}", queries, "s")
        for field in measured.counted:
            rate = self._rate(f"operation_{field}_total", "operation")
            yield _Panel(f"{field} a second", [_Query(rate, "{{operation}}")])
        if node.rate_limit:
            limited = self._rate("operation_rate_limited_total", "operation")
            yield _Panel("Refused for the rate limit", [_Query(limited, "{{operation}}")], "ops")
        if node.caching:
            found, missed = (self._rate(f"cache_{word}_total", "operation") for word in ("hit", "miss"))
            yield _Panel(
                "Results found in the cache",
                [_Query(f"{found} / ({found} + {missed})", "{{operation}}")],
                "percentunit",
            )

    def _of_dependencies(self) -> Iterator[_Panel]:
        node = self._node
        if node.adapters:
            up = f"min by (dependency) ({self._series('dependency_up')})"
            yield _Panel("Dependencies that answer", [_Query(up, "{{dependency}}")], "bool_yes_no")
        if self._guarded:
            yield _Panel(
                "Circuit breakers that are open",
                [_Query(f"max by (integration) ({self._series('circuit_breaker_open')})", "{{integration}}")],
                "bool_yes_no",
            )
        if node.guarding:
            yield _Panel(
                "Connections",
                [
                    _Query(
                        f"sum by (integration) ({self._series('pool_connections_in_use')})", "{{integration}} in use"
                    ),
                    _Query(f"sum by (integration) ({self._series('pool_connections_max')})", "{{integration}} at most"),
                ],
            )

    def _of_events(self) -> Iterator[_Panel]:
        node = self._node
        if node.kafka:
            yield _Panel(
                "Messages in the outbox",
                [
                    _Query(f"sum({self._series('outbox_messages')})", "waiting"),
                    _Query(f"sum({self._series('outbox_messages_refused')})", "refused"),
                    _Query(f"sum({self._series('outbox_messages_set_aside')})", "set aside"),
                ],
            )
        if _told(node):
            lost = self._rate("event_publish_failure_total", "topic")
            yield _Panel("Events that were not published", [_Query(lost, "{{topic}}")], "ops")
        if node.consuming:
            rates = [
                _Query(self._rate(f"event_{one}_total", "topic"), f"{{{{topic}}}} {one}") for one in _outcomes(node)
            ]
            yield _Panel("Consumed events a second", rates, "ops")
            waiting = f"sum by (topic) ({self._series('consumer_lag_messages')})"
            yield _Panel("Events that wait", [_Query(waiting, "{{topic}}")])

    def _of_workflows(self) -> Iterator[_Panel]:
        if not self._node.workflows:
            return
        runs = self._rate("workflow_run_total", "operation, status")
        yield _Panel("Runs that ended", [_Query(runs, "{{operation}} {{status}}")], "ops")
        ended = [
            _Query(self._rate(f"step_{status}_total", "operation, step"), f"{{{{operation}}}} {{{{step}}}} {status}")
            for status in ("completed", "failed")
        ]
        yield _Panel("Steps that ended", ended, "ops")
        bucket = self._rate("step_duration_seconds_bucket", "operation, step, le")
        slow = _Query(f"histogram_quantile(0.95, {bucket})", "{{operation}} {{step}}")
        yield _Panel("Duration of 95 of 100 steps", [slow], "s")

    def alerts(self) -> Iterator[AlertView]:
        """Yield the alerts, for what the node has."""
        title = names.pascal(f"{self._node.name}_{self._node.node_type}")
        for alert in self._alerts():
            yield replace(alert, name=f"{title}{alert.name}")

    def _alerts(self) -> Iterator[AlertView]:
        yield AlertView(
            "Down",
            f"up{{{self._chosen}}} == 0 or absent(up{{{self._chosen}}})",
            "2m",
            "critical",
            "No metrics come from {{ $labels.job }}.",
            "The process is gone, or Prometheus can't reach it.",
        )
        yield from self._operations_alert()
        yield from self._dependencies_alert()
        yield from self._events_alert()
        if self._node.workflows:
            failed = f"sum by (operation) (increase({self._series('workflow_run_total', status_failed=True)}[10m])) > 0"
            yield AlertView(
                "RunFailed",
                failed,
                "0m",
                "critical",
                "Runs of {{ $labels.operation }} failed.",
                "Something that was done may be left: the log names the run and its steps.",
            )
        share = f"{self._of_process('open_fds')} / {self._of_process('max_fds')} > {_MOST_OF_FILES}"
        yield AlertView(
            "OpenFiles",
            share,
            "10m",
            "warning",
            "{{ $labels.instance }} has nearly as many files open as it may.",
            "Connections or files are not closed, or the limit is too low.",
        )

    def _operations_alert(self) -> Iterator[AlertView]:
        measured = self._node.metrics
        if measured.failure and measured.success:
            failed, done = (self._rate(f"operation_{one}_total", "operation") for one in ("failure", "success"))
            yield AlertView(
                "Failures",
                f"{failed} / ({failed} + {done}) > {_TOO_MANY_FAILURES}",
                "5m",
                "critical",
                "More than 5 of 100 runs of {{ $labels.operation }} fail.",
                "The dashboard shows their codes, and the log what was the matter. Mistakes of callers do not count.",
            )
        for operation in self._node.operations if measured.latency else ():
            if operation.target and operation.target.p95_ms:
                seconds = operation.target.p95_ms / 1000
                yield AlertView(
                    f"{names.pascal(operation.name)}Slow",
                    f"{self._quantile(operation.name, 0.95)} > {seconds:g}",
                    "10m",
                    "warning",
                    f"{operation.name} takes longer than its target.",
                    f"Of 100 runs, 95 are to take {operation.target.p95_ms:g} ms at most.",
                )

    def _dependencies_alert(self) -> Iterator[AlertView]:
        if self._node.adapters:
            yield AlertView(
                "DependencyDown",
                f"min by (dependency) ({self._series('dependency_up')}) == 0",
                "2m",
                "critical",
                "{{ $labels.dependency }} does not answer.",
                "What needs it fails until it is back.",
            )
        if self._guarded:
            yield AlertView(
                "BreakerOpen",
                f"max by (integration) ({self._series('circuit_breaker_open')}) == 1",
                "1m",
                "warning",
                "The circuit breaker of {{ $labels.integration }} is open.",
                "Calls fail at once until one gets through.",
            )
        if self._node.guarding:
            used, most = (self._series(f"pool_connections_{word}") for word in ("in_use", "max"))
            yield AlertView(
                "PoolFull",
                f"{used} / {most} > {_ENOUGH_OF_A_POOL}",
                "5m",
                "warning",
                "Nearly all connections to {{ $labels.integration }} are in use.",
                "Calls wait for one. More instances, or a larger pool, make room.",
            )

    def _events_alert(self) -> Iterator[AlertView]:
        node = self._node
        if node.kafka:
            yield AlertView(
                "OutboxWaits",
                f"min_over_time({self._series('outbox_messages')}[10m]) > 0",
                "5m",
                "warning",
                "Messages wait in the outbox of {{ $labels.instance }}.",
                "The brokers are away, or take less than comes.",
            )
            refused, aside = (self._series(f"outbox_messages_{word}") for word in ("refused", "set_aside"))
            yield AlertView(
                "MessagesRefused",
                f"delta({refused}[10m]) > 0 or {aside} > 0",
                "0m",
                "critical",
                "Brokers refuse messages of {{ $labels.instance }}.",
                "They are kept aside on disk; the log says why.",
            )
        if _told(node):
            yield AlertView(
                "EventsLost",
                f"sum by (topic) (increase({self._series('event_publish_failure_total')}[10m])) > 0",
                "0m",
                "warning",
                "Events on {{ $labels.topic }} were not published.",
                "What they tell of has happened all the same.",
            )
        if node.consuming:
            gone = "event_buried_total" if "buried" in _outcomes(node) else "event_given_up_total"
            yield AlertView(
                "EventsNotHandled",
                f"sum by (topic) (increase({self._series(gone)}[10m])) > 0",
                "0m",
                "warning",
                "Events on {{ $labels.topic }} could not be handled.",
                "They are dead letters now." if "buried" in gone else "They are in the log, and nowhere else.",
            )
            yield AlertView(
                "EventsWait",
                f"sum by (topic) ({self._series('consumer_lag_messages')}) > {_TOO_MANY_WAITING}",
                "10m",
                "warning",
                "Many events wait on {{ $labels.topic }}.",
                "The node takes less than comes, or one event holds up the others.",
            )
            if node.kafka and node.kafka.dead_letters and node.kafka.dead_letters.alert:
                yield AlertView(
                    "DeadLetters",
                    f"max({self._series('dead_letter_alert')}) == 1",
                    "0m",
                    "critical",
                    "There are as many dead letters as the contract calls too many.",
                    "Their headers say where they come from and why.",
                )

    @property
    def _guarded(self) -> bool:
        return bool(self._node.breaker) and self._node.guarding

    def _name(self, metric: str) -> str:
        return f"{self._node.metrics.prefix}_{metric}"

    def _series(self, metric: str, *, status_failed: bool = False) -> str:
        more = ", status='failed'" if status_failed else ""
        return f"{self._name(metric)}{{{self._chosen}{more}}}"

    def _of_process(self, metric: str) -> str:
        return f"process_{metric}{{{self._chosen}}}"

    def _rate(self, metric: str, by: str) -> str:
        return f"sum by ({by}) (rate({self._series(metric)}[{self._window}]))"

    def _quantile(self, operation: str, share: float) -> str:
        bucket = f"{self._name('operation_duration_seconds_bucket')}{{{self._chosen}, operation='{operation}'}}"
        return f"histogram_quantile({share:g}, sum by (le) (rate({bucket}[{self._window}])))"
