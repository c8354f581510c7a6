# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Event buses that end where the process does."""

from uuid import UUID

from omnibase_core.enums import EnumLogLevel
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.logging import emit_log_event_sync


def tell_where_events_end(node: str, node_id: UUID, bus: object) -> None:
    """Log that events reach nobody outside of the process, where that is so.

    Args:
        node: The node's name.
        node_id: Identity of the running node.
        bus: What it publishes on; None for nothing.
    """
    if bus is None or isinstance(bus, EventBusInmemory):
        where = "nowhere" if bus is None else "in this process"
        emit_log_event_sync(
            EnumLogLevel.WARNING, "events_stay_inside", {"node": node, "node_id": str(node_id), "events_end": where}
        )
