# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""An orchestrator, whose workflows are asked for by requests alone."""

from __future__ import annotations

from typing import Any

from ..entry import EntryPoint
from ..node_request import NodeRequest
from ..node_response import NodeResponse
from .running import RunningNode


class RunningOrchestrator[RequestT: NodeRequest, ResponseT: NodeResponse, EntryT: EntryPoint[Any, Any]](
    RunningNode[RequestT, ResponseT, EntryT]
):
    """An orchestrator between its start and its end."""
