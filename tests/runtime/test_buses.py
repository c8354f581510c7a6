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
    tell_where_events_end("node_lock_effect", uuid4(), bus)
    lines = [json.loads(message) for message in caplog.messages]
    assert [line["context"]["events_end"] for line in lines] == ([] if end is None else [end])
