"""Who publishes and reaches nobody is told so."""

import json
import logging
from uuid import uuid4

import pytest
from omnibase_core.event_bus import EventBusInmemory
from onex_node_runtime.buses import tell_where_events_end


@pytest.mark.parametrize(("bus", "end"), [(None, "nowhere"), (EventBusInmemory(), "in this process"), (object(), None)])
def test_events_that_reach_nobody_are_told_of(bus: object, end: str | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    node_id = uuid4()
    tell_where_events_end("node_lock_effect", node_id, bus)
    told = [(record.levelno, json.loads(record.getMessage())) for record in caplog.records]
    assert [(level, line["message"], line["context"]) for level, line in told] == [
        (
            logging.WARNING,
            "events_stay_inside",
            {"node": "node_lock_effect", "node_id": str(node_id), "events_end": where},
        )
        for where in ([] if end is None else [end])
    ]
