"""The metrics reducer: what it counts, what it asks others to do, and that it does nothing of that itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from omninode_codegen.nodes.node_codegen_metrics_reducer.aggregations import aggregation_aggregate
from omninode_codegen.nodes.node_codegen_metrics_reducer.handlers import handler_aggregate
from omninode_codegen.nodes.node_codegen_metrics_reducer.models.model_aggregate_input import ModelAggregateInput
from omninode_codegen.nodes.node_codegen_metrics_reducer.models.model_aggregate_output import ModelAggregateOutput
from tests.nodes.node_codegen_metrics_reducer.purity import ImpureError, run, watched

MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPACE = UUID(int=0)


def event(number: int = 0, **values: Any) -> dict[str, Any]:
    return {
        "event_id": uuid5(SPACE, str(number)),
        "node_kind": "effect",
        "succeeded": True,
        "duration_ms": 10,
        "occurred_at": MOMENT,
        **values,
    }


def reduced(*events: dict[str, Any]) -> ModelAggregateOutput:
    """Reduce where files, sockets, processes, clock and chance are out of reach, and without an event loop."""
    request = ModelAggregateInput.model_validate({"events": list(events)})
    with watched(aggregation_aggregate, handler_aggregate):
        return run(handler_aggregate.HandlerAggregate().handle(request))


def test_figures_of_one_window() -> None:
    (window,) = reduced(
        event(1, tokens=100, cost_usd=0.25, duration_ms=10),
        event(2, tokens=50, cost_usd=0.5, duration_ms=30, succeeded=False),
    ).windows
    assert window.model_dump() == {
        "node_kind": "effect",
        "window_start": MOMENT,
        "total": 2,
        "failures": 1,
        "tokens": 150,
        "cost_usd": 0.75,
        "mean_ms": 20.0,
        "p95_ms": 30.0,
        "slowest_ms": 30.0,
    }


def test_kinds_of_nodes_and_minutes_have_windows_of_their_own() -> None:
    found = reduced(
        event(1),
        event(2, node_kind="reducer"),
        event(3, occurred_at=MOMENT + timedelta(seconds=59)),
        event(4, occurred_at=MOMENT + timedelta(seconds=60)),
    ).windows
    assert {(window.node_kind, window.window_start.minute): window.total for window in found} == {
        ("effect", 0): 2,
        ("reducer", 0): 1,
        ("effect", 1): 1,
    }


def test_an_event_that_comes_again_counts_once() -> None:
    (window,) = reduced(event(1, tokens=5), event(1, tokens=5), event(2, tokens=7)).windows
    assert (window.total, window.tokens) == (2, 12)


def test_the_order_of_events_does_not_matter() -> None:
    events = [event(number, cost_usd=0.1 * number, duration_ms=number % 7) for number in range(50)]
    assert reduced(*events) == reduced(*reversed(events))


def test_each_window_is_to_be_stored_and_all_are_to_be_told_of() -> None:
    output = reduced(event(1), event(2, node_kind="reducer"))
    asked = [(intent.target, intent.action, intent.event, len(intent.windows)) for intent in output.intents]
    assert asked == [
        ("store_effect", "persist_metrics", None, 1),
        ("store_effect", "persist_metrics", None, 1),
        ("event_bus", "publish", "codegen-metrics-updated", 2),
    ]
    assert [intent.windows[0] for intent in output.intents[:2]] == output.windows


def test_of_nothing_nothing_is_asked() -> None:
    assert reduced() == ModelAggregateOutput(windows=[], intents=[])


def test_a_call_knows_nothing_of_those_before() -> None:
    assert reduced(event(1)) == reduced(event(1))


@pytest.mark.parametrize("reach", ["open('/dev/null')", "__import__('time').time()", "__import__('uuid').uuid4()"])
def test_what_watches_it_would_see_it_reach_outside(reach: str) -> None:
    with pytest.raises(ImpureError), watched():
        eval(reach)
