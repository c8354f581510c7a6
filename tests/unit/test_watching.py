"""Dashboards and alerts watch what the node has, in PromQL that Prometheus takes."""

import json
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from examples.rendering import ROOT, export_template, read_contract
from extensions.judging.judge import read
from extensions.viewing.build import view
from extensions.viewing.node import NodeView
from tests.contracts.render import Renderer

CONTRACTS = sorted((ROOT / "examples").glob("c*/*.yaml"))
PLAIN: dict[str, Any] = {
    "name": "plain",
    "package": "acme",
    "node_type": "effect",
    "operations": [{"name": "act", "handler": "custom", "input": {"a": "string"}, "output": {"ok": "boolean"}}],
}
EVENT = {
    "operations": [
        PLAIN["operations"][0] | {"publishes": "acted"},
        {"name": "put", "output": {"ok": "boolean"}, "database": {"query": "DELETE FROM t"}},
    ]
}
CONSUMING = {
    "integrations": {"kafka": {}},
    "subcontracts": {"event_type": {"consumed_events": [{"event": "asked", "operation": "act"}]}},
}


def contract(name: str) -> dict[str, Any]:
    return dict(read_contract(ROOT / "examples" / f"{name}.yaml"))


def node_of(raw: dict[str, Any]) -> NodeView:
    return view(read(raw))


def watched(node: NodeView) -> list[str]:
    board = json.loads(node.dashboard)
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]] + [
        alert.expression for alert in node.alerts
    ]


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_dashboards_and_alerts_are_well_formed(path: Path) -> None:
    node = node_of(contract(f"{path.parent.name}/{path.stem}"))
    for expression in watched(node):
        promql_parser.parse(expression.replace("$__rate_interval", "5m"))
        assert f"'{node.deploy.name}'" in expression or "'$job'" in expression or expression.startswith("vector(")
    panels = json.loads(node.dashboard)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len({alert.name for alert in node.alerts}) == len(node.alerts)


@pytest.mark.parametrize(
    ("more", "metrics"),
    [
        ({}, set()),
        (EVENT, {"dependency_up", "pool_connections_in_use", "event_publish_failure_total"}),
        (CONSUMING, {"outbox_messages", "event_handled_total", "event_given_up_total", "consumer_lag_messages"}),
        (
            CONSUMING | {"advanced_features": {"dead_letter_queue": {"alert_threshold": 3}}},
            {"event_buried_total", "dead_letter_alert"},
        ),
        (EVENT | {"advanced_features": {"circuit_breaker": {}}}, {"circuit_breaker_open"}),
        ({"advanced_features": {"rate_limiting": {"requests_per_second": 5}}}, {"operation_rate_limited_total"}),
    ],
)
def test_only_what_the_node_has_is_watched(more: dict[str, Any], metrics: set[str]) -> None:
    known = {
        *("dependency_up", "pool_connections_in_use", "circuit_breaker_open", "outbox_messages"),
        *("event_publish_failure_total", "event_handled_total", "event_given_up_total", "event_buried_total"),
        *("consumer_lag_messages", "dead_letter_alert", "operation_rate_limited_total", "workflow_run_total"),
        *("step_completed_total", "cache_hit_total"),
    }
    text = " ".join(watched(node_of(PLAIN | more)))
    found = {name for name in known if f"onex_{name}{{" in text}
    assert metrics <= found
    if not metrics:
        assert found == set()


def test_workflows_and_caches_are_watched() -> None:
    text = " ".join(watched(node_of(contract("contracts/order_workflow"))))
    assert {"onex_workflow_run_total{", "onex_step_completed_total{", "onex_step_duration_seconds_bucket{"} <= {
        f"{part}{{" for part in text.replace("(", " ").replace("{", " ").split()
    }
    assert "onex_cache_hit_total{" in " ".join(watched(node_of(contract("contracts/price_quote"))))


def test_targets_are_limits_of_buckets() -> None:
    raw = contract("contracts/distributed_lock")
    # Those of Prometheus' client are there without being said.
    assert node_of(raw).metrics.buckets == ()
    raw["operations"][0]["target"]["p95_ms"] = 40
    node = node_of(raw)
    assert 0.04 in node.metrics.buckets
    targets = {operation.target.p95_ms for operation in node.operations if operation.target} - {None}
    assert {target / 1000 for target in targets if target} <= set(node.metrics.buckets)
    slow = {alert.expression.rpartition(" > ")[2] for alert in node.alerts if alert.name.endswith("Slow")}
    assert slow == {f"{target / 1000:g}" for target in targets if target}
    assert node_of(PLAIN).metrics.buckets == ()


def test_files_say_what_is_watched(tmp_path: Path) -> None:
    raw = contract("contracts/order_events") | {"deployment": {"service_monitor": {"labels": {"release": "p"}}}}
    paths = ("deploy/watch/alerts.yaml", "deploy/kubernetes/prometheusrule.yaml", "deploy/watch/dashboard.json")
    found = Renderer(export_template(tmp_path / "template")).texts(raw, *paths)
    alerts, rule, board = (found[path] for path in paths)
    groups = yaml.safe_load(alerts)["groups"]
    node = node_of(raw)
    assert [(one["alert"], one["expr"], one["for"]) for one in groups[0]["rules"]] == [
        (alert.name, alert.expression, alert.wait) for alert in node.alerts
    ]
    manifest = yaml.safe_load(rule)
    assert manifest["spec"]["groups"] == groups
    assert manifest["metadata"]["labels"]["release"] == "p"
    assert json.loads(board) == json.loads(node.dashboard)


def test_without_metrics_there_is_nothing_to_watch() -> None:
    node = node_of(PLAIN | {"advanced_features": {"observability": {"metrics": {"enabled": False}}}})
    assert {"/deploy/watch", "/tests/unit/test_watch.py"} <= set(node.left_out)
    assert node.counters == []
    assert "measuring" not in node.runtime_modules
