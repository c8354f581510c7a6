# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How a workflow reaches other nodes."""

from pydantic import Field

from .node import NodeSettings
from .types import NodeTransport


class WorkflowSettings(NodeSettings):
    """How a workflow reaches other nodes."""

    node_transport: NodeTransport = Field(
        default="auto", description="How other nodes are reached; auto prefers this process."
    )
